"""Reading V1 in windows of days: ids, then each return, then its parcels (rebound.md C1).

V1 has no cursor and no time of change, so every round reads the last ``lookback_days`` again. The stored position
remembers the hash of each return and of each parcel, so that a round without a change stores nothing, and a parcel
that has come to its end is not asked for again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from connectors.ports import Json, Link, PolledItem, PollPage, RateLimited, Rejected, Retryable
from connectors.rebound import client
from connectors.rebound.statuses import word_key
from connectors.returns_contract.receiving import TOPIC_PULLED, TOPIC_UNREADABLE, subject_of
from returnsops.planning.keys import content_hash

DEFAULT_LOOKBACK_DAYS: Final = 30
DEFAULT_FINAL_WORDS: Final = ("Delivered",)
WINDOW_DAYS: Final = 7
PAGE: Final = 20
ROUND_S: Final = 420  # a round ends itself before its claim does (connectors/polling.py); the next goes on from there
# The label is 200 kB of base64, and who the shopper is and where he lives is nobody's business here.
DROPPED: Final = frozenset(
    {"label", "name", "company_name", "phone", "addr1", "addr2", "addr3", "city", "state", "zip"}
)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What was read of one return: its content, the key it was stored under, its parcels (hash, at its end)."""

    content: str
    key: str
    round: int
    parcels: Mapping[str, tuple[str, bool]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Position:
    """Where the round stands: its number, the window and the place in it; '' where none is under way."""

    round: int = 0
    day: str = ""
    done: int = 0
    began_at: str = ""
    known: Mapping[str, _Known] = field(default_factory=dict)


def poll(link: Link, cursor: str) -> PollPage:
    """Up to PAGE returns of one window. Raises the classes of connectors.ports; wrong credentials end it at once."""
    position = _begun(link, _position(cursor))
    day = date.fromisoformat(position.day)
    ids = _ids(link, day)
    batch = ids[position.done : position.done + PAGE]
    known = dict(position.known)
    items = []
    done = position.done
    for return_id in batch:
        if done > position.done and _is_long(link, position):
            break
        done += 1
        if return_id in known and known[return_id].round == position.round:
            continue  # windows touch; read in this round already
        item, known[return_id] = _read(link, return_id, known.get(return_id), round=position.round)
        items += [item] if item is not None else []
    following = _next(link, replace(position, known=known, done=done), day=day, is_left=done < len(ids))
    is_last = not following.day or not following.began_at
    return PollPage(items=tuple(items), cursor=json.dumps(asdict(following)), is_last=is_last)


def read_return(link: Link, return_id: str) -> PolledItem | None:
    """One return as it is now, None where the platform does not know it."""
    item, _ = _read(link, return_id, None, round=0)
    return item


def window_page(link: Link, since: datetime, cursor: str) -> PollPage:
    """The past since a moment for an audit (S1-37), one window a page; the cursor is the window's first day."""
    day = date.fromisoformat(cursor) if cursor else since.date()
    items = [read_return(link, return_id) for return_id in _ids(link, day)]
    following = day + timedelta(days=WINDOW_DAYS)
    is_last = following > link.now().date()
    found = tuple(item for item in items if item is not None)
    return PollPage(items=found, cursor="" if is_last else following.isoformat(), is_last=is_last)


# --- the round ----------------------------------------------------------------------------------------------------


def _begun(link: Link, position: _Position) -> _Position:
    """The position, with a round under way: a new one, or the one before with time to go on."""
    now = link.now()
    if position.day:
        return position if position.began_at else replace(position, began_at=now.isoformat())
    days = max(1, int(link.config.settings.get("lookback_days", DEFAULT_LOOKBACK_DAYS)))
    first = (now - timedelta(days=days)).date()
    return replace(position, round=position.round + 1, day=first.isoformat(), done=0, began_at=now.isoformat())


def _next(link: Link, position: _Position, *, day: date, is_left: bool) -> _Position:
    """The position after this page. What was not seen in a whole round has left the time looked back on."""
    following = position
    if not is_left:
        after = day + timedelta(days=WINDOW_DAYS)
        if after > link.now().date():
            seen = {name: one for name, one in position.known.items() if one.round == position.round}
            return replace(position, day="", done=0, began_at="", known=seen)
        following = replace(position, day=after.isoformat(), done=0)
    return replace(following, began_at="") if _is_long(link, position) else following


def _is_long(link: Link, position: _Position) -> bool:
    return link.now() - datetime.fromisoformat(position.began_at) >= timedelta(seconds=ROUND_S)


def _ids(link: Link, day: date) -> tuple[str, ...]:
    """Returns of the window that begins on a day. Windows touch, so that either meaning of date_to is covered."""
    until = day + timedelta(days=WINDOW_DAYS)
    return client.search(link, date_from=day.strftime(client.DATE), date_to=until.strftime(client.DATE))


def _position(cursor: str) -> _Position:
    if not cursor:
        return _Position()
    stored = json.loads(cursor)
    known = {name: _Known(**{**one, "parcels": _parcels(one["parcels"])}) for name, one in stored["known"].items()}
    return _Position(**{**stored, "known": known})


def _parcels(stored: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    return {code: (str(read), bool(is_ended)) for code, (read, is_ended) in stored.items()}


# --- one return ---------------------------------------------------------------------------------------------------


def _read(link: Link, return_id: str, before: _Known | None, *, round: int) -> tuple[PolledItem | None, _Known]:
    """A return with its parcels as one item; None where nothing changed since it was read before."""
    document, parcels, read = _document(link, return_id, before.parcels if before else {})
    content = content_hash([document, {code: parcel for code, (parcel, _) in parcels.items()}])[:16]
    if before is not None and before.content == content:
        return None, replace(before, round=round, parcels=parcels)
    # What comes back to an earlier state is news too: the key says from which state it came.
    key = content if before is None else content_hash([before.key, content])[:16]
    known = _Known(content=content, key=key, round=round, parcels=parcels)
    if document is None:
        return None, known
    return _item(return_id, {"return": document, "tracking": read}, key=key), known


def _document(
    link: Link, return_id: str, before: Mapping[str, tuple[str, bool]]
) -> tuple[Json, dict[str, tuple[str, bool]], list[Json]]:
    """The return, the hashes of its parcels, and the parcels that were read."""
    try:
        found = client.get_return(link, return_id)
    except Rejected as refusal:  # one return that cannot be read never keeps the others waiting
        return {"id": return_id, "refused": refusal.code}, {}, []
    if found is None:
        return None, {}, []
    parcels, read = {}, []
    for code in _codes(found):
        known = before.get(code, ("", False))
        tracking = None if known[1] else _tracking(link, code)
        parcels[code] = known if tracking is None else (content_hash(tracking)[:16], _is_ended(link, tracking))
        read += [] if tracking is None else [tracking]
    return _without(found), parcels, read


def _tracking(link: Link, code: str) -> Json:
    """A parcel's way; None where there is nothing yet, or it could not be told this time: the next round asks again."""
    try:
        found = client.get_tracking(link, code)
    except RateLimited:
        raise
    except (Retryable, Rejected):
        return None
    return None if found is None else {**_without(found), "tracking_code": code}


def _is_ended(link: Link, tracking: Mapping[str, Any]) -> bool:
    """Whether the newest entry, which may stand first or last, is a word after which nothing more comes."""
    words = link.config.settings.get("final_statuses") or DEFAULT_FINAL_WORDS
    ends = {word_key(word) for word in words}
    return any(word_key(row.get("status")) in ends for row in _rows(tracking.get("track")))


def _codes(document: Mapping[str, Any]) -> list[str]:
    named = [document.get("tracking"), *(item.get("tracking") for item in _rows(document.get("item")))]
    return list(dict.fromkeys(code.strip() for code in named if isinstance(code, str) and code.strip()))


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _without(document: Mapping[str, Any]) -> dict[str, Json]:
    """The document without its label and without the person; an item's label goes too."""
    kept = {name: value for name, value in document.items() if name not in DROPPED}
    if isinstance(kept.get("item"), list):
        kept["item"] = [
            {name: value for name, value in row.items() if name != "label"} if isinstance(row, Mapping) else row
            for row in kept["item"]
        ]
    return kept


def _item(return_id: str, body: Mapping[str, Json], *, key: str) -> PolledItem:
    is_refused = "refused" in body["return"]
    topic = TOPIC_UNREADABLE if is_refused else TOPIC_PULLED
    subject_key = subject_of(return_id)
    return PolledItem(topic=topic, body=body, delivery_key=f"pull:{return_id[:128]}:{key}", subject_key=subject_key)
