"""The token's life, changes at the server, signals, the agent's own file."""

import os
import signal

from support import canary

from .logins import role, token
from .reads import read
from .scenario import Scenario, method, one, sink, until
from .sinks import note_token

SOON = 'template_config { static_secret_render_interval = "1s" }\n'
OWN = '{{ with secret "@OWN@" }}{{ .Data.data.user }}{{ end }}'
TOKEN_FILE = method("token_file", token_file_path="@DIR@/given")


def brief(**settings):
    """A role whose tokens live for seconds."""
    return lambda twin: role(twin, twin.own("role"), bind_secret_id=False, **settings)


def another_token(twin):
    first = twin.file("token")
    twin.note("renewed or new", twin.file("token", differs_from=first) != first)
    note_token(twin, "token", twin.file("token"))


def renewed(times):
    """The same token is kept by renewals."""

    def play(twin):
        first = twin.file("token")
        twin.requested("auth/token/renew-self", times + (not twin.ours))  # the original renews at once as well
        twin.note("is the same token", twin.file("token") == first)
        note_token(twin, "token", first)

    return play


def revoked_for_templates(twin):
    """Nobody renews it for a month: that it is gone is seen when a secret is read."""
    first = twin.file("token")
    twin.file(content="alice")
    twin.world.vault.write("auth/token/revoke", token=first)
    twin.file("token", differs_from=first)
    twin.change(user="bob")
    twin.file(content="bob")


def revoked(twin):
    first = twin.file("token")
    twin.world.vault.write("auth/token/revoke", token=first)
    twin.file("token", differs_from=first)
    note_token(twin, "token", twin.file("token"))


def follows(twin):
    twin.file(content="alice")
    twin.change(user="bob")
    twin.file(content="bob")


def told(twin):
    """The command runs for the first text and for the change, and not for what stayed the same."""
    twin.file("told", content="told\n")
    count = twin.proxy.count("GET", "/own-")
    twin.requested("/own-", count + 3, "GET")
    twin.note("is told of no change", twin.file("told") != "told\n")
    twin.change(user="bob")
    twin.file(content="bob")
    twin.file("told", content="told\ntold\n")


def removed(twin):
    """A file that somebody removed."""
    twin.file(content="alice")
    twin.path("file").unlink()
    twin.file(content="alice")


def deleted(twin):
    """The file stays when the secret goes, and follows when it comes back."""
    twin.file(content="alice")
    path = f"{twin.world.kv}/data/{twin.own_secret}"
    count = twin.proxy.count("GET", "/own-")
    twin.world.vault.delete(path)
    twin.requested("/own-", count + 3, "GET")
    twin.note("stays", twin.file())
    twin.change(user="bob")
    twin.file(content="bob")


def two(twin):
    """Only what changed is written."""
    twin.file("a", content="alice")
    twin.file("b", content="alice")
    os.utime(twin.path("b"), (1, 1))
    twin.change(user="bob")
    twin.file("a", content="bob")
    twin.note("b was left alone", twin.path("b").stat().st_mtime == 1)


def after(number):
    def play(twin):
        twin.file()
        twin.signal(number)
        twin.ended()

    return play


def goes_on_after(number):
    """It lives, and works."""

    def play(twin):
        twin.file(content="alice")
        twin.signal(number)
        twin.change(user="bob")
        twin.file(content="bob")
        twin.note("runs", twin.process.running)

    return play


def while_it_waits(twin):
    """It is ended before it could log in."""
    twin.requested("/login")
    twin.signal(signal.SIGTERM)
    twin.ended()


def own_file(twin):
    twin.file("pid", content=str(twin.process.pid))
    twin.file("token")
    twin.note("its mode", oct(twin.path("pid").stat().st_mode))
    twin.stop()


def credentials_followed(twin):
    """New ones after the old ones could not be renewed any more."""
    first = twin.file()
    twin.file(differs_from=first)
    twin.path("file").unlink()


def lease_renewed(twin):
    first = twin.file()
    twin.requested("sys/leases/renew", 1 + (not twin.ours))
    twin.note("are the same", twin.file() == first)
    twin.stop()
    twin.path("file").unlink()


def row(name, blocks="", **more):
    return Scenario(name, blocks, **{"ends": False, "counted": False, **more})


PID = 'pid_file = "@OUT@/pid"\n'

SCENARIOS = [
    row("a token that lives for seconds is replaced", sinks=sink(), before=brief(token_ttl="3s", token_max_ttl="3s"), play=another_token),
    row("a token that cannot be renewed is replaced", sinks=sink(), before=brief(token_type="batch", token_ttl="3s"), play=another_token),
    row("a token is renewed", sinks=sink(), before=brief(token_ttl="9s", token_max_ttl="1h"), play=renewed(1)),
    row("a periodic token is renewed", sinks=sink(), before=brief(token_period="9s"), play=renewed(1)),
    row("a token that was revoked is replaced", sinks=sink(), before=brief(token_ttl="3s", token_max_ttl="1h"), play=revoked),
    row("a token that was revoked is replaced though only templates need it", one(OWN) + SOON, sinks=sink(), play=revoked_for_templates),
    row("a given token is renewed", auth=TOKEN_FILE, before=token(ttl="9s", explicit_max_ttl="1h"), play=renewed(1), sinks=sink()),
    row("a given root token is left alone", sinks=sink(), auth=TOKEN_FILE, before=lambda twin: twin.write("../given", canary.keep(twin.world.vault.token)), play=until("token")),
    row("a file follows its secret", one(OWN) + SOON, play=follows),
    row("a file of kv 1 follows its own ttl", read("@KV1@/short", "{{ .Data.user }}"), play=lambda twin: [twin.file(content="alice"), twin.requested("^/v1/kv-[^/]*/short$", 3, "GET")]),
    row("a command is told of changes alone", one(OWN, body='command = "echo told >>@OUT@/told"\n') + SOON, play=told),
    row("a file that was removed comes back", one(OWN) + SOON, play=removed),
    row("a file stays when its secret goes", one(OWN) + SOON, play=deleted),
    row("only the file of what changed is written", one(OWN, "a") + read("@KV@/data/app").replace("@OUT@/file", "@OUT@/b") + SOON, play=two),
    row("leased credentials are renewed", read("@DATABASE@/creds/short", "{{ .Data.username }}"), play=lease_renewed),
    row("leased credentials are replaced", read("@DATABASE@/creds/brief", "{{ .Data.username }}"), play=credentials_followed),
    row("a token that lasts is left alone", one("x"), sinks=sink(), play=lambda twin: [twin.file("token"), twin.file(), twin.ours or twin.requested("auth/token/renew-self")]),
    row("leased credentials that last are left alone", read("@DATABASE@/creds/app", "{{ .LeaseDuration }}"),
        play=lambda twin: [twin.file(), twin.ours or twin.requested("sys/leases/renew")]),
    row("SIGTERM", one("x"), play=after(signal.SIGTERM)),
    row("SIGINT", one("x"), play=after(signal.SIGINT)),
    row("SIGHUP", one(OWN) + SOON, play=goes_on_after(signal.SIGHUP)),
    row("SIGUSR1", one(OWN) + SOON, play=goes_on_after(signal.SIGUSR1)),
    row("SIGPIPE", one(OWN) + SOON, play=goes_on_after(signal.SIGPIPE)),
    row("SIGCHLD", one(OWN) + SOON, play=goes_on_after(signal.SIGCHLD)),
    row("SIGTERM while it waits for its login", one("x", "none/x", create_dest_dirs=False), sinks=sink(),
        auth=method("approle", 'mount_path = "auth/none"', role_id_file_path="@DIR@/role-id"), play=while_it_waits),
    row("the agent's own file", top=PID, play=own_file, sinks=sink()),
    row("the agent's own file over another", top=PID, sinks=sink(), before=lambda twin: twin.write("pid", "99999999999\n", 0o644), play=own_file),
    row("the agent's own file where there is no folder", top='pid_file = "@OUT@/none/pid"\n', sinks=sink(), play=lambda twin: twin.ended(), exit=1),
    Scenario("the agent's own file of one that ends", one("x"), top=PID),
    Scenario("exit_after_auth", sinks=sink()),
    Scenario("exit_after_auth waits for templates", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}'), sinks=sink(), shows={"file": "alice"}),
    Scenario("exit_after_auth by a flag", one("x"), sinks=sink(), ends=False, args=("-exit-after-auth", "-config=@DIR@/agent.hcl")),
    row("exit_after_auth taken back by a flag", one("x"), sinks=sink(), top="exit_after_auth = true\n", args=("-config=@DIR@/agent.hcl", "-exit-after-auth=false"), play=until("file", "token")),
]  # fmt: skip
