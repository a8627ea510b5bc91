"""What the kernel says about a running agent, and what another process of the same user can get out of it."""

import os
import shutil
import stat

import pytest
from support import canary, spaces, wait
from support.agent import Agent, original, program, template
from support.rendering import Rendering, user

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original gives up nothing"),
]
NOBODY = 65534
CHOWN_DAC_OVERRIDE_FOWNER = 0b1011


def capabilities(one):
    return {name: int(one.proc_status(name), 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")}


def hardened(one):
    """Sanitizers need threads, and memory that is not locked."""
    if "sanitizer build" in one.log:
        pytest.skip("a sanitizer build")
    return one


def test_privileges_are_given_up_for_good(rendering):
    one = hardened(rendering().agent)
    assert (one.proc_status("NoNewPrivs"), one.proc_status("Seccomp")) == ("1", "2")
    found = capabilities(one)
    assert found["CapInh"] == found["CapAmb"] == 0
    assert found["CapEff"] & ~CHOWN_DAC_OVERRIDE_FOWNER == found["CapPrm"] & ~CHOWN_DAC_OVERRIDE_FOWNER == 0


def test_no_core_is_written(rendering):
    limits = rendering().agent.proc("limits")
    assert [line.split()[4] for line in limits.splitlines() if line.startswith("Max core file size")] == ["0"]


def test_secrets_are_in_locked_memory(rendering):
    assert int(hardened(rendering().agent).proc_status("VmLck").split()[0]) > 0


def test_no_more_descriptors_are_open_than_are_needed(rendering):
    one = rendering()
    one.follows("bob")
    assert len(os.listdir(f"/proc/{one.agent.pid}/fd")) < 24


def test_a_token_in_the_environment_is_wiped_from_it(site, agent, tmp_path):
    token = canary.secret("token")
    one = Rendering(site, agent, tmp_path, env={"VAULT_TOKEN": token, "HARMLESS": "yes"}).expect()
    environment = one.agent.proc("environ")
    assert "HARMLESS=yes" in environment and token not in environment


@pytest.fixture
def unprivileged(site, open_folder, monkeypatch):
    """An agent that is not root, like in a pod."""
    path = site.kv2().put("app", user="alice")
    login = site.login()
    shutil.copy(login.token_file, open_folder / "token")
    shutil.copy(site.ca_file, open_folder / "ca.pem")
    login.volume = open_folder
    config = site.config(login, template(user(path), open_folder / "user"), vault={"ca_cert": open_folder / "ca.pem"})
    (open_folder / "agent").mkdir()
    # The build may be where others may not look.
    shutil.copy(program("ampule-agent"), open_folder)
    monkeypatch.setenv("AMPULE_BIN", str(open_folder))
    for each in (open_folder, *open_folder.iterdir()):
        os.chown(each, NOBODY, NOBODY)
    one = Agent(open_folder / "agent", config, user=NOBODY)
    yield one
    shown = one.shown()
    one.stop()
    assert not shown and not one.shown()


@pytest.mark.skipif(not spaces.ROOT, reason="needs root to become somebody else")
def test_another_process_of_the_same_user_reads_neither_memory_nor_environment(unprivileged, open_folder):
    wait.for_file(open_folder / "user", "alice")
    assert capabilities(unprivileged) == {"CapEff": 0, "CapPrm": 0, "CapInh": 0, "CapAmb": 0}
    assert [refused(unprivileged.pid, name) for name in ("mem", "environ", "maps")] == [True] * 3


def refused(pid, name):
    """Whether a process of the same user may not open it."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            with open(f"/proc/{pid}/{name}", "rb") as f:
                f.read(1)
            code = 1
        except PermissionError:
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_template_cannot_reach_out_of_its_sandbox_path(site, agent, tmp_path):
    (tmp_path / "secret").write_text(canary.secret())
    (tmp_path / "inside").mkdir()
    bad = template('{{ file "%s/secret" }}' % tmp_path, tmp_path / "out", sandbox_path=tmp_path / "inside")
    one = Rendering(site, agent, tmp_path, bad).expect()
    one.agent.wait_log(r"template\[1\]")
    one.follows("bob")
    assert wait.read(tmp_path / "out") is None


def test_a_fifo_in_the_place_of_the_pid_file_stops_nothing(rendering, tmp_path):
    """Opening one waits for its other end; anybody who shares the folder can make one."""
    os.mkfifo(tmp_path / "pid")
    one = rendering(top={"pid_file": tmp_path / "pid"})
    assert not (tmp_path / "pid").is_fifo() and wait.read(tmp_path / "pid") == str(one.agent.pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a device: needs root")
def test_a_device_in_the_place_of_the_pid_file_stays(rendering, tmp_path):
    os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    rendering(top={"pid_file": tmp_path / "null"}).agent.stop()
    assert (tmp_path / "null").is_char_device()


def test_the_pid_file_of_another_agent_stays_when_this_one_cannot_start(site, agent, rendering, tmp_path):
    running = rendering(top={"pid_file": tmp_path / "pid"}).agent
    login = site.login()
    login.sink(tmp_path / "missing" / "token")
    assert agent(site.config(login, pid_file=tmp_path / "pid")).wait_exit() == 1
    assert wait.read(tmp_path / "pid") == str(running.pid)
