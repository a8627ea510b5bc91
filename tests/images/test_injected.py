"""The image agent-compat in the place of HashiCorp's, under the command lines and the environment that HashiCorp's injector writes."""

import pytest
from images.pods import Pod
from support import wait
from support.vault import VaultError

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images


@pytest.fixture
def secret(site):
    return site.kv2()


@pytest.fixture(params=["generated", "configmap"])
def pod(request, images, site, secret, container, tmp_path):
    """With the configuration in VAULT_CONFIG, and with files of a ConfigMap."""
    return Pod(request.param, site, container, tmp_path, secret.put("app", user="alice", canary="of no interest"))


def token_of(pod):
    return wait.for_file(pod.home / ".vault-token", contains=".")


def is_alive(site, token):
    try:
        return site.vault.with_token(token).read("auth/token/lookup-self") is not None
    except VaultError:
        return False


def test_the_init_container_writes_the_file_and_ends(pod):
    init = pod.start("init")
    assert init.wait_exit(180) == 0, init.log
    assert pod.file.read_text().startswith("data: map[canary:of no interest user:alice]\nmetadata: map[")
    assert pod.file.stat().st_uid == 100 and pod.file.stat().st_gid == 1000


def test_the_sidecar_follows_the_secret_and_ends_when_it_is_told(pod, secret):
    sidecar = pod.start("sidecar")
    wait.for_file(pod.file, contains="user:alice")
    secret.put("app", user="bob", canary="of no interest")
    wait.for_file(pod.file, contains="user:bob")
    assert sidecar.stop() == 0, sidecar.log


@pytest.mark.parametrize("pod", ["generated"], indirect=True)
def test_the_hook_before_the_end_revokes_the_token(pod, site):
    sidecar = pod.start("sidecar")
    token = token_of(pod)
    assert is_alive(site, token)
    done = sidecar.exec(*pod.pre_stop())
    assert "Success! Revoked token" in done.stdout
    assert not is_alive(site, token)


def test_the_container_has_the_rights_that_it_was_given(pod, engine):
    sidecar = pod.start("sidecar")
    wait.for_file(pod.file)
    pid = engine.inspect(sidecar.name, "container")["State"]["Pid"]
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines())
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert sidecar.exec("/bin/touch", "/etc/new", check=False).returncode != 0
