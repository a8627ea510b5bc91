"""`ampule-agent probe`: what kubelet asks, without a shell, a file or a port."""

import os
import subprocess

import pytest
from support import wait
from support.agent import block, original, program, template
from support.rendering import SOON, user

pytestmark = [pytest.mark.both_servers, pytest.mark.skipif(original(), reason="only Ampule has probes")]


def ask(one, *args, **pairs):
    """Exit status, and what it said."""
    done = subprocess.run([program("ampule-agent"), "probe", f"-pid={one.pid}", *args], capture_output=True, text=True, timeout=120, check=False, **pairs)
    return done.returncode, done.stdout + done.stderr


def is_good(one, *args):
    return ask(one, *args)[0] == 0


def says(one, status, word, *args):
    """Asks until the answer is as wanted."""
    wait.until(lambda: (got := ask(one, *args))[0] == status and word in got[1], lambda: f"{status} {word!r}; it says {ask(one, *args)}")


def test_a_rendered_file_and_a_good_token_are_ready(rendering):
    one = rendering().agent
    for purpose in ("readiness", "startup", "liveness"):
        assert ask(one, f"-for={purpose}") == (0, ""), purpose


def test_before_the_first_file_it_lives_but_has_not_started(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.path("late")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user")))
    one.wait_log(f"{path}.*404")
    for purpose in ("readiness", "startup"):
        status, text = ask(one, f"-for={purpose}")
        assert status == 1 and path in text and "404" in text, text
    assert ask(one, "-for=liveness")[0] == 0
    kv.put("late", user="alice")
    assert ask(one, "-for=startup", "-wait=60s")[0] == 0
    assert wait.read(tmp_path / "user") == "alice"


def test_waiting_ends_in_time(site, agent, tmp_path):
    path = site.kv2().path("never")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user")))
    one.wait_log(f"{path}.*404")
    assert ask(one, "-wait=1s")[0] == 1


def test_a_server_that_is_away_counts_when_it_lasts(rendering, wire):
    one = rendering(via=wire)
    wire.refuse()
    one.agent.wait_log("connection refused")
    says(one.agent, 1, "connection refused", "-patience=0s")
    status, text = ask(one.agent)
    assert status == 0 and "last error" in text and "connection refused" in text, text
    assert is_good(one.agent, "-for=startup") and is_good(one.agent, "-for=liveness")
    wire.listen()
    one.follows("bob")
    says(one.agent, 0, "", "-patience=0s")
    assert ask(one.agent) == (0, "")


def test_a_revoked_token_that_is_not_replaced_is_not_ready(site, rendering, tmp_path):
    login = site.login()
    login.sink(tmp_path / "token")
    one = rendering(login=login)
    site.vault.delete(f"auth/{login.mount}/role/{login.role}")
    site.vault.write("auth/token/revoke", token=wait.for_file(tmp_path / "token"))
    says(one.agent, 1, "no valid token")
    says(one.agent, 1, login.role)
    assert is_good(one.agent, "-for=startup") and is_good(one.agent, "-for=liveness")
    one.kept()


def test_a_template_that_fails_later_is_not_ready(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user", error_on_missing_key=True), SOON))
    wait.for_file(tmp_path / "user", "alice")
    kv.put("app", shell="zsh")
    says(one, 1, "template[0]", "-patience=0s")
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")
    says(one, 0, "", "-patience=0s")


@pytest.mark.parametrize("command", ["exit 3", "no-such-program -x", ["/no/such/program"]])
def test_a_command_that_fails_holds_nothing_back(site, agent, tmp_path, command):
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user", command=command)))
    one.wait_log(r"template\[0\]: the command failed")
    for purpose in ("startup", "readiness", "liveness"):
        assert ask(one, f"-for={purpose}", "-wait=60s") == (0, ""), purpose
    assert ask(one, "-patience=0s") == (0, "")


def test_a_command_that_goes_on_failing_is_not_started_where_that_is_asked_for(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    failing = template(user(path), tmp_path / "user", command=f"test -e {tmp_path}/go")
    one = agent(site.config(site.login(), failing, block("ampule", strict_commands=True)))
    one.wait_log("exit code 1")
    assert ask(one, "-for=startup")[0] == 1
    (tmp_path / "go").touch()
    says(one, 0, "", "-for=startup")


def test_without_an_agent_it_says_so(rendering):
    one = rendering().agent
    one.stop()
    status, text = ask(one)
    assert status == 1 and str(one.pid) in text


def test_agents_of_other_containers_are_not_found(rendering):
    one = rendering().agent
    done = subprocess.run(["unshare", "-m", program("ampule-agent"), "probe"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "no agent of this uid runs in this container" in done.stderr
    assert one.running


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another uid: needs root")
def test_another_uid_is_told_nothing(rendering):
    one = rendering().agent
    status, text = ask(one, user=65534, group=65534, extra_groups=[])
    assert status == 1 and "alice" not in text


@pytest.mark.parametrize("args", [["-for=lunch"], ["-wait=soon"], ["-pid=0"], ["-pid=x"], ["-config=x"], ["now"]])
def test_a_wrong_command_line_is_status_2(rendering, args):
    done = subprocess.run([program("ampule-agent"), "probe", *args], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and done.stderr


def test_the_help_names_every_flag(rendering):
    done = subprocess.run([program("ampule-agent"), "probe", "-help"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert all(f"-{flag}" in done.stdout for flag in ("for", "patience", "wait", "pid"))
