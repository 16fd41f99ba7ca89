"""What people may do on one effect: approve, refuse, cancel, try again, look again, adopt."""

from functools import partial
from typing import Any, Final, TypedDict

from django import forms

from returnsops import matters, states
from returnsops.models import Effect
from returnsops.selectors import boxes
from returnsops.services import adopting, approvals, credit_reading
from returnsops.services.effect_rows import EffectError
from returnsops.services.replan import NOT_PLANNED, plan_or_open_case

from .acts import Act, ActForm, NoForm, Performed


class Asked(TypedDict):
    """Whose approval it is."""

    permission: str
    matter: str


class ApproveForm(ActForm):
    """Carries the revision of the payload that the person has seen."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def prepare(self) -> None:
        """What is shown is what is approved."""
        self.fields["revision"].initial = self.subject.payload_revision
        is_refund = self.subject.kind == states.REFUND and self.subject.rma is not None
        self.before = boxes.refunded_before(self.subject.rma, but=self.subject.key) if is_refund else ""


class AdoptForm(ActForm):
    """Which remote record is this effect."""

    remote_id = forms.CharField(label="Id of the record in the other system", max_length=200)
    why = forms.CharField(label="How do you know", max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def _approve(effect: Effect, done: Performed, *, matter: str) -> str:
    _require(effect, matter)
    approvals.approve(effect_id=effect.pk, by=done.by, at=done.at, revision=done.data["revision"])
    return _planned_again(effect, done, "Approved; it goes out now.")


def _refuse(effect: Effect, done: Performed, *, matter: str) -> str:
    _require(effect, matter)
    approvals.reject_approval(effect_id=effect.pk, by=done.by, at=done.at, why=done.data["why"])
    return _planned_again(effect, done, "Refused; nothing is sent.")


def _require(effect: Effect, matter: str) -> None:
    """The right to approve stock is none to approve money, whatever address a person types."""
    if matters.MATTERS[effect.kind] != matter:
        raise EffectError("This is another team's to approve; open the effect's page for who that is.")


def _cancel(effect: Effect, done: Performed) -> str:
    approvals.cancel(effect_id=effect.pk, by=done.by, at=done.at, why=done.data["why"])
    return "Cancelled. If the plan still wants it, it comes back with the next plan."


def _requeue(effect: Effect, done: Performed) -> str:
    approvals.requeue(effect_id=effect.pk, by=done.by, at=done.at, why=done.data["why"])
    return _planned_again(effect, done, "It will be tried again; the other system is asked first whether it is there.")


def _look_again(effect: Effect, done: Performed) -> str:
    approvals.look_again(effect_id=effect.pk, by=done.by, at=done.at)
    return "The other system is being asked now."


def _adopt(effect: Effect, done: Performed) -> str:
    data = done.data
    approvals.adopt(effect_id=effect.pk, remote_id=data["remote_id"], by=done.by, at=done.at, why=data["why"])
    return _planned_again(effect, done, "Adopted; the record is verified next.")


def _look_at_credit(effect: Effect, done: Performed) -> str:
    return credit_reading.look(effect=effect, by=done.name, at=done.at)


def _planned_again(effect: Effect, done: Performed, sentence: str) -> str:
    if effect.rma_id is None or plan_or_open_case(rma_id=effect.rma_id, at=done.at):
        return sentence
    return f"Kept. {NOT_PLANNED}"


def _in(*wanted: str) -> Any:
    return lambda effect: effect.state in wanted


def _may_be_looked_up(effect: Effect) -> bool:
    is_verified_next = effect.state == states.DONE and effect.kind in states.READ_BACK_KINDS
    return effect.state == states.UNKNOWN or is_verified_next


def _may_be_sent_again(effect: Effect) -> bool:
    is_paid_money = effect.done_at is not None and effect.kind in states.VALUE_KINDS
    return effect.state in (states.REJECTED, states.FAILED) and not is_paid_money


def _waits_for(matter: str) -> Any:
    return lambda effect: effect.state == states.AWAITING_APPROVAL and matters.MATTERS[effect.kind] == matter


def _approve_act(code: str, label: str, *, permission: str, matter: str) -> Act:
    return Act(
        code=code,
        label=label,
        permission=permission,
        form=ApproveForm,
        run=partial(_approve, matter=matter),
        is_offered=_waits_for(matter),
        is_grave=True,
        explain="You approve exactly what is shown here. Who proposed, released or caused it cannot approve it.",
        template="returnsops/act_effect.html",
    )


def _refuse_act(code: str, label: str, *, permission: str, matter: str) -> Act:
    return Act(
        code=code,
        label=label,
        permission=permission,
        run=partial(_refuse, matter=matter),
        is_offered=_waits_for(matter),
        explain="Nothing is sent, and the plan does not ask again for the same.",
        template="returnsops/act_effect.html",
    )


_FINANCE: Final[Asked] = {"permission": "returnsops.approve_refund", "matter": matters.OF_MONEY}
_WAREHOUSE: Final[Asked] = {"permission": "returnsops.confirm_inspection", "matter": matters.OF_STOCK}
_SERVICE: Final[Asked] = {"permission": "returnsops.settle_by_hand", "matter": matters.OF_EXCHANGES}
APPROVALS: Final = (
    _approve_act("approve", "Approve and send", **_FINANCE),
    _refuse_act("refuse", "Refuse", **_FINANCE),
    _approve_act("approve_stock", "Take them out of stock", **_WAREHOUSE),
    _refuse_act("refuse_stock", "Leave them on sale", **_WAREHOUSE),
    _approve_act("approve_exchange", "Approve and send", **_SERVICE),
    _refuse_act("refuse_exchange", "Refuse", **_SERVICE),
)
LOOK_AGAIN: Final = Act(
    code="look_again",
    label="Ask the other system now",
    permission="returnsops.requeue_effect",
    form=NoForm,
    run=_look_again,
    is_offered=_may_be_looked_up,
    explain="Reads only; sends nothing.",
    template="returnsops/act_effect.html",
)
REQUEUE: Final = Act(
    code="requeue",
    label="Try again",
    permission="returnsops.requeue_effect",
    run=_requeue,
    is_offered=_may_be_sent_again,
    explain="It is looked up first, so nothing can happen twice.",
    template="returnsops/act_effect.html",
)
ADOPT: Final = Act(
    code="adopt",
    label="It exists already (adopt)",
    permission="returnsops.adopt_effect",
    form=AdoptForm,
    run=_adopt,
    is_offered=lambda effect: effect.state in adopting.sources(effect),
    is_grave=True,
    explain="Say which record in the other system is this one. It is verified there; nothing is sent. Where it is not"
    " found, a case says so, and you can name another one.",
    template="returnsops/act_effect.html",
)
CANCEL: Final = Act(
    code="cancel",
    label="Cancel",
    permission="returnsops.cancel_effect",
    run=_cancel,
    is_offered=_in(states.HELD, states.READY, states.AWAITING_APPROVAL, states.REJECTED, states.FAILED),
    is_grave=True,
    explain="What the plan still wants comes back with the next plan. To stop it for good, correct its cause.",
    template="returnsops/act_effect.html",
)
LOOK_AT_CREDIT: Final = Act(
    code="look_at_credit",
    label="Show code and use",
    permission="returnsops.view_credit_code",
    form=NoForm,
    run=_look_at_credit,
    is_offered=lambda effect: effect.kind == states.STORE_CREDIT and bool(effect.remote_id),
    explain="Reads the credit in the shop now. The code is worth money: the history keeps who saw it, not the code.",
    template="returnsops/act_effect.html",
    is_shown_once=True,
)
EFFECT_ACTS: Final = (LOOK_AT_CREDIT, *APPROVALS, LOOK_AGAIN, REQUEUE, ADOPT, CANCEL)
