"""Every way to log in that both know, and what becomes of the files of its secrets."""

from support import canary

from .files import both, folder, there
from .scenario import Scenario, method, sink, until
from .sinks import note_token


def good(*left):
    """Logged in: the sink's token has the policy. `left` are files whose fate is noted; removal may come a little after the token."""

    def play(twin):
        note_token(twin, "token", twin.file("token"))
        for name in left:
            if twin.texts.get("removes"):
                twin.until(lambda name=name: not twin.path(name).exists(), f"{name} to be removed")
            twin.note(f"{name} is left", twin.path(name).exists() or twin.path(name).is_symlink())

    return play


def removing(twin):
    twin.texts["removes"] = "yes"


def login(name, auth, **more):
    return Scenario(name, auth=auth, sinks=sink(), **{"ends": False, "play": good(), "counted": False, **more})


def fails(name, auth, **more):
    """It cannot log in, and the configuration says to end then."""
    return Scenario(name, auth=auth, sinks=sink(), **{"ends": False, "exit": 1, "counted": False, **more})


# ------------------------------------------------------------------------------------------------------------------------- approle


def approle(body="", mount='mount_path = "auth/@APPROLE@"', role="@DIR@/role-id", secret="@DIR@/ids/secret", **config):
    given = {"role_id_file_path": role, **({"secret_id_file_path": secret} if secret else {}), **config}
    return method("approle", f"{mount}\n{body}", **given)


def role(twin, name, **settings):
    """A role of the mount that all share, which asks for a secret id; its id and a secret id in files."""
    world = twin.world
    path = f"auth/{world.approle}/role/{name}"
    if settings.get("bind_secret_id") is False:
        settings["token_bound_cidrs"] = ["127.0.0.0/8"]  # a role wants something
    world.vault.write(path, token_policies=[world.policy], **settings)
    twin.write("../role-id", world.vault.read(f"{path}/role-id")["data"]["role_id"])
    return path


def secret_id(form="%s", **settings):
    def make(twin):
        path = role(twin, twin.own("role"), **settings)
        twin.texts["role_path"] = path
        twin.write("../ids/secret", form % canary.keep(twin.world.vault.write(f"{path}/secret-id")["data"]["secret_id"]))

    return make


def wrapped_secret_id(twin):
    path = role(twin, twin.own("role"))
    twin.texts["role_path"] = path
    answer = twin.world.vault.request("POST", f"{path}/secret-id", {}, X_Vault_Wrap_TTL="5m")
    twin.write("../ids/secret", canary.keep(answer["wrap_info"]["token"]))


def long_name(twin):
    role(twin, twin.own("role") + "x" * 200, bind_secret_id=False)


KEEPS = {"remove_secret_id_file_after_reading": False}
ENDS = "exit_on_err = true"

APPROLE = [
    login("approle", approle(secret=None)),
    login("approle until it ends", approle(secret=None), ends=True, counted=True),
    login("approle with a secret id, which is removed", approle(), before=both(secret_id(), removing), play=good("../ids/secret")),
    login("approle with a secret id that stays", approle(**KEEPS), before=secret_id(), play=good("../ids/secret")),
    login("approle with white space around its ids", approle(**KEEPS), before=secret_id(" %s\n\n"), play=good()),
    fails("approle with an empty secret id", approle(ENDS, **KEEPS),
          before=both(lambda twin: role(twin, twin.own("role"), bind_secret_id=False), there("", name="../ids/secret"))),
    login("approle with a long name of its role", approle(secret=None), before=long_name),
    login("approle with a wrapped secret id", approle(secret_id_response_wrapping_path="@ROLE_PATH@/secret-id"), before=both(wrapped_secret_id, removing),
          play=good("../ids/secret")),
    fails("approle with a wrapped secret id of another path", approle(ENDS, secret_id_response_wrapping_path="auth/other/role/x/secret-id"), before=wrapped_secret_id),
    fails("approle with a secret id where a wrapped one should be", approle(ENDS, secret_id_response_wrapping_path="@ROLE_PATH@/secret-id"), before=secret_id()),
    fails("approle without its role id", approle(ENDS, role="@DIR@/none", secret=None)),
    fails("approle with an empty role id", approle(ENDS, secret=None), before=there("", name="../role-id")),
    fails("approle without its secret id", approle(ENDS), before=lambda twin: role(twin, twin.own("role"))),
    fails("approle with a wrong role id", approle(ENDS, secret=None), before=there("wrong", name="../role-id")),
    fails("approle with a wrong secret id", approle(ENDS, **KEEPS), before=both(lambda twin: role(twin, twin.own("role")), there("wrong", name="../ids/secret"))),
    fails("approle without a path", method("approle", "", unknown="x")),
    fails("approle at a mount that is not there", approle(ENDS, mount='mount_path = "auth/none"', secret=None)),
    login("approle at a mount with slashes", approle(mount='mount_path = "auth/@APPROLE@/"', secret=None)),
    login("approle at a mount with a slash before it", approle(mount='mount_path = "/auth/@APPROLE@"', secret=None)),
    login("approle in a namespace of a server without any", approle('namespace = "none"', secret=None)),
    fails("approle with pauses that cannot be", approle('min_backoff = "10s"\nmax_backoff = "5s"', secret=None)),
    fails("approle with pauses in words", approle('min_backoff = "soon"\nmax_backoff = "5s"', secret=None)),
    login("approle with its own pauses", approle('min_backoff = "100ms"\nmax_backoff = "1s"', secret=None)),
]  # fmt: skip


# ----------------------------------------------------------------------------------------------------------------------------- jwt


def jwt(body="", **config):
    return method("jwt", f'mount_path = "auth/@JWT@"\n{body}', **{"path": "@DIR@/jwt/token", "role": "app", **config})


def signed(name="../jwt/token", form="%s"):
    return lambda twin: twin.write(name, form % canary.keep(twin.world.jwt_signer.jwt(sub="app", aud="vault")))


def linked(twin):
    """As kubelet projects it: a link to the file."""
    signed("../jwt/real")(twin)
    twin.path("../jwt/token").symlink_to("real")


def appears(twin):
    twin.until(lambda: twin.process.log, "the agent to start")
    signed("../jwt/other")(twin)
    twin.path("../jwt/other").rename(twin.path("../jwt/token"))
    good()(twin)


STAYS = {"remove_jwt_after_reading": False}

JWT = [
    login("jwt, which is removed", jwt(), before=both(signed(), removing), play=good("../jwt/token")),
    login("jwt that stays", jwt(**STAYS), before=signed(), play=good("../jwt/token")),
    login("jwt that stays by a string", jwt(remove_jwt_after_reading="false"), before=signed(), play=good("../jwt/token")),
    login("jwt until it ends", jwt(**STAYS), before=signed(), ends=True, play=None, counted=True),
    login("jwt with a newline", jwt(**STAYS), before=signed(form="%s\n")),
    login("jwt behind a link, which is removed", jwt(), before=both(linked, removing), play=good("../jwt/token")),
    login("jwt behind a link whose target is removed", jwt(remove_jwt_follows_symlinks=True), before=linked,
          play=lambda twin: [twin.file("token"), twin.until(lambda: not twin.path("../jwt/real").exists(), "the target to be removed"),
                             twin.note("the link is left", twin.path("../jwt/token").is_symlink())]),
    login("jwt behind a link that stays", jwt(**STAYS), before=linked, play=good("../jwt/token", "../jwt/real")),
    login("jwt that comes later", jwt(**STAYS), before=folder("../jwt"), play=appears),
    fails("jwt that is none", jwt(ENDS, **STAYS), before=there("no.jwt.here", name="../jwt/token")),
    fails("jwt without its role", method("jwt", 'mount_path = "auth/@JWT@"', path="@DIR@/jwt/token")),
    fails("jwt without its path", method("jwt", 'mount_path = "auth/@JWT@"', role="app")),
    fails("jwt of a role that is not there", jwt(ENDS, role="none", **STAYS), before=signed()),
    fails("jwt with a period that is none", jwt(jwt_read_period="soon"), before=signed()),
]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------- kubernetes


def kubernetes(body="", **config):
    return method("kubernetes", f'mount_path = "auth/@KUBERNETES@"\n{body}', **{"role": "@K8S_ROLE@", "token_path": "@DIR@/account/token", **config})


def account(form="%s", **claims):
    def make(twin):
        login = twin.world.kubernetes_login
        twin.texts["k8s_role"] = login.role
        twin.texts["kubernetes"] = login.mount
        twin.write("../account/token", form % twin.world.cluster.token(**claims))

    return make


def good_account(twin):
    twin.note("token", twin.world.vault.with_token(twin.file("token")).read("auth/token/lookup-self")["data"]["path"])


KUBERNETES = [
    login("kubernetes", kubernetes(), before=account(), play=good_account),
    login("kubernetes until it ends", kubernetes(), before=account(), play=None, ends=True, counted=True),
    login("kubernetes with white space around its token", kubernetes(), before=account("\n %s \n"), play=good_account),
    login("kubernetes with a token that comes later", kubernetes(), before=both(account(), lambda twin: twin.path("../account/token").rename(twin.path("../account/later"))),
          play=lambda twin: [twin.until(lambda: twin.process.log, "the agent to start"), twin.path("../account/later").rename(twin.path("../account/token")), good_account(twin)]),
    fails("kubernetes without its token", kubernetes(ENDS), before=both(account(), lambda twin: twin.path("../account/token").unlink())),
    fails("kubernetes of another account", kubernetes(ENDS), before=account(name="stranger")),
    fails("kubernetes with a token that has ended", kubernetes(ENDS), before=account(ttl=-60)),
    fails("kubernetes without its role", method("kubernetes", token_path="@DIR@/token"), before=account()),
    fails("kubernetes with an empty role", method("kubernetes", role=""), before=account()),
]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------------- cert

STRICT = 'address = "@STRICT@"\n'  # the proxy has no certificate of the agent's to show
OWN_CERT = {"client_cert": "@CLIENT_CERT@", "client_key": "@CLIENT_KEY@", "ca_cert": "@CA@"}


# ------------------------------------------------------------------------------------------------------------- tokens and the rest


def token_file(body="", **config):
    return method("token_file", body, **{"token_file_path": "@DIR@/given", **config})


def token(form="%s", **settings):
    def make(twin):
        made = twin.world.vault.write("auth/token/create", policies=[twin.world.policy], **settings)["auth"]["client_token"]
        twin.write("../given", form % canary.keep(made))

    return make


def root(twin):
    twin.write("../given", twin.world.vault.token)


def directory(twin):
    """A directory with one person in it, and her password in a file; shared by who needs it."""
    twin.write("../secret/password", twin.world.directory.password)


def ldap(body="", **config):
    return method("ldap", f'mount_path = "auth/@LDAP@"\n{body}', **{"username": "anna", "password_file_path": "@DIR@/secret/password", **config})


OTHERS = [
    login("token_file", token_file(), before=token(), counted=True),
    login("token_file until it ends", token_file(), before=token(), ends=True, play=None, counted=True),
    login("token_file with white space", token_file(), before=token(" %s\n")),
    login("token_file with a token that ends", token_file(), before=token(ttl="1h")),
    login("token_file with a batch token", token_file(), before=token(type="batch")),
    login("token_file with the root token", token_file(), before=root, play=until("token")),
    login("token_file with a mount that is ignored", token_file('mount_path = "auth/none"'), before=token()),
    fails("token_file without its file", token_file(ENDS)),
    fails("token_file with an empty file", token_file(ENDS), before=there("", name="../given")),
    fails("token_file with a token that nobody knows", token_file(ENDS), before=there("hvs.unknown", name="../given")),
    fails("token_file without a path", method("token_file")),
    login("ldap, whose password is removed", ldap(), before=both(directory, removing), play=good("../secret/password")),
    login("ldap with a password that stays", ldap(remove_password_after_reading=False), before=directory, play=good("../secret/password")),
    fails("ldap with a wrong password", ldap(ENDS, remove_password_after_reading=False), before=both(directory, there("wrong", name="../secret/password"))),
    fails("ldap without a name", method("ldap", password_file_path="@DIR@/password")),
    fails("a login of a kind that nobody knows", method("none")),
    fails("a login without a kind", "method { config { } }\n"),
    fails("two logins", token_file() + token_file(), before=token()),
    fails("no login", ""),
    login("a login with its kind inside", 'method { type = "token_file" config { token_file_path = "@DIR@/given" } }\n', before=token()),
    login("a login whose kind is in capitals", 'method "TOKEN_FILE" { config { token_file_path = "@DIR@/given" } }\n', before=token()),
    login("a login with a block that is not closed off", 'method "token_file" { config = { token_file_path = "@DIR@/given" } }\n', before=token()),
    login("a login with keys that nobody knows", token_file("unknown = 1", unknown="x"), before=token()),
]  # fmt: skip

CERT = [
    login("cert", method("cert", 'mount_path = "auth/@CERT@"', **OWN_CERT), vault=STRICT),
    login("cert with a name", method("cert", 'mount_path = "auth/@CERT@"', name="app", **OWN_CERT), vault=STRICT),
    login("cert with the server's certificate", method("cert", 'mount_path = "auth/@CERT@"'), vault=STRICT + 'client_cert = "@CLIENT_CERT@"\nclient_key = "@CLIENT_KEY@"\n'),
    login("cert that is read again", method("cert", 'mount_path = "auth/@CERT@"', reload=True, **OWN_CERT), vault=STRICT),
    fails("cert with a name that is not there", method("cert", f'mount_path = "auth/@CERT@"\n{ENDS}', name="none", **OWN_CERT), vault=STRICT),
    fails("cert without a certificate", method("cert", f'mount_path = "auth/@CERT@"\n{ENDS}'), vault='address = "@DIRECT@"\n'),
]  # fmt: skip

SCENARIOS = [*CERT, *APPROLE, *JWT, *KUBERNETES, *OTHERS]
