"""Store credit as a coupon, against the simulated shop over real HTTP: one coupon, nobody else's, and taken back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors.http import make_caller, new_session
from connectors.ports import Found, Intent, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.faults import Fault, FaultKind
from connectors.simulators.server import serve
from connectors.simulators.woocommerce import CartLine, Order, Product, WooShop, coupons_of_shop
from connectors.simulators.woocommerce.records import Coupon
from connectors.simulators.woocommerce.wire import WooError
from connectors.woocommerce import coupons
from connectors.woocommerce.actions import EFFECTS
from connectors.woocommerce.timing import SETTLE_S
from tests.connectors.woocommerce.intents import mark_intent
from tests.connectors.woocommerce.scripted import KEYS, NOW, answered, config, scripted_link

KEY = "store_credit:reveni/ret-1:store_credit:crd-1"
EMAIL = "ana@example.test"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A shop on loopback, an order of two shirts, and a link."""

    shop: WooShop
    link: Link
    clock: SimulatedClock
    shirt: Product
    order: Order

    def look_up(self, intent: Intent) -> Lookup:
        return EFFECTS[intent.kind].look_up(self.link, intent)

    def send(self, intent: Intent, lookup: Lookup | None = None) -> Sent:
        return EFFECTS[intent.kind].send(self.link, intent, lookup or self.look_up(intent))

    def coupons(self) -> list[Coupon]:
        return list(self.shop.state.coupons.values())

    def with_secrets(self, *values: str) -> "Stage":
        """The same shop with other values of our secret, newest first."""
        secrets = {**KEYS, "coupon_key": values}
        return replace(self, link=replace(self.link, config=replace(self.link.config, secrets=secrets)))


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = SimulatedClock(NOW)
    with requests.Session() as deliveries, new_session() as session:
        shop = WooShop(clock=clock, session=deliveries)
        shop.add_key("ck_test", "cs_test")
        shirt = shop.add_product("Linen shirt", Decimal("30.00"), sku="SHIRT-1", stock_quantity=50)
        server = serve(shop.app)
        try:
            yield Stage(
                shop=shop,
                link=Link(
                    config=config(base_url=server.url, time_zone="Europe/Madrid"),
                    call=make_caller(session=session, before_call=None, record=None, now=clock.now),
                    now=clock.now,
                ),
                clock=clock,
                shirt=shirt,
                order=shop.place_order([CartLine(product_id=shirt.id, quantity=2)], email=EMAIL),
            )
        finally:
            server.stop()


def credit(stage: Stage, amount: str = "33.00", **changes: Any) -> Intent:
    """30.00 and 3.00 on top."""
    payload = {
        "amount": amount,
        "bonus": "3.00",
        "currency": "EUR",
        "reason": "Return RMA-77",
        "rma_number": "RMA-77",
        "valid_days": changes.pop("valid_days", 365),
    }
    intent = Intent(
        kind="store_credit",
        key=KEY,
        remote_key=KEY,
        order_id=str(stage.order.id),
        payload=payload,
        amount=Decimal(amount),
        currency="EUR",
        planned_at=NOW - timedelta(minutes=5),
        first_attempt_at=None,
    )
    return replace(intent, **changes)


def void(coupon_id: str, **changes: Any) -> Intent:
    """The inverse of ``credit``."""
    intent = Intent(
        kind="void_credit",
        key=f"reverse:{KEY}:1",
        remote_key=f"reverse:{KEY}:1",
        order_id="",
        payload={"remote_credit_id": coupon_id, "credit_keys": [KEY]},
        amount=None,
        currency="",
        planned_at=NOW,
        first_attempt_at=None,
    )
    return replace(intent, **changes)


def spend(stage: Stage, coupon: Coupon, **details: Any) -> Order:
    """The customer pays with it."""
    details = {"email": EMAIL, **details}
    return stage.shop.place_order([CartLine(product_id=stage.shirt.id, quantity=2)], coupons=[coupon], **details)


# --- the code ----------------------------------------------------------------------------------------------------


def test_the_code_follows_from_the_key_and_a_secret_only() -> None:
    code = coupons.code_of("made-up-coupon-key", KEY)
    assert code == coupons.code_of("made-up-coupon-key", KEY)
    assert code not in (coupons.code_of("another", KEY), coupons.code_of("made-up-coupon-key", f"{KEY}#2"))
    prefix, *groups = code.split("-")
    assert (prefix, [len(group) for group in groups]) == ("RC", [4, 4, 4])
    assert set("".join(groups)) <= set(coupons.ALPHABET)
    assert set(coupons.ALPHABET).isdisjoint("01OI")
    assert len(coupons.ALPHABET) == 32  # so that no character is likelier than another


# --- issuing -----------------------------------------------------------------------------------------------------


def test_a_credit_becomes_one_coupon_of_its_customer(stage: Stage) -> None:
    assert stage.look_up(credit(stage)).found is Found.ABSENT
    sent = stage.send(credit(stage))
    (coupon,) = stage.coupons()
    code = coupons.code_of(KEYS["coupon_key"][0], KEY)
    assert (coupon.code, coupon.amount, coupon.discount_type) == (code.lower(), Decimal("33.00"), "fixed_cart")
    assert (coupon.email_restrictions, coupon.usage_limit, coupon.is_individual_use) == ([EMAIL], 1, False)
    # 20 November 23:00 in Madrid; the last second of the day a year later.
    assert coupon.expires_at == datetime(2027, 11, 20, 22, 59, 59, tzinfo=UTC)
    assert coupon.description == f"Return RMA-77 {KEY}"
    assert {meta.key: meta.value for meta in coupon.meta} == {"_returnsops_key": KEY, "_returnsops_rma": "RMA-77"}
    assert sent.remote_id == str(coupon.id)
    assert sent.remote_url.endswith(f"/wp-admin/post.php?post={coupon.id}&action=edit")

    found = stage.look_up(credit(stage))
    assert (found.found, found.remote_id) == (Found.COMPLETE, str(coupon.id))
    assert found.order is not None
    assert found.evidence["code_last4"] == code[-4:]


def test_what_is_kept_of_a_coupon_is_neither_its_code_nor_whose_it_is(stage: Stage) -> None:
    sent = stage.send(credit(stage))
    kept = json.dumps([sent.evidence, sent.remote_url, stage.look_up(credit(stage)).evidence]).upper()
    assert coupons.code_of(KEYS["coupon_key"][0], KEY) not in kept
    assert EMAIL.upper() not in kept


def test_without_valid_days_it_never_lapses(stage: Stage) -> None:
    stage.send(credit(stage, valid_days=None))
    (coupon,) = stage.coupons()
    assert coupon.expires_at is None
    assert coupons.read_credit(stage.link, str(coupon.id)).is_usable


@pytest.mark.parametrize(
    "kind", [FaultKind.LOST_ANSWER, FaultKind.SERVER_ERROR_AFTER_COMMIT, FaultKind.RATE_LIMITED], ids=str
)
def test_after_a_lost_answer_the_coupon_is_found_not_made_again(stage: Stage, kind: FaultKind) -> None:
    stage.shop.faults.script(Fault(kind=kind, method="POST", path_pattern=r"/coupons$", status=502, retry_after_s=1))
    with pytest.raises(Exception, match="POST /"):
        stage.send(credit(stage))
    found = stage.look_up(credit(stage, first_attempt_at=NOW)).found
    assert found is (Found.ABSENT if kind is FaultKind.RATE_LIMITED else Found.COMPLETE)
    assert len(stage.coupons()) == (0 if kind is FaultKind.RATE_LIMITED else 1)


def test_a_second_post_of_the_code_is_refused_by_the_shop_and_looked_up(stage: Stage) -> None:
    absent = stage.look_up(credit(stage))
    stage.send(credit(stage), absent)
    with pytest.raises(OutcomeUnknown, match="woocommerce_rest_coupon_code_already_exists"):
        stage.send(credit(stage), absent)
    assert stage.look_up(credit(stage)).found is Found.COMPLETE
    assert len(stage.coupons()) == 1


def test_the_coupon_of_an_earlier_generation_or_secret_counts(stage: Stage) -> None:
    stage.send(credit(stage))
    second = credit(stage, remote_key=f"{KEY}#2", earlier_remote_keys=(KEY,))
    assert stage.look_up(second).found is Found.COMPLETE
    rotated = stage.with_secrets("newer", KEYS["coupon_key"][0])
    assert rotated.look_up(credit(stage)).found is Found.COMPLETE
    assert stage.with_secrets("newer").look_up(credit(stage)).found is Found.ABSENT


def test_two_coupons_of_our_codes_are_for_a_person(stage: Stage) -> None:
    stage.send(credit(stage))
    stage.with_secrets("newer").send(credit(stage))
    found = stage.with_secrets("newer", KEYS["coupon_key"][0]).look_up(credit(stage))
    assert (found.found, found.text[:36]) == (Found.AMBIGUOUS, "More than one coupon carries our cod")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"amount": Decimal("99.00")}, "amount"),
        ({"email_restrictions": []}, "customer"),
        ({"discount_type": "percent"}, "discount type"),
        ({"meta": []}, "key"),
    ],
)
def test_a_coupon_of_our_code_that_is_something_else_is_for_a_person(
    stage: Stage, change: dict[str, Any], what: str
) -> None:
    stage.send(credit(stage))
    (coupon,) = stage.coupons()
    for name, value in change.items():
        setattr(coupon, name, value)
    found = stage.look_up(credit(stage))
    assert found.found is Found.AMBIGUOUS
    assert found.text == f"The coupon with our code differs in {what} (coupon {coupon.id})."
    assert found.evidence == {"candidates": [str(coupon.id)]}


def test_a_coupon_in_the_trash_is_absent(stage: Stage) -> None:
    stage.send(credit(stage))
    stage.coupons()[0].status = "trash"
    assert stage.look_up(credit(stage)).found is Found.ABSENT


@pytest.mark.parametrize("email", ["", "ana@localhost"])
def test_without_a_usable_email_nothing_is_sent(stage: Stage, email: str) -> None:
    """The shop drops such an address in silence, and then the coupon would be everybody's."""
    stage.order.billing["email"] = email
    with pytest.raises(Rejected, match="no usable billing e-mail") as refusal:
        stage.send(credit(stage))
    assert refusal.value.code == "no_email"
    assert stage.coupons() == []


def test_a_shop_that_drops_the_email_is_noticed_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupons_of_shop, "kept_emails", lambda given: [])
    with pytest.raises(OutcomeUnknown, match="differs in customer"):
        stage.send(credit(stage))
    found = stage.look_up(credit(stage, first_attempt_at=NOW))
    assert (found.found, "customer" in found.text) == (Found.AMBIGUOUS, True)


@pytest.mark.parametrize(
    ("changes", "code"), [({"currency": "USD"}, "currency_mismatch"), ({"amount": "0"}, "amount_not_positive")]
)
def test_a_credit_that_cannot_be_right_is_not_sent(stage: Stage, changes: dict[str, str], code: str) -> None:
    amount = changes.pop("amount", "33.00")
    with pytest.raises(Rejected) as refusal:
        stage.send(credit(stage, amount, **changes))
    assert refusal.value.code == code
    assert stage.coupons() == []


def test_an_order_in_the_bin_or_unknown_gets_none(stage: Stage) -> None:
    stage.shop.trash(stage.order.id)
    with pytest.raises(Rejected) as gone:
        stage.send(credit(stage))
    assert gone.value.code == "order_gone"
    with pytest.raises(Rejected) as unknown:
        stage.look_up(credit(stage, order_id="9999"))
    assert unknown.value.code == "order_not_found"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"id": 7, "code": "five", "amount": "1.00"}, "differs in key, amount, discount type, customer, code"),
        ([], "no coupon"),
    ],
)
def test_an_answer_that_is_another_coupon_is_looked_up(stage: Stage, body: Any, text: str) -> None:
    absent = stage.look_up(credit(stage))
    link, asked = scripted_link(lambda *_: answered(201, body))
    with pytest.raises(OutcomeUnknown, match=text):
        coupons.send(link, credit(stage), absent)
    assert [(method, path) for method, path, _, _ in asked] == [("POST", "/coupons")]


def test_only_its_customer_can_spend_it_and_only_once(stage: Stage) -> None:
    stage.send(credit(stage))
    (coupon,) = stage.coupons()
    with pytest.raises(WooError, match="not yours"):
        spend(stage, coupon, email="eve@example.test")
    spend(stage, coupon)
    with pytest.raises(WooError, match="limit"):
        spend(stage, coupon)
    seen = coupons.read_credit(stage.link, str(coupon.id))
    assert (seen.code, seen.amount, seen.usage_count) == (coupon.code.upper(), Decimal("33.00"), 1)
    assert coupon.code.upper() not in repr(seen)


# --- taking it back ----------------------------------------------------------------------------------------------


def test_an_unspent_credit_is_made_worthless(stage: Stage) -> None:
    made = stage.send(credit(stage))
    assert stage.look_up(void(made.remote_id)).found is Found.ABSENT
    sent = stage.send(void(made.remote_id))
    (coupon,) = stage.coupons()
    assert sent.remote_id == made.remote_id
    assert coupon.expires_at == NOW - timedelta(days=1)
    with pytest.raises(WooError, match="expired"):
        spend(stage, coupon)
    assert stage.look_up(void(made.remote_id, first_attempt_at=NOW)).found is Found.COMPLETE
    assert stage.look_up(credit(stage)).found is Found.COMPLETE  # it was issued all the same


def test_a_spent_credit_is_refused_before_anything_is_sent(stage: Stage) -> None:
    made = stage.send(credit(stage))
    spend(stage, stage.coupons()[0])
    with pytest.raises(Rejected, match="spent already") as refusal:
        stage.look_up(void(made.remote_id))
    assert refusal.value.code == "credit_spent"
    assert not [call for call in stage.shop.calls.all() if call.method == "PUT"]


def test_a_credit_spent_between_look_up_and_void_is_for_a_person(stage: Stage) -> None:
    made = stage.send(credit(stage))
    absent = stage.look_up(void(made.remote_id))
    spend(stage, stage.coupons()[0])
    with pytest.raises(OutcomeUnknown, match="spent meanwhile"):
        stage.send(void(made.remote_id), absent)
    found = stage.look_up(void(made.remote_id, first_attempt_at=NOW))
    assert found.found is Found.AMBIGUOUS
    assert found.evidence["used"] == 1


def test_a_lost_answer_of_a_void_is_looked_up(stage: Stage) -> None:
    made = stage.send(credit(stage))
    stage.shop.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="PUT", path_pattern=r"/coupons/\d+$"))
    with pytest.raises(OutcomeUnknown):
        stage.send(void(made.remote_id))
    stage.clock.advance(SETTLE_S)
    assert stage.look_up(void(made.remote_id, first_attempt_at=NOW)).found is Found.COMPLETE


def test_a_credit_deleted_in_the_shop_needs_no_void(stage: Stage) -> None:
    made = stage.send(credit(stage))
    absent = stage.look_up(void(made.remote_id))
    stage.coupons()[0].status = "trash"
    assert stage.look_up(void(made.remote_id)).found is Found.COMPLETE
    assert stage.send(void(made.remote_id), absent).evidence["used"] == 0
    stage.shop.state.coupons.clear()
    assert stage.look_up(void(made.remote_id)).evidence["state"] == "deleted"
    with pytest.raises(Rejected, match="no coupon"):
        coupons.read_credit(stage.link, made.remote_id)


def test_a_coupon_without_our_key_is_never_voided(stage: Stage) -> None:
    own = stage.shop.add_coupon("summer", Decimal("5"))
    found = stage.look_up(void(str(own.id)))
    assert found.found is Found.AMBIGUOUS
    assert "does not carry the key" in found.text


# --- telling the customer ----------------------------------------------------------------------------------------


def test_the_note_brings_the_customer_the_code(stage: Stage) -> None:
    made = stage.send(credit(stage))
    token = "[RMA-77/credit]"
    payload = {"token": token, "text": f"Your code: {{code}} {token}", "remote_credit_id": made.remote_id}
    note = mark_intent("note", str(stage.order.id), payload)
    assert stage.look_up(note).found is Found.ABSENT
    stage.send(note)
    (written,) = [row for row in stage.shop.state.notes if "RMA-77/credit" in row.text]
    assert written.is_for_customer
    assert written.text == f"Your code: {stage.coupons()[0].code.upper()} [RMA-77/credit]"
    assert stage.look_up(note).found is Found.COMPLETE
