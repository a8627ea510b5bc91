"""ampule-sandbox must not lie: the same requests to it and to a real server, whose answers must agree in status, shape and words.

The sandbox is also the cluster of both: the real server has it review service-account tokens and learns its keys by OpenID discovery.
"""

import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import urllib.parse

import pytest

from support import dialects, wait
from support.process import Process
from support.site import unique
from support.vault import Vault

BINARY = pathlib.Path(os.environ.get("AMPULE_BIN", "build/bin")).resolve() / "ampule-sandbox"

# Values that no two servers share; their types must agree all the same.
OWN = set(
    "request_id client_token accessor id token creation_time issue_time expire_time created_time updated_time last_renewal last_renewal_time "
    "uuid running_plugin_version entity_id secret_id role_id secret_id_accessor wrapped_accessor username password server_time_utc cluster_name "
    "cluster_id build_date storage_type version_text description lease_id service_account_uid cas".split()
)
SECONDS = {"ttl", "lease_duration", "creation_ttl"}


def differences(real, sandbox, dialect, where=""):
    """Where two answers differ, as readable lines, and not as servers of this version do."""
    key = where.rsplit(".", 1)[-1]
    if key in dialect.values or (key == "warnings" and dialect.only_warns(real, sandbox)):
        return []
    if type(real) is not type(sandbox):
        return [f"{where}: real {real!r}, sandbox {sandbox!r}"]
    if isinstance(real, dict):
        lines = [f"{where}.{k}: only the real server has it: {real[k]!r}" for k in real.keys() - sandbox.keys() - dialect.adds]
        lines += [f"{where}.{k}: only the sandbox has it: {sandbox[k]!r}" for k in sandbox.keys() - real.keys() - dialect.lacks]
        return lines + [line for k in real.keys() & sandbox.keys() for line in differences(real[k], sandbox[k], dialect, f"{where}.{k}")]
    if isinstance(real, list):
        if len(real) != len(sandbox):
            return [f"{where}: real {real!r}, sandbox {sandbox!r}"]
        return [line for i, pair in enumerate(zip(real, sandbox)) for line in differences(*pair, dialect, f"{where}[{i}]")]
    if key in SECONDS and isinstance(real, int) and abs(real - sandbox) <= 2:
        return []
    if key in OWN or where == ".version" or (key == "deletion_time" and bool(real) == bool(sandbox)):
        return []
    if isinstance(real, str) and ".warnings" in where:
        real, sandbox = (re.sub(r'max_ttl of "[0-9hms]+"', "max_ttl of D", text) for text in (real, sandbox))
    if isinstance(real, str) and dialect.same_words(real, sandbox):
        return []
    return [] if real == sandbox else [f"{where}: real {real!r}, sandbox {sandbox!r}"]


class Api:
    def __init__(self, address, ca_file, token):
        self.url, self.token = urllib.parse.urlsplit(address), token
        self.tls = ssl.create_default_context(cafile=str(ca_file))

    def __call__(self, method, path, body=None, token="", headers=None):
        """(status, decoded body or None). `token`: "" = root, None = none."""
        connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=60, context=self.tls)
        try:
            send = dict(headers or {})
            if token is not None:
                send["X-Vault-Token"] = token or self.token
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, path if path.startswith("/") else "/v1/" + path, data, send)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()


class Sandbox:
    def __init__(self, folder):
        self.dir = folder / "sandbox"
        self.process = Process([BINARY, "serve", "--listen", "127.0.0.1:0", "--dir", self.dir])
        self.process.wait_log("ready on")
        self.address, self.ca_file = (self.dir / "address").read_text(), self.dir / "ca.pem"
        self.api = Api(self.address, self.ca_file, (self.dir / "root-token").read_text())

    def run(self, *args):
        return subprocess.run([BINARY, *map(str, args)], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def service_token(self, namespace="demo", account="demo", *args):
        return self.run("token", "--dir", self.dir, "--namespace", namespace, "--service-account", account, *args)

    def revoke(self, token):
        path = self.dir / unique("token")
        path.write_text(token)
        self.run("revoke-token", "--dir", self.dir, path)


class Both:
    """Asks both servers and compares. Tokens and IDs differ, so arguments may be pairs: (for the real one, for the sandbox)."""

    def __init__(self, site, sandbox):
        self.dialect = dialects.spoken()
        self.real, self.sandbox = Api(site.address, site.ca_file, site.vault.token), sandbox

    @staticmethod
    def _side(value, i):
        if isinstance(value, tuple):
            return value[i]
        if isinstance(value, dict):
            return {k: Both._side(v, i) for k, v in value.items()}
        return value

    def __call__(self, method, path, body=None, token="", headers=None, expect=None):
        answers = [
            api(method, self._side(path, i), self._side(body, i), self._side(token, i), self._side(headers, i))
            for i, api in enumerate((self.real, self.sandbox.api))
        ]
        (real_status, real), (status, mine) = answers
        where = f"{method} {path} {body if not isinstance(body, bytes) else body!r}"
        assert self.dialect.same_status(f"{method} {path}", real_status, status), f"{where}: real {real_status} {real}, sandbox {status} {mine}"
        assert status != real_status or not (lines := differences(real, mine, self.dialect)), where + "\n" + "\n".join(lines)
        assert expect is None or status == expect, f"{where}: {status} {real}"
        return Pair(real, mine)


class Pair(tuple):
    """Two answers; pair["auth"]["client_token"] goes down in both."""

    def __new__(cls, real, sandbox):
        return super().__new__(cls, (real, sandbox))

    def at(self, *keys):
        values = list(self)
        for key in keys:
            values = [v[key] for v in values]
        return tuple(values)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    assert sandbox.process.stop() == 0, sandbox.process.log


@pytest.fixture
def both(site, sandbox):
    return Both(site, sandbox)


@pytest.fixture
def kv2(both):
    mount = unique("kv")
    both("PUT", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}})
    wait.until(lambda: both.real("PUT", f"{mount}/data/ready", {"data": {"a": "b"}})[0] == 200, "the real mount to be ready")
    both.sandbox.api("PUT", f"{mount}/data/ready", {"data": {"a": "b"}})
    return mount


def policy(both, rules, form="hcl"):
    name = unique("policy")
    text = json.dumps({"path": {p: {"capabilities": c} for p, c in rules.items()}})
    if form == "hcl":
        text = "\n".join(f'path "{p}" {{ capabilities = {json.dumps(c)} }}' for p, c in rules.items())
    both("PUT", f"sys/policies/acl/{name}", {"policy": text}, expect=204)
    return name


def token(both, *policies, **spec):
    return both("PUT", "auth/token/create", {"policies": list(policies), **spec}, expect=200).at("auth", "client_token")


def test_kv2_versions_are_written_read_deleted_and_destroyed(both, kv2):
    app = f"{kv2}/data/app"
    both("GET", app, expect=404)
    both("PUT", app, {"data": {"user": "alice", "n": 1.5, "deep": {"a": [1, None, True]}}})
    both("POST", app, {"data": {"user": "bob"}})
    for query in ("", "?version=1", "?version=2", "?version=0", "?version=9", "?version=x"):
        both("GET", app + query)
    both("GET", f"{kv2}/metadata/app")
    both("DELETE", app)
    both("GET", app, expect=404)
    both("PUT", f"{kv2}/undelete/app", {"versions": [2]})
    both("GET", app, expect=200)
    both("PUT", f"{kv2}/delete/app", {"versions": [1]})
    both("PUT", f"{kv2}/destroy/app", {"versions": [1]})
    both("GET", app + "?version=1", expect=404)
    both("GET", f"{kv2}/metadata/app")
    both("DELETE", f"{kv2}/metadata/app")
    both("GET", f"{kv2}/metadata/app", expect=404)


def test_kv2_check_and_set_patch_and_metadata(both, kv2):
    app = f"{kv2}/data/app"
    both("PUT", app, {"data": {"a": "1"}, "options": {"cas": 1}}, expect=400)
    both("PUT", app, {"data": {"a": "1", "b": "2"}, "options": {"cas": 0}}, expect=200)
    both("PUT", app, {"data": {"a": "2"}, "options": {"cas": 0}}, expect=400)
    both("PATCH", app, {"data": {"c": "3", "b": None}}, headers={"Content-Type": "application/merge-patch+json"})
    both("GET", app)
    both("GET", f"{kv2}/subkeys/app")
    both("PUT", f"{kv2}/metadata/app", {"custom_metadata": {"owner": "me"}, "max_versions": 2})
    for n in range(3):
        both("PUT", app, {"data": {"n": str(n)}})
    both("GET", app)
    both("GET", f"{kv2}/metadata/app")
    both("GET", app + "?version=1", expect=404)
    both("GET", f"{kv2}/config")


def test_kv2_refuses_what_is_no_data(both, kv2):
    for body in ({"user": "x"}, None, {}, b"{bad", b"[1]"):
        both("PUT", f"{kv2}/data/app", body, expect=400)
    both("GET", f"{kv2}/app", expect=404)
    both("GET", f"{kv2}/nonsense/app", expect=404)


def test_lists_show_folders_once(both, kv2):
    for name in ("a", "b/c", "b/d/e", "z"):
        both("PUT", f"{kv2}/data/{name}", {"data": {"k": "v"}})
    for path in ("metadata", "metadata/", "metadata/b", "metadata/b/", "metadata/none", "metadata/a", "data/"):
        both("LIST", f"{kv2}/{path}")
        both("GET", f"{kv2}/{path}?list=true")


def test_kv1_keeps_its_ttl(both):
    kv1 = unique("kv")
    both("PUT", f"sys/mounts/{kv1}", {"type": "kv", "options": {"version": "1"}}, expect=204)
    both("LIST", kv1, expect=404)
    both("PUT", f"{kv1}/app", {"user": "a", "ttl": "30s"}, expect=204)
    both("PUT", f"{kv1}/deep/app", {"user": "a"}, expect=204)
    for path in ("app", "deep/app", "none", "?list=true", "deep?list=true"):
        both("GET", f"{kv1}/{path}")
    both("PUT", f"{kv1}/app", {}, expect=400)
    both("DELETE", f"{kv1}/app", expect=204)
    both("GET", f"{kv1}/app", expect=404)


def test_mounts_are_told_to_those_who_may_know(both, kv2):
    reader = token(both, policy(both, {f"{kv2}/data/app": ["read"]}))
    for path in (f"{kv2}/app", kv2, f"{kv2}/data/other", "none/app"):
        for who in ("", reader, None, "bad"):
            both("GET", f"sys/internal/ui/mounts/{path}", token=who)
    both("PUT", f"sys/mounts/{kv2}", {"type": "kv"}, expect=400)
    both("PUT", f"sys/mounts/{unique('x')}", {"type": "nonesuch"}, expect=400)


@pytest.mark.parametrize("form", ["hcl", "json"])
def test_policies_allow_and_deny(both, kv2, form):
    rules = {
        f"{kv2}/data/exact": ["read"],
        f"{kv2}/data/+/mid": ["read", "update", "create"],
        f"{kv2}/data/tree/*": ["read"],
        f"{kv2}/data/tree/closed/*": ["deny"],
        f"{kv2}/data/many/+/*": ["update", "create"],
        f"{kv2}/data/many/*": ["read"],
        f"{kv2}/metadata/*": ["list"],
    }
    who = token(both, policy(both, rules, form))
    for name in ("exact", "a/mid", "a/b/mid", "tree/x", "tree/closed/x", "many/a/b", "many/a", "other"):
        both("GET", f"{kv2}/data/{name}", token=who)
        both("PUT", f"{kv2}/data/{name}", {"data": {"k": "v"}}, token=who)
    both("LIST", f"{kv2}/metadata/", token=who)
    both("GET", "sys/mounts", token=who, expect=403)
    both("GET", "none/x", token=who, expect=403)
    both("GET", "none/x", expect=404)
    both("PUT", "sys/capabilities-self", {"paths": [f"{kv2}/data/exact", f"{kv2}/data/tree/closed/x", "zz"]}, token=who)


def test_policies_are_kept_and_refused_in_the_same_words(both):
    name = policy(both, {"a/*": ["read"]})
    both("GET", f"sys/policies/acl/{name}")
    both("GET", f"sys/policy/{name}")
    both("DELETE", f"sys/policies/acl/{name}", expect=204)
    both("GET", f"sys/policies/acl/{name}", expect=404)
    both("PUT", f"sys/policies/acl/{name}", {"policy": 'path "x" { capabilities = ["fly"] }'}, expect=400)


def test_token_is_looked_up_renewed_and_revoked(both):
    who = token(both, "p", ttl="20s", explicit_max_ttl="60s", meta={"k": "v"}, display_name="joe")
    both("GET", "auth/token/lookup-self", token=who)
    both("PUT", "auth/token/renew", {"token": who})
    both("PUT", "auth/token/renew-self", {"increment": 40}, token=who)
    both("PUT", "auth/token/renew-self", {"increment": "400s"}, token=who)
    both("GET", "auth/token/lookup-self", token=who)
    both("PUT", "auth/token/lookup", {"token": who})
    both("PUT", "auth/token/lookup", {"token": "none"}, expect=403)
    both("PUT", "auth/token/renew", {"token": "none"}, expect=400)
    both("PUT", "auth/token/revoke-self", token=who, expect=204)
    both("GET", "auth/token/lookup-self", token=who, expect=403)
    both("GET", "auth/token/lookup-self", token=None, expect=403)
    both("PUT", "auth/token/revoke", {"token": "none"}, expect=204)


def test_kinds_of_tokens(both):
    for spec in ({"period": "20s"}, {"ttl": "20s", "renewable": False}, {"ttl": "20s", "type": "batch"}, {"ttl": "20s", "no_parent": True}):
        who = token(both, "p", **spec)
        both("GET", "auth/token/lookup-self", token=who)
        both("PUT", "auth/token/renew-self", {}, token=who)
        both("GET", "auth/token/lookup-self", token=who)
        both("PUT", "auth/token/revoke-self", {}, token=who)


def test_token_of_three_uses(both):
    who = token(both, "p", ttl="1m", num_uses=3)
    for _ in range(4):
        both("GET", "auth/token/lookup-self", token=who)


def test_child_tokens_end_with_their_parent(both):
    parent = token(both, policy(both, {"auth/token/create": ["update"]}))
    child = both("PUT", "auth/token/create", {"ttl": "1m"}, token=parent, expect=200).at("auth", "client_token")
    both("PUT", "auth/token/revoke-self", token=parent, expect=204)
    both("GET", "auth/token/lookup-self", token=child, expect=403)


def test_wrapped_reply_is_good_for_one_look(both, kv2):
    both("PUT", f"{kv2}/data/app", {"data": {"user": "alice"}})
    wrap = {"X-Vault-Wrap-TTL": "60s"}
    for put in ("header", "body"):
        box = both("GET", f"{kv2}/data/app", headers=wrap, expect=200).at("wrap_info", "token")
        both("PUT", "sys/wrapping/lookup", {"token": box}, token=None, expect=200)
        both("GET", "sys/wrapping/lookup", token=box)
        body = None if put == "header" else {"token": box}
        who = box if put == "header" else ""
        both("PUT", "sys/wrapping/unwrap", {"token": box}, token=None, expect=403)
        both("PUT", "sys/wrapping/unwrap", body, token=who, expect=200)
        both("PUT", "sys/wrapping/unwrap", body, token=who, expect=400)
        both("PUT", "sys/wrapping/unwrap", {"token": box}, token=None, expect=400)
    both("PUT", "sys/wrapping/lookup", {"token": "none"}, token=None, expect=400)
    box = both("GET", f"{kv2}/data/app", headers=wrap).at("wrap_info", "token")
    both("GET", "auth/token/lookup-self", token=box, expect=403)
    both("PUT", "sys/wrapping/unwrap", token=box, expect=400)
    box = both("PUT", "sys/wrapping/wrap", {"a": "b"}, headers=wrap).at("wrap_info", "token")
    both("PUT", "sys/wrapping/unwrap", token=box)
    both("PUT", "sys/wrapping/wrap", {"a": "b"}, expect=400)


def test_approle_login(both):
    mount, secret = unique("approle"), unique("secret")
    both("PUT", f"sys/auth/{mount}", {"type": "approle"}, expect=204)
    both("PUT", f"auth/{mount}/role/r", {"token_policies": "p, q", "token_ttl": "10m", "secret_id_num_uses": 2}, expect=204)
    both("GET", f"auth/{mount}/role/r")
    both("LIST", f"auth/{mount}/role")
    both("GET", f"auth/{mount}/role/none", expect=404)
    role = both("GET", f"auth/{mount}/role/r/role-id").at("data", "role_id")
    made = both("PUT", f"auth/{mount}/role/r/secret-id", {}).at("data", "secret_id")
    both("PUT", f"auth/{mount}/role/r/custom-secret-id", {"secret_id": secret})
    for body in ({"role_id": role, "secret_id": made}, {"role_id": role, "secret_id": "bad"}, {"role_id": "bad", "secret_id": made}, {"role_id": role}, {}):
        both("PUT", f"auth/{mount}/login", body, token=None)
    both("PUT", f"auth/{mount}/login", {"role_id": role, "secret_id": made}, token=None, expect=200)
    both("PUT", f"auth/{mount}/login", {"role_id": role, "secret_id": made}, token=None, expect=400)
    who = both("PUT", f"auth/{mount}/login", {"role_id": role, "secret_id": secret}, token=None, expect=200).at("auth", "client_token")
    both("GET", "auth/token/lookup-self", token=who)
    both("PUT", "auth/none/login", {}, token=None, expect=403)


@pytest.fixture
def kubernetes(both, sandbox):
    mount = unique("kubernetes")
    both("PUT", f"sys/auth/{mount}", {"type": "kubernetes"}, expect=204)
    both("PUT", f"auth/{mount}/login", {"role": "demo", "jwt": "a.b.c"}, token=None)
    role = {"bound_service_account_names": ["demo"], "bound_service_account_namespaces": ["demo"], "token_policies": ["p"]}
    both("PUT", f"auth/{mount}/role/demo", {**role, "token_ttl": "5m", "token_max_ttl": "10m"}, expect=204)
    both("PUT", f"auth/{mount}/role/aud", {**role, "audience": "vault"}, expect=204)
    both("PUT", f"auth/{mount}/login", {"role": "demo", "jwt": "a.b.c"}, token=None, expect=500)
    both("PUT", f"auth/{mount}/config", {
        "kubernetes_host": sandbox.address, "kubernetes_ca_cert": sandbox.ca_file.read_text(), "disable_local_ca_jwt": True,
        "token_reviewer_jwt": sandbox.service_token("kube-system", "reviewer"),
    }, expect=204)
    return mount


def test_kubernetes_login(both, sandbox, kubernetes):
    login = f"auth/{kubernetes}/login"
    who = both("PUT", login, {"role": "demo", "jwt": sandbox.service_token()}, token=None, expect=200).at("auth", "client_token")
    both("GET", "auth/token/lookup-self", token=who)
    both("PUT", "auth/token/renew-self", {}, token=who)
    both("PUT", login, {"role": "aud", "jwt": sandbox.service_token("demo", "demo", "--audience", "vault")}, token=None, expect=200)
    both("PUT", login, {"role": "demo", "jwt": sandbox.service_token("demo", "demo", "--audience", "any")}, token=None, expect=200)
    for body in ({"role": "none", "jwt": "a.b.c"}, {"role": "demo"}, {"jwt": "x"}):
        both("PUT", login, body, token=None, expect=400)
    both("GET", f"auth/{kubernetes}/role/demo")
    both("GET", f"auth/{kubernetes}/role/aud")
    both("GET", f"auth/{kubernetes}/config")
    both("LIST", f"auth/{kubernetes}/role")


def test_kubernetes_login_is_refused(both, sandbox, kubernetes):
    login = f"auth/{kubernetes}/login"
    good = sandbox.service_token()
    revoked = sandbox.service_token()
    sandbox.revoke(revoked)
    expired = sandbox.service_token("demo", "demo", "--ttl", "1s")
    wait.until(lambda: sandbox.api("PUT", login, {"role": "demo", "jwt": expired}, token=None)[0] != 200, "the token to expire")
    foreign = good[: good.rindex(".") + 1] + "A" * 342
    refused = {
        "garbage": "a.b.c",
        "not three parts": "abc",
        "other namespace": sandbox.service_token("other", "demo"),
        "other account": sandbox.service_token("demo", "other"),
        "expired": expired,
        "revoked": revoked,
        "foreign": foreign,
    }
    for what, jwt in refused.items():
        both("PUT", login, {"role": "demo", "jwt": jwt}, token=None, expect=403)
    both("PUT", login, {"role": "aud", "jwt": good}, token=None, expect=403)


@pytest.mark.parametrize("how", ["discovery", "jwks"])
def test_jwt_login(both, sandbox, how):
    mount, ca = unique("jwt"), sandbox.ca_file.read_text()
    both("PUT", f"sys/auth/{mount}", {"type": "jwt"}, expect=204)
    both("GET", f"auth/{mount}/config", expect=404)
    login = f"auth/{mount}/login"
    both("PUT", login, {"role": "r", "jwt": "a.b.c"}, token=None, expect=400)
    config = {"discovery": {"oidc_discovery_url": sandbox.address, "oidc_discovery_ca_pem": ca},
              "jwks": {"jwks_url": sandbox.address + "/openid/v1/jwks", "jwks_ca_pem": ca}}[how]
    both("PUT", f"auth/{mount}/config", config, expect=204)
    both("PUT", f"auth/{mount}/role/r", {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["p"],
                                         "bound_subject": "system:serviceaccount:demo:demo", "token_ttl": "10m"}, expect=204)
    both("PUT", f"auth/{mount}/role/bad", {"role_type": "jwt", "user_claim": "sub"}, expect=400)
    both("GET", f"auth/{mount}/role/r")
    good = sandbox.service_token("demo", "demo", "--audience", "vault")
    who = both("PUT", login, {"role": "r", "jwt": good}, token=None, expect=200).at("auth", "client_token")
    both("GET", "auth/token/lookup-self", token=who)
    foreign = good[: good.rindex(".") + 1] + "A" * 342
    for jwt in (sandbox.service_token(), sandbox.service_token("other", "demo", "--audience", "vault"), "a.b.c", "abc", foreign, ""):
        status = [api("PUT", login, {"role": "r", "jwt": jwt}, token=None)[0] for api in (both.real, sandbox.api)]
        assert status == [400, 400], jwt
    both("PUT", login, {"role": "none", "jwt": good}, token=None, expect=400)
    both("PUT", login, {"jwt": good}, token=None, expect=400)


def test_leases_that_nobody_has(both):
    both("PUT", "sys/leases/lookup", {"lease_id": "none"}, expect=400)
    both("PUT", "sys/leases/renew", {"lease_id": "none"}, expect=400)
    both("PUT", "sys/leases/renew", {}, expect=400)
    both("PUT", "sys/leases/revoke", {"lease_id": "none"}, expect=204)
    both("PUT", "sys/leases/revoke-prefix/none", expect=204)
    both("GET", "sys/leases/lookup", expect=405)


def test_database_credentials_and_their_leases(both, site, sandbox, postgres):
    mount = unique("db")
    for vault in (site.vault, Vault(sandbox.address, sandbox.ca_file, sandbox.api.token)):
        postgres.enable(vault, mount, default_ttl="5s", max_ttl="1m")
    both("GET", f"{mount}/creds/none", expect=400)
    both("GET", f"{mount}/roles/none", expect=404)
    both("GET", f"{mount}/roles/app")
    both("LIST", f"{mount}/roles")
    lease = both("GET", f"{mount}/creds/app", expect=200).at("lease_id")
    assert all(id.startswith(f"{mount}/creds/app/") for id in lease)
    both("PUT", "sys/leases/lookup", {"lease_id": lease})
    both("PUT", "sys/leases/renew", {"lease_id": lease, "increment": 7})
    both("PUT", "sys/leases/renew", {"lease_id": lease, "increment": 5000})
    both("PUT", "sys/leases/lookup", {"lease_id": lease})
    both("PUT", "sys/leases/revoke", {"lease_id": lease}, expect=204)
    both("PUT", "sys/leases/lookup", {"lease_id": lease}, expect=400)


def test_leases_end_with_their_token(both, site, sandbox, postgres):
    mount = unique("db")
    for vault in (site.vault, Vault(sandbox.address, sandbox.ca_file, sandbox.api.token)):
        postgres.enable(vault, mount, default_ttl="5m")
    who = token(both, policy(both, {f"{mount}/creds/app": ["read"]}))
    lease = both("GET", f"{mount}/creds/app", token=who, expect=200).at("lease_id")
    both("PUT", "auth/token/revoke-self", token=who, expect=204)
    for api, id in zip((both.real, sandbox.api), lease):
        wait.until(lambda: api("PUT", "sys/leases/lookup", {"lease_id": id})[0] == 400, "the lease to end")


def test_the_last_use_of_a_token_lends_nothing(both, site, sandbox, postgres):
    mount = unique("db")
    for vault in (site.vault, Vault(sandbox.address, sandbox.ca_file, sandbox.api.token)):
        postgres.enable(vault, mount, default_ttl="5m")
    reader = policy(both, {f"{mount}/creds/app": ["read"]})
    both("GET", f"{mount}/creds/app", token=token(both, reader, num_uses=1), expect=400)
    both("GET", f"{mount}/creds/app", token=token(both, reader, num_uses=1), headers={"X-Vault-Wrap-TTL": "60s"}, expect=400)
    who = token(both, "default", reader, num_uses=2)
    lease = both("GET", f"{mount}/creds/app", token=who, expect=200).at("lease_id")
    both("PUT", "sys/leases/renew", {"lease_id": lease}, token=who, expect=400)


def test_paths_that_nobody_serves(both):
    for method, path in (("GET", "none/x"), ("GET", "sys/none"), ("GET", ""), ("GET", "sys/wrapping/unwrap"), ("PUT", "auth/token/lookup-none")):
        both(method, path)
    both("GET", "sys/none", token=None, expect=403)


def test_health(both):
    both("GET", "sys/health", token=None, expect=200)
    both("GET", "sys/health?activecode=299", token=None, expect=299)
    both("GET", "sys/seal-status", token=None, expect=200)


@pytest.mark.parametrize("said, row", [
    ("Vault v1.19.0 (7eeafb6, built 2025-03-04T12:36:40Z)", ("Vault", 1, 19)), ("Vault v1.30.2, built …", ("Vault", 1, 19)),
    ("Vault v1.15.0", ("Vault", 1, 19)), ("OpenBao v2.6.2 (dd9c19c)", ("OpenBao", 2, 6)), ("OpenBao v2.10.0", ("OpenBao", 2, 6)),
])
def test_a_version_without_a_row_is_held_to_the_newest_older_one(said, row):
    assert dialects.choose(said) is dialects.DIALECTS[row]


def test_numbers_keep_their_spelling(sandbox):
    sandbox.api("PUT", "kv/numbers", b'{"big": 12345678901234567890, "price": 1.50}')
    connection = http.client.HTTPSConnection(sandbox.api.url.hostname, sandbox.api.url.port, context=sandbox.api.tls)
    connection.request("GET", "/v1/kv/numbers", headers={"X-Vault-Token": sandbox.api.token})
    text = connection.getresponse().read().decode()
    assert '"big":12345678901234567890' in text and '"price":1.50' in text


def test_secret_is_put_while_the_sandbox_runs(sandbox):
    sandbox.run("put", "--dir", sandbox.dir, "secret/app", "user=bob", "word=a=b")
    assert sandbox.api("GET", "secret/data/app")[1]["data"]["data"] == {"user": "bob", "word": "a=b"}
    sandbox.run("put", "--dir", sandbox.dir, "database/roles/app", "default_ttl=7s")
    assert sandbox.api("GET", "database/creds/app")[1]["lease_duration"] == 7
