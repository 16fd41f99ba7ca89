"""Roles → permissions. Groups carry the titles of the teams, so that a case's owner team is a group of users."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from returnsops.states import CX, FIN, MER, OPS, TEAMS, WH

__all__ = ["CX", "FIN", "MER", "OPS", "PERMISSIONS", "TEAMS", "WH", "MissingPermissionError", "sync_roles"]

_VIEW_RETURNS: Final = tuple(
    f"returnsops.view_{model}"
    for model in (
        "returnauthorisation",
        "returnline",
        "parcel",
        "inspection",
        "inspectionreport",
        "order",
        "orderline",
        "refund",
        "platformrefund",
        "creditrequest",
        "exchangerequest",
        "effect",
        "attempt",
        "historyentry",
        "waiver",
        "reasoncode",
        "reasonmapping",
        "location",
        "dispositionmapping",
        "route",
        "policyversion",
        "policysignature",
        "shadowcomparison",
    )
)
_WORK_CASES: Final = ("exceptions_queue.view_exceptioncase", "exceptions_queue.work_exceptioncase")
_VIEW_BOOKS: Final = tuple(
    f"reconciliation.view_{model}" for model in ("period", "posting", "settlement", "settlementline")
)

# Nobody but operations sees connections and raw messages; nobody but finance moves money by hand.
PERMISSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    CX: (
        *_VIEW_RETURNS,
        *_WORK_CASES,
        *_VIEW_BOOKS,
        "returnsops.classify_reason",
        "returnsops.propose_refund",
        "returnsops.settle_by_hand",
        "returnsops.withdraw_credit",
        "returnsops.view_credit_code",
        "returnsops.sign_policy",
    ),
    FIN: (
        *_VIEW_RETURNS,
        *_WORK_CASES,
        "returnsops.propose_refund",
        "returnsops.approve_refund",
        "returnsops.record_paid_outside",
        "returnsops.requeue_effect",
        "returnsops.adopt_effect",
        "returnsops.cancel_effect",
        "returnsops.waive_hold",
        "returnsops.attribute_refund",
        "returnsops.decide_executor",
        "returnsops.settle_by_hand",
        "returnsops.withdraw_credit",
        "returnsops.view_credit_code",
        "returnsops.sign_policy",
        "reconciliation.view_run",
        "reconciliation.view_finding",
        *_VIEW_BOOKS,
        "reconciliation.close_period",
        "reconciliation.import_statement",
        "reconciliation.match_line",
    ),
    WH: (*_VIEW_RETURNS, *_WORK_CASES, "returnsops.confirm_inspection", "returnsops.view_catalogueitem"),
    MER: (
        "returnsops.view_returnauthorisation",
        "returnsops.view_returnline",
        "returnsops.view_inspection",
        "returnsops.view_catalogueitem",
        "returnsops.view_reasoncode",
        "returnsops.view_reasonmapping",
        "exceptions_queue.view_exceptioncase",
    ),
    OPS: (
        *_VIEW_RETURNS,
        *_WORK_CASES,
        "returnsops.view_connection",
        "returnsops.change_connection",
        "returnsops.view_inboundevent",
        "returnsops.view_webhookrefusal",
        "returnsops.view_mappingversion",
        "returnsops.add_mappingversion",
        "returnsops.view_catalogueitem",
        "returnsops.view_switch",
        "returnsops.view_apitoken",
        "returnsops.add_apitoken",
        "returnsops.revoke_apitoken",
        "returnsops.stop_sending",
        "returnsops.change_route",  # off, shadow, live; nothing else of a route is edited on the screens
        "returnsops.test_connection",
        "returnsops.reprocess_event",
        "returnsops.requeue_effect",
        "returnsops.adopt_effect",
        "returnsops.cancel_effect",
        "returnsops.release_return",
        "returnsops.classify_reason",
        "returnsops.sign_policy",
        "returnsops.add_reasoncode",
        "returnsops.change_reasoncode",
        "returnsops.add_reasonmapping",
        "returnsops.change_reasonmapping",
        "returnsops.add_location",
        "returnsops.change_location",
        "returnsops.add_dispositionmapping",
        "returnsops.change_dispositionmapping",
        "reconciliation.view_run",
        "reconciliation.view_finding",
        *_VIEW_BOOKS,
    ),
}


class MissingPermissionError(LookupError):
    """A role names a permission that does not exist; run migrate first."""


@transaction.atomic
def sync_roles() -> None:
    """Make the five groups and set exactly their permissions. Raises MissingPermissionError naming what is missing."""
    rows = Permission.objects.values_list("content_type__app_label", "codename", "pk")
    known = {f"{app_label}.{codename}": pk for app_label, codename, pk in rows.order_by("pk")}
    for team, title in TEAMS.items():
        group, _ = Group.objects.get_or_create(name=title)
        group.permissions.set(_chosen(PERMISSIONS[team], known))


def _chosen(names: Iterable[str], known: Mapping[str, int]) -> list[int]:
    missing = sorted(set(names) - set(known))
    if missing:
        raise MissingPermissionError(f"These permissions do not exist: {', '.join(missing)}. Run migrate first.")
    return [known[name] for name in names]
