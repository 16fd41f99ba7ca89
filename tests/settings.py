"""Settings of the test run: the product's own, with an environment that holds nothing of this machine's."""

import os
from pathlib import Path

os.environ["ENV_FILE"] = ""  # a developer's .env may name a real shop; no test may ever reach it
os.environ["DEBUG"] = "false"
os.environ["SECRET_KEY"] = "only-for-tests-0123456789-0123456789-0123456789-abcdef"
os.environ["FIELD_ENCRYPTION_KEYS"] = "dGVzdHMtb25seS1rZXktMzItYnl0ZXMtbG9uZy0wMDE="
os.environ["PUBLIC_URL"] = "http://127.0.0.1:8000"
os.environ.setdefault("LOG_LEVEL", "WARNING")

from returnsops.settings import *  # noqa: F403

# Files of Shopify's, not part of this repository; without them the tests that need them are left out, which is said.
_SHARED = BASE_DIR.parent / "shared"  # noqa: F405
SHOPIFY_SCHEMA = Path(os.environ.get("SHOPIFY_SCHEMA", _SHARED / "schemas/shopify-admin-2026-07.graphql.gz"))
SHOPIFY_RECORDINGS = Path(os.environ.get("SHOPIFY_RECORDINGS", _SHARED / "recordings/shopify"))
# A cheap hash: tests create many users, and the cost of a real one is not under test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Without collectstatic there is no manifest; whitenoise serves from the apps' own folders.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
}
# Tests ask more different things of one connection than SQLite keeps prepared by itself (128): parsing them again and
# again is a twentieth of a journey. Not in the product, where each costs up to 27 KB in every thread.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["OPTIONS"]["cached_statements"] = 1000  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
