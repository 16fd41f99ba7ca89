"""What returnsops can do in a shop: one pair of functions per kind of effect."""

from collections.abc import Mapping
from typing import Final

from connectors.ports import EffectActions
from connectors.woocommerce import coupons, exchange_ends, exchanges, marks, refunds, restocks, take_outs
from returnsops.states import (
    CANCEL_EXCHANGE,
    EXCHANGE,
    MIRROR,
    NOTE,
    REFUND,
    RESTOCK,
    STORE_CREDIT,
    TAKE_OUT,
    VOID_CREDIT,
)

EFFECTS: Final[Mapping[str, EffectActions]] = {
    REFUND: EffectActions(send=refunds.send, look_up=refunds.look_up),
    RESTOCK: EffectActions(send=restocks.send, look_up=restocks.look_up),
    EXCHANGE: EffectActions(send=exchanges.send, look_up=exchanges.look_up),
    CANCEL_EXCHANGE: EffectActions(send=exchange_ends.send, look_up=exchange_ends.look_up),
    TAKE_OUT: EffectActions(send=take_outs.send, look_up=take_outs.look_up),
    STORE_CREDIT: EffectActions(send=coupons.send, look_up=coupons.look_up),
    VOID_CREDIT: EffectActions(send=coupons.send_void, look_up=coupons.look_up_void),
    NOTE: EffectActions(send=marks.send_note, look_up=marks.look_up_note),
    MIRROR: EffectActions(send=marks.send_mirror, look_up=marks.look_up_mirror),
}
