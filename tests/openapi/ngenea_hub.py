"""Signs in at ngenea_hub, makes a client key and uses it, by a client that was generated from its document."""

import sys

from ngenea_hub_client import AuthenticatedClient, Client
from ngenea_hub_client.api.auth import create_api_key, list_api_keys, revoke_api_key, sign_in
from ngenea_hub_client.api.hub import health, jobs
from ngenea_hub_client.models import CreateApiKeyBody, SignInBody

url = sys.argv[1]
password = "correct-horse-battery"

pair = sign_in.sync(client=Client(base_url=url), body=SignInBody(username="user", password=password))
assert pair.access and pair.refresh, pair

user = AuthenticatedClient(base_url=url, token=pair.access)
assert health.sync(client=user).overall_health == "ok"
made = create_api_key.sync(client=user, body=CreateApiKeyBody(name="generated"))
assert made.api_key.startswith("hub_") and made.url == f"{url}/api/auth/clientkeys/{made.id}/", made
assert made.created is not None and made.expires_at is None, made
assert [key.id for key in list_api_keys.sync(client=user)] == [made.id]

key = AuthenticatedClient(base_url=url, token=made.api_key, prefix="Api-Key")
listed = jobs.sync(client=key)
assert listed.count == len(listed.results) == 3, listed
# A refusal has its own type: the key makes no other key.
refused = create_api_key.sync_detailed(client=key, body=CreateApiKeyBody(name="another"))
assert refused.status_code == 403 and refused.parsed.code == "permission_denied", refused

assert revoke_api_key.sync_detailed(client=user, key_id=str(made.id)).status_code == 204
gone = jobs.sync_detailed(client=key)
assert gone.status_code == 401 and gone.parsed.code == "authentication_failed", gone
print("ngenea_hub: signed in, made a key, used it and revoked it")
