"""Settings of lipweb, read from the environment. README lists every variable."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from consent.secret_file import secret_from_file
from consent.tongue import LOCALES

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Where everything made at run time lives: database, media, keys, learned models.
DATA_DIR = Path(env.str("LIPWEB_DATA", default=str(BASE_DIR / "var"))).resolve()
MEDIA_DIR = DATA_DIR / "media"
KEYS_DIR = DATA_DIR / "keys"
# Where `manage.py faceguard install` puts a stronger network than the one that ships.
FACE_MODELS_DIR = DATA_DIR / "models"


def runtime_dir() -> Path:
    """Folder of the embedded queue's socket: short, since a socket's path has a
    limit of 107 bytes, and apart for each data folder and user."""
    tag = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:10]
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"lipweb-{os.getuid()}-{tag}"


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or secret_from_file(
    KEYS_DIR / "secret-key", make=lambda: secrets.token_urlsafe(50)
)

# Passkeys are bound to a host name: it must be the one in the browser's address bar.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
SITE_HOST = SITE_URL.split("://", 1)[-1].split("/")[0].split(":")[0]
if not SITE_URL.startswith(("http://", "https://")) or not SITE_HOST:
    raise ImproperlyConfigured(
        f"SITE_URL must look like https://lips.example.com, not {SITE_URL!r}."
    )
# How long a passkey that came by recovery waits before it may sign anything new.
RECOVERY_WAIT_HOURS = env.int("RECOVERY_WAIT_HOURS", default=72)
if RECOVERY_WAIT_HOURS < 0:
    raise ImproperlyConfigured("RECOVERY_WAIT_HOURS must be 0 hours or more.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[SITE_HOST, "localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "lipweb.errors.csrf_failure"
HTTPS = SITE_URL.startswith("https://")

# How many reverse proxies of ours stand in front. Each adds one X-Forwarded-For entry;
# anything further left in that header was written by the visitor.
PROXIES = env.int("PROXIES", default=0)

INSTALLED_APPS = [
    "lipweb",
    "synthesis",
    "consent",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
]

MIDDLEWARE = [
    "lipweb.proxies.RealAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lipweb.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lipweb.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lipweb.errors.SentenceMiddleware",
]

ROOT_URLCONF = "lipweb.urls"
WSGI_APPLICATION = "lipweb.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lipweb.context.site",
            ],
        },
    }
]

# SQLite by default, in WAL mode and with write locks taken at once, so that web and
# workers share it; PostgreSQL by DATABASE_URL=postgres://...
DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/lipweb.sqlite3")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One queue server: the embedded Valkey unless QUEUE_URL names another.
EMBEDDED_QUEUE_SOCKET = runtime_dir() / "valkey.sock"
QUEUE_URL = env.str("QUEUE_URL", default=f"unix://{EMBEDDED_QUEUE_SOCKET}?db=0")
QUEUE_IS_EMBEDDED = "QUEUE_URL" not in os.environ
RQ_QUEUES = {
    "default": {
        "URL": QUEUE_URL,
        "DEFAULT_TIMEOUT": env.int("JOB_TIMEOUT_S", default=6 * 3600),
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": QUEUE_URL,
        "KEY_PREFIX": "lipweb",
    }
}

# Private media: never under a public URL. S3-compatible storage by S3_BUCKET.
if env.str("S3_BUCKET", default=""):
    MEDIA_STORAGE = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.str("S3_BUCKET"),
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "region_name": env.str("S3_REGION", default="") or None,
            "default_acl": None,
            "file_overwrite": False,
        },
    }
else:
    MEDIA_STORAGE = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(MEDIA_DIR), "file_permissions_mode": 0o600},
    }
STORAGES = {
    "default": MEDIA_STORAGE,
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 << 20
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_MB", default=20_000) << 20
# The largest file that anybody may ask about, without an account.
VERIFY_MAX_BYTES = env.int("VERIFY_MAX_MB", default=512) * 1_000_000

AUTH_USER_MODEL = "lipweb.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# A browser that shows http://localhost treats it as secure; anything else needs https.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 12 * 3600

# Whatever an actor reads is in each of these; lipweb.language says which pages are not.
LANGUAGE_CODE = "en"
LANGUAGES = list(LOCALES.items())
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_AGE = 365 * 86_400
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
FORMAT_MODULE_PATH = ["lipweb.formats"]

EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
if EMAIL_CONFIG["EMAIL_BACKEND"].endswith("console.EmailBackend"):
    EMAIL_CONFIG["EMAIL_BACKEND"] = "lipweb.console_mail.EmailBackend"
vars().update(EMAIL_CONFIG)
# A mail server that does not answer must not keep a page waiting for long.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("FROM_EMAIL", default=f"lipweb@{SITE_HOST}")

# Threads that draw one render's mouths. Several workers on a machine share its cores.
RENDER_THREADS = env.int(
    "RENDER_THREADS",
    default=max(1, len(os.sched_getaffinity(0)) // env.int("WORKERS", default=1)),
)

# Steps in which the renderer learns an actor's mouth: half a second each on a free
# core, or one and a half where the face is large.
ADAPT_STEPS = env.int("ADAPT_STEPS", default=1_500)

# A font file for the visible label in letters that the font that ships has not.
LABEL_FONT = env.str("LIPWEB_LABEL_FONT", default="")

# Who signs outputs; empty = a private test CA made under KEYS_DIR on first run. The
# key is a file, or unix:SOCKET of a process that keeps it (provenance/key_process.py).
# The root file may hold several: those of former certificates go on being trusted.
C2PA_CERTIFICATE = env.str("C2PA_CERTIFICATE", default="")
C2PA_PRIVATE_KEY = env.str("C2PA_PRIVATE_KEY", default="")
C2PA_ROOT = env.str("C2PA_ROOT", default="")
# Of a key file that is encrypted (PKCS#8): its password, or a 0600 file that has it.
C2PA_KEY_PASSWORD = env.str("C2PA_KEY_PASSWORD", default="")
C2PA_KEY_PASSWORD_FILE = env.str("C2PA_KEY_PASSWORD_FILE", default="")

# An RFC 3161 time-stamp authority asked at each signature; no answer stops nothing.
# Roots of such authorities, whose word on the time is believed when files are read.
C2PA_TIMESTAMP_URL = env.str("C2PA_TIMESTAMP_URL", default="")
C2PA_TIMESTAMP_ROOT = env.str("C2PA_TIMESTAMP_ROOT", default="")

# How long new ledger entries may wait for a signed checkpoint.
CHECKPOINT_EVERY_S = env.int("CHECKPOINT_EVERY_S", default=60)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
