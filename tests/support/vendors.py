"""Asks a cloud's own SDK what it makes of a double (in the environment of clouds.txt); it prints what it was given."""

import base64
import json
import os
import sys


def subject(token):
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]


def google_cloud():
    import google.auth.transport.requests as requests
    from google.auth import compute_engine, identity_pool

    session = requests.Request()
    machine = compute_engine.Credentials()
    machine.refresh(session)
    print(machine.token)
    own = compute_engine.IDTokenCredentials(session, target_audience="http://vault/app", use_metadata_identity_endpoint=True)
    own.refresh(session)
    print("identity" if "@" in subject(own.token) else own.token)
    with open(os.environ["FEDERATION"], encoding="utf-8") as f:
        known = json.load(f)
    known.pop("service_account_impersonation_url")
    federation = identity_pool.Credentials.from_info(known, scopes=["https://www.googleapis.com/auth/cloud-platform"])
    federation.refresh(session)
    print(federation.token)


def microsoft():
    import azure.identity

    scope = "https://vault.example/.default"
    print(subject(azure.identity.ManagedIdentityCredential().get_token(scope).token))
    settings = {"authority": os.environ["AUTHORITY"], "disable_instance_discovery": True, "connection_verify": os.environ["CA"]}
    print(subject(azure.identity.ClientSecretCredential("tenant", "client", "secret-of-the-client", **settings).get_token(scope).token))
    workload = azure.identity.WorkloadIdentityCredential(tenant_id="tenant", client_id="client", token_file_path=os.environ["FEDERATED"], **settings)
    print(subject(workload.get_token(scope).token))


if __name__ == "__main__":
    {"google": google_cloud, "azure": microsoft}[sys.argv[1]]()
