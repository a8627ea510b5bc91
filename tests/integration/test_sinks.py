"""Sinks that wrap and seal: what the reader gets, by the originals' recipe and by `ampule unseal-token`; the original beside."""

import base64
import json
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from support import agent as agents
from support import wait
from support.process import Process
from support.sealed import raw, unsealed
from support.server import binary

WAYS = [{}, {"derive_key": True}, {"aad": "who reads"}, {"derive_key": True, "aad": "who reads"}]


class Reader:
    """A key pair that `ampule` made."""

    def __init__(self, folder):
        self.key_file, self.public = folder / "reader.key", folder / "reader.pub"
        self.public.write_text(self.ampule("--make-key"))
        self.key = X25519PrivateKey.from_private_bytes(base64.b64decode(self.key_file.read_text()))
        assert self.key_file.stat().st_mode & 0o777 == 0o600
        assert base64.b64decode(json.loads(self.public.read_text())["curve25519_public_key"]) == raw(self.key.public_key())

    def ampule(self, *args, status=0):
        done = subprocess.run([agents.program("ampule"), "unseal-token", f"--key={self.key_file}", *args], capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout


def options(way):
    return (["--derive-key"] if way.get("derive_key") else []) + ([f"--aad={way['aad']}"] if way.get("aad") else [])


def peer(folder, config):
    """The original, from the server's own binary."""
    (folder / "peer.hcl").write_text(config)
    return Process([binary(), "agent", f"-config={folder}/peer.hcl"], cwd=folder)


def works(site, token):
    return site.vault.with_token(token).read("auth/token/lookup-self")["data"]["id"] == token


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_sealed_token_is_for_its_reader(site, agent, tmp_path, reader, way):
    login = site.login()
    login.sink(tmp_path / "token", dh_type="curve25519", dh_path=reader.public, **way)
    agent(site.config(login))
    text = wait.until(lambda: wait.read(tmp_path / "token"), "the sink")
    token = unsealed(reader.key, text, **way)
    assert works(site, token) and token not in text
    assert reader.ampule(*options(way), str(tmp_path / "token")) == token + "\n"


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_the_original_sealed_is_read_as_well(site, tmp_path, reader, way):
    login = site.login()
    login.sink(tmp_path / "token", dh_type="curve25519", dh_path=reader.public, **way)
    process = peer(tmp_path, site.config(login))
    try:
        text = wait.until(lambda: wait.read(tmp_path / "token"), lambda: process.log)
    finally:
        process.stop()
    assert reader.ampule(*options(way), str(tmp_path / "token")) == unsealed(reader.key, text, **way) + "\n"


def test_the_aad_may_be_a_variable(site, agent, tmp_path, reader):
    login = site.login()
    login.sink(tmp_path / "token", dh_type="curve25519", dh_path=reader.public, aad="not this", aad_env_var="TEST_AAD")
    agent(site.config(login), env={"TEST_AAD": "this"})
    text = wait.until(lambda: wait.read(tmp_path / "token"), "the sink")
    assert works(site, unsealed(reader.key, text, aad="this"))
    assert "another key" in reader.ampule("--aad=not this", str(tmp_path / "token"), status=1)


def test_a_reader_that_comes_later_is_waited_for(site, agent, tmp_path, reader):
    login = site.login()
    late = tmp_path / "keys" / "late.pub"
    late.parent.mkdir()
    login.sink(tmp_path / "token", dh_type="curve25519", dh_path=late)
    one = agent(site.config(login))
    one.wait_log("dh_path .*late.pub")
    assert not (tmp_path / "token").exists()
    reader.public.rename(late)
    text = wait.until(lambda: wait.read(tmp_path / "token"), lambda: one.log)
    assert works(site, unsealed(reader.key, text))


def test_a_wrapped_token_is_fetched_once(site, agent, tmp_path):
    login = site.login()
    login.sink(tmp_path / "token", wrap_ttl="5m")
    login.sink(tmp_path / "plain")
    agent(site.config(login))
    info = json.loads(wait.until(lambda: wait.read(tmp_path / "token"), "the sink"))
    plain = wait.until(lambda: wait.read(tmp_path / "plain"), "the other sink")
    assert list(info) == ["token", "accessor", "ttl", "creation_time", "creation_path", "wrapped_accessor"]
    assert (info["ttl"], info["creation_path"]) == (300, "sys/wrapping/wrap")
    assert site.vault.with_token(info["token"]).write("sys/wrapping/unwrap")["data"] == {"token": plain}


def shape(text):
    """What is the same for every token: names in their order, the newline, the settings."""
    info = json.loads(text)
    return list(info), text[-1], len(text) - len("".join(map(str, info.values()))), info["ttl"], info["creation_path"]


def test_the_original_writes_the_same_of_a_wrapped_token(site, agent, tmp_path):
    login, shapes = site.login(), []
    for name, start in (("ours", agent), ("peer", lambda config: peer(tmp_path, config))):
        login.sinks = ""
        login.sink(tmp_path / name, wrap_ttl="5m")
        process = start(site.config(login))
        shapes.append(shape(wait.until(lambda name=name: wait.read(tmp_path / name), lambda process=process: process.log)))
        process.stop()
    assert shapes[0] == shapes[1]


def test_a_wrapped_token_is_sealed_as_well(site, agent, tmp_path, reader):
    login = site.login()
    login.sink(tmp_path / "token", wrap_ttl="5m", dh_type="curve25519", dh_path=reader.public)
    agent(site.config(login))
    wait.until(lambda: wait.read(tmp_path / "token"), "the sink")
    info = json.loads(reader.ampule(str(tmp_path / "token")))
    assert works(site, site.vault.with_token(info["token"]).write("sys/wrapping/unwrap")["data"]["token"])


def test_a_token_that_may_not_wrap_is_said_and_the_other_sinks_are_written(site, agent, tmp_path):
    login = site.login(rules={"auth/token/lookup-self": ["read"], "sys/wrapping/wrap": ["deny"]})
    login.sink(tmp_path / "token", wrap_ttl="5m")
    login.sink(tmp_path / "plain")
    one = agent(site.config(login))
    one.wait_log("wrapping the token: .*403")
    assert wait.until(lambda: wait.read(tmp_path / "plain"), "the other sink")
    assert not (tmp_path / "token").exists()
