"""What is told to an agent by its log's settings, by environment variables and by flags."""

import base64
import json
import re
import stat

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import user

ours = pytest.mark.skipif(original(), reason="the original has no such variable, or no such block")


def archives(folder):
    return sorted(p for p in folder.iterdir() if re.fullmatch(r"agent-\d{19}\.log", p.name))


def test_the_log_is_in_a_file_as_well_and_a_full_one_is_renamed(rendering, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    rendering(top={"log_file": logs / "agent.log", "log_rotate_bytes": 200, "log_rotate_max_files": 2})
    wait.until(lambda: len(archives(logs)) == 2, "two full log files")
    text = wait.until(lambda: wait.read(archives(logs)[0]), "lines in one of them")
    assert re.search(r"^\d{4}-\d\d-\d\dT\S+ \[(TRACE|DEBUG|INFO)\]", text), text
    wait.until(lambda: mode(logs / "agent.log") == 0o640, lambda: f"the mode of the log: {mode(logs / 'agent.log')}")


def mode(path):
    """None while it is not there, since it is just renamed."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


@ours
def test_a_log_file_that_somebody_moved_is_made_anew_and_one_without_a_folder_is_told(rendering, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    one = rendering(top={"log_file": f"{logs}/", "log_format": "json"})
    current = logs / "vault.log"
    first = json.loads(wait.until(lambda: wait.lines(current), "its first line")[0])
    assert first["@level"] == "info" and "started" in first["@message"]
    current.rename(logs / "vault.log.1")
    one.follows("bob")
    wait.until(lambda: wait.read(current), "a new log file")
    logs.rename(tmp_path / "elsewhere")
    one.follows("carol")
    one.agent.wait_log("log_file cannot be written as it should")
    logs.mkdir()
    one.follows("dave")
    one.agent.wait_log("log_file is written again")
    one.kept()


def test_an_agent_whose_log_file_cannot_be_opened_does_not_start(site, agent, tmp_path):
    config = site.config(site.login(), template("x", tmp_path / "out"), log_file=tmp_path / "no" / "agent.log")
    one = agent(config)
    assert one.wait_exit() == 1, one.log
    assert re.search(r"no/agent\.log.*no such file", one.log, re.IGNORECASE), one.log


def test_the_log_goes_to_standard_output_if_that_is_wanted(site, agent, tmp_path):
    log = tmp_path / "flag.log"
    config = site.config(site.login(), template("x", tmp_path / "out"), exit_after_auth=True)
    one = agent(config, "-combine-logs", f"--log-file={log}", "-log-rotate-bytes", "1000000")
    assert one.wait_exit() == 0, one.log
    assert any("agent.auth" in line for line in one.out), one.out
    assert not any("agent.auth" in line for line in one.err), one.err
    assert "agent.auth" in log.read_text()


@ours
@pytest.mark.parametrize("name, settings, seen, hidden", [
    ("allowed", {"allowlist": ["A_*", "PATH"], "denylist": ["A_SECRET"]}, {"A_1", "PATH", "VAULT_ADDR", "OWN"}, {"A_SECRET", "B_1"}),
    ("pristine", {"pristine": True}, {"VAULT_ADDR", "OWN"}, {"A_1", "A_SECRET", "B_1", "HOME"}),
])
def test_a_command_gets_those_of_the_variables_that_it_was_given(rendering, tmp_path, name, settings, seen, hidden):
    body = block("exec", command=["/usr/bin/env", "sh", "-c", f"env >{tmp_path}/env.new; mv {tmp_path}/env.new {tmp_path}/env"],
                 body=block("env", custom=["OWN=1", "PATH=/usr/bin:/bin"], **settings))
    rendering(template={"body": body}, env={"A_1": "1", "A_SECRET": "2", "B_1": "3"})
    text = wait.until(lambda: wait.read(tmp_path / "env"), "the command's environment")
    names = {line.partition("=")[0] for line in text.splitlines()}
    assert seen <= names and not hidden & names, names


@ours
@pytest.mark.parametrize("coded", [False, True])
def test_a_client_certificate_may_be_in_the_environment_and_its_key_is_there_no_longer(real_site, agent, authority, tmp_path, coded):
    strict, cert, key = real_site.server.strict_address, *authority.issue("someone")
    texts = [cert.read_bytes(), key.read_bytes()]
    texts = [(base64.b64encode(text) if coded else text).decode() for text in texts]
    command = block("exec", command=["sh", "-c", f"env >{tmp_path}/env.new; mv {tmp_path}/env.new {tmp_path}/env"])
    secret = real_site.kv2().put("app", user="alice")
    config = real_site.config(real_site.login(), template(user(secret), tmp_path / "user", body=command), vault={"address": strict})
    one = agent(config, env={"BAO_CLIENT_CERT_BYTES": texts[0], "VAULT_CLIENT_KEY_BYTES": texts[1]})
    wait.for_file(tmp_path / "user", "alice")
    text = wait.until(lambda: wait.read(tmp_path / "env"), "the command's environment")
    assert "CLIENT_KEY_BYTES" not in text
    piece = texts[1].strip().splitlines()[1 if not coded else 0][:40]
    assert piece not in one.proc("environ") and piece not in one.log


def test_headers_are_added_to_every_request(rendering, proxy):
    one = rendering(via=proxy, env={"VAULT_HEADERS": '{"X-Of-Variable": "1"}'})
    assert all(r.headers.get("X-Of-Variable") == "1" for r in proxy.requests), [r.headers for r in proxy.requests]
    one.kept()


@ours
def test_headers_of_flags_as_well_and_none_of_ours(site, agent, proxy, tmp_path):
    config = site.config(site.login(), template("x", tmp_path / "out"), via=proxy, exit_after_auth=True)
    one = agent(config, "-header", "X-Of-Flag=a=b")
    assert one.wait_exit() == 0, one.log
    assert proxy.requests and all(r.headers.get("X-Of-Flag") == "a=b" for r in proxy.requests)
    assert agent(config, "-header=X-Vault-Token=x").wait_exit() == 1


@ours
def test_a_rate_holds_for_every_request(site, agent, proxy, tmp_path):
    kv = site.kv2()
    templates = [template(user(kv.put(f"app{i}", user="alice")), tmp_path / f"user{i}") for i in range(10)]
    config = site.config(site.login(), *templates, via=proxy, exit_after_auth=True)
    one = agent(config, env={"VAULT_RATE_LIMIT": "2:1"})
    assert one.wait_exit() == 0, one.log
    times = [r.at for r in proxy.requests]
    # Two a second; without it all of them come within a fraction of one. When the first is seen is up to a machine that does other things.
    assert len(times) >= 11 and times[-1] - times[0] >= 0.5 * (len(times) - 1) - 2, times


@ours
def test_a_redirection_is_not_followed_when_that_is_not_wanted(site, agent, proxy, tmp_path):
    proxy.answer(307, method="PUT", path="/login$", Location=f"{site.address}/v1/auth/x/login")
    config = site.config(site.login(), template("x", tmp_path / "out"), via=proxy)
    one = agent(config, "-disable-redirects")
    one.wait_log("disable_redirects")
    assert one.running
