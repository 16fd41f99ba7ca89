"""What a message told, as people read it: the inbox notes class names of facts, the timeline says sentences."""

from typing import Final

# Class name of a fact → what it says. The names stay in the inbox, for whoever looks for a fault.
FACT_SENTENCES: Final = {
    "ReturnSeen": "The platform showed how the return stands.",
    "PlatformShowed": "The platform showed what was written on its own return.",
    "ReturnRequested": "The customer asked for the return.",
    "ReturnAuthorised": "The return was authorised: the goods may be sent back.",
    "ReturnDeclined": "The return was declined.",
    "ReturnCancelled": "The return was cancelled.",
    "ReturnExpired": "The return expired: the goods were not sent in time.",
    "ReturnClosed": "The platform closed the return.",
    "ParcelLabelled": "A parcel has its label.",
    "ParcelInTransit": "A parcel is on its way.",
    "ParcelDelivered": "The carrier says that a parcel was delivered.",
    "ParcelReceived": "A parcel is at the warehouse.",
    "ItemsInspected": "Items were inspected.",
    "InspectionCompleted": "The inspection is complete.",
    "RefundIssued": "A refund was decided.",
    "RefundFailed": "A refund did not reach the customer.",
    "ExchangeRequested": "The customer asked for a replacement.",
    "ExchangeCancelled": "The replacement was cancelled.",
    "CreditIssued": "Store credit or a gift card was granted.",
    "CreditWithdrawn": "A credit was taken back.",
    "RiskHoldPlaced": "A fraud review began; money and goods wait.",
    "RiskHoldReleased": "The fraud review ended.",
    "RiskCharge": "News of a charge for instant goods: made, failed or reversed.",
    "OrderMayHaveChanged": "The order may have changed.",
    "OrderChanged": "The order was read.",
    "OrderGone": "The order is in the bin or cannot be found any more.",
    "ReasonClassified": "The reason of an item was chosen.",
    "HoldWaived": "A hold was released.",
    "RefundAttributed": "It was decided what a refund made outside is for.",
    "AttributionUndone": "What was said of a refund made outside was taken back.",
    "ExecutionDecided": "It was decided who pays a refund.",
    "InspectionUndone": "A verdict of the warehouse was taken back.",
    "ItemRecounted": "The warehouse counted an item again.",
    "ReplacementChosen": "Other goods were chosen for an exchange.",
}
OWN_READS: Final = {"order.read": "OrderChanged", "order.gone": "OrderGone"}  # topics of what we looked up ourselves
# Nearly every message shows the return too; said only where there is no other news.
ACCOMPANIES: Final = ("ReturnSeen", "PlatformShowed")
APPLIED: Final = "applied"
OUTCOME_LENGTH: Final = 500  # InboundEvent.outcome is cut there, so the last name may be half a name


def told(*, topic: str, outcome: str) -> str:
    """The facts of a message as sentences; '' where the outcome is not a list of facts but prose already."""
    if outcome == APPLIED:
        return FACT_SENTENCES.get(OWN_READS.get(topic, topic), "")
    names = list(dict.fromkeys(outcome.split(", ")))
    if len(outcome) >= OUTCOME_LENGTH and names[-1] not in FACT_SENTENCES:
        names.pop()
    if not names or not all(name in FACT_SENTENCES for name in names):
        return ""
    news = [name for name in names if name not in ACCOMPANIES] or names[:1]
    return " ".join(FACT_SENTENCES[name] for name in news)
