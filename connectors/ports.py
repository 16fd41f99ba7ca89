"""What the pumps ask of a vendor, in vendor-neutral words.

A vendor's folder declares one ``Connector`` value. Everything here is data and plain callables; the ``Link`` carries
what a vendor needs at run time, so the same code runs against a real shop, a simulator, or a double in process.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol

from connectors.listing import CataloguePage, OrdersPage
from connectors.purses import FULL_PURSE, Points, Purse
from returnsops.facts import ArticleId, Fact, OrderSnapshot, StockLevel, StockMovement

Json = Any  # a parsed JSON document; json.loads with parse_float=Decimal

# --- errors: classes, not texts (design section 5) ---------------------------------------------------------------


class VendorError(Exception):
    """A call that did not bring what was asked; ``text`` is safe to show, ``evidence`` is redacted."""

    def __init__(self, text: str, *, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.evidence = dict(evidence or {})


class Retryable(VendorError):
    """Nothing happened there; the same call may be tried again later."""


class RateLimited(Retryable):
    """Too many calls; try again after ``after_s`` seconds."""

    def __init__(self, text: str, *, after_s: float, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(text, evidence=evidence)
        self.after_s = after_s


class Rejected(VendorError):
    """A definite refusal: nothing happened and the same call will be refused again."""

    def __init__(self, text: str, *, code: str, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(text, evidence=evidence)
        self.code = code


class AuthFailed(VendorError):
    """Credentials or rights are wrong: the connection pauses with one case, nothing is lost."""


class OutcomeUnknown(VendorError):
    """The request may have left and its result is not known: look up, never resend."""


class Contradicted(OutcomeUnknown):
    """An earlier request of ours with this key arrived with other content; what it did a person has to say."""


# --- run time handle ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer; ``json`` is None where the body is not JSON (money stays Decimal)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Json


class Caller(Protocol):
    """HTTP with a total deadline, the connection's budget, and redacted call records (connectors/http.py)."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout_s: float = 30.0,
        is_write: bool = False,
    ) -> Answer:
        """Send one request; every status but 429 is returned.

        Raises Retryable where nothing can have left, OutcomeUnknown where a write may have, RateLimited on 429.
        """


@dataclass(frozen=True, kw_only=True)
class ConnectionConfig:
    """What a vendor may know of its connection row. ``secrets`` maps a name to its live values, newest first."""

    name: str
    vendor: str
    base_url: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    time_zone: str = "UTC"
    webhook_url: str = ""  # where its webhooks are to be delivered

    def secret(self, name: str) -> str:
        """The newest live value of a secret. Raises AuthFailed saying which one is missing."""
        values = self.secrets.get(name, ())
        if not values:
            raise AuthFailed(f"Connection {self.name} has no secret {name!r}; set it with apply_config.")
        return values[0]


@dataclass(frozen=True, kw_only=True)
class Link:
    """A connection in use."""

    config: ConnectionConfig
    call: Caller
    now: Callable[[], datetime]
    purse: Purse = FULL_PURSE


# --- in ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """A request to the webhook URL; header names are lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Reception:
    """What to do with a verified (or recognised unsigned) delivery.

    ``ping``: answer 200 and store nothing. ``delivery_key``: unique for ever per connection, '' = the inbox makes one.
    ``hint_key``: the body only says "look at this" and is merged with an unprocessed hint of the same key.
    ``subject_key``: what the event is about. Events of one subject may be processed in any order and at once, because
    facts commute; the key finds the message before for mappings that ask what changed.
    """

    kind: Literal["event", "ping", "unsigned"]
    topic: str = ""
    delivery_key: str = ""
    hint_key: str = ""
    subject_key: str = ""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a payload gave no fact or not all: becomes a case of ``case_kind``.

    ``standing`` names what is wrong in words that every later reading of the same subject repeats: one case then, not
    one for each payload.
    """

    case_kind: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    standing: str = ""


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """Facts of one payload. ``ignored_because`` says why a payload rightly means nothing to us.

    ``is_whole``: the payload showed all of its subject, so that standing problems it does not name are over.
    """

    facts: tuple[Fact, ...] = ()
    problems: tuple[Problem, ...] = ()
    ignored_because: str = ""
    is_whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Payload:
    """A stored inbound body, parsed, with what the normaliser may know beside it (all pure data)."""

    topic: str
    document: Json
    received_at: datetime
    account: str  # name of the connection
    mapping: Mapping[str, Any] = field(default_factory=dict)
    previous: Mapping[str, Any] | None = None  # last stored snapshot of the same subject, for ``changed`` tests
    previous_at: datetime | None = None  # when that came
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the connection, as they are now


@dataclass(frozen=True, kw_only=True)
class PolledItem:
    """Something polling found, as it goes into the inbox (same meaning as in Reception)."""

    topic: str
    body: Json
    delivery_key: str = ""
    hint_key: str = ""
    subject_key: str = ""


@dataclass(frozen=True, kw_only=True)
class PollPage:
    """One page of polling; ``cursor`` is stored only after the items are; ``is_last`` ends the round."""

    items: tuple[PolledItem, ...]
    cursor: str
    is_last: bool


# --- out ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Intent:
    """An effect as a vendor sees it. ``remote_key`` derives from (key, generation) and is written into the record."""

    kind: str
    key: str
    remote_key: str
    order_id: str
    payload: Mapping[str, Any]
    amount: Decimal | None
    currency: str
    planned_at: datetime
    first_attempt_at: datetime | None
    earlier_remote_keys: tuple[str, ...] = ()  # of older generations: a late success of those counts
    return_id: str = ""  # the platform's id of the return
    remote_id: str = ""  # of the record there, once acknowledged or adopted
    shown: Mapping[str, Sequence[str]] = field(default_factory=dict)  # field of a message → values seen in its place


class Found(StrEnum):
    """What a look-up by our key says."""

    ABSENT = "absent"
    PARTIAL = "partial"
    COMPLETE = "complete"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """The result of a look-up; PARTIAL names the step to go on with and the remote ids so far."""

    found: Found
    remote_id: str = ""
    step: str = ""
    remote_ids: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    order: OrderSnapshot | None = None  # the order as read meanwhile, where it was
    stock_concern: str = ""  # what the warehouse has to look at though it is there
    is_pending: bool = False  # there, and not through yet: done, confirmed later (a gateway that still pays)
    failed_because: str = ""  # there, and it did not work: no money moved, in words
    settle_s: float = 0.0  # ABSENT counts only so long after a write, where that is more than the vendor's own settle_s
    is_repeatable: bool = False  # ABSENT never tells that a write did not happen; the same key sent again tells


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An acknowledged effect."""

    remote_id: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    remote_url: str = ""
    stock_concern: str = ""  # what the warehouse has to look at though it is done


@dataclass(frozen=True, kw_only=True)
class CreditSeen:
    """Store credit as it is in the shop now. ``code`` is worth money: shown to who may see it, never kept."""

    code: str = field(repr=False)
    amount: Decimal
    expires_at: datetime | None
    usage_count: int
    is_usable: bool


@dataclass(frozen=True, kw_only=True)
class MarksShown:
    """What people see of us on an order: which of our tokens its notes hold, and our fields where it has such.

    ``fields`` None: they are in the order's snapshot (``mirrored``), or the shop shows none.
    """

    tokens: frozenset[str]
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class EffectActions:
    """How a vendor does one kind of effect. ``look_up`` reads consistently, never a search index."""

    send: Callable[[Link, Intent, Lookup], Sent]
    look_up: Callable[[Link, Intent], Lookup]


@dataclass(frozen=True, kw_only=True)
class WebhookState:
    """One webhook subscription at the vendor."""

    external_id: str
    topic: str
    is_active: bool
    delivery_url: str


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """One line of check_connection: what was looked at, whether it is well, what to do if not."""

    name: str
    is_ok: bool
    text: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What exactly-once rests on with this vendor (printed in the docs)."""

    rests_on: str  # "native idempotency" | "key in the remote record" | "versions" | "compare and swap"
    holds_for: str
    settle_s: int  # total call deadline plus the vendor's longest execution
    call_deadline_s: int
    calls_per_minute: int
    concurrency: int
    points: Points | None = None  # of a vendor that counts them: what holds until it has said how many are left


@dataclass(frozen=True, kw_only=True)
class SettingSpec:
    """One key of a connection's settings table, for validation and docs."""

    name: str
    kind: type
    help: str
    default: Any = None
    is_required: bool = False


class SettingsCheck(Protocol):
    """A vendor's own look at a settings table before it is stored."""

    def __call__(self, settings: Mapping[str, Any], *, base_url: str) -> Iterable[str]:
        """Every problem as ``where: what to do``."""


@dataclass(frozen=True, kw_only=True)
class Connector:
    """One vendor: capabilities and the functions that speak its dialect. Absent ability = None or empty."""

    vendor: str
    title: str
    role: Literal["commerce", "platform", "erp"]
    capabilities: Capabilities
    settings: tuple[SettingSpec, ...]
    secrets: tuple[str, ...]
    default_verifier: Mapping[str, Any]
    receive: Callable[[Inbound, ConnectionConfig], Reception]
    normalise: Callable[[Payload], Normalised]
    check: Callable[[Link], Sequence[CheckLine]]
    # Made by us when first wanted and readable for ever, retired values too: what was derived from them lives on.
    made_secrets: tuple[str, ...] = ()
    default_mapping: Mapping[str, Any] = field(default_factory=dict)
    effects: Mapping[str, EffectActions] = field(default_factory=dict)
    poll: Callable[[Link, str], PollPage] | None = None
    poll_interval_s: int = 300
    pays: bool = True  # a platform that may move money by itself, and so has to know of what was paid already
    sends_webhooks: bool = True  # of its own accord; else only through what somebody puts in between
    compares_by_source: bool = False  # what is polled with what was polled before, a webhook with a webhook
    read_order: Callable[[Link, str], OrderSnapshot | None] | None = None
    read_credit: Callable[[Link, str], CreditSeen] | None = None  # by the id of its record there
    read_marks: Callable[[Link, str, Sequence[str]], MarksShown] | None = None  # which of these tokens an order shows
    read_levels: Callable[[Link, Sequence[ArticleId]], Mapping[ArticleId, StockLevel]] | None = None  # shelf figures
    # Restocks by their ids, where the shop keeps them beside the order; None: gone there, left out: cannot be shown.
    read_movements: Callable[[Link, Sequence[str]], Mapping[str, StockMovement | None]] | None = None
    # The id of the order with exactly this number; None where there is none, or more than one.
    find_order: Callable[[Link, str], str | None] | None = None
    read_return: Callable[[Link, str], PolledItem | None] | None = None  # as it is now; None: unknown, or not asked
    # The past since a moment, for an audit, '' = from the start (listing.py).
    list_orders: Callable[[Link, datetime, str], OrdersPage] | None = None
    list_returns: Callable[[Link, datetime, str], PollPage] | None = None
    read_catalogue: Callable[[Link, str], CataloguePage] | None = None  # small pages, '' = from the start (S4-20)
    webhook_topics: tuple[str, ...] = ()  # what ensure_webhooks registers
    list_webhooks: Callable[[Link], Sequence[WebhookState]] | None = None
    ensure_webhooks: Callable[[Link, str], Sequence[WebhookState]] | None = None
    settings_problems: SettingsCheck | None = None
    order_url: Callable[[ConnectionConfig, str], str] | None = None
    return_url: Callable[[ConnectionConfig, str], str] | None = None
