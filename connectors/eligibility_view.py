"""``POST /api/v1/eligibility/``: parse, ask, answer (docs/api.md)."""

import time
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from connectors import eligibility
from returnsops.api.access import ApiError, ApiView, caller
from returnsops.api.fields import Strict, Text, Whole
from returnsops.api.schema import errors
from returnsops.models.api import ELIGIBILITY
from returnsops.planning.eligibility import CODES, Asked
from returnsops.planning.policy import RESOLUTIONS
from returnsops.services import throttles

MAX_LINES: Final = 200
MAX_UNITS: Final = 100_000
HOUR_S: Final = 3600
NOT_BEFORE_S: Final = 1.0  # "no such order" is never answered sooner, whichever of its causes it was

pause: Callable[[float], None] = time.sleep


class EntrySerializer(Strict):
    """Units of one line, named by its id, its SKU, or both."""

    line_id = Text(max_length=128, required=False)
    sku = Text(max_length=128, required=False)
    quantity = Whole(min_value=1, max_value=MAX_UNITS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A line must be named."""
        if not attrs.get("line_id") and not attrs.get("sku"):
            raise serializers.ValidationError("Name the line by line_id or sku.")
        return attrs


class QuestionSerializer(Strict):
    """An order by number and e-mail address, or by its id in the shop."""

    connection = Text(max_length=63, required=False, help_text="Name of the shop; left out: the token's only one.")
    route = Text(max_length=63, required=False, help_text="Wanted only where several routes serve the shop.")
    order_number = Text(max_length=64, required=False, help_text="The number the customer knows; wants email.")
    order_id = Text(max_length=64, required=False, help_text="The shop's id, in place of order_number.")
    email = Text(max_length=254, required=False, help_text="The customer's; compared without regard to case.")
    resolution = serializers.ChoiceField(choices=RESOLUTIONS, default="refund", help_text="Decides the window.")
    lines = serializers.ListField(child=EntrySerializer(), allow_empty=False, max_length=MAX_LINES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One way of naming the order, and an e-mail address with a number."""
        if bool(attrs.get("order_number")) == bool(attrs.get("order_id")):
            raise serializers.ValidationError("Send either order_number with email, or order_id.")
        if attrs.get("order_number") and not attrs.get("email"):
            raise serializers.ValidationError({"email": "Wanted with order_number."})
        return attrs


class WindowSerializer(serializers.Serializer[Any]):
    """The last day on which a return may be asked for, by the shop's calendar."""

    days = serializers.IntegerField()
    last_date = serializers.DateField()
    closes_at = serializers.DateTimeField(help_text="The first moment that is too late.")
    time_zone = serializers.CharField()


class LineAnswerSerializer(serializers.Serializer[Any]):
    """One entry's answer; figures are units of the order line."""

    line_id = serializers.CharField(allow_blank=True)
    sku = serializers.CharField(allow_blank=True)
    quantity = serializers.IntegerField(help_text="As asked for.")
    eligible = serializers.BooleanField()
    code = serializers.ChoiceField(choices=CODES)
    text = serializers.CharField()
    bought = serializers.IntegerField()
    returned = serializers.IntegerField(help_text="Returned before, or being returned.")
    returnable = serializers.IntegerField(help_text="Still returnable now.")


class AnswerSerializer(serializers.Serializer[Any]):
    """The answer: ``eligible`` where every entry is."""

    order_id = serializers.CharField()
    order_number = serializers.CharField()
    eligible = serializers.BooleanField()
    window = WindowSerializer(allow_null=True)
    lines = LineAnswerSerializer(many=True)


class EligibilityView(ApiView):
    """May these units of this order still be returned?"""

    scope = ELIGIBILITY

    @extend_schema(
        operation_id="check_eligibility",
        summary="May these units of this order still be returned?",
        description="Reads the final order from the shop; changes and stores nothing, so it may be repeated freely. "
        "An unknown order and a wrong e-mail address get the same 404.",
        request=QuestionSerializer,
        responses={200: AnswerSerializer, **errors(400, 401, 403, 404, 413, 415, 422, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """Answer one question."""
        started = time.monotonic()
        serializer = QuestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        question = _question(request, serializer.validated_data)
        try:
            found = eligibility.check(question, at=timezone.now())
        except eligibility.OrderUnknown:
            pause(max(0.0, started + NOT_BEFORE_S - time.monotonic()))
            text = "There is no such order, or it belongs to another e-mail address."
            raise ApiError(404, "order_not_found", text) from None
        except eligibility.ShopUnavailable as error:
            text = "The shop cannot be asked at the moment; try again."
            raise ApiError(503, "shop_unavailable", text, after_s=error.after_s) from None
        return Response(_document(found))


def _question(request: Request, data: dict[str, Any]) -> eligibility.Question:
    try:
        route = eligibility.route_for(
            token=caller(request), connection=data.get("connection", ""), route=data.get("route", "")
        )
    except eligibility.QuestionError as error:
        raise serializers.ValidationError({error.field: error.text}) from None
    email = data.get("email", "")
    _throttle(f"order:{route.commerce_id}:{data.get('order_id') or data.get('order_number')}")
    if email:
        _throttle(f"email:{email.casefold()}")
    return eligibility.Question(
        route=route,
        asked=[Asked(**entry) for entry in data["lines"]],
        order_number=data.get("order_number", ""),
        order_id=data.get("order_id", ""),
        email=email,
        resolution=data["resolution"],
    )


def _throttle(key: str) -> None:
    limit = settings.ELIGIBILITY_TRIES_PER_HOUR
    after_s = throttles.take(key=key, limit=limit, window_s=HOUR_S, at=timezone.now())
    if after_s:
        text = f"Too many questions about this order or e-mail address; try again in {after_s} s."
        raise ApiError(429, "throttled", text, after_s=after_s)


def _document(found: eligibility.Eligibility) -> dict[str, Any]:
    window = found.window
    return {
        "order_id": found.order.order_id,
        "order_number": found.order.number,
        "eligible": all(answer.is_eligible for answer in found.answers),
        "window": None
        if window is None
        else {
            "days": window.days,
            "last_date": window.last_date.isoformat(),
            "closes_at": window.closes_at.isoformat(),
            "time_zone": found.time_zone,
        },
        "lines": [
            {
                "line_id": answer.line_id,
                "sku": answer.sku,
                "quantity": answer.asked.quantity,
                "eligible": answer.is_eligible,
                "code": answer.code,
                "text": answer.text,
                "bought": answer.bought,
                "returned": answer.returned,
                "returnable": answer.returnable,
            }
            for answer in found.answers
        ],
    }
