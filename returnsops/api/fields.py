"""Fields that take exactly the JSON type the schema names, and the shape of our errors."""

from typing import Any

from rest_framework import serializers


class Text(serializers.CharField):
    """A JSON string; numbers and truth values are not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        """The text, trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON integer."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Truth(serializers.BooleanField):
    """A JSON true or false."""

    def to_internal_value(self, data: Any) -> bool:
        """The value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Strict(serializers.Serializer[Any]):
    """A table that refuses keys it does not know: a misspelt optional key must not be lost silently."""

    def to_internal_value(self, data: Any) -> Any:
        """The values by name."""
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                words = f"Unknown; known are {', '.join(self.fields)}."
                raise serializers.ValidationError({name[:80]: [words] for name in unknown[:20]})
        return super().to_internal_value(data)


class FieldErrorSerializer(serializers.Serializer[Any]):
    """Where, and what is wrong there."""

    field = serializers.CharField()
    error = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """Every answer that is not 2xx."""

    error = serializers.CharField(help_text="A sentence for people.")
    code = serializers.CharField(help_text="A word for programs.")
    fields = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]
