"""``setup_roles`` makes the groups, whatever was there."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from returnsops.roles import TEAMS


@pytest.mark.django_db
def test_it_makes_and_corrects_the_groups() -> None:
    Group.objects.all().delete()
    out = StringIO()
    call_command("setup_roles", stdout=out)
    call_command("setup_roles", stdout=out)
    assert set(Group.objects.values_list("name", flat=True)) == set(TEAMS.values())
    assert "Customer service, Finance" in out.getvalue()


@pytest.mark.django_db
def test_a_permission_that_is_missing_is_named() -> None:
    Permission.objects.filter(codename="approve_refund").delete()
    with pytest.raises(CommandError, match=r"returnsops\.approve_refund"):
        call_command("setup_roles")
