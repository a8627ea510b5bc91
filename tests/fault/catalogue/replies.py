"""F1 to F35: what the server answers."""

import json
import os
import threading

from support import canary, wait
from support.agent import block
from support.proxy import Proxy
from support.rendering import user
from support.site import unique

from .scene import fault

DATA = "/data/app"
CREDENTIAL = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}'
SELDOM = block("template_config", static_secret_render_interval="15s")


# ------------------------------------------------------------------------------------------------------- the server as a whole


@fault("F1", "sealed", says="503 the server is sealed", own_server=True)
def sealed(scene):
    scene.up()
    scene.site.server.seal()
    yield
    scene.site.server.unseal()


@fault("F1", "sealed at the start", says="503 the server is sealed", own_server=True)
def sealed_at_the_start(scene):
    scene.site.server.seal()
    scene.begin()
    scene.start()
    yield
    scene.site.server.unseal()


def refusal(number, text, status, says=None, **headers):
    @fault(number, text, says=says or f"(login|data.app): {status}")
    def refused(scene):
        scene.up()
        rule = scene.proxy.error(status, **headers)
        yield
        rule.remove()

    @fault(number, text + ", from the start", says=says or f"(login|data.app): {status}")
    def refused_from_the_start(scene):
        rule = scene.proxy.error(status, **headers)
        scene.begin()
        scene.start()
        yield
        rule.remove()


refusal("F2", "501 not initialised", 501)
refusal("F6", "429 without Retry-After", 429)
refusal("F7", "412 missing required state", 412)
refusal("F30", "473 of a performance standby", 473)
refusal("F30", "472 of a recovery cluster", 472)


@fault("F3", "307 to the active node", kind="lasts", counts=None)
def standby(scene):
    active = scene_proxy(scene, "127.0.0.1")
    scene.up()
    scene.proxy.redirect(active.address)
    yield


def scene_proxy(scene, *names):
    other = Proxy(scene.site.address, scene.site.ca_file, scene.authority, names=names)
    other.address = f"https://{names[0]}:{other.port}"
    scene.closing(other.close)
    return other


@fault("F4", "307 to a foreign host", says="redirect")
def foreign(scene):
    other = scene_proxy(scene, "localhost")
    scene.up()
    rule = scene.proxy.redirect(other.address)
    yield
    rule.remove()
    yield
    seen = [r for r in other.requests if r.headers.get("X-Vault-Token")]
    assert not seen, f"{len(seen)} tokens went to a foreign host"


@fault("F4", "two nodes redirect to each other", says="redirect")
def loop(scene):
    other = scene_proxy(scene, "127.0.0.1")
    other.redirect(scene.proxy.address)
    scene.up()
    rule = scene.proxy.redirect(other.address)
    yield
    rule.remove()


@fault("F5", "429 with Retry-After: 7", says="data.app: 429")
def patience(scene):
    scene.up()
    rule = scene.proxy.answer(429, '{"errors":[]}', Retry_After="7")
    yield
    rule.remove()
    asked = [r.at for r in scene.proxy.requests if r.status == 429 and r.path.endswith(DATA)]
    if scene.ours:
        assert all(b - a >= 7 for a, b in zip(asked, asked[1:])), "it came back sooner than it was asked to"


@fault("F29", "no answer to anything (a blocked audit device)", says="no complete answer within 5 s")
def blocked(scene):
    scene.up(env={"VAULT_CLIENT_TIMEOUT": "5s"})
    rule = scene.proxy.hang()
    yield
    rule.remove()


@fault("F29", "a real audit device that blocks", own_server=True, says="no complete answer within 5 s")
def audit(scene):
    pipe = scene.folder / "audit"
    os.mkfifo(pipe)
    ends = [os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)]
    scene.closing(lambda: [os.close(end) for end in ends])
    scene.up(env={"VAULT_CLIENT_TIMEOUT": "5s"})
    scene.site.vault.request("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": str(pipe)}})
    fill(ends[1])
    yield
    drain(ends[0])


def fill(descriptor):
    """The pipe takes nothing more."""
    for size in (4096, 1):
        try:
            while True:
                os.write(descriptor, b" " * size)
        except BlockingIOError:
            continue


def drain(descriptor):
    """Read from now on, by a thread of its own."""
    def run():
        os.set_blocking(descriptor, True)
        try:
            while os.read(descriptor, 65536):
                pass
        except OSError:
            return

    threading.Thread(target=run, daemon=True).start()


# ------------------------------------------------------------------------------------------------------------------- tokens


def allow(scene, *paths):
    scene.site.vault.put_policy(scene.login.policy, {path: ["read"] for path in ("none", *paths)})


@fault("F8", "403 on one secret: the policy is gone", says="403 permission denied")
def forbidden(scene):
    scene.up()
    allow(scene, "sys/internal/ui/mounts/*")
    yield
    allow(scene, "*")


@fault("F9", "the token is revoked behind its back", kind="lasts")
def revoked(scene):
    scene.sink()
    scene.up()
    scene.site.vault.write("auth/token/revoke", token=scene.token())
    yield


@fault("F10", "the token's uses are spent", kind="lasts")
def spent(scene):
    scene.login = scene.site.login(token_num_uses=3)
    scene.login.method = {}
    scene.interval = SELDOM
    scene.up()
    yield


@fault("F11", "400 at the login: the role is not there", says="invalid role name|no-such-role")
def no_role(scene):
    good, scene.login.role = scene.login.role, unique("no-such-role")
    scene.begin()
    scene.start()
    yield
    scene.site.vault.write(f"auth/{scene.site.mount}/role/{scene.login.role}", **scene.site.role_of(good))


@fault("F12", "404: the secret is gone", says="404 not found")
def gone(scene):
    scene.up()
    scene.site.vault.delete(scene.secret.replace("/data/", "/metadata/"))
    yield


@fault("F12", "404: the secret is not there yet", says="404 not found")
def not_yet(scene):
    late = scene.kv.path("late")
    scene.begin()
    scene.start(text=user(late))
    put = scene.kv.put
    scene.kv.put = lambda name, **data: put("late", **data)
    yield


@fault("F13", "the version is deleted", says="version is deleted")
def deleted(scene):
    scene.up()
    scene.site.vault.delete(scene.secret)
    yield


@fault("F13", "the version is destroyed", says="version is destroyed|404 not found")
def destroyed(scene):
    scene.up()
    scene.site.vault.request("PUT", scene.secret.replace("/data/", "/destroy/"), {"versions": [1]})
    yield


@fault("F14", "a version that will be deleted later", kind="lasts")
def mortal(scene):
    scene.site.vault.write(scene.secret.replace("/data/", "/metadata/"), delete_version_after="1h")
    scene.change()
    scene.first = scene.site.vault.read(scene.secret)["data"]["data"]["user"]
    scene.up()
    yield


@fault("F15", "a key is missing", counts=None)
def missing_key(scene):
    scene.up()
    scene.kv.put("app", other="x")
    scene.expect("<no value>")
    yield


# --------------------------------------------------------------------------------------------------------- how long it is good


def auth(**fields):
    def change(body):
        body["auth"].update(fields)

    return change


def duration(raw):
    """The login says that number, whatever a number is."""

    def change(body):
        body["auth"]["lease_duration"] = "RAW"
        return json.dumps(body).replace('"RAW"', raw).encode()

    return change


LOGIN_AND_RENEWAL = "/login$|/renew-self$"

for raw, text in (("0", "0"), ("-5", "-5"), (str(2**34), "2^34"), ("1e30", "1e30"), ("1.5", "1.5"), ('"x"', "a text")):

    @fault("F16" if raw == "0" else "F17", f"a login's lease_duration is {text}", kind="stays", counts="auth/")
    def odd_duration(scene, raw=raw):
        scene.proxy.alter(duration(raw), path=LOGIN_AND_RENEWAL)
        scene.begin()
        scene.start()
        yield


@fault("F18", "a lease of one second", kind="lasts", counts=None)
def second(scene):
    scene.login = scene.site.login(token_ttl="1s", token_max_ttl="1h")
    scene.up()
    yield


def credential(scene, **role):
    path = scene.postgres.enable(scene.site.vault, unique("db"), **role)
    file = scene.beside(CREDENTIAL % path)
    scene.up()
    scene.made = wait.for_file(file, contains=" ")
    return path, file


def reads(scene, path):
    return scene.proxy.count("GET", f"^/v1/{path}$")


@fault("F19", "a lease that cannot be renewed", kind="lasts", counts="leases/renew")
def unrenewable(scene):
    scene.proxy.alter(lambda body: body.update(renewable=False), path="/creds/")
    path, file = credential(scene, default_ttl="20s", max_ttl="60s")
    yield
    wait.for_file(file, contains=" ", differs_from=scene.made)
    assert scene.proxy.count(path="leases/renew") == 0


@fault("F20", "renewals that shrink towards the maximum", kind="lasts")
def shrinking(scene):
    path, file = credential(scene, default_ttl="20s", max_ttl="30s")
    scene.begin()
    yield
    wait.for_file(file, contains=" ", differs_from=scene.made)


@fault("F21", "a renewal answers with another token", kind="lasts")
def other_token(scene):
    scene.login = scene.site.login(token_ttl="20s", token_max_ttl="1h")
    scene.proxy.alter(auth(client_token="hvs.another-token-altogether"), path="/renew-self$")
    scene.up()
    yield


@fault("F22", "a token that lives shorter than a request takes", kind="stays", counts="auth/|" + DATA)
def short_lived(scene):
    scene.login = scene.site.login(token_ttl="2s", token_max_ttl="2s")
    scene.login.method = {}
    scene.proxy.delay(3, path="/login$|/data/")
    scene.begin()
    scene.start()
    yield


@fault("F23", "the token may not renew itself", kind="lasts", counts="renew-self")
def no_renewal(scene):
    rules = {"*": ["read", "create", "update", "list"], "auth/token/renew-self": ["deny"]}
    scene.login = scene.site.login(rules, token_no_default_policy=True, token_ttl="40s", token_max_ttl="1h")
    scene.login.method = {}
    scene.up()
    yield


@fault("F23", "renewals of the token fail", kind="lasts", counts="renew-self")
def renewal_fails(scene):
    scene.login = scene.site.login(token_ttl="40s", token_max_ttl="1h")
    scene.login.method = {}
    scene.proxy.error(500, path="renew-self")
    scene.up()
    yield


@fault("F23", "a lease may not be renewed", kind="lasts", counts="leases/renew|/creds/")
def no_lease_renewal(scene):
    scene.site.vault.put_policy(scene.login.policy, {"*": ["create", "read", "update", "list"], "sys/leases/renew": ["deny"]})
    credential(scene, default_ttl="40s", max_ttl="10m")
    scene.begin()
    yield


@fault("F24", "a static role that says ttl 0", kind="lasts", counts="/static/")
def static_zero(scene):
    path = scene.kv.put("static", user="zero", ttl=0)
    scene.proxy.answer(200, json.dumps({"data": {"username": "u", "password": canary.secret("static"), "ttl": 0, "rotation_period": 60,
                                                "last_vault_rotation": "2026-01-01T00:00:00Z"}}), path="/static-creds/")
    scene.beside('{{ with secret "db/static-creds/%s" }}{{ .Data.password }}{{ end }}' % path.rpartition("/")[2])
    scene.up()
    yield


@fault("F25", "a batch token, which cannot be renewed", kind="lasts", counts="auth/kubernetes/login")
def batch(scene):
    scene.login = scene.site.login(token_type="batch", token_ttl="30s")
    scene.login.method = {}
    scene.up()
    yield


@fault("F26", "a wrapped secret id that was unwrapped already", kind="stays", says="(?i)wrap")
def unwrapped(scene):
    wrapped_login(scene, lambda token, wrapped: scene.site.vault.request("PUT", "sys/wrapping/unwrap", {"token": wrapped}))
    scene.start()
    yield


@fault("F27", "a wrapped secret id made elsewhere", kind="stays", says="(?i)creation|wrap")
def made_elsewhere(scene):
    wrapped_login(scene, None)
    scene.start()
    yield


def wrapped_login(scene, spoil):
    vault, mount = scene.site.vault, unique("approle")
    vault.enable_auth(mount, "approle")
    vault.write(f"auth/{mount}/role/app", token_policies=[scene.login.policy])
    (scene.folder / "token-role").mkdir()
    role, secret = scene.folder / "token-role/role", scene.folder / "token-role/secret"
    role.write_text(vault.read(f"auth/{mount}/role/app/role-id")["data"]["role_id"])
    if spoil:
        wrapped = vault.request("POST", f"auth/{mount}/role/app/secret-id", {}, X_Vault_Wrap_TTL="5m")["wrap_info"]["token"]
        spoil(vault, wrapped)
    else:
        wrapped = vault.request("POST", "sys/wrapping/wrap", {"secret_id": "x"}, X_Vault_Wrap_TTL="5m")["wrap_info"]["token"]
    secret.write_text(canary.keep(wrapped))
    options = {"role_id_file_path": role, "secret_id_file_path": secret,
               "secret_id_response_wrapping_path": f"auth/{mount}/role/app/secret-id"}
    method = block("method", "approle", mount_path=f"auth/{mount}", body=block("config", **options))
    scene.login.block = lambda: block("auto_auth", body=method)
    scene.begin()


@fault("F28", "a namespace that is not there", says="no-such-namespace")
def no_namespace(scene):
    """Vault's free edition has none: the answer is OpenBao's."""
    scene.login.method = {"namespace": "no-such-namespace"}
    rule = scene.proxy.error(404, "namespace not found", path="/login$")
    scene.begin()
    scene.start()
    yield
    rule.remove()


@fault("F31", "restored from a snapshot: the lease is unknown", kind="lasts")
def unknown_lease(scene):
    path, file = credential(scene, default_ttl="20s", max_ttl="10m")
    scene.site.vault.request("PUT", f"sys/leases/revoke-prefix/{path}", {})
    scene.begin()
    yield
    wait.for_file(file, contains=" ", differs_from=scene.made)
    assert not scene.ours or reads(scene, path) <= 3, "more than one new credential for one lease"


@fault("F32", "an older version comes back", kind="lasts", counts=None)
def older(scene):
    scene.change()
    scene.first = scene.site.vault.read(scene.secret)["data"]["data"]["user"]
    scene.up()
    scene.site.vault.request("PUT", scene.secret.replace("/data/", "/undelete/"), {"versions": [1]})
    scene.site.vault.delete(scene.secret.replace("/data/", "/metadata/"))
    yield


# ------------------------------------------------------------------------------------------------------------ the wrong answer

BODIES = {
    "F33": {
        "data is null": b'{"data":null}',
        "data is a list": b'{"data":["mallory"]}',
        "data.data is null": b'{"data":{"data":null,"metadata":{"version":9}}}',
        "data.data is a text": b'{"data":{"data":"mallory","metadata":{"version":9}}}',
        "a name twice": b'{"data":{"data":{"user":"mallory"},"metadata":{}},"data":{"data":{"user":"eve"},"metadata":{}}}',
        "data is a number": b'{"data":7}',
    },
    "F35": {
        "204": (204, b""),
        "200 with errors": b'{"errors":["no"]}',
        "200 and nothing": b"",
        "an empty object": b"{}",
        "an array": b"[]",
        "HTML": b"<html>maintenance</html>",
    },
}


def wrong_answers(number, name, body):
    status, body = body if isinstance(body, tuple) else (200, body)

    # A text is a secret like any other: the template alone minds.
    @fault(number, f"a read: {name}", counts=None if name == "data.data is a text" else "failing")
    def read(scene):
        scene.up()
        rule = scene.proxy.answer(status, body, path=DATA)
        yield
        rule.remove()

    if number != "F35":
        return

    @fault(number, f"a login: {name}")
    def login(scene):
        rule = scene.proxy.answer(status, body, path="/login$")
        scene.begin()
        scene.start()
        yield
        rule.remove()

    @fault(number, f"a renewal: {name}", kind="lasts", counts="auth/token/renew-self")
    def renewal(scene):
        scene.login = scene.site.login(token_ttl="40s", token_max_ttl="1h")
        scene.login.method = {}
        scene.proxy.answer(status, body, path="renew-self")
        scene.up()
        yield


for number, bodies in BODIES.items():
    for name, body in bodies.items():
        wrong_answers(number, name, body)


@fault("F34", "warnings full of control characters", kind="lasts", counts=None)
def warnings(scene):
    scene.proxy.alter(lambda body: body.update(warnings=["\x1b[31mred\x07\r\n[ERROR] forged"] * 200), path=DATA)
    scene.up()
    yield
    assert not scene.ours or not any(c in line for line in scene.program.err for c in "\x1b\x07"), "control characters in the log"
