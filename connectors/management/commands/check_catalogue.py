"""``manage.py check_catalogue NAME``: read the shop's articles now and say which SKU names none or two of them."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors import catalogue, ports
from connectors.registry import utc_now
from returnsops.models import CatalogueItem, Connection


class Command(BaseCommand):
    """A whole round at once; exit 1 where something is wrong."""

    help = "Read the catalogue of one shop and list articles without a SKU of their own."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME [--json]."""
        parser.add_argument("name")
        parser.add_argument("--json", action="store_true", help="a JSON document instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, then print one line per article that is wrong."""
        connection = Connection.objects.filter(name=options["name"]).first()
        if connection is None:
            known = ", ".join(Connection.objects.values_list("name", flat=True)) or "none yet; run apply_config"
            raise CommandError(f"There is no connection {options['name']!r}. Known: {known}.")
        try:
            found = catalogue.check_now(connection=connection, at=utc_now())
        except ValueError as error:
            raise CommandError(str(error)) from None
        except ports.VendorError as error:
            raise CommandError(f"The catalogue of {connection.name} cannot be read: {error.text}") from None
        self._print(connection, found, is_json=options["json"])
        if found.problems:
            raise CommandError(f"{found.problems} of {found.articles} articles need a SKU of their own in the shop.")

    def _print(self, connection: Connection, found: catalogue.Catalogue, *, is_json: bool) -> None:
        rows = CatalogueItem.objects.filter(connection=connection).exclude(problem="")
        listed = [
            {
                "product": row.product_external_id,
                "variation": row.variation_external_id,
                "name": row.name,
                "sku": row.sku,
                "problem": row.problem,
            }
            for row in rows
        ]
        if is_json:
            self.stdout.write(json.dumps({"articles": found.articles, "problems": listed}, indent=2))
            return
        for row in listed:
            self.stdout.write(f"{row['problem']}: {row['name']} (product {row['product']}, SKU {row['sku'] or 'none'})")
        if not listed:
            self.stdout.write(f"All {found.articles} articles of {connection.name} have a SKU of their own.")
