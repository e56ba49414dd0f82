"""What no schema can say, for schemathesis: which of the values that fit are good here and now."""

import json
import os
import uuid
from datetime import datetime, timedelta, timezone

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """Only of what fits its schema: what does not is sent as it is."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    operation = case.operation.definition.raw.get("operationId")
    # What is there, and whose it is.
    for name, value in {"agent": "support", "company_id": "1"}.items():
        if name in case.path_parameters:
            case.path_parameters[name] = value
    body = case.body
    if not isinstance(body, dict):
        return
    # A time lies ahead, and not too far.
    if body.get("expires_at") is not None:
        body["expires_at"] = (datetime.now(timezone.utc) + timedelta(minutes=5)).isoformat()
    # Nobody gives a key a scope that they have not.
    if body.get("scopes"):
        body["scopes"] = []
    # Every other one who signs in or refreshes is who they say.
    if operation == "sign_in" and is_chosen(body):
        body.update(json.loads(os.environ["WHO"]))
    if operation == "refresh_token" and is_chosen(body):
        body["refresh"] = os.environ["REFRESH"]
    # Nobody is called so yet, and no list has the password.
    if operation in ("register", "change_user") and body.get("email"):
        body["email"] = f"{uuid.uuid4()}@example.com"
    if operation == "register":
        body["password"] = str(uuid.uuid4())
    if operation == "create_domain":
        body["name"] = str(uuid.uuid4())


def is_chosen(body):
    return len(json.dumps(body)) % 2 == 0
