"""Reading a policy document: one reader per key; it notes what is wrong and returns a value all the same. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from returnsops import money

Value = TypeVar("Value")

Reader = Callable[[Any, str, list[str]], Any]


def values(document: object, readers: Mapping[str, Reader], path: str, problems: list[str]) -> dict[str, Any]:
    """Read the known keys of a table; unknown ones are problems."""
    if not isinstance(document, Mapping):
        problems.append(f"{path or 'policy'}: must be a table.")
        return {}
    prefix = f"{path}." if path else ""
    problems.extend(
        f"{prefix}{key}: unknown key; remove it or use one of {', '.join(readers)}."
        for key in document
        if key not in readers
    )
    return {
        key: reader(document[key], f"{prefix}{key}", problems) for key, reader in readers.items() if key in document
    }


def table(kind: Callable[..., Value], readers: Mapping[str, Reader]) -> Reader:
    """A table whose keys have readers of their own, as the dataclass ``kind``."""

    def read(value: Any, path: str, problems: list[str]) -> Value:
        return kind(**values(value, readers, path, problems))

    return read


def choice(*options: str) -> Reader:
    """One of some words; the first stands in for a wrong one."""

    words = ", ".join(option or '""' for option in options)

    def read(value: Any, path: str, problems: list[str]) -> str:
        if not isinstance(value, str) or value not in options:
            problems.append(f"{path}: {value!r} is not possible; use one of {words}.")
            return options[0]
        return value

    return read


def whole(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def read(value: Any, path: str, problems: list[str]) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            problems.append(f"{path}: {value!r} is not possible; use a whole number from {low} to {high}.")
            return low
        return value

    return read


def words_with(wanted: str) -> Reader:
    """A text of at most 500 characters that has something in it, or an empty one."""

    def read(value: Any, path: str, problems: list[str]) -> str:
        if not isinstance(value, str) or len(value) > 500 or (value and wanted not in value):
            problems.append(f'{path}: must be a text of at most 500 characters with {wanted} in it, or "".')
            return ""
        return value

    return read


def truth(value: Any, path: str, problems: list[str]) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        problems.append(f"{path}: {value!r} is not possible; use true or false.")
    return bool(value)


def several(options: tuple[str, ...]) -> Reader:
    """A list of any of some words, each once."""

    def read(value: Any, path: str, problems: list[str]) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or any(name not in options for name in value):
            problems.append(f"{path}: must be a list of any of {', '.join(options)}.")
            return ()
        return tuple(dict.fromkeys(value))

    return read


def by(options: tuple[str, ...], reader: Reader) -> Reader:
    """A table that has the same kind of value under any of some keys."""
    return table(dict, dict.fromkeys(options, reader))


def amounts_by_currency(value: Any, path: str, problems: list[str]) -> dict[str, Decimal]:
    """Amounts of money in major units, decimal strings under ISO 4217 codes."""
    if not isinstance(value, Mapping):
        problems.append(f"{path}: must be a table of currency codes and decimal strings.")
        return {}
    return {currency: _amount(amount, f"{path}.{currency}", currency, problems) for currency, amount in value.items()}


def _amount(value: Any, path: str, currency: str, problems: list[str]) -> Decimal:
    try:
        amount = money.parse_amount(value)
        if amount < 0 or not money.is_exact(amount, currency=currency):
            raise money.MoneyError("It must not be negative, nor have more digits than the currency.")
    except money.MoneyError as error:
        problems.append(f'{path}: {error} Use a decimal string such as "10.00" under an ISO 4217 currency code.')
        return Decimal(0)
    return amount
