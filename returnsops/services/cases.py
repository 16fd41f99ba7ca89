"""Cases of returns: the planner's wishes put into the generic queue, with subject and link."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from exceptions_queue import services as queue
from returnsops import states
from returnsops.models import ReturnAuthorisation
from returnsops.planning.model import PlannedCase
from returnsops.selectors import remote_links

SUBJECT_RETURN = "return"


def group_of(rma: ReturnAuthorisation) -> str:
    """The group key of all cases of one return."""
    return f"return:{rma.ref}"


def open_for_return(
    *,
    rma: ReturnAuthorisation,
    kind: str,
    fingerprint: str,
    cause: str,
    at: datetime,
    evidence: Mapping[str, Any] | None = None,
    money_at_risk: Decimal | None = None,
    currency: str = "",
) -> None:
    """Open (or see again) one case about a return."""
    queue.open_case(
        kind=kind,
        fingerprint=fingerprint,
        subject_type=SUBJECT_RETURN,
        subject_id=str(rma.pk),
        subject_label=rma.label,
        cause=cause,
        evidence=evidence,
        money_at_risk=money_at_risk,
        currency=currency,
        waiting_since_at=waiting_since(rma),
        deep_link=link_of(rma),
        group_key=group_of(rma),
        at=at,
    )


def sync_planned(*, rma: ReturnAuthorisation, wanted: Sequence[PlannedCase], at: datetime) -> None:
    """Open what the plan asks for and close what it no longer names."""
    queue.sync_cases(
        group_key=group_of(rma),
        wanted=[_wanted(rma, case) for case in wanted],
        kinds=states.PLANNER_CASES,
        at=at,
    )


def waiting_since(rma: ReturnAuthorisation) -> datetime | None:
    """Since when the customer waits: goods back, else on the way, else asked."""
    return rma.received_at or rma.in_transit_at or rma.requested_at


def link_of(rma: ReturnAuthorisation) -> str:
    """The return's page in the back office."""
    return f"/admin/returnsops/returnauthorisation/{rma.pk}/change/"


def _wanted(rma: ReturnAuthorisation, case: PlannedCase) -> queue.CaseWanted:
    return queue.CaseWanted(
        kind=case.kind,
        fingerprint=case.fingerprint,
        subject_type=SUBJECT_RETURN,
        subject_id=str(rma.pk),
        subject_label=rma.label,
        cause=case.cause,
        evidence=case.evidence,
        money_at_risk=case.money_at_risk,
        currency=case.currency,
        waiting_since_at=waiting_since(rma),
        deep_link=link_of(rma),
        remote_link=_platform_link(rma) if case.kind in states.CASES_DONE_THERE else "",
    )


def _platform_link(rma: ReturnAuthorisation) -> str:
    return remote_links.link_to(rma.connection, "return", rma.external_id)
