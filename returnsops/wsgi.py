"""WSGI entry point; refuses to serve where a system check finds the installation unsafe."""

import os
import sys

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "returnsops.settings")

application = get_wsgi_application()

# Management commands run the checks by themselves; a WSGI server does not.
# Stdout stays free: `demo --once` writes its JSON there.
call_command("check", stdout=sys.stderr)
