"""Pull instead of guess: a message that says too little is answered by reading the return itself (design section 4)."""

from collections.abc import Iterable

from connectors import ports
from connectors.registry import connector_for, link_for
from returnsops.models import Connection

WANTED = "read_return"  # key of a problem's detail: the id of the return that would tell what the message does not


def read_instead(*, connection: Connection, problems: Iterable[ports.Problem]) -> ports.PolledItem | None:
    """The return that these problems ask to be read; None where nobody asks, or the platform cannot say.

    Outside transactions. Raises VendorError but Rejected: where the platform refuses, a person looks at the problem.
    """
    return_id = next((str(found) for problem in problems if (found := problem.detail.get(WANTED))), "")
    reader = connector_for(connection.vendor).read_return
    if not return_id or reader is None:
        return None
    try:
        return reader(link_for(connection), return_id)
    except ports.Rejected:
        return None
