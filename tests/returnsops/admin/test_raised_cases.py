"""The form that raises a case, over HTTP: about one row of ours, which its page shows and its actions find."""

import pytest

from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import ReturnAuthorisation
from returnsops.services import case_subjects, cases
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db
RAISE = "/admin/exceptions_queue/exceptioncase/raise/"


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return of another number than its row."""
    row: ReturnAuthorisation = make.ReturnFactory(number="EU-1002")
    return row


def test_the_form_refuses_what_is_unknown_and_links_what_is_known(rma: ReturnAuthorisation, sign_in: SignIn) -> None:
    client = sign_in("WH")
    said = {"kind": states.CASE_STAFF_RAISED, "subject_type": "return", "title": "Brick", "cause": "A brick in the box"}
    for wrong in ({"number": "EU-9"}, {"number": str(rma.pk + 100)}, {"number": "EU-1002", "subject_type": "retrun"}):
        assert client.post(RAISE, {**said, **wrong}).status_code == 400
    assert not ExceptionCase.objects.exists()

    assert client.post(RAISE, {**said, "number": "EU-1002"}, follow=True).status_code == 200
    case = ExceptionCase.objects.get()
    assert (case.subject_id, case.subject_label, case.owner_team) == (str(rma.pk), "EU-1002", states.WH)
    assert (case.group_key, case.deep_link) == (cases.group_of(rma), cases.link_of(rma))
    assert f"/exceptioncase/{case.pk}/change/" in client.get(cases.link_of(rma)).content.decode()
    page = client.post(f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/look_again/", {}, follow=True)
    assert "Looked at again." in page.content.decode()
    case.refresh_from_db()
    assert case.is_active


@pytest.mark.parametrize("text", ["EU-1002", "{pk}", "²", "9" * 30])
def test_a_case_raised_with_a_text_only_says_so_and_nothing_breaks(
    rma: ReturnAuthorisation, sign_in: SignIn, text: str
) -> None:
    """As the form wrote them before: what was typed, though it may look like a row of ours."""
    typed = text.format(pk=rma.pk)
    case = make.CaseFactory(
        kind_code=states.CASE_STAFF_RAISED,
        subject_type="return",
        subject_id=typed,
        subject_label=typed,
        group_key="",
        deep_link="",
        raised_by=make.UserFactory(),
        owner_team=states.WH,
    )
    client = sign_in("WH")
    address = f"/admin/exceptions_queue/exceptioncase/{case.pk}/"
    assert client.get(f"{address}change/").status_code == 200
    page = client.post(f"{address}action/look_again/", {}, follow=True)
    assert page.status_code == 200
    assert "which is linked to no return. Raise it anew, then close it." in page.content.decode()


def test_a_case_about_goods_or_an_order_is_not_about_one_return(sign_in: SignIn) -> None:
    client = sign_in("WH")
    said = {"kind": states.CASE_STAFF_RAISED, "title": "Box", "cause": "Nobody knows", "subject_type": "goods"}
    client.post(RAISE, {**said, "number": "1Z-STRAY"})
    case = ExceptionCase.objects.get()
    assert (case.subject_type, case.subject_label, case.group_key) == (case_subjects.SUBJECT_GOODS, "1Z-STRAY", "")
    page = client.post(f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/look_again/", {}, follow=True)
    assert "This case is not about one return." in page.content.decode()
