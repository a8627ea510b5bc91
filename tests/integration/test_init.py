"""Init mode: 0 when every file is there, anything else when the originals would say so, and the cause as the last line."""

import os

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import user

pytestmark = pytest.mark.every_system
both_servers = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="Ampule's own setting, or its way to say the cause")
STRICT = {"exit_on_retry_failure": True}


def run(site, agent, login, *blocks, config=None, **settings):
    """One run in init mode, to its end."""
    one = agent(site.config(login, *blocks, block("template_config", **(config or {})), exit_after_auth=True, **settings))
    return one, one.wait_exit()


@both_servers
def test_init_mode_ends_with_0_when_every_file_is_there(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice", shell="zsh")
    files = [template(user(path), tmp_path / "user"), template(user(path).replace(".user", ".shell"), tmp_path / "shell")]
    one, code = run(site, agent, site.login(), *files)
    assert code == 0, one.log
    assert [(tmp_path / "user").read_text(), (tmp_path / "shell").read_text()] == ["alice", "zsh"]


@both_servers
def test_init_mode_without_templates_ends_when_the_token_is_written(site, agent, tmp_path):
    login = site.login()
    login.sink(tmp_path / "token")
    one, code = run(site, agent, login)
    assert (code, bool(wait.read(tmp_path / "token"))) == (0, True), one.log


@ours
def test_init_mode_ends_after_the_command_of_a_file_has_succeeded(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    told = template(user(path), tmp_path / "user", command=f"cp {tmp_path}/user {tmp_path}/seen")
    one, code = run(site, agent, site.login(), told)
    assert (code, wait.read(tmp_path / "seen")) == (0, "alice"), one.log


FAILING = {
    "line": {"command": "kill -HUP $(cat /no/such/pid)"},
    "list": {"command": ["/bin/sh", "-c", "exit 3"]},
    "block": {"body": block("exec", command=["/bin/false"])},
    "missing program": {"command": ["/no/such/program"]},
    "missing program that is not waited for": {"command": ["/no/such/program"], "command_timeout": "0s"},
    "missing shell": {"body": block("exec", command=["/no/such/sh", "-c", "exit 0"], timeout="1s")},
    "time-out": {"command": "sleep 600", "command_timeout": "1s"},
    "killed": {"command": "kill -KILL $$"},
    "pid file without a number": {"body": block("notify", signal="HUP", pid_file="/etc/passwd")},
    "signal to nobody": {"body": block("notify", signal="HUP", process="no-such-process")},
}


@both_servers
@pytest.mark.parametrize("strict", [False, True], ids=["", "exit_on_retry_failure"])
@pytest.mark.parametrize("way", FAILING)
def test_init_mode_ends_with_0_whatever_a_command_does(site, agent, tmp_path, way, strict):
    """In an init container no application runs yet: a command that would tell it fails in every pod."""
    if original() and "notify" in str(FAILING[way]):
        pytest.skip("`notify` is Ampule's own")
    path = site.kv2().put("app", user="alice")
    told = template(user(path), tmp_path / "user", **FAILING[way])
    one, code = run(site, agent, site.login(), told, config=STRICT if strict else {})
    assert (code, wait.read(tmp_path / "user")) == (0, "alice"), one.log
    assert original() or len([line for line in one.log.splitlines() if "agent.notify: template[0]" in line]) == 1, one.log


@ours
def test_init_mode_waits_for_the_end_of_a_command(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    os.mkfifo(tmp_path / "gate")
    told = template(user(path), tmp_path / "user", command=f"cat {tmp_path}/gate >{tmp_path}/seen; exit 3")
    one = agent(site.config(site.login(), told, exit_after_auth=True))
    (tmp_path / "gate").write_text("open")
    assert (one.wait_exit(), wait.read(tmp_path / "seen")) == (0, "open"), one.log


INSISTING = block("ampule", strict_commands=True)


@ours
@both_servers
def test_strict_init_mode_ends_after_a_command_that_failed_first_has_succeeded(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    told = template(user(path), tmp_path / "user", command=f"test -e {tmp_path}/go")
    one = agent(site.config(site.login(), told, INSISTING, exit_after_auth=True))
    one.wait_log("exit code 1")
    (tmp_path / "go").touch()
    assert one.wait_exit() == 0, one.log


@ours
def test_strict_init_mode_ends_with_1_at_once_where_failures_are_fatal(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    one, code = run(site, agent, site.login(), template(user(path), tmp_path / "user", command="exit 3"), INSISTING, config=STRICT)
    assert code == 1 and "exit code 3" in one.last_line, one.log


@both_servers
def test_a_missing_secret_fails_after_the_retries_that_were_asked_for(site, agent, tmp_path, proxy):
    path = site.kv2().path("no-such")
    login = site.login()
    server = {"address": proxy.address, "ca_cert": proxy.ca_file}
    retry = block("vault", body=block("retry", num_retries=2), **server)
    config = "\n".join([retry, login.block(), template(user(path), tmp_path / "user"), block("template_config", **STRICT), "exit_after_auth = true"])
    one = agent(config)
    assert one.wait_exit() == 1, one.log
    assert wait.read(tmp_path / "user") is None
    assert proxy.count("GET", "^/v1/kv-[^/]*/data/no-such$") == 3
    assert original() or path in one.last_line


@both_servers
def test_without_retries_the_first_failure_ends_it(site, agent, tmp_path, proxy):
    path = site.kv2().path("no-such")
    retry = block("vault", body=block("retry", num_retries=-1), address=proxy.address, ca_cert=proxy.ca_file)
    parts = [retry, site.login().block(), template(user(path), tmp_path / "user"), block("template_config", **STRICT), "exit_after_auth = true"]
    one = agent("\n".join(parts))
    assert one.wait_exit() == 1, one.log
    assert proxy.count("GET", "^/v1/kv-[^/]*/data/no-such$") == 1


@both_servers
def test_a_missing_key_fails_when_it_is_an_error(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    missing = template(user(path).replace(".user", ".no_such"), tmp_path / "user", error_on_missing_key=True)
    one, code = run(site, agent, site.login(), missing, config=STRICT)
    assert code == 1, one.log
    assert wait.read(tmp_path / "user") is None
    assert "no_such" in (one.log if original() else one.last_line)


@both_servers
def test_a_refused_login_ends_it_when_exit_on_err_is_set(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    login = site.login()
    login.role = "no-such-role"
    login.method["exit_on_err"] = True
    one, code = run(site, agent, login, template(user(path), tmp_path / "user"))
    assert code == 1, one.log
    assert original() or "no-such-role" in one.last_line


@both_servers
def test_a_template_that_does_not_parse_fails(site, agent, tmp_path):
    one, code = run(site, agent, site.login(), template("{{ with }}", tmp_path / "user"), config=STRICT)
    assert code == 1, one.log
    assert original() or "template[0]" in one.last_line


def init_deadline(**time):
    return block("ampule", init_deadline="5s", **time)


@ours
def test_the_deadline_ends_it_and_names_the_server_that_refused(site, agent, tmp_path, proxy):
    path = site.kv2().put("app", user="alice")
    proxy.refuse()
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user"), init_deadline(), via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert "init_deadline" in one.last_line and "connection refused" in one.last_line and str(proxy.port) in one.last_line, one.log


@ours
@both_servers
def test_the_deadline_ends_it_and_names_the_secret_that_is_missing(site, agent, tmp_path):
    path = site.kv2().path("no-such")
    one, code = run(site, agent, site.login(), template(user(path), tmp_path / "user"), init_deadline())
    assert code == 1
    assert "init_deadline" in one.last_line and path in one.last_line and "404" in one.last_line, one.log


@ours
@both_servers
def test_the_cause_is_named_once(site, agent, tmp_path):
    login = site.login()
    login.role = "no-such-role"
    login.method["exit_on_err"] = True
    one, _ = run(site, agent, login, template("x", tmp_path / "user"))
    assert sum("no-such-role" in line and "[ERROR]" in line for line in one.log.splitlines()) == 1, one.log


@both_servers
def test_init_mode_can_be_run_again_after_a_restart_of_the_node(site, cluster, agent, tmp_path):
    """Files of the first life may still be there (a folder of the node) or be gone (memory); the account's token is a new one."""
    kv = site.kv2()
    path = kv.put("app", user="alice")
    login = site.login()
    login.sink(tmp_path / "token")
    files = [template(user(path), tmp_path / name) for name in ("kept", "gone")]
    one, code = run(site, agent, login, *files)
    assert code == 0, one.log
    (tmp_path / "gone").unlink()
    (tmp_path / "token").unlink()
    kv.put("app", user="bob")
    login.volume.write(token=site.cluster.token())
    one, code = run(site, agent, login, *files)
    assert code == 0, one.log
    assert [wait.read(tmp_path / name) for name in ("kept", "gone")] == ["bob", "bob"]
    assert wait.read(tmp_path / "token")
