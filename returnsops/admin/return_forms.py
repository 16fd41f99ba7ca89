"""Forms of the return page: each offers only what fits the return it is about."""

import uuid
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from returnsops import money, states
from returnsops.models import Inspection, ReasonCode, Refund, ReturnLine
from returnsops.planning.holds import WAIVABLE
from returnsops.selectors import boxes, going_live, words
from returnsops.services import attribution_acts, settle_by_hand
from returnsops.services.notes import NOTE_LENGTH
from returnsops.services.proposals import remaining_of
from returnsops.services.warehouse import OWN_PARCEL, VERDICTS, WANT_A_REASON, Verdict, left_to_inspect

from .acts import ActForm, WhyForm

# Holds of which one amount is accepted, never the hold itself.
WAIVED_BY_AMOUNT = frozenset({"amount_mismatch", "would_over_refund"})
GROUNDS = (
    ("", "Choose what for"),
    (states.GROUND_GOODWILL, "Goodwill, on top of what the return is worth"),
    ("lost parcel", "The parcel was lost"),
    ("gateway refuses", "The shop's payment gateway refuses"),
    ("other", "Something else"),
)


def day_input() -> forms.DateInput:
    """A date field with the browser's own calendar."""
    return forms.DateInput(attrs={"type": "date"})


def why_field(label: str = "Reason", *, is_required: bool = True) -> forms.CharField:
    """The reason that history keeps."""
    return forms.CharField(label=label, max_length=500, required=is_required, widget=forms.Textarea(attrs={"rows": 3}))


class NoteForm(ActForm):
    """A note."""

    text = forms.CharField(
        label="Note",
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept for ever, seen by every team. No card numbers, no passwords.",
    )


class ClassifyForm(ActForm):
    """Item and approved reason."""

    item = forms.ChoiceField(label="Item")
    reason_code = forms.ChoiceField(label="Reason")
    why = why_field("Why (optional)", is_required=False)

    def prepare(self) -> None:
        """Items of the return, the unclassified first; active reasons."""
        lines = sorted(self.subject.lines.filter(is_withdrawn=False), key=lambda line: line.reason_id is not None)
        self.fields["item"].choices = [(line.external_id, _item_words(line)) for line in lines]  # type: ignore[attr-defined]
        reasons = ReasonCode.objects.filter(is_active=True)
        self.fields["reason_code"].choices = [(row.code, row.title) for row in reasons]  # type: ignore[attr-defined]


def _item_words(line: ReturnLine) -> str:
    said = line.reason_source_code or "no reason given"
    return f"{line} (platform: {said})"


class ParcelForm(ActForm):
    """Which parcel is in."""

    parcel = forms.ChoiceField(label="Parcel")

    def prepare(self) -> None:
        """Parcels not received yet, and goods without one."""
        open_parcels = self.subject.parcels.filter(received_at__isnull=True)
        known = [(row.external_id, f"{row.carrier} {row}".strip()) for row in open_parcels]
        self.fields["parcel"].choices = [*known, (OWN_PARCEL, "Goods without a label")]  # type: ignore[attr-defined]


class InspectionForm(ActForm):
    """A verdict per item. The hidden decision makes a form that is sent twice one verdict."""

    decision = forms.UUIDField(widget=forms.HiddenInput)

    def prepare(self) -> None:
        """Three fields for each item with units left to inspect."""
        self.fields["decision"].initial = uuid.uuid4()
        self.lines = [
            line for line in self.subject.lines.filter(is_withdrawn=False).order_by("pk") if left_to_inspect(line)
        ]
        for line in self.lines:
            self._add_line(line)

    def _add_line(self, line: ReturnLine) -> None:
        left = left_to_inspect(line)
        self.fields[f"verdict_{line.pk}"] = forms.ChoiceField(
            label="Verdict",
            required=False,
            choices=[(code, code.capitalize()) for code in VERDICTS],
            widget=forms.RadioSelect,
        )
        self.fields[f"quantity_{line.pk}"] = forms.IntegerField(
            label=f"How many of {left}",
            required=False,
            min_value=1,
            max_value=left,
            initial=left,
            widget=forms.HiddenInput if left == 1 else forms.NumberInput(attrs={"inputmode": "numeric"}),
        )
        self.fields[f"reason_{line.pk}"] = forms.CharField(
            label="What is wrong (damaged or quarantine)", required=False, max_length=300
        )

    def items(self) -> list[dict[str, Any]]:
        """Line and its bound fields, for the template."""
        return [
            {
                "line": line,
                "left": left_to_inspect(line),
                "verdict": self[f"verdict_{line.pk}"],
                "quantity": self[f"quantity_{line.pk}"],
                "reason": self[f"reason_{line.pk}"],
            }
            for line in self.lines
        ]

    def clean(self) -> dict[str, Any]:
        """At least one verdict, and a reason where it is not sellable."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for line in self.lines:
            needs = data.get(f"verdict_{line.pk}") in WANT_A_REASON
            if needs and not data.get(f"reason_{line.pk}", "").strip():
                self.add_error(f"reason_{line.pk}", "Say what is wrong with it.")
        data["verdicts"] = tuple(self._verdict(line, data) for line in self.lines if data.get(f"verdict_{line.pk}"))
        if not data["verdicts"] and not self.errors:
            raise ValidationError("Say for at least one item what you found.")
        return data

    def _verdict(self, line: ReturnLine, data: dict[str, Any]) -> Verdict:
        return Verdict(
            item_id=line.external_id,
            quantity=data.get(f"quantity_{line.pk}") or left_to_inspect(line),
            disposition=data[f"verdict_{line.pk}"],
            reason=data.get(f"reason_{line.pk}", ""),
        )


class UndoForm(ActForm):
    """Which of our verdicts was a slip."""

    verdict = forms.ChoiceField(label="Verdict")
    why = why_field()

    def prepare(self) -> None:
        """Our own verdicts in force."""
        self.fields["verdict"].choices = [(row.pk, _verdict_words(row)) for row in own_verdicts(self.subject)]  # type: ignore[attr-defined]


def own_verdicts(rma: Any) -> list[Inspection]:
    """Verdicts of our warehouse that still count."""
    return list(rma.inspections.filter(source__in=("warehouse", "wms"), is_superseded=False).select_related("line"))


def _verdict_words(row: Inspection) -> str:
    name = (row.line.name or row.line.sku) if row.line else row.item_external_id
    return f"{row.quantity} x {name}: {row.disposition}, by {row.inspected_by}"


class ProposeForm(ActForm):
    """A refund by hand, for the approval of a second person."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)
    amount = forms.CharField(label="Amount", max_length=30, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    ground = forms.ChoiceField(
        label="What for",
        choices=GROUNDS,
        help_text="All but goodwill counts against the return's own refund, which waits until this is decided; only "
        "what this does not pay is still refunded then.",
    )
    why = why_field("Explain it to the person who approves")

    def prepare(self) -> None:
        """The form's own id, so that a form sent twice is one proposal, and what is left of the order."""
        self.fields["request_id"].initial = uuid.uuid4()
        order = self.subject.order
        if order is not None:
            left = words.amount(remaining_of(order, served=self.subject), order.currency)
            before = boxes.refunded_before(self.subject)
            self.fields["amount"].help_text = f"In {order.currency}. At most {left}. {before}".strip()

    def clean_amount(self) -> Any:
        """A positive decimal amount."""
        try:
            return money.typed_amount(self.cleaned_data["amount"].strip())
        except money.MoneyError as error:
            raise ValidationError(f"{error} Write it like 42.50.") from None


class PaidOutsideForm(ProposeForm):
    """A refund that was paid past the shop: recorded there, nothing is paid by it."""

    reference = forms.CharField(label="Reference of the payment", max_length=150)
    paid_on = forms.DateField(label="Paid on", widget=day_input())
    field_order = ("request_id", "amount", "reference", "paid_on", "ground", "why")

    def clean_paid_on(self) -> date:
        """Not in the future."""
        day: date = self.cleaned_data["paid_on"]
        if day > timezone.localdate():
            raise ValidationError("That day is still to come.")
        return day


class AttributeForm(ActForm):
    """What a refund made outside was for."""

    refund = forms.ChoiceField(label="Refund made outside")
    meaning = forms.ChoiceField(
        label="It",
        choices=[("this_return", "pays for this return"), ("unrelated", "has nothing to do with returns")],
        widget=forms.RadioSelect,
    )
    why = why_field()

    def prepare(self) -> None:
        """Refunds made outside that nobody has attributed, or somebody said are for this return."""
        self.fields["refund"].choices = [(row.external_id, _refund_words(row)) for row in outside_refunds(self.subject)]  # type: ignore[attr-defined]


def outside_refunds(rma: Any) -> list[Refund]:
    """Refunds on the return's order that we did not cause and that another return does not claim."""
    if rma.order is None:
        return []
    rows = rma.order.refunds.filter(origin=Refund.EXTERNAL, vanished_at__isnull=True).exclude(amount=0)
    standing = [row for row in rows if row.rma_id in (None, rma.pk)]
    return [*standing, *(row for row in attribution_acts.open_refunds(rma) if row.vanished_at)]


class UndoAttributionForm(ActForm):
    """Whose answer is taken back."""

    refund = forms.ChoiceField(label="Refund made outside")
    why = why_field()

    def prepare(self) -> None:
        """Refunds somebody said something of, or that explained themselves."""
        rows = attribution_acts.answered_refunds(self.subject)
        choices = [(row.external_id, f"{_refund_words(row)}: {_answer_words(row)}") for row in rows]
        self.fields["refund"].choices = choices  # type: ignore[attr-defined]


def _answer_words(row: Refund) -> str:
    meaning = "has nothing to do with returns" if row.is_unrelated else "pays for this return"
    return f"{meaning} ({row.attributed_by}: {row.attributed_why})"


def _refund_words(row: Refund) -> str:
    by = f" by {row.author}" if row.author else ""
    return f"{row.external_id}: {words.amount(row.amount, row.currency)}{by}, {row.refunded_at:%d %b %Y}"


class ExecutorForm(ActForm):
    """Who moves the money of a platform refund, or issues a credit."""

    refund = forms.ChoiceField(label="Refund or credit")
    executed_by = forms.ChoiceField(label="Who pays", choices=list(words.EXECUTOR_WORDS.items()))
    why = why_field()

    def prepare(self) -> None:
        """Refunds and credits the platform named."""
        rows = [*self.subject.platform_refunds.all(), *self.subject.credits.filter(settled_at__isnull=True)]
        self.fields["refund"].choices = [  # type: ignore[attr-defined]
            (row.external_id, f"{row.external_id}: {words.amount(row.amount, row.currency)}") for row in rows
        ]


class WaiveForm(ActForm):
    """Which hold of which effect is released."""

    hold = forms.ChoiceField(label="Hold")
    amount = forms.CharField(
        label="Amount accepted",
        required=False,
        max_length=30,
        help_text="Only where the hold is about an amount: exactly this one is accepted.",
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    why = why_field()

    def prepare(self) -> None:
        """Holds that a person may release."""
        self.fields["hold"].choices = waivable(self.subject)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Split the choice; a hold about an amount wants the amount."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        code, _, data["effect_key"] = data.get("hold", "").partition("|")
        data["hold_code"], data["subject"] = code, ""
        if code in WAIVED_BY_AMOUNT:
            data["effect_key"] = ""  # an amount is accepted for the return, as from its case
            try:
                data["subject"] = format(money.typed_amount(data.get("amount", "").strip()), "f")
            except money.MoneyError:
                self.add_error("amount", "Say which amount is accepted, like 42.50.")
        return data


def waivable(rma: Any) -> list[tuple[str, str]]:
    """Holds of unsent effects that a person may release, in words."""
    return [
        (f"{hold['code']}|{effect.key}", f"{words.describe(effect)}: {hold['text']}")
        for effect in rma.effects.all()
        for hold in effect.holds
        if hold["code"] in WAIVABLE | WAIVED_BY_AMOUNT
    ]


class SettleExchangeForm(ActForm):
    """A replacement ordered by hand."""

    exchange = forms.ChoiceField(label="Exchange")
    reference = forms.CharField(label="Number of the new order", max_length=128)
    why = why_field("Remark (optional)", is_required=False)

    def prepare(self) -> None:
        """Exchanges that nobody ordered, and we did not either."""
        rows = settle_by_hand.open_exchanges(self.subject)
        self.fields["exchange"].choices = [(row.external_id, row.wanted) for row in rows]  # type: ignore[attr-defined]


class SettleCreditForm(ActForm):
    """A credit or card issued by hand."""

    credit = forms.ChoiceField(label="Credit")
    reference = forms.CharField(label="Code or reference (last digits are enough)", max_length=200)
    why = why_field("Remark (optional)", is_required=False)

    def prepare(self) -> None:
        """Credits that nobody issued, and we did not either."""
        rows = settle_by_hand.open_credits(self.subject)
        self.fields["credit"].choices = [  # type: ignore[attr-defined]
            (row.external_id, f"{words.plain(row.kind)} {words.amount(row.amount, row.currency)}") for row in rows
        ]


class WithdrawCreditForm(ActForm):
    """A credit that is taken back."""

    credit = forms.ChoiceField(label="Credit")
    why = why_field()

    def prepare(self) -> None:
        """Credits that nobody took back."""
        rows = self.subject.credits.filter(withdrawn_at__isnull=True)
        self.fields["credit"].choices = [  # type: ignore[attr-defined]
            (f"{row.kind}|{row.external_id}", f"{words.plain(row.kind)} {words.amount(row.amount, row.currency)}")
            for row in rows
        ]


class ReleaseForm(WhyForm):
    """The reason for a release, beside what it would send."""

    def prepare(self) -> None:
        """What is planned now, and what people did already."""
        rows = going_live.would_send(self.subject)
        self.would_send = [words.describe(row) for row in rows]
        self.money = words.total((row.amount, row.currency) for row in rows)
        self.in_shop = boxes.money_box(self.subject).in_shop
