"""Kinds, teams and people of the queue's own tests; the registry is the product's own again afterwards."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from exceptions_queue import kinds, services, subjects
from exceptions_queue.errors import InvalidInputError
from exceptions_queue.kinds import ActionField, CaseAction, CaseKind, Severity
from exceptions_queue.models import ExceptionCase
from exceptions_queue.subjects import Subject, SubjectType

# A Thursday, 10:00 in London.
NOW = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)

OpenCase = Callable[..., ExceptionCase]


class Shop:
    """Stands for the other apps: what actions did there, and what a re-check finds."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []
        self.is_cause_gone = False

    def record_refund(self, *, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Any) -> str:
        """An action's runner."""
        self.calls.append((case.subject_id, reason, data))
        return f"Recorded {data['amount']} as paid."


def parcel(number: str) -> Subject:
    """The thing that cases of these tests are about; only one is known."""
    if number != "RMA-5":
        raise InvalidInputError(f"There is no parcel {number!r}.")
    return Subject(subject_type="parcel", subject_id="55", subject_label="Parcel 5", group_key="return:77")


def sizes(_case: ExceptionCase) -> list[tuple[str, str]]:
    """Choices of a field."""
    return [("s", "Small"), ("l", "Large")]


def ask_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Any) -> str:
    """Runner named by its dotted path."""
    return f"Asked the shop again about {case.subject_id}."


def kind_of(shop: Shop, **changes: Any) -> CaseKind:
    """A complete kind of the finance team, with changes."""
    values: dict[str, Any] = {
        "code": "amount_mismatch",
        "title": "Amounts differ",
        "owner_team": "FIN",
        "severity": Severity.HIGH,
        "meaning": "Two systems name different amounts.",
        "likely_cause": "The order was edited.",
        "how_to_fix": ("Compare both amounts.", "Record the right one."),
        "sla_hours": 4,
        "recheck": lambda _case: shop.is_cause_gone,
        "actions": (
            CaseAction(
                code="record",
                label="Record as paid",
                run=shop.record_refund,
                permission="auth.view_group",
                needs_reason=True,
                is_resolving=True,
                fields=(
                    ActionField(name="amount", label="Amount", kind="decimal"),
                    ActionField(name="paid_date", label="Paid on", kind="date", required=False),
                    ActionField(name="size", label="Size", kind="choice", choices=sizes, required=False),
                    ActionField(name="is_sure", label="Sure", kind="bool", required=False),
                ),
            ),
            CaseAction(code="ask", label="Ask again", run=f"{__name__}.ask_again", is_remote=True),
        ),
    }
    return CaseKind(**{**values, **changes})


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Registers the kinds of these tests in an empty registry."""
    monkeypatch.setattr(kinds, "_KINDS", {})
    monkeypatch.setattr(kinds, "_TEAMS", {})
    monkeypatch.setattr(subjects, "_TYPES", {})
    shop = Shop()
    kinds.register_team("FIN", "Finance")
    kinds.register_team("WH", "Warehouse")
    subjects.register_subject(SubjectType(code="parcel", title="Parcel", help="The number on it.", find=parcel))
    kinds.register(kind_of(shop))
    plain = CaseAction(code="ask", label="Ask again", run=ask_again)
    kinds.register(
        kind_of(
            shop,
            code="parcel_odd",
            title="Odd parcel",
            owner_team="WH",
            severity=Severity.LOW,
            sla_hours=None,
            sla_minutes=30,
            recheck=None,
            can_be_raised=True,
            actions=(plain,),
        )
    )
    kinds.register(kind_of(shop, code="outcome_unknown", title="Outcome unknown", can_be_closed_by_hand=False))
    return shop


@pytest.fixture
def open_case(db: None) -> OpenCase:
    """Opens the finance case of return 77, with changes."""

    def opened(**changes: Any) -> ExceptionCase:
        values: dict[str, Any] = {
            "kind": "amount_mismatch",
            "fingerprint": "RMA-77:line-1",
            "subject_type": "return",
            "subject_id": "RMA-77",
            "group_key": "return:77",
            "money_at_risk": Decimal("12.50"),
            "currency": "GBP",
            "evidence": {"amounts": {"here": "10.00", "shop": "22.50"}},
            "at": NOW,
        }
        return services.open_case(**{**values, **changes})

    return opened


def user_of(name: str, *, team: str = "", codenames: tuple[str, ...] = (), **flags: Any) -> User:
    """A staff user, member of the team's group, with permissions."""
    user = User.objects.create_user(name, is_staff=True, **flags)
    if team:
        user.groups.add(Group.objects.get_or_create(name=team)[0])
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


WORKER = ("view_exceptioncase", "work_exceptioncase")


@pytest.fixture
def clerk(db: None) -> User:
    """Finance clerk who may also record payments."""
    return user_of("clerk", team="Finance", codenames=(*WORKER, "view_group"))


@pytest.fixture
def hand(db: None) -> User:
    """Warehouse hand: works on cases, but not on those of finance."""
    return user_of("hand", team="Warehouse", codenames=WORKER)


@pytest.fixture
def reader(db: None) -> User:
    """May look, is even in the right group, but may not work."""
    return user_of("reader", team="Finance", codenames=("view_exceptioncase",))
