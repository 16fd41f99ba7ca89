"""How long things may take with a shop."""

from datetime import timedelta
from typing import Final

from connectors.woocommerce.client import WRITE_TIMEOUT_S

CALL_DEADLINE_S: Final = int(WRITE_TIMEOUT_S)
# PHP goes on after the caller hung up; web servers commonly let it run for up to five minutes.
LONGEST_EXECUTION_S: Final = 300
SETTLE_S: Final = CALL_DEADLINE_S + LONGEST_EXECUTION_S
# The shop stamps its records with its own clock.
CLOCK_SKEW: Final = timedelta(minutes=2)
