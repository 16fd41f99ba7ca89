"""Forms of the case page; an action's form is built from what its kind declares."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from exceptions_queue.errors import CaseError
from exceptions_queue.kinds import ActionField, CaseAction, all_kinds
from exceptions_queue.models import ExceptionCase, Resolution
from exceptions_queue.services.resolving import BY_HAND
from exceptions_queue.subjects import all_subjects, find_subject

IN_DIGITS = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
SNOOZE_CHOICES = (
    ("", "no time"),
    ("1", "1 hour"),
    ("4", "4 hours"),
    ("24", "1 day"),
    ("72", "3 days"),
    ("168", "1 week"),
)


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date", "class": "case-date"}, format="%Y-%m-%d")


def _text_area() -> forms.Textarea:
    widget: forms.Textarea = UnfoldAdminTextareaWidget(attrs={"rows": 2})
    return widget


class ReasonForm(forms.Form):
    """A sentence for the next person."""

    reason = forms.CharField(label="Reason", widget=_text_area(), max_length=2000)


class NoteForm(forms.Form):
    """A note for the timeline."""

    text = forms.CharField(label="Note", widget=_text_area(), max_length=5000)


class ResolveForm(forms.Form):
    """Closing by hand."""

    resolution = forms.ChoiceField(
        label="How", choices=[(item.value, item.label) for item in BY_HAND], widget=UnfoldAdminSelectWidget()
    )
    reason = forms.CharField(label="Reason", widget=_text_area(), max_length=2000)

    def chosen(self) -> Resolution:
        """The resolution that was chosen."""
        return Resolution(self.cleaned_data["resolution"])


class SnoozeForm(forms.Form):
    """Until when a case should stay out of sight."""

    for_hours = forms.ChoiceField(
        label="For", choices=SNOOZE_CHOICES, required=False, widget=UnfoldAdminSelectWidget(), initial="4"
    )
    until_grows = forms.BooleanField(
        label="or until the money at risk grows", required=False, widget=UnfoldBooleanWidget()
    )
    reason = forms.CharField(label="Why", required=False, widget=_text_area(), max_length=2000)

    def until_at(self, now: datetime) -> datetime | None:
        """The chosen time, or None if only growth should wake the case."""
        hours = self.cleaned_data["for_hours"]
        return now + timedelta(hours=int(hours)) if hours else None


class RaiseForm(forms.Form):
    """A case that a person noticed, about one thing that we know."""

    kind = forms.ChoiceField(label="What kind of problem", widget=UnfoldAdminSelectWidget())
    subject_type = forms.ChoiceField(label="It is about", widget=UnfoldAdminSelectWidget())
    number = forms.CharField(label="Its number", max_length=150, widget=UnfoldAdminTextInputWidget())
    title = forms.CharField(label="In one line", max_length=250, widget=UnfoldAdminTextInputWidget())
    cause = forms.CharField(label="What you saw", max_length=5000, widget=_text_area())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = {
            "kind": [(kind.code, kind.title) for kind in all_kinds() if kind.can_be_raised],
            "subject_type": [(subject.code, subject.title) for subject in all_subjects()],
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
        self.fields["number"].help_text = " ".join(f"{one.title}: {one.help}" for one in all_subjects())

    def clean(self) -> dict[str, Any]:
        """Finds the thing that the case is about, as `subject`, or says beside its number what is wrong."""
        values: dict[str, Any] = super().clean() or {}
        if "subject_type" in values and "number" in values:
            try:
                values["subject"] = find_subject(values.pop("subject_type"), values.pop("number"))
            except CaseError as error:
                self.add_error("number", str(error))
        return values


class PlainDecimalField(forms.DecimalField):
    """A number in digits: 1e2 is a slip rather than a hundred."""

    def to_python(self, value: Any) -> Any:
        """Raises ValidationError for exponents, underscores and digits of other scripts."""
        number = super().to_python(value)
        if number is not None and not IN_DIGITS.fullmatch(str(value).strip()):
            raise ValidationError("Write it in digits, like 42.50.")
        return number


class ActionForm(forms.Form):
    """The form of one action of one case: its declared fields, and the reason if it wants one."""

    def __init__(self, *, action: CaseAction, case: ExceptionCase, data: Any = None) -> None:
        super().__init__(data, prefix=action.code)
        self.action = action
        for spec in action.fields:
            self.fields[spec.name] = _field_of(spec, case)
        if action.needs_reason:
            self.fields["reason"] = forms.CharField(label="Reason", widget=_text_area(), max_length=2000)

    def reason(self) -> str:
        """The reason given, empty if none was asked for."""
        return str(self.cleaned_data.get("reason", ""))

    def values(self) -> dict[str, Any]:
        """The declared fields' values."""
        return {spec.name: self.cleaned_data.get(spec.name) for spec in self.action.fields}


def _field_of(spec: ActionField, case: ExceptionCase) -> forms.Field:
    shared: dict[str, Any] = {"label": spec.label, "required": spec.required, "help_text": spec.help}
    if spec.kind == "choice":
        offered = list(spec.choices(case) if spec.choices else ())
        is_given = len(offered) == 1 and spec.required  # nothing to choose
        choices = offered if is_given else [("", "Please choose"), *offered]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget(), **shared)
    if spec.kind == "date":
        return forms.DateField(widget=_date_input(), **shared)
    if spec.kind == "decimal":
        return PlainDecimalField(widget=UnfoldAdminDecimalFieldWidget(), max_digits=19, decimal_places=4, **shared)
    if spec.kind == "bool":
        return forms.BooleanField(widget=UnfoldBooleanWidget(), **shared)
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), max_length=2000, **shared)
