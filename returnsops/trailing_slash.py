"""An address whose trailing slash was left out: who reads is sent on, who writes is told, as a body is lost on the way.

Django sends both on, so that a message arrives as a GET without its body, or with DEBUG fails with a server error.
"""

from typing import Final

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware

READS: Final = frozenset({"GET", "HEAD"})


class SlashMiddleware(CommonMiddleware):
    """Django's own, but for writes without the slash: 404 with the address to send them to."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Answer a write that only the slash keeps from its view; nothing of it was taken."""
        if response.status_code == 404 and request.method not in READS and self.should_redirect_with_slash(request):
            path = f"{request.path_info}/"
            error = f"Nothing was taken: this address ends in a slash. Send it to {path} instead."
            return JsonResponse({"error": error, "code": "slash_missing"}, status=404)
        return super().process_response(request, response)
