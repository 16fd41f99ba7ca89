"""How long things may take with a shop."""

from datetime import timedelta
from typing import Final

READ_TIMEOUT_S: Final = 30.0
WRITE_TIMEOUT_S: Final = 60.0  # a refund calls the payment gateway inside the request
CALL_DEADLINE_S: Final = int(WRITE_TIMEOUT_S)
# How long Shopify may still be at work after we hung up is not published: assumed, and generous.
LONGEST_EXECUTION_S: Final = 120
SETTLE_S: Final = CALL_DEADLINE_S + LONGEST_EXECUTION_S
# The shop stamps its records with its own clock.
CLOCK_SKEW: Final = timedelta(minutes=2)
# The search behind ``orders(query:)`` follows writes by seconds (shopify.md section 5): how far polling looks back.
INDEX_LAG: Final = timedelta(minutes=10)
# What only a search shows is absent once it would show even what was carried out last of all.
INDEX_SETTLE_S: Final = SETTLE_S + INDEX_LAG.total_seconds()
