"""Subscriptions: registered once, watched by topic and address, and registered again where the shop took them away."""

from connectors.shopify.webhooks import TOPICS, ensure_webhooks, list_webhooks
from tests.connectors.shopify.served import stage

URL = "https://ops.example/webhooks/shop/"


def test_all_topics_are_registered_once() -> None:
    with stage() as own:
        made = ensure_webhooks(own.link, URL)
        assert ensure_webhooks(own.link, URL) == made
        found = list_webhooks(own.link)
        assert own.asked().count("WebhookCreate") == len(TOPICS)
    assert sorted(hook.topic for hook in found) == sorted(TOPICS)
    assert {(hook.is_active, hook.delivery_url) for hook in found} == {(True, URL)}


def test_one_that_the_shop_took_away_is_registered_again_and_other_addresses_are_left_alone() -> None:
    with stage() as own:
        elsewhere = ensure_webhooks(own.link, "https://other.example/hooks/")
        ensure_webhooks(own.link, URL)
        gone = next(s for s in own.shop.state.subscriptions.values() if s.uri == URL and s.topic == "REFUNDS_CREATE")
        del own.shop.state.subscriptions[gone.id]
        again = ensure_webhooks(own.link, URL)
        assert own.asked().count("WebhookCreate") == 2 * len(TOPICS) + 1
    assert {hook.topic for hook in again} == set(TOPICS)
    assert not {hook.external_id for hook in again} & {hook.external_id for hook in elsewhere}
