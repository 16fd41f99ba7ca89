"""WSGI entry point; refuses to serve where a system check finds the installation unsafe."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "returnsops.settings")

application = get_wsgi_application()

# Management commands run the checks by themselves; a WSGI server does not.
call_command("check")
