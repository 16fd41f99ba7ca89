"""The webhook door, and what has to ask a shop."""

from django.urls import path

from connectors.eligibility_view import EligibilityView
from connectors.views import WebhookView

urlpatterns = [
    path("webhooks/<slug:connection_name>/", WebhookView.as_view(), name="webhook"),
    path("api/v1/eligibility/", EligibilityView.as_view(), name="eligibility"),
]
