"""Rails of every screen (ux.md, traps): permissions on all that people can do, no change by GET, a way back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from returnsops.admin.acts import Act
from tests import factories as make
from tests.kept import KeptRows
from tests.reconciliation.factories import (
    FindingFactory,
    PostingFactory,
    SettledElsewhereFactory,
    SettlementLineFactory,
)
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db


def is_ours(model: type[Model]) -> bool:
    return model._meta.app_label in ("returnsops", "connectors", "reconciliation", "exceptions_queue")


SCREENS = [(model, model_admin) for model, model_admin in admin.site._registry.items() if is_ours(model)]
ACTS = [(model, act) for model, model_admin in SCREENS for act in getattr(model_admin, "acts", ())]
# Written by services, or part of another screen.
WITHOUT_SCREEN = {
    "ApiUse",
    "ConnectionSecret",
    "CreditRequest",
    "ExchangeRequest",
    "Inspection",
    "OrderLine",
    "Parcel",
    "PlatformRefund",
    "Waiver",
}


def ids(value: Any) -> str:
    return value.code if isinstance(value, Act) else getattr(value, "__name__", str(value))


def test_every_model_of_the_domain_has_a_screen_or_stands_on_one() -> None:
    models = {model.__name__ for model in apps.get_app_config("returnsops").get_models()}
    assert models - {model.__name__ for model, _ in SCREENS} == WITHOUT_SCREEN


@pytest.mark.parametrize(("model", "act"), ACTS, ids=ids)
def test_every_act_asks_for_a_permission_that_exists(model: Any, act: Act) -> None:
    app_label, _, codename = act.permission.partition(".")
    assert Permission.objects.filter(content_type__app_label=app_label, codename=codename).exists()


@pytest.mark.parametrize(("model", "model_admin"), SCREENS, ids=ids)
def test_the_themes_own_actions_are_not_used(model: Any, model_admin: Any) -> None:
    """They change data by GET and ask for no permission."""
    offered = [*model_admin.actions_list, *model_admin.actions_row, *model_admin.actions_detail]
    assert [*offered, *model_admin.actions_submit_line] == []


@pytest.mark.parametrize(("model", "model_admin"), SCREENS, ids=ids)
def test_every_bulk_action_asks_for_a_permission(model: Any, model_admin: Any) -> None:
    bare = [action for action in model_admin.actions or () if not getattr(action, "allowed_permissions", ())]
    assert bare == []


@pytest.mark.parametrize(("model", "model_admin"), SCREENS, ids=ids)
def test_nothing_is_removed_and_lists_stay_light(model: Any, model_admin: Any, rf: Any) -> None:
    request = rf.get("/")
    request.user = make.UserFactory(is_superuser=True)
    assert not model_admin.has_delete_permission(request)
    assert model_admin.list_per_page == 25
    assert model_admin.show_full_result_count is False


def rows_of_everything() -> set[Any]:
    """A row of each model that people act on; which models those are."""
    rma = make.ReturnLineFactory(reason=None).rma
    make.RefundFactory(order=rma.order)
    make.PlatformRefundFactory(rma=rma, executed_by="")
    make.CreditRequestFactory(rma=rma)
    make.ExchangeRequestFactory(rma=rma)
    effect = make.EffectFactory(rma=rma, state="awaiting_approval", origin="person")
    made = [
        rma,
        effect,
        rma.route,
        rma.policy,
        rma.route.commerce,
        make.InboundEventFactory(),
        make.SwitchFactory(),
        make.ApiTokenFactory(),
        FindingFactory(rma=rma),
        PostingFactory().batch.period,
        SettlementLineFactory(),
    ]
    return {type(row) for row in made}


def rows_beside() -> set[Any]:
    """And of the models that people only look at."""
    models = rows_of_everything()
    make.AttemptFactory()
    make.HistoryEntryFactory()
    make.WebhookRefusalFactory()
    make.MappingVersionFactory()
    make.ReasonMappingFactory()
    make.DispositionMappingFactory()
    make.CaseFactory()
    SettlementLineFactory(posting=SettledElsewhereFactory().posting, matched_by="fin", matched_at=make.NOW)
    return models


_KEPT: dict[Callable[[], set[Any]], tuple[set[Any], KeptRows]] = {}


def kept(build: Callable[[], set[Any]]) -> set[Any]:
    """What ``build`` makes: by the factories once per process, inserted as it was after that (a hundred tests ask)."""
    if build in _KEPT:
        _KEPT[build][1].insert(texts={})
    else:
        models = build()
        _KEPT[build] = models, KeptRows([model for model in apps.get_models() if is_ours(model)], texts={})
    return _KEPT[build][0]


def writes(context: CaptureQueriesContext) -> Iterator[str]:
    for query in context.captured_queries:
        sql = query["sql"].lstrip().upper()
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and "DJANGO_SESSION" not in sql:
            yield query["sql"]


@pytest.mark.parametrize(("model", "act"), ACTS, ids=ids)
def test_a_get_shows_the_form_and_changes_nothing(model: Any, act: Act, admin_client: Client) -> None:
    if model not in kept(rows_of_everything):
        pytest.fail(f"Add a row of {model.__name__} to rows_of_everything.")
    row = model.objects.order_by("pk").first()
    options = model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_act", args=[row.pk, act.code])
    with CaptureQueriesContext(connection) as context:
        answer = admin_client.get(url)
    assert answer.status_code == 200
    assert list(writes(context)) == []
    assert 'name="csrfmiddlewaretoken"' in answer.content.decode()


@pytest.mark.parametrize(("model", "act"), ACTS, ids=ids)
def test_an_act_without_its_permission_is_refused(model: Any, act: Act) -> None:
    kept(rows_of_everything)
    row = model.objects.order_by("pk").first()
    options = model._meta
    viewer = make.UserFactory()
    codename = f"view_{options.model_name}"
    if act.permission != f"{options.app_label}.{codename}":  # who may see may look again, where the act only reads
        viewer.user_permissions.add(
            Permission.objects.get(content_type__app_label=options.app_label, codename=codename)
        )
    client = Client()
    client.force_login(viewer)
    url = reverse(f"admin:{options.app_label}_{options.model_name}_act", args=[row.pk, act.code])
    assert client.get(url).status_code == 403
    assert client.post(url, {"why": "because"}).status_code == 403


@pytest.mark.parametrize(("model", "act"), ACTS, ids=ids)
def test_a_post_without_a_csrf_token_is_refused(model: Any, act: Act, admin_user: Any) -> None:
    kept(rows_of_everything)
    row = model.objects.order_by("pk").first()
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    options = model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_act", args=[row.pk, act.code])
    assert client.post(url, {"why": "because"}).status_code == 403


@pytest.mark.parametrize(("model", "model_admin"), SCREENS, ids=ids)
def test_every_list_and_every_page_opens(model: Any, model_admin: Any, admin_client: Client) -> None:
    kept(rows_beside)
    make.PolicySignatureFactory()  # by a person, who is made with it
    options = model._meta
    listed = admin_client.get(reverse(f"admin:{options.app_label}_{options.model_name}_changelist"))
    assert listed.status_code == 200
    row = model.objects.order_by("pk").first()
    if row is not None:
        page = admin_client.get(reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert "<main" in page.content.decode()


def test_an_unknown_act_and_an_unknown_row_are_not_found(admin_client: Client) -> None:
    rma = make.ReturnFactory()
    assert admin_client.get(f"/admin/returnsops/returnauthorisation/{rma.pk}/act/burn/").status_code == 404
    assert admin_client.get("/admin/returnsops/returnauthorisation/999/act/note/").status_code == 404


def test_after_an_act_only_pages_of_ours_are_opened(sign_in: SignIn) -> None:
    rma = make.ReturnFactory()
    url = f"/admin/returnsops/returnauthorisation/{rma.pk}/act/note/"
    for bad in ("https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"):
        answer = sign_in("CX").post(url, {"text": "hello", "next": bad})
        assert answer["Location"] == f"/admin/returnsops/returnauthorisation/{rma.pk}/change/"
