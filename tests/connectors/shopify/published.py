"""The schema that Shopify publishes, read once for all tests of a process."""

import gzip
import re
from functools import cache

from graphql import GraphQLSchema, build_ast_schema, parse

from tests.settings import SHOPIFY_SCHEMA

_DESCRIPTION = re.compile(r'"""(?:\\"""|(?!""").)*"""', flags=re.DOTALL)


@cache
def published_schema() -> GraphQLSchema:
    """Every type, field, argument and deprecation; without descriptions, three quarters of the text to be parsed."""
    text = gzip.decompress(SHOPIFY_SCHEMA.read_bytes()).decode()
    return build_ast_schema(parse(_DESCRIPTION.sub("", text), no_location=True), assume_valid=True)
