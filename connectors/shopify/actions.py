"""What returnsops can do in a shop: one pair of functions per kind of effect."""

from collections.abc import Mapping
from typing import Final

from connectors.ports import EffectActions
from connectors.shopify import credits, gift_cards, marks, refunds, restocks, take_outs
from returnsops.states import MIRROR, NOTE, REFUND, RESTOCK, STORE_CREDIT, TAKE_OUT, VOID_CREDIT

EFFECTS: Final[Mapping[str, EffectActions]] = {
    REFUND: EffectActions(send=refunds.send, look_up=refunds.look_up),
    RESTOCK: EffectActions(send=restocks.send, look_up=restocks.look_up),
    TAKE_OUT: EffectActions(send=take_outs.send, look_up=take_outs.look_up),
    STORE_CREDIT: EffectActions(send=credits.send, look_up=credits.look_up),
    VOID_CREDIT: EffectActions(send=gift_cards.send_void, look_up=gift_cards.look_up_void),
    NOTE: EffectActions(send=marks.send_note, look_up=marks.look_up_note),
    MIRROR: EffectActions(send=marks.send_mirror, look_up=marks.look_up_mirror),
}
