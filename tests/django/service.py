"""A small service as people build them: Django, Django REST Framework, simplejwt with its blacklist,
TokenAuthentication, and djangorestframework-api-key. Its database is at DATABASE_URL:

    sqlite:PATH    postgres://USER@HOST:PORT/NAME    mysql://USER@localhost/NAME?SOCKET
"""

import datetime
import os
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

# For tests only.
SECRET_KEY = "_*)jq*%gu!kb00egiu4@20nmu%*vv1f%75zfn!pcmgfmq(+st("

YEAR = datetime.timedelta(days=365)


class CheapPBKDF2(PBKDF2PasswordHasher):
    """As Django hashed in its first years, so that a test of many users is over soon."""

    iterations = 1_000


def database(url):
    if url.startswith("sqlite:"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:")}
    parts = urlsplit(url)
    common = {"NAME": parts.path.lstrip("/"), "USER": parts.username or ""}
    if parts.scheme == "mysql":
        import pymysql

        pymysql.version_info = (2, 2, 1, "final", 0)
        pymysql.install_as_MySQLdb()
        options = {"unix_socket": parts.query}
        return common | {"ENGINE": "django.db.backends.mysql", "OPTIONS": options}
    address = {"HOST": parts.hostname, "PORT": parts.port or ""}
    return common | address | {"ENGINE": "django.db.backends.postgresql"}


settings.configure(
    SECRET_KEY=SECRET_KEY,
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="service",
    USE_TZ=True,
    DATABASES={"default": database(os.environ["DATABASE_URL"])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework",
        "rest_framework.authtoken",
        "rest_framework_api_key",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication",
            "rest_framework.authentication.TokenAuthentication",
            "rest_framework.authentication.BasicAuthentication",
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    # Long enough for a fixture that is kept.
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": 20 * YEAR,
        "REFRESH_TOKEN_LIFETIME": 20 * YEAR,
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.authtoken.views import obtain_auth_token  # noqa: E402
from rest_framework.decorators import api_view, authentication_classes, permission_classes  # noqa: E402
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402
from rest_framework_api_key.permissions import HasAPIKey, KeyParser  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)


def own_permissions(user):
    """What was granted to the user and to their groups. A superuser may do everything besides."""
    own = user.user_permissions.select_related("content_type")
    names = {f"{p.content_type.app_label}.{p.codename}" for p in own}
    for group in user.groups.all():
        for p in group.permissions.select_related("content_type"):
            names.add(f"{p.content_type.app_label}.{p.codename}")
    return sorted(names)


@api_view(["GET"])
def whoami(request):
    user = request.user
    roles = [group.name for group in user.groups.all()]
    roles += ["staff"] if user.is_staff else []
    roles += ["superuser"] if user.is_superuser else []
    return Response({"id": str(user.pk), "scopes": own_permissions(user), "roles": sorted(roles)})


class MayDelete(IsAuthenticated):
    def has_permission(self, request, view):
        return super().has_permission(request, view) and "authtoken.delete_token" in own_permissions(request.user)


@api_view(["GET"])
@permission_classes([MayDelete])
def needs_permission(request):
    return Response({"id": str(request.user.pk)})


@api_view(["GET"])
@authentication_classes([])
@permission_classes([HasAPIKey])
def machine(request):
    key = APIKey.objects.get_from_key(KeyParser().get(request))
    return Response({"prefix": key.prefix})


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view()),
    path("api/token/refresh/", TokenRefreshView.as_view()),
    path("api/token/blacklist/", TokenBlacklistView.as_view()),
    path("api/token-auth/", obtain_auth_token),
    path("api/whoami/", whoami),
    path("api/deletions/", needs_permission),
    path("api/machine/", machine),
]

application = get_wsgi_application()
