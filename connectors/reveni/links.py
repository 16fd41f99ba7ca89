"""Addresses of a return in the platform's own screens."""

from urllib.parse import quote

from connectors.ports import ConnectionConfig


def return_url(config: ConnectionConfig, return_id: str) -> str:
    """Deep link to a return, '' where nobody told us how to build one."""
    template = str(config.settings.get("return_url_template", ""))
    if not template.startswith(("https://", "http://")):
        return ""
    return template.replace("{id}", quote(return_id, safe=""))
