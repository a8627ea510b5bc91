"""Where the token goes."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from support.sealed import raw, unsealed

from .files import both, folder, link, there
from .scenario import Scenario, ended_by_ours, one, sink, until


def good(*names):
    """The token of each sink is one that the server knows."""

    def play(twin):
        twin.ended()
        for name in names or ["token"]:
            note_token(twin, name, twin.file(name))

    return play


def note_token(twin, name, token):
    policies = twin.world.vault.with_token(token).read("auth/token/lookup-self")["data"]["policies"]
    twin.note(f"{name} may", sorted("POLICY" if policy == twin.world.policy else policy for policy in policies))


def reader(twin):
    """Somebody for whom the token is sealed."""
    twin.key = X25519PrivateKey.generate()
    twin.write("../reader.pub", json.dumps({"curve25519_public_key": base64.b64encode(raw(twin.key.public_key())).decode()}))


def opened(**way):
    """What the reader gets; then the bytes, which are others every time, are taken away."""

    def play(twin):
        twin.ended()
        text = twin.file("token")
        twin.note("keys", sorted(json.loads(text)))
        twin.note("newline", text.endswith("\n"))
        note_token(twin, "token", unsealed(twin.key, text, **way))
        twin.path("token").write_text("")

    return play


def unwrapped(twin):
    twin.ended()
    info = json.loads(twin.file("token"))
    twin.note("keys", list(info))
    twin.note("way", [info["ttl"], info["creation_path"]])
    note_token(twin, "token", twin.world.vault.with_token(info["token"]).write("sys/wrapping/unwrap")["data"]["token"])
    twin.path("token").write_text("")


def login_unwrapped(twin):
    """The method's wrap_ttl: the login itself is answered with a wrapped token."""
    text = twin.file("token")
    info = json.loads(text)
    twin.note("keys", list(info))
    twin.note("way", [info["ttl"], info["creation_path"].replace(twin.world.approle, "APPROLE")])
    note_token(twin, "token", twin.world.vault.with_token(info["token"]).write("sys/wrapping/unwrap")["auth"]["client_token"])
    twin.path("token").write_text("")


WRAPPED = 'method "approle" { mount_path = "auth/@APPROLE@" wrap_ttl = "5m" config { role_id_file_path = "@DIR@/role-id" } }\n'


def row(name, sinks, **more):
    return Scenario(name, sinks=sinks, **more)


def refused(name, sinks, **more):
    return Scenario(name, sinks=sinks, exit=1, **more)


SCENARIOS = [
    row("a sink", sink(), play=good(), shows={"token": "TOKEN"}),
    row("two sinks", sink("a") + sink("b"), play=good("a", "b")),
    refused("no sink", ""),
    Scenario("no sink and a template", one("x")),
    row("a sink of a running agent", sink(), ends=False, play=until("token")),
    *(row(f"a sink with mode {mode}", sink(config=f"mode = {mode}")) for mode in ("0600", "0644", "384", "0777", "0400", "0", "0x1a4")),
    *(refused(f"a sink with mode {mode} refused", sink(config=f"mode = {mode}")) for mode in ('"0600"', "040600", "true", "-1")),
    row("a sink under a strict umask", sink(), umask=0o077),
    row("a sink with a mode under a strict umask", sink(config="mode = 0664"), umask=0o077),
    row("a sink with an owner", sink(config="owner = 1234 group = 1235"), shows={"token": "1234:1235"}),
    row("a sink with an owner alone", sink(config="owner = 1234")),
    row("a sink with a group alone", sink(config="group = 1235")),
    row("a sink with an owner in words", sink(config='owner = "1234"'), exit=1),
    row("a sink over another file", sink(), before=there("old", 0o604, (1234, 1235), "token"), play=good()),
    row("a sink over a link", sink(), before=both(there("old", name="real"), link("real", "token")), play=good()),
    row("a sink at a name with spaces", sink("a b")),
    row("a sink from the working folder", 'sink "file" { config { path = "out/token" } }\n', play=good()),
    refused("a sink without a path", 'sink "file" { config { } }\n'),
    refused("a sink without config", 'sink "file" { }\n'),
    refused("a sink in a folder that is not there", sink("none/token")),
    row("a sink where a folder is", sink(), exit=1, before=folder("token"), play=ended_by_ours),
    refused("a sink of a kind that nobody knows", 'sink "socket" { config { path = "@OUT@/token" } }\n'),
    refused("a sink without a kind", "sink { config { path = \"@OUT@/token\" } }\n"),
    row("a sink with its kind inside", 'sink { type = "file" config { path = "@OUT@/token" } }\n', play=good()),
    row("a sink with equals signs", 'sink "file" = { config = { path = "@OUT@/token" } }\n', exit=1),
    row("sinks in a block of sinks", 'sinks { sink { type = "file" config { path = "@OUT@/token" } } }\n', play=good()),
    row("a sink with a key that nobody knows", 'sink "file" { unknown = 1 config { path = "@OUT@/token" unknown = 1 } }\n', play=good()),
    row("a wrapped token", sink(wrap_ttl="5m"), play=unwrapped),
    row("a wrapped token in seconds", 'sink "file" { wrap_ttl = 300 config { path = "@OUT@/token" } }\n', play=unwrapped),
    row("a wrapped token beside a plain one", sink(wrap_ttl="5m") + sink("plain"), play=unwrapped),
    refused("a time for wrapping that is none", sink(wrap_ttl="soon")),
    row("a wrapped login", sink(), auth=WRAPPED, ends=False, play=login_unwrapped),
    refused("a wrapped login for two sinks", sink() + sink("b"), auth=WRAPPED),
    refused("a wrapped login that is wrapped again", sink(wrap_ttl="5m"), auth=WRAPPED),
    refused("a wrapped login without a sink", "", auth=WRAPPED),
    row("a sealed token", sink(**{"dh_type": "curve25519", "dh_path": "@DIR@/reader.pub"}), before=reader, play=opened()),
    row("a sealed token with a derived key", sink(dh_type="curve25519", dh_path="@DIR@/reader.pub", derive_key=True), before=reader, play=opened(derive_key=True)),
    row("a sealed token for a context", sink(dh_type="curve25519", dh_path="@DIR@/reader.pub", aad="who"), before=reader, play=opened(aad="who")),
    row("a sealed token for a context of the environment", sink(dh_type="curve25519", dh_path="@DIR@/reader.pub", aad_env_var="WHO"), before=reader,
        env={"WHO": "me"}, play=opened(aad="me")),
    row("a sealed token for all of that", sink(dh_type="curve25519", dh_path="@DIR@/reader.pub", derive_key=True, aad="who"), before=reader,
        play=opened(derive_key=True, aad="who")),
    refused("a seal without a reader", sink(dh_type="curve25519")),
    refused("a reader without a seal", sink(dh_path="@DIR@/reader.pub")),
    refused("a seal of another kind", sink(dh_type="rsa", dh_path="@DIR@/reader.pub")),
    refused("a context without a seal", sink(aad="who")),
    refused("a derived key without a seal", sink(derive_key=True)),
]  # fmt: skip
