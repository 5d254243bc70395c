"""All settings of the site, from the environment alone; `.env` beside manage.py is read first.

A bad value stops the start with its name (environment.py); bad combinations do so in
chat/checks.py. The table of all variables is in README.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from chatsite import environment as env
from chatsite.logging import configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(BASE_DIR / ".env")

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is empty; it must be a long random text (`make run` makes one for development)."
    )
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Set only where a proxy in front overwrites X-Forwarded-Proto and X-Forwarded-For.
BEHIND_PROXY = env.boolean("BEHIND_PROXY", default=False)

# Application

INSTALLED_APPS = [
    # For its runserver; a process that serves the site by another server would load it in vain.
    *(["daphne"] if DEBUG else []),
    "chat",
    "allauth",
    "allauth.account",
    "channels",
    "django_htmx",
    "servestatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "chatsite.middleware.OmitBodyOfHead",
    "chatsite.middleware.TellPrograms",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "chatsite.middleware.StaticFiles",
    "chatsite.middleware.AnswerOutage",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "chatsite.middleware.RefuseLargeForm",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "chatsite.middleware.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chatsite.context_processors.site",
            ],
        },
    },
]
ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"
SITE_NAME = env.text("SITE_NAME", "Chat")

# Database, cache and channel layer

SQLITE_OPTIONS = {
    # The defaults gave 324 "database is locked" of 400 writes by parallel tasks, these none.
    "timeout": 20,  # seconds
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
    "PRAGMA busy_timeout=20000; PRAGMA foreign_keys=ON; "
    # Each connection may keep so many kB of pages, 2,000 by default: the system has them anyway.
    "PRAGMA cache_size=-256;",
    "pool": 5,  # connections at most that nobody uses
}
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,  # seconds, as all below
    # Attempts to connect come ever more seldom until they are given up, and often again with
    # the next request: a short time keeps the site from being late when the server is back.
    "pool": {"min_size": 2, "max_size": 20, "timeout": 10, "reconnect_timeout": 10},
}
DATABASE_URL = env.url(
    "DATABASE_URL",
    f"sqlite:///{BASE_DIR / 'db.sqlite3'}",
    schemes=["sqlite", "postgres", "postgresql"],
)
DATABASES: dict[str, Any] = {"default": dict(dj_database_url.parse(DATABASE_URL))}
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if IS_SQLITE:
    DATABASES["default"]["ENGINE"] = "chatsite.sqlite3"
# What the address says (?sslmode=require) comes on top.
DATABASES["default"]["OPTIONS"] = {
    **(SQLITE_OPTIONS if IS_SQLITE else POSTGRESQL_OPTIONS),
    **DATABASES["default"].get("OPTIONS", {}),
}
# Connections of the pool that a restart of the server broke are thrown away, not handed out.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = not IS_SQLITE
# A file, because in-memory databases of several threads lock each other out.
DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / "test.sqlite3")} if IS_SQLITE else {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.url("REDIS_URL", schemes=["redis", "rediss", "unix"])
if REDIS_URL:
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "chatsite.cache.SharedCache",
            "LOCATION": REDIS_URL,
        }
    }
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # Django's 300 would let an attacker push other people's sign-in attempts out.
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# Claude

ANTHROPIC_API_KEY = env.secret("ANTHROPIC_API_KEY")
ANTHROPIC_BASE_URL = env.url("ANTHROPIC_BASE_URL", schemes=["http", "https"])
CHAT_DEMO_SETTING = env.text("CHAT_DEMO", "auto", choices=["auto", "on", "off"])
# The offline model never answers in production unless it was asked for.
CHAT_DEMO = CHAT_DEMO_SETTING == "on" or (
    CHAT_DEMO_SETTING == "auto" and DEBUG and not ANTHROPIC_API_KEY and not ANTHROPIC_BASE_URL
)
CHAT_MODEL = env.text("CHAT_MODEL", "claude-sonnet-5-5")
CHAT_MAX_TOKENS = env.integer("CHAT_MAX_TOKENS", 16_000, minimum=1, maximum=128_000)
CHAT_SYSTEM_PROMPT = env.text("CHAT_SYSTEM_PROMPT")
# Other servers that speak the Messages API may refuse fields that only Claude knows.
CHAT_THINKING = env.text("CHAT_THINKING", "auto", choices=["auto", "on", "off"])
CHAT_SENDS_THINKING = CHAT_THINKING == "on" or (CHAT_THINKING == "auto" and not ANTHROPIC_BASE_URL)
CHAT_CONNECT_TIMEOUT_S = env.seconds("CHAT_CONNECT_TIMEOUT_S", 5, minimum=0.1, maximum=60)
CHAT_READ_TIMEOUT_S = env.seconds("CHAT_READ_TIMEOUT_S", 60, minimum=0.1, maximum=600)
CHAT_RETRY_MAX_WAIT_S = env.seconds("CHAT_RETRY_MAX_WAIT_S", 30, minimum=0, maximum=600)
# In development Ctrl-C ends the site at once.
CHAT_DRAIN_S = env.seconds("CHAT_DRAIN_S", 0 if DEBUG else 20, minimum=0, maximum=600)
CHAT_ON_INTERRUPT = env.text("CHAT_ON_INTERRUPT", "mark", choices=["mark", "continue"])
CHAT_EVENT_DAYS = env.integer("CHAT_EVENT_DAYS", 30, minimum=1, maximum=3650)
# At most so much that what a dead process wrote is ended within 15 s (chat/heartbeat.py).
CHAT_HEARTBEAT_S = env.seconds("CHAT_HEARTBEAT_S", 2, minimum=0.1, maximum=2.5)
CHAT_PROMPT_MAX_BYTES = env.integer(
    "CHAT_PROMPT_MAX_BYTES", 2_000_000, minimum=1_000, maximum=20_000_000
)
CHAT_SENDS_PER_MINUTE = env.integer("CHAT_SENDS_PER_MINUTE", 20, minimum=1, maximum=10_000)
CHAT_RUNNING_PER_USER = env.integer("CHAT_RUNNING_PER_USER", 5, minimum=1, maximum=10_000)
CHAT_RUNNING_PER_PROCESS = env.integer("CHAT_RUNNING_PER_PROCESS", 200, minimum=1, maximum=10_000)
CHAT_SOCKETS_PER_USER = env.integer("CHAT_SOCKETS_PER_USER", 50, minimum=1, maximum=100_000)
CHAT_SOCKETS_PER_PROCESS = env.integer(
    "CHAT_SOCKETS_PER_PROCESS", 2_000, minimum=1, maximum=100_000
)
# Tools that Claude may call (chat/tools/), by their dotted paths; loaded on first use.
BUILT_IN_TOOLS = [
    "chat.tools.clock.current_time",
    "chat.tools.calculator.calculator",
    "chat.tools.conversations.search_conversations",
]
# Models on other servers may know no tools, and refuse requests that offer some.
CHAT_TOOLS = env.dotted_names("CHAT_TOOLS", [] if ANTHROPIC_BASE_URL else BUILT_IN_TOOLS)
CHAT_TOOL_ROUNDS = env.integer("CHAT_TOOL_ROUNDS", 10, minimum=1, maximum=100)
CHAT_TOOL_TIMEOUT_S = env.seconds("CHAT_TOOL_TIMEOUT_S", 30, minimum=0.1, maximum=600)
CHAT_TOOL_RESULT_MAX_CHARS = env.integer(
    "CHAT_TOOL_RESULT_MAX_CHARS", 20_000, minimum=100, maximum=200_000
)
CHAT_APPROVAL_S = env.seconds("CHAT_APPROVAL_S", 120, minimum=1, maximum=3_600)
CHAT_WEATHER_URL = env.url(
    "CHAT_WEATHER_URL", "https://api.open-meteo.com", schemes=["http", "https"]
).rstrip("/")
# How often one request may search the web and fetch a page; Anthropic does it, and charges for it.
CHAT_WEB_SEARCH = env.integer("CHAT_WEB_SEARCH", 0, minimum=0, maximum=100)
CHAT_WEB_FETCH = env.integer("CHAT_WEB_FETCH", 0, minimum=0, maximum=100)
# A form percent-encodes up to three bytes for each byte of the prompt.
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * CHAT_PROMPT_MAX_BYTES + 100_000

# Metrics

CHAT_METRICS_TOKEN = env.secret("CHAT_METRICS_TOKEN")
# The metrics library reads it from the environment itself (chat/metrics.py).
env.folder("PROMETHEUS_MULTIPROC_DIR")

# Accounts

AUTH_USER_MODEL = "chat.User"
AUTHENTICATION_BACKENDS = [
    "chatsite.backends.ByName",
    "chatsite.backends.ByNameOrEmail",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
CHAT_SIGNUP_OPEN = env.text("CHAT_SIGNUP", "closed", choices=["open", "closed"]) == "open"
ACCOUNT_ADAPTER = "chat.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# allauth reads the client's address from the proxy's header only where one is trusted.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1, maximum=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=True)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "chat@localhost")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"

# Security

SESSION_ENGINE = "chatsite.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG and env.boolean("SECURE_COOKIES", True)
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = env.integer(
    "SECURE_HSTS_SECONDS", 0 if DEBUG else 31_536_000, minimum=0, maximum=63_072_000
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_SSL_REDIRECT = not DEBUG and env.boolean("SECURE_SSL_REDIRECT", default=True)
# A probe inside the cluster speaks plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# Language, time and files

# By the setting of each browser. Their words are in chat/locale/ (docs/architecture.md).
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "chat" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "UTC")
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = SERVESTATIC_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "servestatic.storage.CompressedManifestStaticFilesStorage"
    },
}

# Logging: one line a record, to standard error; no message text, keys or cookies anywhere.

LOG_LEVEL = env.text("LOG_LEVEL", "INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
LOG_FORMAT = env.text("LOG_FORMAT", "line", choices=["line", "json"])
LOGGING = configuration(
    LOG_FORMAT,
    LOG_LEVEL,
    secrets=[
        *(SECRET_KEY, ANTHROPIC_API_KEY, EMAIL_HOST_PASSWORD, CHAT_METRICS_TOKEN),
        *(env.passwords(DATABASE_URL, REDIS_URL, ANTHROPIC_BASE_URL)),
    ],
)
