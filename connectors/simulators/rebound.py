"""A simulated ReBound account with the V1 API (rebound.md A1, C3, C4): POST only, form fields, errors inside HTTP 200.

``account = ReboundAccount(clock=…)``; ``account.simulator`` is the WSGI app. Every value it sends is text or null.
The words of statuses, wishes, reasons and dispositions are the merchant's: nothing here says what they mean.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from werkzeug.wrappers import Request, Response

from connectors.simulators.base import Clock, FaultPlan, Simulator, SystemClock
from connectors.simulators.calls import CallLog
from connectors.simulators.pages import Table, render_page

LOGIN = "examplestore"
API_KEY = "rebound-test-key"
LABEL_BYTES = 200_000
BAD_KEYS_TO_BLOCK = 5
DATES = {
    "dashes": "%Y-%m-%d %H:%M:%S",
    "slashes": "%Y/%m/%d",
    "american": "%m/%d/%Y",
}
DateFormat = Literal["dashes", "slashes", "american", "unix"]


class _RefusedError(Exception):
    """An error as the API answers it, with HTTP 200."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(kw_only=True)
class ReboundAccount:
    """One account: its returns and parcels, and the acts that change them."""

    clock: Clock = field(default_factory=SystemClock)
    faults: FaultPlan = field(default_factory=FaultPlan)
    login: str = LOGIN
    api_key: str = API_KEY
    date_format: DateFormat = "dashes"
    returns: dict[str, dict[str, Any]] = field(default_factory=dict)
    parcels: dict[str, dict[str, Any]] = field(default_factory=dict)
    added_at: dict[str, datetime] = field(default_factory=dict)
    bad_keys: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        """Wire the parts together."""
        self.calls = CallLog()
        self.simulator = Simulator(app=_make_app(self), clock=self.clock, faults=self.faults, calls=self.calls)

    # --- the story ------------------------------------------------------------------------------------------------

    def create_return(
        self,
        *,
        order_reference: str,
        items: Sequence[dict[str, Any]],
        status: str | None = "Return Order Created",
        email: str = "shopper@example.com",
    ) -> str:
        """A return is placed; its id. Items need ``sku_code``. A label-in-the-box parcel has another first status."""
        with self.lock:
            number = 880_012 + len(self.returns)
            return_id, code = str(number), f"EX{number:09d}GB"
            now = self.clock.now()
            self.added_at[return_id] = now
            self.returns[return_id] = {
                "id": return_id,
                "display_id": f"RB-{return_id}",
                "external_id": "",
                "order_reference": order_reference,
                "date_added": self._written(now),
                "name": "Pat Example",
                "company_name": None,
                "email": email,
                "phone": "+44 20 7946 0000",
                "addr1": "1 Example Street",
                "city": "Exampleton",
                "zip": "EX1 1EX",
                "country": "GB",
                "carrier": "examplepost",
                "tracking": code,
                "tracking_last_update": None,
                "current_tracking_status": None,
                "verification_entity": None,
                "label": base64.b64encode(bytes(LABEL_BYTES)).decode(),
                "item": [_item(item) for item in items],
            }
            self.parcels[code] = {
                "tracking_code": code,
                "carrier_name": "examplepost",
                "order_reference": order_reference,
                "external_id": "",
                "track": [],
            }
            if status is not None:
                self.track(return_id, status)
            return return_id

    def track(self, return_id: str, status: str, *, city: str = "Exampleton", is_in_way: bool = True) -> None:
        """The parcel goes on: a word of the vendor, or one of the merchant's own. It may show in the return first."""
        with self.lock:
            document = self.returns[return_id]
            now = self._written(self.clock.now())
            document |= {"current_tracking_status": status, "tracking_last_update": now}
            if is_in_way:
                place = {"country": "GB", "state": None, "city": city}
                way = self.parcels[document["tracking"]]["track"]
                way.append({"dt": now, "status": status, "location": place})

    def dispose(self, return_id: str, *words: str | None) -> None:
        """The final disposition of the items in turn; it comes late, and may come item by item."""
        with self.lock:
            for item, word in zip(self.returns[return_id]["item"], words, strict=False):
                item["final_disposition"] = word

    def change_item(self, return_id: str, position: int, **fields: Any) -> None:
        """Any other change of one item."""
        with self.lock:
            self.returns[return_id]["item"][position] |= fields

    # --- looking --------------------------------------------------------------------------------------------------

    def asked(self, path_part: str) -> int:
        """How many calls went to paths with this in them."""
        return sum(path_part in call.path for call in self.calls.all())

    def answer(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        """``success`` of one call. Raises _RefusedError with the API's code."""
        with self.lock:
            self._check_credentials(form)
            request = _request_of(form)
            known: dict[str, Callable[[Any], dict[str, Any]]] = {
                "/returns/search/json": self._search,
                "/returns/get/json": self._get_return,
                "/tracking/get/json": self._get_tracking,
            }
            if path not in known:
                raise _RefusedError("unknown_call")
            try:
                return deepcopy(known[path](request))
            except (KeyError, TypeError, ValueError):
                raise _RefusedError("request_wrong") from None

    def tables(self) -> Sequence[Table]:
        """The sections of the read-only page."""
        rows = [
            (one["display_id"], one["order_reference"], one["current_tracking_status"] or "", one["tracking"])
            for one in self.returns.values()
        ]
        return (Table(title="Returns", columns=("return", "order", "status", "tracking"), rows=rows),)

    def _check_credentials(self, form: dict[str, str]) -> None:
        if self.bad_keys >= BAD_KEYS_TO_BLOCK:
            raise _RefusedError("ip_blocked")
        for name in ("login", "api_key"):
            if not form.get(name):
                raise _RefusedError(f"{name}_empty")
        if (form["login"], form["api_key"]) != (self.login, self.api_key):
            self.bad_keys += 1
            raise _RefusedError("access_denied")

    def _search(self, request: Any) -> dict[str, Any]:
        wanted = request["filter"]
        first, last = (_day(wanted[name]) for name in ("date_from", "date_to"))
        found = [return_id for return_id, at in self.added_at.items() if first <= at.astimezone(UTC).date() <= last]
        if not found:
            raise _RefusedError("empty")
        return {"id": found}

    def _get_return(self, request: Any) -> dict[str, Any]:
        wanted = request["return"]
        if wanted["type"] != "id":
            raise _RefusedError("request_wrong")
        return _found(self.returns, wanted["id"])

    def _get_tracking(self, request: Any) -> dict[str, Any]:
        return _found(self.parcels, request["tracking"]["code"])

    def _written(self, at: datetime) -> str:
        if self.date_format == "unix":
            return str(int(at.timestamp()))
        return at.astimezone(UTC).strftime(DATES[self.date_format])


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y/%m/%d").replace(tzinfo=UTC).date()


def _item(given: dict[str, Any]) -> dict[str, Any]:
    sku = given["sku_code"]
    additional = {"title": None, "value": None}
    answer = {"action": "return", "reason": "Damaged", "wish": "Refund", "additional": additional}
    plain = {"sku_desc": f"Article {sku}", "quantity": "1", "price": "12.00", "final_disposition": None}
    return {**plain, "reason": [answer], **given}


def _found(rows: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
    if key not in rows:
        raise _RefusedError("empty")
    return rows[key]


def _request_of(form: dict[str, str]) -> Any:
    if not form.get("request"):
        raise _RefusedError("request_empty")
    try:
        return json.loads(form["request"])
    except ValueError:
        raise _RefusedError("json_invalid") from None


def _make_app(account: ReboundAccount) -> Callable[..., Iterable[bytes]]:
    @Request.application
    def app(request: Request) -> Response:
        if request.path == "/":
            intro = "A simulated ReBound account. What words mean is the merchant's. This page only reads."
            page = render_page(title="ReBound simulator", intro=intro, tables=account.tables())
            return Response(page, content_type="text/html")
        if request.method != "POST":
            return Response("Method Not Allowed", status=405, headers={"Allow": "POST"})
        try:
            return _json({"success": account.answer(request.path, request.form.to_dict())})
        except _RefusedError as refusal:
            return _json({"error": {"code": refusal.code, "message": [f"Error: {refusal.code}"]}})

    return app


def _json(document: Any) -> Response:
    return Response(json.dumps(document), content_type="application/json")
