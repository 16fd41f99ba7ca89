"""The webhook door."""

from django.urls import path

from connectors.views import WebhookView

urlpatterns = [path("webhooks/<slug:connection_name>/", WebhookView.as_view(), name="webhook")]
