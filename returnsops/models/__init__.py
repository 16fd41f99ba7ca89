"""All rows of the domain; one file per aggregate."""

from .api import ApiToken, ApiUse, InspectionReport
from .audit import HistoryEntry
from .catalogue import CatalogueItem
from .connections import (
    Connection,
    ConnectionSecret,
    MappingVersion,
    PolicySignature,
    PolicyVersion,
    Route,
    Switch,
)
from .effects import Attempt, Effect
from .finance import CreditRequest, ExchangeRequest, PlatformRefund, Refund
from .inbox import InboundEvent, WebhookRefusal
from .orders import Order, OrderLine
from .reference import DispositionMapping, Location, ReasonCode, ReasonMapping
from .returns import Inspection, Parcel, ReturnAuthorisation, ReturnLine
from .shadow import ShadowComparison
from .waivers import Waiver

__all__ = [
    "ApiToken",
    "ApiUse",
    "Attempt",
    "CatalogueItem",
    "Connection",
    "ConnectionSecret",
    "CreditRequest",
    "DispositionMapping",
    "Effect",
    "ExchangeRequest",
    "HistoryEntry",
    "InboundEvent",
    "Inspection",
    "InspectionReport",
    "Location",
    "MappingVersion",
    "Order",
    "OrderLine",
    "Parcel",
    "PlatformRefund",
    "PolicySignature",
    "PolicyVersion",
    "ReasonCode",
    "ReasonMapping",
    "Refund",
    "ReturnAuthorisation",
    "ReturnLine",
    "Route",
    "ShadowComparison",
    "Switch",
    "Waiver",
    "WebhookRefusal",
]
