"""The agent out of its own image, which has nothing else in it, against the real server."""

import pytest
from support import wait

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images


def test_it_writes_the_secret_and_ends(started):
    agent, secrets = started("-exit-after-auth")
    assert agent.wait_exit(180) == 0, agent.log
    assert (secrets / "user").read_text() == "alice"


def test_it_runs_without_rights_on_a_read_only_system_until_it_is_told_to_end(started, engine):
    agent, secrets = started()
    wait.for_file(secrets / "user", "alice")
    pid = engine.inspect(agent.name, "container")["State"]["Pid"]
    with open(f"/proc/{pid}/status") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines())
    assert status["Uid"].split() == ["100"] * 4 and status["Gid"].split() == ["1000"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Threads"] == "1"
    assert agent.stop() == 0, agent.log
