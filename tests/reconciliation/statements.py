"""What tests of the books share: a shop with a gateway's format, a statement as a file, and its import by HTTP."""

import re
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from connectors.simulators.woocommerce.records import Order
from reconciliation import book_cases
from reconciliation.models import Period
from tests.journeys.world import World

IMPORT = "/admin/reconciliation/settlementline/import/"
CONFIRM = "/admin/reconciliation/settlementline/process_import/"
HEAD = "Id;Day;Type;Amount;Currency;Payment;Refund;Order"
CARD = {
    "columns": {
        "line_id": "Id",
        "date": "Day",
        "kind": "Type",
        "amount": "Amount",
        "currency": "Currency",
        "reference": "Payment",
        "refund_reference": "Refund",
        "order_number": "Order",
    },
    "kinds": {"Refund": "refund", "Charge": "ignore"},
    "decimal_mark": ",",
    "amounts_are": "negative",
    "date_format": "%d/%m/%Y",
}


def keep_books(w: World, **settings: Any) -> None:
    """Finance stores the format of the card gateway."""
    shop = w.connection("shop")
    shop.settings = {**shop.settings, "finance": {"gateways": {"card": CARD}, **settings}}
    shop.save()


def line(
    number: int, amount: str, *, order: Order | str = "", payment: str = "", refund: str = "", day: str = "05/11/2026",
    kind: str = "Refund", currency: str = "EUR",
) -> str:  # fmt: skip
    """One row as the gateway writes it; ``amount`` as we do, positive and with a point."""
    order_number = order if isinstance(order, str) else str(order.id)
    return f"L{number};{day};{kind};-{amount.replace('.', ',')};{currency};{payment};{refund};{order_number}"


def preview(client: Client, *rows: str, head: str = HEAD, raw: bytes | None = None, account: str = "shop/card") -> Any:
    """The dry run."""
    content = raw if raw is not None else "\n".join([head, *rows]).encode()
    file = SimpleUploadedFile("november.csv", content, content_type="text/csv")
    return client.post(IMPORT, {"import_file": file, "format": "0", "resource": "", "account": account})


def confirm(client: Client, shown: Any) -> Any:
    """The button of the dry run."""
    initial = shown.context["confirm_form"].initial
    return client.post(CONFIRM, {name: str(value) for name, value in initial.items()}, follow=True)


def said(response: Any) -> str:
    """The page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def signed_in(w: World, who: str) -> Client:
    """A browser of somebody."""
    client = Client()
    client.force_login(w.users[who])
    return client


def refunded(w: World, amount: str, *, payment: str = "", **details: Any) -> tuple[Order, str]:
    """One unit comes back and is refunded by the shop's gateway, and seen to be."""
    order = w.order(
        (w.product(f"TEE-{len(w.shop.state.products)}", price=amount), 1), transaction_id=payment, **details
    )
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, amount)
    w.settle()
    return order, return_id


def refresh(w: World) -> None:
    """What the schedule does."""
    book_cases.refresh(connection=w.connection("shop"), at=w.now())


def month(name: str) -> Period:
    """A month of the only shop."""
    return Period.objects.select_related("connection").get(name=name)


def refunded_in_shop(w: World, *orders: Order) -> Decimal:
    """What the shop itself says was refunded."""
    return sum((refund.amount or Decimal(0) for order in orders for refund in w.money_refunds(order)), Decimal(0))
