"""What returnsops can do in a shop: one pair of functions per kind of effect."""

from collections.abc import Mapping
from typing import Final

from connectors.ports import EffectActions
from connectors.shopify import (
    credits,
    exchanges,
    gift_cards,
    marks,
    refunds,
    restocks,
    return_edits,
    returns,
    set_asides,
    take_outs,
)
from returnsops.states import (
    CANCEL_EXCHANGE,
    CLOSE_RETURN,
    EDIT_RETURN,
    EXCHANGE,
    MIRROR,
    NOTE,
    OPEN_RETURN,
    REFUND,
    RESTOCK,
    SET_ASIDE,
    STORE_CREDIT,
    TAKE_OUT,
    TRACK_RETURN,
    VOID_CREDIT,
)

EFFECTS: Final[Mapping[str, EffectActions]] = {
    REFUND: EffectActions(send=refunds.send, look_up=refunds.look_up),
    RESTOCK: EffectActions(send=restocks.send, look_up=restocks.look_up),
    SET_ASIDE: EffectActions(send=set_asides.send, look_up=set_asides.look_up),
    TAKE_OUT: EffectActions(send=take_outs.send, look_up=take_outs.look_up),
    EXCHANGE: EffectActions(send=exchanges.send, look_up=exchanges.look_up),
    CANCEL_EXCHANGE: EffectActions(send=exchanges.send_cancel, look_up=exchanges.look_up_cancel),
    STORE_CREDIT: EffectActions(send=credits.send, look_up=credits.look_up),
    VOID_CREDIT: EffectActions(send=gift_cards.send_void, look_up=gift_cards.look_up_void),
    OPEN_RETURN: EffectActions(send=returns.send_open, look_up=returns.look_up_open),
    EDIT_RETURN: EffectActions(send=return_edits.send, look_up=return_edits.look_up),
    TRACK_RETURN: EffectActions(send=returns.send_track, look_up=returns.look_up_track),
    CLOSE_RETURN: EffectActions(send=returns.send_close, look_up=returns.look_up_close),
    NOTE: EffectActions(send=marks.send_note, look_up=marks.look_up_note),
    MIRROR: EffectActions(send=marks.send_mirror, look_up=marks.look_up_mirror),
}
