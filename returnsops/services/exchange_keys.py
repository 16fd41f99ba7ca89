"""Under which key the replacement order of an exchange is sent now."""

from returnsops import states
from returnsops.models import ReturnAuthorisation
from returnsops.planning.exchange_ends import key_in_force


def exchange_key(rma: ReturnAuthorisation, exchange_id: str) -> str:
    """The key in force: another one once an earlier order was taken back in the shop."""
    taken_back = rma.effects.filter(kind=states.CANCEL_EXCHANGE).values_list("key", "state")
    return key_in_force(rma.ref, exchange_id, dict(taken_back))
