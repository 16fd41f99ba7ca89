"""Which record in the other system an effect is, where a person says so.

What we know to be wrong is refused at once; the rest is verified by the read-back, which opens a case where it does not
see the record. Until it was seen the person may name another one.
"""

from returnsops import states
from returnsops.models import Effect, Refund

from .effect_rows import EffectError

_NOT_DONE = states.UNSENT | {states.UNKNOWN, states.REJECTED, states.FAILED}
_SEEN_OR_UNREAD = ("", "pending")  # error class of a read-back: it was there, or nothing was looked for yet


def sources(effect: Effect) -> frozenset[str]:
    """The states in which a person may say which record this effect is: as done, only where no read-back saw it."""
    is_missing = effect.kind in states.READ_BACK_KINDS and effect.error_class not in _SEEN_OR_UNREAD
    return _NOT_DONE | {states.DONE} if is_missing else _NOT_DONE


def check_record(effect: Effect, *, remote_id: str) -> None:
    """Raises EffectError where the record is no id, or known as another effect's or another order's."""
    if not remote_id or len(remote_id) > 200:
        raise EffectError("Give the id of the record in the other system, as shown there.")
    same = Effect.objects.filter(connection=effect.connection, kind=effect.kind, order=effect.order)
    other = same.filter(remote_id=remote_id).exclude(pk=effect.pk).first()
    if other is not None:
        raise EffectError(f"Record {remote_id} already belongs to another effect of this order ({other.key}).")
    if effect.kind in states.MONEY_KINDS:
        _check_refund(effect, remote_id)


def let_go(effect: Effect) -> None:
    """The record that was named before is no longer ours; the next reading of the order says whose it is."""
    if effect.order is not None and effect.remote_id:
        record = effect.order.refunds.filter(external_id=effect.remote_id, key=effect.key)
        record.exclude(reason__startswith=effect.key).update(origin=Refund.EXTERNAL, key="")


def take(effect: Effect) -> None:
    """The record is ours from now on, with our key in it or not."""
    if effect.order is not None:
        record = effect.order.refunds.filter(external_id=effect.remote_id, key="")
        record.update(origin=Refund.OURS, key=effect.key)


def _check_refund(effect: Effect, remote_id: str) -> None:
    """What we have read of the shop's refunds so far; a newer one is looked for by the read-back."""
    known = Refund.objects.filter(order__connection=effect.connection, external_id=remote_id)
    row = known.select_related("order").first()
    if row is None:
        return
    if row.order_id != effect.order_id:
        raise EffectError(f"Refund {remote_id} belongs to {row.order}, not to this effect's order.")
    if row.key and effect.key not in (row.key, row.key.rpartition("#")[0]):
        raise EffectError(f"Refund {remote_id} already belongs to another effect of this order ({row.key}).")
