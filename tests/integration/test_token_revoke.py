"""`vault token revoke -self`, as the preStop hook of HashiCorp's injector calls it: the token that the agent left is gone afterwards."""

import os
import subprocess

import pytest
from support.agent import original, program, template
from support.process import free_port
from support.rendering import user
from support.vault import VaultError

both_servers = pytest.mark.both_servers
SUCCESS = "Success! Revoked token (if it existed)\n"


@pytest.fixture
def token(site):
    return site.vault.write("auth/token/create", ttl="1h", policies=["default"])["auth"]["client_token"]


def alive(site, token):
    try:
        return site.vault.write("auth/token/lookup", token=token) is not None
    except VaultError as e:
        assert e.status in (403, 404)
        return False


def revoke(*flags, home, **env):
    argv = [program("ampule-agent"), "token", "revoke", *map(str, flags)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), **{name: str(value) for name, value in env.items()}}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=60)


def hook(site):
    return f"-address={site.address}", f"-ca-cert={site.ca_file}"


@both_servers
def test_the_token_in_the_home_folder_is_revoked(site, token, tmp_path):
    (tmp_path / ".vault-token").write_text(token + "\n")
    done = revoke(*hook(site), "-self", home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, SUCCESS, "")
    assert not alive(site, token)


@both_servers
def test_the_token_that_a_sink_holds_is_revoked(site, agent, tmp_path):
    login = site.login()
    sink = login.sink(tmp_path / ".vault-token")
    path = site.kv2().put("app", user="alice")
    agent(site.config(login, template(user(path), tmp_path / "user"), exit_after_auth=True)).wait_exit()
    token = sink.read_text()
    assert alive(site, token)
    assert revoke(*hook(site), "-self", home=tmp_path).returncode == 0
    assert not alive(site, token)


def test_the_environment_names_server_and_token(site, token, tmp_path):
    done = revoke("-self", home=tmp_path, VAULT_ADDR=site.address, VAULT_CACERT=site.ca_file, VAULT_TOKEN=token)
    assert (done.returncode, done.stdout) == (0, SUCCESS)
    assert not alive(site, token)


@pytest.mark.skipif(original(), reason="the original knows no BAO_ names")
def test_the_environment_may_use_openbaos_names(site, token, tmp_path):
    done = revoke("-self", home=tmp_path, BAO_ADDR=site.address, BAO_CACERT=site.ca_file, BAO_TOKEN=token)
    assert done.returncode == 0
    assert not alive(site, token)


def test_a_flag_counts_more_than_the_environment(site, token, tmp_path):
    done = revoke(*hook(site), "-self", home=tmp_path, VAULT_ADDR=f"https://127.0.0.1:{free_port()}", VAULT_TOKEN=token)
    assert done.returncode == 0


def test_a_token_in_the_environment_counts_more_than_the_file(site, token, tmp_path):
    kept = site.vault.write("auth/token/create", ttl="1h", policies=["default"])["auth"]["client_token"]
    (tmp_path / ".vault-token").write_text(kept)
    assert revoke(*hook(site), "-self", home=tmp_path, VAULT_TOKEN=token).returncode == 0
    assert alive(site, kept) and not alive(site, token)


def test_a_client_certificate_is_shown(site, token, authority, tmp_path):
    cert, key = authority.issue("app")
    (tmp_path / ".vault-token").write_text(token)
    done = revoke(*hook(site), f"-client-cert={cert}", f"-client-key={key}", "-self", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, SUCCESS)


def test_a_token_that_is_no_longer_good_is_an_error_of_the_request(site, token, tmp_path):
    (tmp_path / ".vault-token").write_text(token)
    assert revoke(*hook(site), "-self", home=tmp_path).returncode == 0
    done = revoke(*hook(site), "-self", home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error revoking token: ") and "403" in done.stderr
    assert token not in done.stderr


def test_no_token_at_all_is_an_error_of_the_request(site, tmp_path):
    done = revoke(*hook(site), "-self", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("Error revoking token: ")


def test_a_missing_ca_file_is_named(site, token, tmp_path):
    done = revoke(f"-address={site.address}", "-ca-cert=/no/such.pem", "-self", home=tmp_path, VAULT_TOKEN=token)
    assert done.returncode == 2
    assert "/no/such.pem" in done.stderr
    assert alive(site, token)


@pytest.mark.parametrize("fault", ["reset", "error"])
def test_what_may_pass_is_tried_again(proxy, token, tmp_path, fault):
    if fault == "reset":
        proxy.reset("PUT", "/revoke-self", times=1)
    else:
        proxy.error(503, method="PUT", path="/revoke-self", times=1)
    done = revoke(*hook(proxy), "-self", home=tmp_path, VAULT_TOKEN=token)
    assert (done.returncode, done.stdout) == (0, SUCCESS)
    assert proxy.count("PUT", "/revoke-self") == 2


def test_a_server_that_stays_away_ends_it(tmp_path):
    done = revoke(f"-address=http://127.0.0.1:{free_port()}", "-self", home=tmp_path, VAULT_TOKEN="hvs.none")
    assert done.returncode == 2
    assert "refused" in done.stderr


@pytest.mark.parametrize("flags", [[], ["-config=x", "-self"], ["-self", "somebody"], ["-no-such", "-self"]])
def test_a_wrong_command_line_revokes_nothing(site, token, tmp_path, flags):
    done = revoke(*hook(site), *flags, home=tmp_path, VAULT_TOKEN=token)
    assert done.returncode == 1
    assert done.stderr
    assert alive(site, token)
