"""``POST /api/v1/inspections/``: what a warehouse system received and found, once per key (docs/api.md)."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from returnsops import states
from returnsops.models.api import INSPECTIONS
from returnsops.services import wms

from .access import ApiError, ApiView, caller
from .fields import ErrorSerializer, Strict, Text, Truth, Whole
from .schema import errors

MAX_ITEMS: Final = 500
MAX_UNITS: Final = 100_000
MAX_KEY: Final = 200
CLOCK_SKEW: Final = timedelta(days=1)
OLDEST: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
AGAIN_S: Final = 60


@extend_schema_field(OpenApiTypes.DATETIME)
class Moment(serializers.Field[datetime, Any, str, Any]):
    """An RFC 3339 moment with its time zone, not in the future."""

    default_error_messages = {
        "invalid": "Send a moment with its time zone, like 2026-11-02T09:30:00Z.",
        "far": "This moment lies in the future, or before the year 2000.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        """The moment in UTC."""
        try:
            moment = datetime.fromisoformat(data).astimezone(UTC)
            if datetime.fromisoformat(data).tzinfo is None:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            self.fail("invalid")
        if not OLDEST <= moment <= timezone.now() + CLOCK_SKEW:
            self.fail("far")
        return moment

    def to_representation(self, value: datetime) -> str:
        """As it is sent."""
        return value.isoformat()


class ItemSerializer(Strict):
    """A verdict on some units of one item; stock and money follow only a ``final`` one."""

    item_id = Text(max_length=120, required=False)
    sku = Text(max_length=120, required=False)
    quantity = Whole(min_value=1, max_value=MAX_UNITS)
    outcome = serializers.ChoiceField(choices=wms.OUTCOMES)
    disposition = serializers.ChoiceField(choices=states.DISPOSITIONS)
    final = Truth()
    inspected_at = Moment()
    grade = Text(max_length=4, required=False)
    reject_reason = Text(max_length=300, required=False)
    location_code = Text(max_length=120, required=False)
    inspected_by = Text(max_length=150, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The item is named, and the verdict does not contradict itself."""
        if not attrs.get("item_id") and not attrs.get("sku"):
            raise serializers.ValidationError("Name the item by item_id or sku.")
        if attrs["outcome"] == "missing" and attrs["disposition"] not in ("missing", "unknown"):
            raise serializers.ValidationError({"disposition": "What is missing can only be missing or unknown."})
        if attrs["disposition"] == "unknown" and attrs["final"]:
            raise serializers.ValidationError({"final": "An unknown disposition is not final."})
        return attrs


class ReportSerializer(Strict):
    """One return: received, inspected, or both."""

    received_at = Moment(required=False)
    warehouse = Text(max_length=120, required=False)
    items = serializers.ListField(child=ItemSerializer(), max_length=MAX_ITEMS, required=False)

    def get_fields(self) -> dict[str, Any]:
        """With ``return``, which is no name in this language."""
        named = Text(max_length=200, help_text="Number, id, connection/id, or a parcel's tracking number.")
        return {"return": named, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something is said."""
        if not attrs.get("items") and "received_at" not in attrs:
            raise serializers.ValidationError("Say what was found (items), or when it came (received_at).")
        return attrs


class ReturnNameSerializer(serializers.Serializer[Any]):
    """The return that was meant."""

    ref = serializers.CharField()
    number = serializers.CharField(allow_blank=True)


class TakenItemSerializer(serializers.Serializer[Any]):
    """An item as it was understood."""

    item_id = serializers.CharField()
    quantity = serializers.IntegerField()
    disposition = serializers.CharField()
    is_on_return = serializers.BooleanField(help_text="false: stored, and the warehouse has a case.")


class TakenSerializer(serializers.Serializer[Any]):
    """What was stored."""

    report = serializers.IntegerField()
    duplicate = serializers.BooleanField(help_text="The key came before; nothing was done again.")
    items = TakenItemSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """With ``return``."""
        return {"return": ReturnNameSerializer(), **super().get_fields()}


class CandidateSerializer(ReturnNameSerializer):
    """One of several returns."""

    order_number = serializers.CharField(allow_blank=True)


class ConflictSerializer(ErrorSerializer):
    """A contradiction; ``candidates`` where several returns have the name."""

    candidates = CandidateSerializer(many=True, required=False)


KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="One key per statement; the same key again with the same body changes nothing.",
)


class InspectionsView(ApiView):
    """The warehouse system's word."""

    scope = INSPECTIONS

    @extend_schema(
        operation_id="report_inspection",
        summary="What was received and found of one return",
        description="Counts once per Idempotency-Key. Items the return does not name and more units than were to come "
        "are stored and become a case of the warehouse. Which sources count is the route's policy.",
        parameters=[KEY],
        request=ReportSerializer,
        responses={
            200: OpenApiResponse(response=TakenSerializer, description="The key came before with the same body."),
            201: OpenApiResponse(response=TakenSerializer, description="Stored and applied."),
            409: OpenApiResponse(
                response=ConflictSerializer,
                description="Several returns have the name, the key came with another body, or the return is not "
                "known with its items yet (Retry-After).",
            ),
            **errors(400, 401, 403, 404, 413, 415, 422, 429),
        },
    )
    def post(self, request: Request) -> Response:
        """Take one report."""
        key = _key(request)
        serializer = ReportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        token = caller(request)
        try:
            taken = wms.take(
                report=report_of(serializer.validated_data, key=key),
                origin=f"api:{token.name}",
                by=token.name,
                at=timezone.now(),
                may_use=token.may_use,
            )
        except wms.ReportError as error:
            raise _refusal(error) from None
        body = {"report": taken.row.pk, "duplicate": taken.is_duplicate, **taken.row.answer}
        return Response(body, status=200 if taken.is_duplicate else 201)


def report_of(data: dict[str, Any], *, key: str) -> wms.Report:
    """A checked document as a report."""
    return wms.Report(
        name=data["return"],
        key=key,
        items=tuple(wms.FoundItem(**item) for item in data.get("items", ())),
        received_at=data.get("received_at"),
        warehouse=data.get("warehouse", ""),
    )


def _key(request: Request) -> str:
    key: str = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable() or " " in key:
        text = f"Send 1 to {MAX_KEY} printable ASCII characters without spaces."
        raise serializers.ValidationError({"Idempotency-Key": text})
    return key


def _refusal(error: wms.ReportError) -> Exception:
    match error:
        case wms.ReturnUnknownError():
            return ApiError(404, error.code, str(error))
        case wms.SeveralReturnsError():
            return ApiError(409, error.code, str(error), extra={"candidates": error.candidates})
        case wms.ItemsWrongError():
            problems = [{"field": f"items[{place}]", "error": text} for place, text in error.problems.items()]
            return ApiError(422, error.code, "Some items are wrong.", extra={"fields": problems})
        case _:
            after_s = AGAIN_S if isinstance(error, wms.ReturnIncompleteError) else None
            return ApiError(409, error.code, str(error), after_s=after_s)
