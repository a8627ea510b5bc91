"""`ampule-agent generate-config`: what it writes is what the original writes, and both run with it."""

import os
import subprocess

import pytest
from support import server
from support.agent import program
from support.site import unique


@pytest.fixture
def kv(real_site):
    """Two mounts of both versions, with secrets in folders."""
    one, two = real_site.kv1(), real_site.kv2()
    for kv in (one, two):
        kv.put("app/db", user="alice", password="p")
        kv.put("app/deep/er/api-key", token="t")
        kv.put("plain", value="v")
    return one, two


def run(site, folder, *arguments, binary=None, home=None, **variables):
    """A finished process, in the folder."""
    names = {"PATH": os.environ["PATH"], "HOME": str(home or folder), "VAULT_ADDR": site.address, "VAULT_CACERT": str(site.ca_file),
             "VAULT_TOKEN": site.vault.token, **variables}
    names = {name: value for name, value in names.items() if value is not None}
    command = [binary or program("ampule-agent"), "agent", "generate-config", *arguments]
    return subprocess.run(command, cwd=folder, env=names, capture_output=True, text=True, timeout=60, check=False)


def original():
    return server.binary()


def test_it_writes_what_the_original_writes(real_site, kv, tmp_path):
    one, two = kv
    paths = [f"-path={one.mount}/app/*", f"-path={two.mount}/app/*", "-path", f"/{one.mount}/plain/", f"--path={two.mount}/data/plain", f"-path={two.mount}/app/db"]
    paths = paths[:4]
    ours = run(real_site, tmp_path, "-type=env-template", "-exec=./my-app arg1  arg2", *paths, "ours.hcl")
    theirs = run(real_site, tmp_path, "-type=env-template", "-exec=./my-app arg1  arg2", *paths, "theirs.hcl", binary=original())
    assert (ours.returncode, theirs.returncode) == (0, 0), ours.stderr + theirs.stderr
    text = (tmp_path / "ours.hcl").read_text()
    # The same names in both mounts: the original writes a variable twice, which its own agent then refuses.
    assert text.replace('_2" {', '" {') == (tmp_path / "theirs.hcl").read_text()
    assert '"ours.hcl"' in ours.stdout and "token_file" in ours.stderr
    assert real_site.vault.token not in text + ours.stdout + ours.stderr


def test_both_accept_it_and_the_program_gets_its_variables(real_site, kv, tmp_path):
    two = kv[1]
    two.put("odd", **{"a-b": "1", "user name": "2", "quo\"te": "3"})
    (tmp_path / ".vault-token").write_text(real_site.vault.token)
    done = run(real_site, tmp_path, "-type", "env-template", f"-exec=/usr/bin/env", f"-path={two.mount}/*", VAULT_TOKEN=None)
    assert done.returncode == 0, done.stderr
    for binary in (program("ampule-agent"), original()):
        judged = subprocess.run([binary, "agent", "-config=agent.hcl", "-test-verify-only"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert judged.returncode == 0, judged.stdout + judged.stderr
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VAULT_CACERT": str(real_site.ca_file)}
    ran = subprocess.run([program("ampule-agent"), "agent", "-config=agent.hcl"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    said = set(ran.stdout.splitlines())
    assert {"DB_USER=alice", "DB_PASSWORD=p", "API_KEY_TOKEN=t", "PLAIN_VALUE=v", "ODD_A_B=1", "ODD_USER_NAME=2", "ODD_QUO_TE=3"} <= said, ran.stdout + ran.stderr


def test_what_was_deleted_below_a_star_is_left_out_and_told(real_site, kv, tmp_path):
    two = kv[1]
    real_site.vault.delete(f"{two.mount}/data/plain")
    done = run(real_site, tmp_path, "-type=env-template", f"-path={two.mount}/*")
    assert done.returncode == 0 and "left out: " in done.stderr and f"{two.mount}/data/plain" in done.stderr, done.stderr
    assert "DB_USER" in (tmp_path / "agent.hcl").read_text()


@pytest.mark.parametrize("code, words, arguments", [
    (1, "-type", []),
    (1, "env-template", ["-type=other"]),
    (1, "argument", ["-type=env-template", "a.hcl", "b.hcl"]),
    (1, "unknown flag", ["-type=env-template", "-no-such"]),
    (2, "star", ["-type=env-template", "-path=secret/*/a"]),
    (2, "no-such", ["-type=env-template", "-path=MOUNT/no-such"]),
    (2, "403", ["-type=env-template", "-path=no/such/mount"]),
    (3, "no/agent.hcl", ["-type=env-template", "-path=MOUNT/plain", "no/agent.hcl"]),
])
def test_errors_have_the_originals_exit_codes_and_leave_no_file(real_site, kv, tmp_path, code, words, arguments):
    arguments = [argument.replace("MOUNT", kv[1].mount) for argument in arguments]
    ours = run(real_site, tmp_path, *arguments)
    assert ours.returncode == code and words in ours.stderr, ours.stderr
    assert run(real_site, tmp_path, *arguments, binary=original()).returncode == code
    assert not (tmp_path / "agent.hcl").exists()


def test_without_a_token_that_is_said(real_site, tmp_path):
    done = run(real_site, tmp_path, "-type=env-template", f"-path={unique('x')}/a", VAULT_TOKEN=None)
    assert done.returncode == 2 and "no token" in done.stderr, done.stderr


def test_the_help_tells_flags_and_codes(tmp_path):
    done = subprocess.run([program("ampule-agent"), "generate-config", "-help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and all(word in done.stdout for word in ("-type=", "-path=", "-exec=", "-address=", "3 ")), done.stdout
