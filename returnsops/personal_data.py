"""Customer data in stored messages: what is taken out with age, and what stays because replay and people need it.

Names, addresses, e-mail addresses, phone numbers and what customers wrote go. Ids, quantities, money, products,
countries, times and states stay. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

REMOVED: Final = "[removed]"
REMOVED_MAIL: Final = "removed@removed.invalid"  # still an address to whoever checks the form of the message

# Objects that describe a person or a place: every text in them goes, but for ids and codes.
_PERSON: Final = re.compile(
    r"^(billing|shipping|customer|recipient|sender|shopper|consignee|buyer|contact)$|address$", re.IGNORECASE
)
_STAYS_IN_PERSON: Final = re.compile(r"(^|_)(id|ids|country|country_code|currency|locale|type|kind)$", re.IGNORECASE)
# Fields that are personal wherever they stand.
_PERSONAL: Final = re.compile(
    r"e[-_]?mail|phone|mobile|postcode|postal[-_]?code|zip[-_]?code|street|iban|account[-_]?number"
    r"|(first|last|full|middle|given|family|customer|shopper|recipient|contact|billing|shipping)[-_]?name"
    r"|address|ip[-_]addr|user[-_]agent"
    r"|^(_?customer_note|reason_text|reject_reason|comments?|customer_comment|_?(billing|shipping)_(company|city|state))$",
    re.IGNORECASE,
)
# Objects of a code and a text that somebody wrote: of an end, and of a payment that did not arrive.
_WRITTEN: Final[Mapping[str, str]] = {"reason": "text", "failure": "message"}
_MAIL: Final = re.compile(r"[^\s<>\"'=:,;]+@[^\s<>\"'=:,;]+\.\w+")


def without_personal_data(document: Any) -> Any:
    """A copy of a JSON document without customer data. Doing it twice changes nothing more."""
    return _cleaned(document, is_person=False)


def without_mail(text: str) -> str:
    """A text of staff without e-mail addresses, as it stands in a message that lost its customer data."""
    return _MAIL.sub(REMOVED_MAIL, text)


def _cleaned(value: Any, *, is_person: bool) -> Any:
    if isinstance(value, Mapping):
        return _cleaned_entry(value) or {
            name: _cleaned_field(str(name), inner, is_person=is_person) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(inner, is_person=is_person) for inner in value]
    if isinstance(value, str):
        return _text(value, is_gone=is_person)
    return value


def _cleaned_entry(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """An entry of a list of named values, such as WooCommerce's meta_data: the name says whether the value goes."""
    name = value.get("key")
    if not isinstance(name, str) or "value" not in value or not _PERSONAL.search(name):
        return None
    return {**value, **{key: _gone(value[key]) for key in ("value", "display_value") if key in value}}


def _cleaned_field(name: str, value: Any, *, is_person: bool) -> Any:
    if is_person and _STAYS_IN_PERSON.search(name):
        return value
    if isinstance(value, Mapping) and _PERSON.search(name):
        return _cleaned(value, is_person=True)
    if isinstance(value, Mapping) and (written := _WRITTEN.get(name)) is not None:
        return {
            key: _gone(inner) if key == written else _cleaned(inner, is_person=False) for key, inner in value.items()
        }
    if _PERSONAL.search(name):
        return _gone(value)
    return _cleaned(value, is_person=is_person)


def _gone(value: Any) -> Any:
    """The value with every text in it removed; numbers of a personal field, a phone number for one, go too."""
    if isinstance(value, Mapping):
        return {name: _gone(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_gone(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    return _text(str(value), is_gone=True)


def _text(value: str, *, is_gone: bool) -> str:
    if not is_gone or not value or value == REMOVED:
        return _MAIL.sub(REMOVED_MAIL, value)
    return REMOVED_MAIL if _MAIL.fullmatch(value) else REMOVED
