"""Fills the database of the service, hands out what its clients hold, writes the database down as it is
at that moment, and then records what the clients ask for and what the service answers.

    python make.py OUT.json [DUMP COMMAND…]      DATABASE_URL names an empty database

The command is run between handing out and recording; without one nothing is dumped.
"""

import datetime
import http.client
import json
import subprocess
import sys
import threading
from base64 import b64encode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import service
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework_api_key.models import APIKey
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

# Everybody's, for tests only.
PASSWORD = "tests only: pferd-batterie-ß"


class Quiet(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


def serve():
    server = make_server("127.0.0.1", 0, service.application, WSGIServer, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


PORT = None


def send(method, path, authorization=None, body=None):
    """What a client asks for, and what it is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = {}
    if authorization:
        headers["Authorization"] = authorization
    content = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(body)
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    is_json = answer.headers.get_content_type() == "application/json"
    return answer.status, json.loads(text) if text and is_json else None


def permission(label):
    app, codename = label.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def hashed(algorithm):
    cheap = service.CheapPBKDF2()
    if algorithm == "cheap":
        return cheap.encode(PASSWORD, cheap.salt())
    return make_password(PASSWORD, hasher=algorithm)


def make_users():
    """By name: the hash of the password and what the user is."""
    people = {
        "admin": ("pbkdf2_sha256", {"is_staff": True, "is_superuser": True, "email": "admin@example.com"}),
        "anna": ("argon2", {"is_staff": True, "email": "anna@example.com", "first_name": "Anna"}),
        "ben": ("cheap", {"email": "ben@example.com"}),
        "carla": ("bcrypt_sha256", {}),
        "dora": ("cheap", {"is_active": False}),
        "emil": (None, {}),
        "fritz": ("md5", {}),
        "greta": ("scrypt", {}),
        "Anna": ("cheap", {"email": "another.anna@example.com"}),
        "Zoë Ünal": ("cheap", {"email": "zoe@example.com", "last_name": "Ü'nal \\ \"quoted\"\n2"}),
        "hanna": ("cheap", {}),
    }
    for name, (algorithm, fields) in people.items():
        password = hashed(algorithm) if algorithm else make_password(None)
        User.objects.create(username=name, password=password, **fields)
    editors, readers = (Group.objects.create(name=name) for name in ("editors", "readers"))
    editors.permissions.set([permission("authtoken.delete_token"), permission("auth.view_user")])
    readers.permissions.set([permission("auth.view_user")])
    user("anna").groups.set([editors, readers])
    user("ben").groups.set([readers])
    user("ben").user_permissions.set([permission("auth.change_group")])
    # Of an app that was taken out: nobody has the model any more.
    user("hanna").user_permissions.set([permission("contenttypes.add_contenttype")])


def user(name):
    return User.objects.get(username=name)


def make_keys():
    """The keys as their clients have them."""
    keys = {}
    past = timezone.now() - datetime.timedelta(days=2)
    for name, fields in {
        "ci": {},
        "revoked": {"revoked": True},
        "expired": {"expiry_date": past},
        "expires": {"expiry_date": timezone.now() + 20 * service.YEAR},
        "legacy": {},
        "legacy once more": {},
        "legacy revoked": {"revoked": True},
    }.items():
        record, key = APIKey.objects.create_key(name=name, **fields)
        if name.startswith("legacy"):
            # As versions before 3 wrote them: id and hash by a hasher of passwords.
            cheap = service.CheapPBKDF2()
            hashed_key = cheap.encode(key, cheap.salt())
            identity = f"{record.prefix}.{hashed_key}"
            APIKey.objects.filter(pk=record.pk).update(hashed_key=hashed_key, id=identity)
        keys[name] = key
    return keys


def pair(name):
    refresh = RefreshToken.for_user(user(name))
    return {"refresh": str(refresh), "access": str(refresh.access_token)}


def signed_in(name):
    status, answer = send("POST", "/api/token/", body={"username": name, "password": PASSWORD})
    assert status == 200, (name, status, answer)
    return answer


def make_credentials():
    held = {"keys": make_keys(), "tokens": {}, "pairs": {}}
    for name in ("anna", "ben", "dora", "carla"):
        held["tokens"][name] = Token.objects.create(user=user(name)).key
    held["pairs"]["admin"] = signed_in("admin")
    # Whoever signs in by a password gets a hash of the preferred kind. These are to keep theirs.
    for name in ("anna", "ben", "carla", "Anna", "Zoë Ünal"):
        held["pairs"][name] = pair(name)
    # From before the account was disabled, and of others who do not sign in by a password.
    for name in ("dora", "emil", "fritz"):
        held["pairs"][name] = pair(name)
    held["pairs"]["ben, on a second device"] = pair("ben")
    rotated = pair("ben")
    status, answer = send("POST", "/api/token/refresh/", body={"refresh": rotated["refresh"]})
    assert status == 200 and "refresh" in answer, answer
    held["pairs"]["ben, blacklisted by rotation"] = rotated
    out = pair("ben")
    assert send("POST", "/api/token/blacklist/", body={"refresh": out["refresh"]})[0] == 200
    held["pairs"]["ben, blacklisted"] = out
    expired = RefreshToken.for_user(user("ben"))
    expired.set_exp(lifetime=datetime.timedelta(seconds=-60))
    access = AccessToken.for_user(user("ben"))
    access.set_exp(lifetime=datetime.timedelta(seconds=-60))
    held["pairs"]["ben, expired"] = {"refresh": str(expired), "access": str(access)}
    expire_record(expired)
    # Whose user is gone: simplejwt keeps the row.
    gone = User.objects.create(username="gone", password=make_password(None))
    held["pairs"]["gone"] = pair("gone")
    gone.delete()
    return held


def expire_record(refresh):
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

    record = OutstandingToken.objects.get(jti=refresh["jti"])
    record.expires_at = timezone.now() - datetime.timedelta(seconds=60)
    record.save()


def basic(name, password):
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def requests(held):
    """What the clients go on asking for, in this order."""
    sign_in = lambda name, password: ("POST", "/api/token/", None, {"username": name, "password": password})
    whoami = lambda authorization: ("GET", "/api/whoami/", authorization, None)
    refresh = lambda token: ("POST", "/api/token/refresh/", None, {"refresh": token})
    for name in ("admin", "anna", "ben", "carla", "Zoë Ünal", "Anna"):
        yield f"{name} signs in", sign_in(name, PASSWORD)
        yield f"{name} with a wrong password", sign_in(name, "tests only: wrong")
    yield "Basic of ben", whoami(basic("ben", PASSWORD))
    yield "Basic of ben with a wrong password", whoami(basic("ben", "wrong"))
    for name in ("dora", "emil", "nobody"):
        yield f"{name} does not sign in", sign_in(name, PASSWORD)
    for name, tokens in held["pairs"].items():
        yield f"access token of {name}", whoami(f"Bearer {tokens['access']}")
        yield f"refresh token of {name} as an access token", whoami(f"Bearer {tokens['refresh']}")
    yield "an access token that is forged", whoami(f"Bearer {held['pairs']['ben']['access'][:-4]}AAAA")
    for name in ("anna", "ben", "carla"):
        access = held["pairs"][name]["access"]
        yield f"what asks for a permission, by {name}", ("GET", "/api/deletions/", f"Bearer {access}", None)
    for name, key in held["tokens"].items():
        yield f"token of {name}", whoami(f"Token {key}")
    yield "a token that nobody has", whoami("Token " + "0" * 40)
    yield "what asks for a permission, by a token", ("GET", "/api/deletions/", f"Token {held['tokens']['anna']}", None)
    for name, key in held["keys"].items():
        yield f"key {name}", ("GET", "/api/machine/", f"Api-Key {key}", None)
        yield f"key {name}, once more", ("GET", "/api/machine/", f"Api-Key {key}", None)
        wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
        yield f"key {name} with another end", ("GET", "/api/machine/", f"Api-Key {wrong}", None)
    yield "no credential", whoami(None)
    yield "an access token to be refreshed", refresh(held["pairs"]["ben"]["access"])
    for name, tokens in held["pairs"].items():
        yield f"refresh token of {name}", refresh(tokens["refresh"])


def record(held):
    recorded = []
    for name, (method, path, authorization, body) in requests(held):
        status, answer = send(method, path, authorization, body)
        recorded.append({
            "name": name,
            "method": method,
            "path": path,
            "authorization": authorization,
            "body": body,
            "status": status,
            "answer": answer,
        })
    return recorded


def main(out, dump):
    global PORT
    call_command("migrate", verbosity=0)
    PORT = serve()
    make_users()
    held = make_credentials()
    ids = {person.username: str(person.pk) for person in User.objects.all()}
    if dump:
        subprocess.run(dump, check=True)
    told = {
        "note": "made by tests/django/make.py; every secret here is a test's",
        "secret_key": service.SECRET_KEY,
        "password": PASSWORD,
        "users": ids,
        "held": held,
        "requests": record(held),
    }
    with open(out, "w") as file:
        json.dump(told, file, indent=1, ensure_ascii=False, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
