"""Logging in with what Google Cloud and Azure give a process: doubles of their services, which their own SDKs accept, and a real server."""

import json
import os
import pathlib
import subprocess

import pytest
from support import canary, metadata, wait
from support.agent import block, template
from support.metadata import ACCOUNT, Double, Signer
from support.rendering import user
from support.server import Server
from support.site import Site, unique

pytestmark = pytest.mark.timeout(900)  # the first test of a worker may make the vendors' environment

SUPPORT = pathlib.Path(metadata.__file__).parent


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture
def double():
    double = Double()
    yield double
    double.stop()


@pytest.fixture
def tls_double(authority):
    double = Double(tls=authority.issue("tenant"))
    yield double
    double.stop()


def config(site, method, mount, destination, **options):
    path = site.kv2().put("app", user="alice")
    inner = block("method", method, mount_path=f"auth/{mount}", max_backoff="2s", body=block("config", **options))
    server = block("vault", address=site.address, ca_cert=site.ca_file)
    return "\n".join([server, block("auto_auth", body=inner), template(user(path), destination)])


def vendors(what, **env):
    """What the vendor's own SDK says of a double."""
    command = [SUPPORT / "python", SUPPORT / "vendors.py", what]
    return subprocess.run(command, env=os.environ | {"REQUIREMENTS": "clouds.txt", **env}, capture_output=True, text=True, check=False, timeout=600)


# ------------------------------------------------------------------------------------------------------------ Google Cloud


def key_file(double, signer):
    known = {"type": "service_account", "client_email": ACCOUNT, "client_id": "117", "private_key_id": "k1", "private_key": signer.private, "token_uri": f"{double.address}/token"}
    return json.dumps(known | {"project_id": "project"})


def federation(double, **source):
    acting = f"{double.address}/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"
    known = {"audience": "//iam.googleapis.com/x", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": f"{double.address}/sts"}
    return json.dumps({"type": "external_account", **known, "service_account_impersonation_url": acting, "credential_source": source})


@pytest.fixture(scope="module")
def google(signer):
    double = metadata.google(Double(), signer)
    yield double
    double.stop()


@pytest.fixture(scope="module")
def google_site(tmp_path_factory, authority, cluster, google):
    """A server on a machine of that Google: its own calls of IAM carry the machine's token."""
    folder = tmp_path_factory.mktemp("google-site")
    server = Server(folder, authority, env={"GCE_METADATA_HOST": google.host})
    yield Site(server, cluster, folder)
    server.stop()


@pytest.fixture
def gcp(google_site, google):
    """That server's Google login; the name of its mount."""
    site = google_site
    google.requests.clear()
    mount, policy = unique("gcp"), site.vault.put_policy(unique("policy"), site.EVERYTHING)
    site.vault.write(f"sys/auth/{mount}", type="gcp")
    places = {name: google.address for name in ("api", "iam", "crm", "compute")}
    site.vault.write(f"auth/{mount}/config", custom_endpoint=places)
    site.vault.write(f"auth/{mount}/role/app", type="iam", bound_service_accounts=[ACCOUNT], token_policies=[policy])
    return mount


def gcp_logs_in(site, agent, gcp, tmp_path, env, **options):
    one = agent(config(site, "gcp", gcp, tmp_path / "user", role="app", **options), env=env)
    wait.for_file(tmp_path / "user", "alice")
    assert "ya29." not in one.log and "PRIVATE KEY" not in one.log
    return one


def test_google_s_sdk_accepts_the_double(google, tmp_path):
    (tmp_path / "token").write_text("eyJ.subject.token")
    (tmp_path / "federation.json").write_text(federation(google, file=str(tmp_path / "token")))
    done = vendors("google", GCE_METADATA_HOST=google.host, GCE_METADATA_IP=google.host, FEDERATION=str(tmp_path / "federation.json"))
    assert done.stdout.split() == ["ya29.access-token-of-the-account", "identity", "federated"], done.stderr[-2000:]


def test_a_google_machine_logs_in_as_its_account(google_site, agent, gcp, google, tmp_path):
    gcp_logs_in(google_site, agent, gcp, tmp_path, {"GCE_METADATA_HOST": google.host, "http_proxy": "http://127.0.0.1:1"}, type="gce")


def test_google_signs_for_a_machine(google_site, agent, gcp, google, tmp_path):
    env = {"GCE_METADATA_HOST": google.host, "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": f"{google.address}/"}
    gcp_logs_in(google_site, agent, gcp, tmp_path, env, type="iam", jwt_exp=14)
    assert google.asked(f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signJwt")


def test_a_google_key_signs_without_asking_anybody(google_site, agent, gcp, google, signer, tmp_path):
    gcp_logs_in(google_site, agent, gcp, tmp_path, {}, type="iam", jwt_exp=14, credentials=key_file(google, signer))
    assert not google.asked(f"/v1/projects/-/serviceAccounts/{ACCOUNT}:signJwt")


def test_a_google_federation_logs_in(google_site, agent, gcp, google, tmp_path):
    """The newline behind the token in the file is none of it."""
    (tmp_path / "token").write_text("eyJ.subject.token\n")
    (tmp_path / "federation.json").write_text(federation(google, file=str(tmp_path / "token")))
    gcp_logs_in(google_site, agent, gcp, tmp_path, {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "federation.json")}, type="iam", jwt_exp=14)
    assert [r.form["subject_token"] for r in google.asked("/sts")] == ["eyJ.subject.token"]


def test_a_page_instead_of_a_token_is_not_sent(google_site, agent, gcp, double, tmp_path):
    double.on("GET", "/computeMetadata/v1/instance/service-accounts/default/identity", "<html>sign in to this network</html>")
    one = agent(config(google_site, "gcp", gcp, tmp_path / "user", role="app", type="gce"), env={"GCE_METADATA_HOST": double.host})
    one.wait_log("Google's metadata service: identity: the answer is no token")
    assert "PUT auth/" not in one.log


# ----------------------------------------------------------------------------------------------------------------- Azure

RESOURCE = "https://vault.example"


@pytest.fixture
def azure(site, signer):
    """A real server holds the token against the tenant's key. (Its own Azure login asks Microsoft, so its JWT login does.)"""
    mount, policy = unique("azure"), site.vault.put_policy(unique("policy"), site.EVERYTHING)
    site.vault.write(f"sys/auth/{mount}", type="jwt")
    site.vault.write(f"auth/{mount}/config", jwt_validation_pubkeys=[signer.public])
    site.vault.write(f"auth/{mount}/role/app", role_type="jwt", user_claim="sub", bound_audiences=[RESOURCE], token_policies=[policy])
    return mount


def azure_logs_in(site, agent, azure, tmp_path, env, **options):
    one = agent(config(site, "azure", azure, tmp_path / "user", role="app", resource=RESOURCE, **options), env=env)
    wait.for_file(tmp_path / "user", "alice")
    return one


def test_azure_s_sdk_accepts_the_double(tls_double, double, signer, authority, tmp_path):
    metadata.azure(tls_double, signer)
    metadata.azure(double, signer)
    (tmp_path / "token").write_text("eyJ.federated.token")
    done = vendors(
        "azure", AZURE_POD_IDENTITY_AUTHORITY_HOST=double.address, AUTHORITY=tls_double.address, CA=str(authority.file), FEDERATED=str(tmp_path / "token")
    )
    assert done.stdout.split() == ["identity"] * 3, done.stderr[-2000:]


def test_an_azure_machine_logs_in(site, agent, azure, double, signer, tmp_path):
    metadata.azure(double, signer)
    azure_logs_in(site, agent, azure, tmp_path, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": double.address, "http_proxy": "http://127.0.0.1:1"}, client_id="c-1")
    assert [r.query.get("client_id") for r in double.asked("/metadata/identity/oauth2/token")] == ["c-1"]
    assert double.asked("/metadata/instance")


def workload(double, authority, tmp_path, **more):
    (tmp_path / "federated").write_text("eyJ.federated.token\n")
    known = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client", "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "federated")}
    return known | {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", **more}


def test_an_azure_workload_logs_in_without_a_machine(site, agent, azure, tls_double, signer, authority, tmp_path):
    """Where the metadata service is blocked: most roles do not need it, though the original cannot do without."""
    metadata.azure(tls_double, signer)
    env = workload(tls_double, authority, tmp_path, AZURE_AUTHORITY_HOST=tls_double.address, SSL_CERT_FILE=str(authority.file))
    one = azure_logs_in(site, agent, azure, tmp_path, env, authenticate_from_environment=True)
    assert "eyJ." not in one.log


def test_an_azure_identity_binding_goes_through_its_proxy(site, agent, azure, tls_double, signer, authority, tmp_path):
    metadata.azure(tls_double, signer)
    proxy = {"AZURE_KUBERNETES_TOKEN_PROXY": tls_double.address, "AZURE_KUBERNETES_CA_FILE": str(authority.file), "AZURE_KUBERNETES_SNI_NAME": "localhost"}
    azure_logs_in(site, agent, azure, tmp_path, workload(tls_double, authority, tmp_path, **proxy), authenticate_from_environment=True)


def test_a_wrong_azure_secret_is_told_by_its_code(site, agent, azure, tls_double, signer, authority, tmp_path):
    metadata.azure(tls_double, signer)
    wrong = canary.secret()
    env = workload(tls_double, authority, tmp_path, AZURE_AUTHORITY_HOST=tls_double.address, SSL_CERT_FILE=str(authority.file))
    (tmp_path / "federated").write_text(wrong)
    one = agent(config(site, "azure", azure, tmp_path / "user", role="app", resource=RESOURCE, authenticate_from_environment=True), env=env)
    one.wait_log("Azure: token: refused with status 401, AADSTS7000215")
    assert wrong not in one.log
