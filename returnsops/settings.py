"""Settings of the project: everything a deployment may change comes from the environment (docs/configuration.md).

One file for every installation: the embedded default (SQLite, one process each for web and work) and production
(PostgreSQL, many processes, Redis) differ in environment variables only (design section 9).
"""

import base64
import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# Variables that are set already win over the file. Tests and the demo set ENV_FILE to nothing, so that a merchant's
# real credentials never reach them.
_env_file = env.str("ENV_FILE", default=str(BASE_DIR / ".env"))
if _env_file and Path(_env_file).is_file():
    environ.Env.read_env(_env_file)

# --- Who we are, and to whom we answer -------------------------------------------------------------------------------

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
DEFAULT_SIGNING_KEY = "development-only-and-refused-when-debug-is-off-0123456789"

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or DEFAULT_SIGNING_KEY
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# The address at which people and vendors reach us: deep links in alerts, webhook registration, cookies and hosts.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
PUBLIC_HOST = _public.hostname or ""
IS_HTTPS = _public.scheme == "https"

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[PUBLIC_HOST, "localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[f"{_public.scheme}://{_public.netloc}"])
INTERNAL_IPS: list[str] = []

# `make run` and the container listen here (deploy/gunicorn.conf.py).
WEB_BIND = env.str("WEB_BIND", default="127.0.0.1:8000")
WEB_WORKERS = env.int("WEB_WORKERS", default=1)
WEB_THREADS = env.int("WEB_THREADS", default=8)

# --- Secrets at rest (MultiFernet: the first key writes, all keys read, so keys can be rotated) ----------------------

_debug_key = base64.urlsafe_b64encode(hashlib.sha256(f"returnsops:{SECRET_KEY}".encode()).digest()).decode()
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[]) or ([_debug_key] if DEBUG else [])

# --- Apps: unfold must stand before admin, unfold's import_export before import_export -------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_q",
    "drf_spectacular",
    "import_export",
    "rest_framework",
    "simple_history",
    "reconciliation",
    "connectors",
    "returnsops",
    "exceptions_queue",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "returnsops.content_security.relax_admin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "returnsops.trailing_slash.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "returnsops.urls"
WSGI_APPLICATION = "returnsops.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database: claims are compare-and-set in short transactions; a request is never one transaction -----------------

SQLITE_BUSY_TIMEOUT_S = env.int("SQLITE_BUSY_TIMEOUT_S", default=20)
_database = env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
_database["ATOMIC_REQUESTS"] = False
if _database["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, so a transaction that reads and then writes waits its turn instead of
    # failing half-way. synchronous=FULL: an attempt row must survive a power cut before its HTTP call leaves.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": SQLITE_BUSY_TIMEOUT_S,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;",
    }
# Opening a connection costs more than most queries, on SQLite because of its pragmas.
_database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
_database["CONN_HEALTH_CHECKS"] = True
if _test_database := env.str("TEST_DATABASE_NAME", default=""):
    _database["TEST"] = {"NAME": _test_database}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis, if there is one: django-q2's broker, and a cache all web processes share --------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "returnsops"},
}

# --- Work in the background: django-q2 only wakes pumps; truth, attempts and back-off are rows of ours ---------------

Q_CLUSTER = {
    "name": "returnsops",
    "workers": env.int("Q_WORKERS", default=1),
    "timeout": env.int("Q_TIMEOUT_S", default=60),
    # A task is given out again after this long, and waiting in the cluster's own queue counts: well above timeout.
    "retry": env.int("Q_RETRY_S", default=150),
    "queue_limit": 8,
    "bulk": 4,
    "poll": env.float("Q_POLL_S", default=0.1),
    "recycle": 500,
    "save_limit": 50,
    "catch_up": False,
    "ack_failures": True,
    "max_attempts": 1,
    "label": "Background work",
    "log_level": "WARNING",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- Sign-in: staff accounts only, made by an administrator; TOTP, WebAuthn and OpenID Connect -----------------------

AUTHENTICATION_BACKENDS = ["returnsops.sign_in.StaffAccounts"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
ACCOUNT_ADAPTER = "returnsops.sign_in.ClosedSignUp"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = reverse_lazy("admin:index")
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _public.scheme
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "returnsops"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
# A sign-in through the company's provider joins the staff account with the same verified e-mail address.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, object]] = {}
_oidc_server = env.str("OIDC_SERVER_URL", default="")
if _oidc_server:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "company",
                "name": env.str("OIDC_NAME", default="Company account"),
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": _oidc_server},
            },
        ],
    }

# --- Transport and browser -------------------------------------------------------------------------------------------

# Plain http exists for loopback only (returnsops.checks refuses anything else), where browsers would drop such cookies.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.int("SESSION_AGE_S", default=12 * 60 * 60)
SECURE_SSL_REDIRECT = IS_HTTPS and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if IS_HTTPS else 0)
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Sub-domains and the browsers' preload list are the decision of whoever owns the domain, not of one service on it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# 'self' and nothing else; returnsops.content_security relaxes eval and inline style for the admin path only.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        # Browsers hold this against redirects too, and the sign-in button of a company account redirects there.
        "form-action": [
            "'self'",
            *(["{0.scheme}://{0.netloc}".format(urlsplit(_oidc_server))] if _oidc_server else []),
        ],
        "frame-ancestors": ["'none'"],
    },
}

# /metrics wants this as a bearer token; without one, only this machine may read it.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# The longest webhook body we read; beyond it 413. Shopify's order bodies are the largest we know, well under 1 MB.
WEBHOOK_BODY_LIMIT_BYTES = env.int("WEBHOOK_BODY_LIMIT_BYTES", default=2 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# --- Files, language, time -------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
LANGUAGE_CODE = "en-gb"
USE_I18N = True
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="returnsops@localhost")

# --- Cases: what is urgent, when teams work, who is told (docs/configuration.md) --------------------------------------

EXCEPTIONS_QUEUE_PRIORITY = env.json("CASE_PRIORITY", default={})
EXCEPTIONS_QUEUE_CALENDARS = env.json("CASE_CALENDARS", default={})
EXCEPTIONS_QUEUE_ALERTS = env.json("CASE_ALERTS", default={})

# --- API, import and export ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "COERCE_DECIMAL_TO_STRING": True,
}
# How often one token may call, how often one order or e-mail address may be asked about, and the longest body.
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", default=120)
ELIGIBILITY_TRIES_PER_HOUR = env.int("ELIGIBILITY_TRIES_PER_HOUR", default=30)
API_BODY_LIMIT_BYTES = env.int("API_BODY_LIMIT_BYTES", default=256 * 1024)
SPECTACULAR_SETTINGS = {
    "TITLE": "returnsops",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "DESCRIPTION": "Returns back office between shops, ERP and returns platforms.",
}
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# --- Logs: one line per event on stderr, passed through a filter that removes secrets and customer data --------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "returnsops.log_redaction.RedactingFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["redact"], "formatter": "line"},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": LOG_LEVEL, "handlers": ["stderr"], "propagate": False},
        "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "urllib3": {"level": "WARNING"},
    },
}

# Errors go to Sentry only where a DSN is given and the optional package is installed; bodies and variables never do.
if _sentry_dsn := env.str("SENTRY_DSN", default=""):
    import sentry_sdk

    sentry_sdk.init(
        dsn=_sentry_dsn,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
    )

# === UNFOLD: look and side bar of the staff screens (edited with returnsops/admin) ===================================

UNFOLD = {
    "SITE_TITLE": "returnsops",
    "SITE_HEADER": "returnsops",
    "SITE_SUBHEADER": "Returns back office",
    "SITE_URL": None,
    "SITE_ICON": "returnsops.admin.site.icon",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "returnsops.admin.site.icon"}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "GLOBAL_CALLBACK": "returnsops.admin.site.on_every_page",
    "DASHBOARD_CALLBACK": "returnsops.admin.site.home",
    "STYLES": ["returnsops.admin.site.stylesheet"],
    "SCRIPTS": ["returnsops.admin.site.script"],
    "ACCOUNT": {"navigation": "returnsops.admin.site.account_links"},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "returnsops.admin.site.navigation",
    },
}

# === end of UNFOLD ===================================================================================================
