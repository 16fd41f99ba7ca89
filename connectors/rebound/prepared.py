"""A V1 return brought into a form that the mapping can point at: ids for items, one reason each, readable times. Pure.

The mapping language only points. What V1 needs beyond that is here, and adds ``item_id``, ``said``, ``judged``,
``created_at`` and ``read_at`` to the document; nothing of it decides what a word means.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.ports import Json, Problem
from connectors.rebound.moments import moment_of
from connectors.rebound.names import names_of, plain
from connectors.returns_contract.sanity import MAX_CODE
from returnsops import states


def prepared(
    document: Mapping[str, Any], *, previous: Json, received_at: datetime
) -> tuple[dict[str, Json], list[Problem]]:
    """The document with our additions, and what is unclear about its items.

    What the warehouse has to split is said once: not again where ``previous``, the return read before, said the same.
    """
    items: list[dict[str, Json]] = []
    problems: list[Problem] = []
    shown = rows(document.get("item"))
    names = names_of(document.get("id"), shown, sku="sku_code")
    for position, (row, name) in enumerate(zip(shown, names, strict=True), start=1):
        item = {**row, "item_id": name}
        item["said"], of_item = _said(row, position=position)
        items.append(item)
        problems += of_item
    judged = [item for item in items if plain(item.get("final_disposition"))]
    known = rows(previous.get("item")) if isinstance(previous, Mapping) else []
    before = dict(enumerate(known, start=1))
    split = [
        item
        for position, item in enumerate(items, start=1)
        if item in judged and not is_single(item) and not _is_same(item, before.get(position, {}))
    ]
    created_at = moment_of(document.get("date_added"))
    added: dict[str, Json] = {
        "item": items,
        "judged": [item for item in judged if is_single(item)],
        "created_at": created_at.isoformat() if created_at else None,
        "read_at": received_at.isoformat(),
    }
    return {**document, **added}, [*problems, *(_to_split(item) for item in split)]


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; V1's lists may be missing."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def is_single(item: Mapping[str, Any]) -> bool:
    """Whether the item is one unit. ``final_disposition`` sits on the item: of several it says nothing of each."""
    return plain(item.get("quantity")) in ("1", "1.0", "1.00")


def _is_same(item: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return all(item.get(name) == before.get(name) for name in ("sku_code", "quantity", "final_disposition"))


def _said(row: Mapping[str, Any], *, position: int) -> tuple[dict[str, Json], list[Problem]]:
    """Wish and action only where all answers agree; V1 gives one answer per unit or question.

    Several reasons become one code of their own, which nobody has mapped: the planner's case shows them to a person.
    """
    answers = rows(row.get("reason"))
    where = f"item {position} ({plain(row.get('sku_code')) or 'no SKU'})"
    reason = " / ".join(_words(answers, "reason"))[:MAX_CODE]
    said: dict[str, Json] = {"reason": reason or None}
    problems = []
    for name in ("wish", "action"):
        words = _words(answers, name)
        said[name] = words[0] if len(words) == 1 else None
        if len(words) > 1:
            problems.append(_unclear(f"{where} gives several answers for {name}: {', '.join(words)[:200]}"))
    if len(_words(answers, "wish")) > 1:
        said["action"] = None  # the action is asked only where there is no wish at all
    if not problems and not said["wish"] and not said["action"]:
        problems.append(_unclear(f"{where} does not say what the shopper wants"))
    return said, problems


def _words(answers: list[Mapping[str, Any]], name: str) -> list[str]:
    """The different answers, in their order."""
    return list(dict.fromkeys(word for answer in answers if (word := plain(answer.get(name)))))


def _unclear(text: str) -> Problem:
    """A case for operations: nothing is guessed, and nothing that depends on it moves."""
    return Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=f"{text}. Have the return corrected in ReBound.")


def _to_split(item: Mapping[str, Any]) -> Problem:
    """Only the warehouse knows which of several units the one word is about (rebound.md C2)."""
    sku, quantity, word = (plain(item.get(name)) for name in ("sku_code", "quantity", "final_disposition"))
    text = f"{quantity} units of {sku} share the one disposition {word!r}. Judge each unit at the warehouse bench."
    detail = {"item": item["item_id"], "sku": sku, "quantity": quantity, "disposition": word}
    return Problem(case_kind=states.CASE_CONFIRM_SPLIT, text=text, detail=detail)
