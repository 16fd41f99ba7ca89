"""The configuration file of a journey's world, and what is quiet in it unless a journey is about it."""

from typing import Final

# Notes and mirrored fields are most of what is sent and little of what most journeys are about.
QUIET: Final = "notes = []\nmirrors = []\n"

CONFIG: Final = """
[[reasons]]
code = "too_small"
title = "Too small"
[[reasons]]
code = "faulty"
title = "Faulty"

[[connections]]
name = "shop"
vendor = "woocommerce"
base_url = "{shop_url}"
time_zone = "Europe/Madrid"
[connections.secrets]
consumer_key = "ck_test"
consumer_secret = "cs_test"
webhook_secret = "shopwebhooksecret"

[[connections]]
name = "reveni"
vendor = "reveni"
base_url = "{platform_url}"
[connections.secrets]
webhook_secret = "{platform_secret}"
api_key = "{platform_key}"
[connections.reason_codes]
too_small = "too_small"
faulty = "faulty"

[[locations]]
code = "main"
title = "Main stock"
kind = "sellable"
[[locations]]
code = "quarantine"
title = "Quarantine"
kind = "quarantine"
[[locations]]
code = "scrap"
title = "Scrap"
kind = "scrap"

[[routes]]
name = "main"
platform = "reveni"
commerce = "shop"
mode = "shadow"
[routes.dispositions]
sellable = "main"
quarantine = "quarantine"
refurbish = "quarantine"
damaged = "scrap"
write_off = "scrap"
[routes.policy]
{policy}
[routes.policy.ownership]
order = "commerce"
refund = "commerce"
return_status = "platform"
disposition = "platform"
stock = "commerce"
{policy_tables}
"""


def quietly(policy: str, *, is_telling: bool) -> str:
    """The policy's own keys, without notes and mirrors in the shop unless the journey wants them."""
    is_decided = is_telling or "notes =" in policy or "mirrors =" in policy
    return policy if is_decided else QUIET + policy


def filled(
    *, shop_url: str, platform_url: str, platform_secret: str, platform_key: str, policy: str, policy_tables: str
) -> str:
    """The file with a shop, a platform and one route between them."""
    return CONFIG.format(
        shop_url=shop_url,
        platform_url=platform_url,
        platform_secret=platform_secret,
        platform_key=platform_key,
        policy=policy,
        policy_tables=policy_tables,
    )
