"""Signs in at egret, makes an API key and uses it, by a client that was generated from its document."""

import sys

from egret_client import AuthenticatedClient, Client
from egret_client.api.auth import create_api_key, refresh_token, revoke_api_key, sign_in
from egret_client.api.default import create_domain, create_organisation, list_domains
from egret_client.models import CreateApiKeyBody, Named, RefreshTokenBody, SignInBody

url = sys.argv[1]
password = "correct-horse-battery"
anybody = Client(base_url=url)

wrong = sign_in.sync_detailed(client=anybody, body=SignInBody(email="user@example.com", password="wrong"))
assert wrong.status_code == 401 and wrong.parsed.title == "Unauthorized", wrong
pair = sign_in.sync(client=anybody, body=SignInBody(email="user@example.com", password=password))
assert refresh_token.sync(client=anybody, body=RefreshTokenBody(refresh=pair.refresh)).access

user = AuthenticatedClient(base_url=url, token=pair.access)
made = create_api_key.sync(client=user, body=CreateApiKeyBody(name="generated"))
assert made.key.startswith("egret_") and made.expires_at is None, made

key = AuthenticatedClient(base_url=url, token=made.key)
assert "us" in [domain.name for domain in list_domains.sync(client=key)]
assert create_organisation.sync(client=key, body=Named(name="Heron")).name == "Heron"
refused = create_domain.sync_detailed(client=key, body=Named(name="heron"))
assert refused.status_code == 403 and refused.parsed.status == 403, refused

assert revoke_api_key.sync_detailed(client=user, key_id=made.id).status_code == 204
gone = list_domains.sync_detailed(client=key)
assert gone.status_code == 401 and gone.parsed.code == "api_key_invalid", gone
print("egret: signed in, made a key, used it and revoked it")
