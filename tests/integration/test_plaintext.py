"""What the table of plaintexts in agent/README.md says, looked up in the memory of a running agent and its launcher."""

import contextlib
import os
import pathlib
import re

import pytest
from support import canary, wait
from support.agent import block, original, template
from support.rendering import SOON, Rendering, user

pytestmark = [
    pytest.mark.skipif(original(), reason="the original's memory is the garbage collector's"),
    pytest.mark.skipif(os.geteuid() != 0, reason="looks into the memory of a process that nobody else may: needs root"),
]


def children(pid):
    return [int(each) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for each in (wait.read(task / "children") or "").split()]


def memory(pid):
    """All that the process may write to: heap, stacks, its own pages. Nothing once it has ended."""
    found = b""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end in re.findall(r"^(\w+)-(\w+) rw", maps.read(), re.M):
            mem.seek(int(start, 16))
            try:
                found += mem.read(int(end, 16) - int(start, 16))
            except OSError:
                continue
    return found


def holders(agent, value):
    """Which of the agent's processes hold these bytes."""
    assert agent.running, agent.log
    names = {agent.pid: "agent", **{pid: "launcher" for pid in children(agent.pid)}}
    return {name for pid, name in names.items() if value.encode() in memory(pid)}


def gone(agent, value):
    wait.until(lambda: not holders(agent, value), lambda: f"it is still in {holders(agent, value)}")


def test_what_an_agent_holds_would_be_found(rendering):
    value = canary.secret()
    one = rendering()
    one.follows(value)
    assert holders(one.agent, value) == {"agent"}


def test_a_token_of_the_environment_is_nowhere(site, agent, tmp_path):
    token = canary.secret("token")
    one = Rendering(site, agent, tmp_path, env={"VAULT_TOKEN": token, "BAO_TOKEN": token + "-too"}).expect()
    assert not holders(one.agent, token)


def test_a_service_account_token_is_nowhere_after_the_login(rendering):
    one = rendering()
    one.expect()
    gone(one.agent, one.login.token_file.read_text().strip())


def test_a_token_that_was_replaced_is_nowhere(site, rendering, tmp_path):
    login = site.login(token_ttl="15s", token_max_ttl="15s")
    sink = login.sink(tmp_path / "token")
    one = rendering(login=login).expect()
    first = wait.until(lambda: wait.read(sink), "a token")
    assert holders(one.agent, first) == {"agent"}
    wait.until(lambda: wait.read(sink) != first, "another token")
    gone(one.agent, first)


def test_a_value_that_was_replaced_is_nowhere(rendering):
    before, after = canary.secret("before"), canary.secret("after")
    one = rendering()
    one.follows(before)
    one.follows(after)
    gone(one.agent, before)
    assert holders(one.agent, after) == {"agent"}


def test_a_value_that_no_template_names_any_more_is_nowhere(site, agent, tmp_path):
    value = canary.secret()
    kv = site.kv2()
    switch, other = kv.put("switch", user="on"), kv.put("app", user=value)
    text = '{{ with secret "%s" }}{{ if eq .Data.data.user "on" }}%s{{ end }}{{ end }}' % (switch, user(other))
    one = agent(site.config(site.login(), template(text, tmp_path / "file"), SOON))
    wait.for_file(tmp_path / "file", value)
    kv.put("switch", user="off")
    wait.for_file(tmp_path / "file", "")
    gone(one, value)


def test_what_a_plugin_was_given_is_nowhere(site, agent, tmp_path):
    first, second = canary.secret("first"), canary.secret("second")
    kv = site.kv2()
    path = kv.put("app", user=first)
    program = tmp_path / "shout"
    program.write_text('#!/bin/sh\nprintf %s "$1" | tr a-z A-Z\n')
    program.chmod(0o755)
    text = '{{ with secret "%s" }}{{ plugin "%s" .Data.data.user }}{{ end }}' % (path, program)
    one = agent(site.config(site.login(), template(text, tmp_path / "file"), block("ampule", allow=["plugin"]), SOON))
    wait.for_file(tmp_path / "file", first.upper())
    kv.put("app", user=second)
    wait.for_file(tmp_path / "file", second.upper())
    gone(one, first)
    gone(one, first.upper())
    wait.until(lambda: holders(one, second) == {"agent"}, lambda: holders(one, second))


def test_a_variable_is_with_the_agent_and_not_with_the_guard_and_the_old_one_is_nowhere(site, agent, tmp_path):
    first, second = canary.secret(), canary.secret()
    kv = site.kv2()
    variable = block("env_template", "APP_USER", contents=user(kv.put("app", user=first)))
    os.mkfifo(tmp_path / "never")
    run = block("exec", command=[f"read x < {tmp_path}/never"])
    one = agent(site.config(site.login(), variable, run, SOON))
    one.wait_log("started: command=sh")
    assert len(children(one.pid)) == 1, "the guard alone"
    wait.until(lambda: holders(one, first) == {"agent"}, lambda: holders(one, first))
    kv.put("app", user=second)
    one.wait_log("started: command=sh", count=2)
    gone(one, first)
    wait.until(lambda: holders(one, second) == {"agent"}, lambda: holders(one, second))
