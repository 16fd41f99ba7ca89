"""Memory of web and worker after real work, as `make run` starts them: proportional set size over each process tree."""

import re
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from connectors.simulators.clock import SystemClock
from connectors.simulators.reveni import ReveniPlatform
from connectors.simulators.server import serve
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.shop import WooShop
from returnsops import states
from tests.benchmarks.installation import Installation, installed
from tests.benchmarks.measuring import keep, process_tree, pss_mb
from tests.journeys.world_configuration import CONFIG

RETURNS = 12
LIMIT_MB = 200
PAGES = ("", "returnsops/returnauthorisation/", "returnsops/effect/", "exceptions_queue/exceptioncase/")
WITHIN_S = 240
PASSWORD = "a long password 123"
GO_LIVE = f"""
from django.contrib.auth.models import Group, User
from django.utils import timezone
from returnsops.models import Route
from returnsops.roles import TEAMS, sync_roles
from returnsops.services import routes
sync_roles()
route = Route.objects.get(name="main")
for team in routes.SIGNING_TEAMS:
    person = User.objects.create_user(team.lower(), password="{PASSWORD}", is_staff=True)
    person.groups.add(Group.objects.get(name=TEAMS[team]))
    routes.sign_policy(policy=route.policy, team=team, by=person, at=timezone.now())
routes.set_mode(route=route, mode="live", by="bench", at=timezone.now(), live_from=timezone.now())
"""


def test_memory(tmp_path: Path) -> None:
    clock = SystemClock()
    with installed(tmp_path) as installation, requests.Session() as session:
        shop = WooShop(clock=clock, session=session)
        shop.add_key("ck_test", "cs_test")
        shop.add_gateway("card", title="Card")
        platform = ReveniPlatform(clock=clock, webhook_url=f"{installation.url}/webhooks/reveni/")
        servers = [serve(shop.app), serve(platform.simulator)]
        try:
            set_up(installation, platform, shop_url=servers[0].url, platform_url=servers[1].url)
            web, worker = installation.start_web(), installation.start_worker()
            play(shop, platform)
            platform.sender.deliver_pending()
            wait_until(lambda: confirmed_refunds(installation) == RETURNS)
            look_around(installation)
            for name, pid in (("web", web), ("worker", worker)):
                after, count = pss_mb(pid), len(process_tree(pid))
                verdict = f"{'below' if after < LIMIT_MB else 'ABOVE'} the limit of {LIMIT_MB} MB"
                pages = len(PAGES) * 5 + RETURNS
                note = f"{count} processes, after {RETURNS} returns and {pages} pages; {verdict}"
                keep(what=f"memory of {name} (PSS)", value=f"{after:.0f} MB", note=note)
        finally:
            installation.stop()
            for server in servers:
                server.stop()


def set_up(installation: Installation, platform: ReveniPlatform, *, shop_url: str, platform_url: str) -> None:
    """Shop, platform and a live route; paced fast enough to be over soon."""
    fast = "settings = {calls_per_minute = 3000}\n[connections.secrets]\nconsumer_key"
    text = CONFIG.replace("[connections.secrets]\nconsumer_key", fast.replace("{", "{{").replace("}", "}}")).format(
        shop_url=shop_url,
        platform_url=platform_url,
        platform_secret=platform.webhook_secrets[0],
        platform_key=platform.api_key,
        policy="",
        policy_tables="",
    )
    path = installation.folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    installation.manage("apply_config", str(path))
    installation.manage("shell", given=GO_LIVE)
    installation.manage("setup_schedules")


def play(shop: WooShop, platform: ReveniPlatform) -> None:
    """Returns received, judged and to be paid."""
    product = shop.add_product("Tee", Decimal("30.00"), sku="TEE", stock_quantity=RETURNS)
    for _ in range(RETURNS):
        order = shop.place_order([CartLine(product_id=product.id, quantity=1)], payment_method="card")
        item = {"order_line_id": str(order.items[0].id), "sku": "TEE", "quantity": 1, "reason_code": "too_small"}
        return_id = platform.create_return(order_id=str(order.id), items=[{**item, "total": "30.00"}])
        platform.authorise(return_id)
        platform.receive(return_id)
        item_id = str(platform.account.returns[return_id]["items"][0]["id"])
        verdict = {"item_id": item_id, "quantity": 1, "outcome": "accepted"}
        final = {"disposition": "sellable", "disposition_final": True}
        platform.complete_inspection(return_id, [{**verdict, **final}])
        items = [{"item_id": item_id, "quantity": 1, "amount": "30.00"}]
        platform.issue_refund(return_id, amount="30.00", items=items)


def confirmed_refunds(installation: Installation) -> int:
    """As /metrics counts them."""
    text = requests.get(f"{installation.url}/metrics", timeout=10).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    wanted = {"kind": states.REFUND, "connection": "shop", "state": states.CONFIRMED}
    return int(sum(sample.value for sample in samples if sample.labels == wanted))


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look every second; the work has its own clock."""
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, "the worker did not finish in time"
        time.sleep(1)


def look_around(installation: Installation) -> None:
    """Sign in and open the lists and a return, several times, as people do."""
    with requests.Session() as session:
        page = session.get(f"{installation.url}/accounts/login/", timeout=30).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        form = {"login": "fin", "password": PASSWORD, "csrfmiddlewaretoken": token.group(1)}
        answer = session.post(f"{installation.url}/accounts/login/", data=form, timeout=30)
        assert answer.ok
        for path in PAGES * 5:
            answer = session.get(f"{installation.url}/admin/{path}", timeout=30)
            assert answer.status_code == 200, path
        for number in range(1, RETURNS + 1):
            session.get(f"{installation.url}/admin/returnsops/returnauthorisation/{number}/change/", timeout=30)
