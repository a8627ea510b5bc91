"""The agent is ended: at any instant nothing is torn and nothing stays behind; when asked to, it goes quickly."""

import os
import signal

import pytest
from support import wait
from support.agent import original, template
from support.rendering import user
from support.torture import Torture

both_servers = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="the original leaves files behind, or goes slowly")

KILLS = int(os.environ.get("AMPULE_KILLS", 60))


@ours
def test_a_kill_at_any_instant_tears_no_file_and_the_next_start_cleans_up(site, agent, tmp_path):
    torture = Torture(site, agent, tmp_path)
    torture.finish()
    left = 0
    for _ in range(KILLS):
        torture.kill()
        left = max(left, len(torture.strays()))
    torture.finish()
    print(f"{KILLS} kills, {torture.killed_in_time} before both files were new; at most {left} strays in between")
    assert torture.torn == []
    assert torture.strays() == []
    assert torture.killed_in_time > KILLS // 5, "too few kills came in time to mean anything"


def ends_quickly(one):
    one.signal(signal.SIGTERM)
    return one.wait_exit(20)  # less than any time-out of its own, and than what kubelet leaves it


@both_servers
def test_sigterm_ends_the_agent_and_leaves_the_file(rendering):
    one = rendering()
    assert ends_quickly(one.agent) == 0, one.agent.log
    assert wait.read(one.file) == "alice"


@ours
@both_servers
@pytest.mark.parametrize("where", ["/login$", "/data/app$"], ids=["login", "read"])
def test_sigterm_while_the_server_hangs_ends_the_agent(site, agent, tmp_path, proxy, where):
    path = site.kv2().put("app", user="alice")
    rule = proxy.hang(path=where)
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user"), via=proxy))
    wait.until(lambda: rule.hits, "the request that hangs")
    assert ends_quickly(one) == 0, one.log
    assert os.listdir(tmp_path).count("user") == 0


@ours
@both_servers
def test_sigterm_while_a_command_runs_ends_the_command_as_well(rendering, tmp_path):
    one = rendering(template={"command": f"echo $$ >{tmp_path}/running; sleep 600"})
    pid = int(wait.until(lambda: wait.read(tmp_path / "running"), "the command to start"))
    assert ends_quickly(one.agent) == 0, one.agent.log
    wait.until(lambda: not os.path.exists(f"/proc/{pid}"), "the command to end")


@ours
@both_servers
def test_sigterm_before_the_first_login_ends_the_agent(site, agent, tmp_path, proxy):
    proxy.refuse()
    one = agent(site.config(site.login(), template("x", tmp_path / "user"), via=proxy))
    one.wait_log("connection refused")
    assert ends_quickly(one) == 0, one.log


@ours
@both_servers
def test_sigterm_in_init_mode_before_it_is_done_is_no_success(site, agent, tmp_path, proxy):
    proxy.refuse()
    one = agent(site.config(site.login(), template("x", tmp_path / "user"), via=proxy, exit_after_auth=True))
    one.wait_log("connection refused")
    assert ends_quickly(one) != 0, one.log
    assert "connection refused" in one.last_line


@ours
@both_servers
def test_a_file_of_others_that_looks_like_a_stray_is_left_alone(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    (tmp_path / ".ampule-notes").write_text("mine")
    agent(site.config(site.login(), template(user(path), tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")
    assert wait.read(tmp_path / ".ampule-notes") == "mine"


@ours
@both_servers
def test_a_second_agent_does_not_sweep_what_the_first_is_writing(site, agent, tmp_path):
    """Two agents of one pod share a volume."""
    kv = site.kv2()
    paths = [kv.put(f"app{n}", user=f"{n}" * 200000) for n in range(2)]
    for turn in range(3):
        ones = [agent(site.config(site.login(), template(user(p), tmp_path / f"user{n}"), exit_after_auth=True)) for n, p in enumerate(paths)]
        assert [one.wait_exit() for one in ones] == [0, 0], [one.log for one in ones]
        for n in range(2):
            kv.put(f"app{n}", user=f"{n}" * (200000 + turn))
