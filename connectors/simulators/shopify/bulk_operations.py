"""Bulk queries: started, watched, cancelled, with their result as JSONL (shopify.md section 14)."""

import json
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, parse

from connectors.simulators.shopify.after_sales_records import Bulk
from connectors.simulators.shopify.paging import Args, connection
from connectors.simulators.shopify.refusals import Refused
from connectors.simulators.shopify.state import ShopState, gid, number_of, stamp

MOST_RUNNING = 5
_RUNNING = ("CREATED", "RUNNING", "CANCELING")


def run_query(shop: ShopState, args: Args) -> dict[str, Any]:
    """bulkOperationRunQuery: at most five at a time."""
    _check_free(shop)
    _check_text(args["query"])
    bulk = Bulk(id=shop.next_id("BulkOperation"), text=args["query"], created_at=shop.now())
    shop.bulks[bulk.id] = bulk
    return {"bulkOperation": bulk}


def _check_free(shop: ShopState) -> None:
    running = [bulk for bulk in shop.bulks.values() if bulk.status in _RUNNING]
    if len(running) >= MOST_RUNNING:
        names = ", ".join(gid("BulkOperation", bulk.id) for bulk in running)
        message = f"A bulk query operation for this app and shop is already in progress: {names}."
        raise Refused(None, message, "OPERATION_IN_PROGRESS")


def _check_text(text: str) -> None:
    """One to five connections, nested at most two deep."""
    try:
        depths = _connection_depths(parse(text))
    except GraphQLError as error:
        raise Refused(["query"], f"Invalid bulk query: {error.message}", "INVALID") from error
    if not depths:
        raise Refused(["query"], "The query does not contain any connections.", "INVALID")
    if len(depths) > 5 or max(depths) > 2:
        raise Refused(["query"], "Bulk queries allow five connections, nested two deep.", "INVALID")


def _connection_depths(document: DocumentNode) -> list[int]:
    found: list[int] = []

    def walk(node: Any, depth: int) -> None:
        for field in node.selection_set.selections if node.selection_set else ():
            inside = {child.name.value for child in _fields(field)}
            is_connection = bool(inside & {"edges", "nodes"})
            if is_connection:
                found.append(depth + 1)
            walk(field, depth + is_connection)

    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            walk(operation, 0)
    return found


def _fields(node: Any) -> list[FieldNode]:
    selections = getattr(node, "selection_set", None)
    return [one for one in (selections.selections if selections else ()) if isinstance(one, FieldNode)]


def cancel(shop: ShopState, args: Args) -> dict[str, Any]:
    """bulkOperationCancel."""
    bulk = shop.bulks.get(number_of("BulkOperation", args["id"]))
    if bulk is None:
        raise Refused(["id"], "Bulk operation does not exist")
    if bulk.status not in _RUNNING:
        message = f"A bulk operation cannot be canceled when it is {bulk.status.lower()}"
        raise Refused(None, message, payload={"bulkOperation": bulk})
    bulk.status = "CANCELING"
    return {"bulkOperation": bulk}


def operations(shop: ShopState, root: Any, args: Args) -> dict[str, Any]:
    """The list, by status where the query says so."""
    wanted = str(args.get("query") or "").lower()
    found = [bulk for bulk in shop.bulks.values() if "status:running" not in wanted or bulk.status in _RUNNING]
    return connection(found[::-1] if args.get("reverse") else found, args, is_reversed=bool(args.get("reverse")))


def finish(shop: ShopState, bulk: Bulk, data: dict[str, Any] | None) -> None:
    """Write the result of a query, or end what was cancelled; fires bulk_operations/finish."""
    if bulk.status == "CANCELING":
        bulk.status = "CANCELED"
    elif data is None:
        bulk.status, bulk.error_code = "FAILED", "INTERNAL_SERVER_ERROR"
    else:
        lines = flattened(data)
        bulk.objects = len(lines)
        bulk.roots = sum(1 for line in lines if "__parentId" not in line)
        bulk.result = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
        bulk.status = "COMPLETED"
    bulk.completed_at = shop.now()
    body = {
        "admin_graphql_api_id": gid("BulkOperation", bulk.id),
        "completed_at": stamp(bulk.completed_at),
        "created_at": stamp(bulk.created_at),
        "error_code": None if bulk.error_code is None else bulk.error_code.lower(),
        "status": bulk.status.lower(),
        "type": "query",
    }
    shop.emit("bulk_operations/finish", body, "")


def flattened(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Nodes as lines: each child after its parent, with the parent's id."""
    lines: list[dict[str, Any]] = []
    for value in data.values():
        for node in _nodes(value) or []:
            _flatten(node, None, lines)
    return lines


def _flatten(node: dict[str, Any], parent: str | None, lines: list[dict[str, Any]]) -> None:
    own = {name: value for name, value in node.items() if _nodes(value) is None}
    lines.append(own | ({"__parentId": parent} if parent else {}))
    for value in node.values():
        for child in _nodes(value) or []:
            _flatten(child, node.get("id"), lines)


def _nodes(value: Any) -> Any:
    """The nodes of a connection, None for anything else."""
    if isinstance(value, dict) and "edges" in value:
        return [edge["node"] for edge in value["edges"]]
    return value["nodes"] if isinstance(value, dict) and "nodes" in value else None
