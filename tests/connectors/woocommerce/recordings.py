"""Real answers of a real store, as recorded (tests/recordings/woocommerce)."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings" / "woocommerce"
WEBHOOK_SECRET = "s3cret"  # the recorded store's, long gone


def load(name: str) -> Any:
    """A recording, its money as Decimal like in connectors/http.py."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"), parse_float=Decimal)


def answer_of(name: str) -> Any:
    """The body a recorded call was answered with."""
    return load(name)["response"]["body"]


def webhooks_of(name: str) -> list[tuple[dict[str, str], bytes]]:
    """Recorded deliveries: headers with lower-case names, and the raw body."""
    return [
        ({key.lower(): value for key, value in row["headers"]}, row["body"].encode())
        for row in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    ]
