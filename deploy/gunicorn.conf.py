"""gunicorn: threads, because requests wait for the database and never for vendors (webhooks are only recorded)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "returnsops.settings")

from django.conf import settings

bind = settings.WEB_BIND
worker_class = "gthread"
workers = settings.WEB_WORKERS
threads = settings.WEB_THREADS
timeout = 30
graceful_timeout = 15
# Now and then a fresh process, not all at the same time.
max_requests = 20_000
max_requests_jitter = 2_000
accesslog = None
# Nothing outside the project's own folder; signals are enough to steer two processes.
control_socket_disable = True
