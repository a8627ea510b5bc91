"""After a change: a command, or a signal that needs no shell."""

import os
import pathlib
import secrets
import shutil
import signal

import pytest
from support import wait
from support.agent import Agent, block, original, program, template
from support.process import Process
from support.rendering import SOON, user

pytestmark = [pytest.mark.both_servers, pytest.mark.every_system]
ours = pytest.mark.skipif(original(), reason="`notify` is Ampule's own")

APP = """\
#!/usr/bin/python3
import os, select, signal, sys
def told(number, frame):
    with open(sys.argv[1] + "/told", "a") as f:
        f.write(signal.Signals(number).name + " " + open(sys.argv[1] + "/user").read() + "\\n")
signal.signal(signal.SIGHUP, told)
with open(sys.argv[1] + "/pid", "w") as f:
    f.write(str(os.getpid()))
while True:
    select.select([], [], [], 0.1)  # pause() would sleep through a signal that came just before it
"""


class App:
    """A program that notes each signal, and what the file held by then; its name is known to nobody else."""

    def __init__(self, folder, **options):
        self.folder = folder
        self.name = f"app-{secrets.token_hex(4)}"
        script = folder / self.name
        script.write_text(APP)
        script.chmod(0o755)
        self.process = Process([script, folder], **options)
        wait.until(lambda: wait.read(self.pid_file), "the application to start")

    @property
    def pid_file(self):
        return self.folder / "pid"

    def heard(self, *lines):
        wait.for_file(self.folder / "told", "".join(f"SIGHUP {line}\n" for line in lines))


@pytest.fixture
def app(tmp_path):
    app = App(tmp_path)
    yield app
    app.process.kill()


@pytest.mark.parametrize("way", ["command", pytest.param("pid file", marks=ours), pytest.param("process name", marks=ours)])
def test_a_changed_secret_is_followed_and_the_application_signalled(rendering, app, way):
    told = {
        "command": {"template": {"command": f"kill -HUP $(cat {app.pid_file})"}},
        "pid file": {"template": {"body": block("notify", signal="HUP", pid_file=app.pid_file)}},
        "process name": {"template": {"body": block("notify", signal="HUP", process=app.name)}},
    }
    one = rendering(**told[way])
    app.heard("alice")
    one.follows("bob")
    app.heard("alice", "bob")


@ours
def test_an_unchanged_file_tells_nobody(rendering, app, proxy):
    rendering(template={"body": block("notify", signal="HUP", pid_file=app.pid_file)}, via=proxy)
    app.heard("alice")
    proxy.clear()
    wait.until(lambda: proxy.count("GET", "/data/app$") >= 3, "three more reads")
    app.heard("alice")


@ours
def test_an_application_that_is_not_there_is_named_and_told_later(rendering, app):
    app.process.kill()
    one = rendering(template={"body": block("notify", signal="HUP", pid_file=app.pid_file)})
    one.agent.wait_log(f"{app.pid_file}|pid {app.process.pid}")
    app.process = Process([app.folder / app.name, app.folder])
    wait.for_file(app.pid_file, str(app.process.pid))
    one.follows("bob")
    wait.for_file(app.folder / "told", contains="SIGHUP bob")


def test_a_failing_command_is_reported_and_the_file_is_followed_all_the_same(rendering, tmp_path):
    one = rendering(template={"command": "exit 3"}) if not original() else pytest.skip("the original ends here")
    one.agent.wait_log(r"template\[0\].*3")
    one.follows("bob")
    # Once a change, and by then the first was over.
    assert sum("exit code 3" in line for line in one.agent.log.splitlines()) <= 2, one.agent.log


@ours
def test_an_agent_never_signals_itself(rendering, app, tmp_path):
    """Whoever shares the folder of the pid file can write our own number there."""
    one = rendering(template={"body": block("notify", signal="TERM", pid_file=app.pid_file)})
    app.process.kill()
    app.pid_file.write_text(str(one.agent.pid))
    one.follows("bob")
    one.agent.wait_log("this agent itself")
    one.follows("carol")
    assert one.agent.running


@pytest.fixture
def theirs(open_folder):
    """Processes of another user with any name."""
    started = []

    def start(name, count):
        started.extend(Process(["/bin/bash", "-c", f"exec -a {name} sleep 600"], user=4321) for _ in range(count))
        for one in started:
            wait.until(lambda: wait.read(f"/proc/{one.pid}/cmdline").startswith(f"{name}\0"), f"a process of the name {name}")  # noqa: B023

    yield start
    for one in started:
        one.kill()


@ours
@pytest.mark.skipif(os.geteuid() != 0, reason="takes other uids: needs root")
def test_neighbours_of_the_same_name_do_not_make_the_application_hear_twice(site, open_folder, theirs, monkeypatch):
    """In a shared PID namespace anybody can take a name. The agent runs as the application does, the neighbours as somebody else."""
    kv, login, files = site.kv2(), site.login(), open_folder
    for source, name in ((login.token_file, "token"), (site.ca_file, "ca.pem"), (program("ampule-agent"), "ampule-agent")):
        shutil.copy(source, files / name)
    (files / "agent").mkdir()
    for each in (files, *files.iterdir()):
        os.chown(each, 1234, 1234)
    monkeypatch.setenv("AMPULE_BIN", str(files))
    app, login.volume = App(files, user=1234), files
    theirs(app.name, 66)
    told = template(user(kv.put("app", user="alice")), files / "user", body=block("notify", signal="HUP", process=app.name))
    one = Agent(files / "agent", site.config(login, told, SOON, vault={"ca_cert": files / "ca.pem"}), user=1234)
    try:
        app.heard("alice")
        one.wait_log(r"application signalled: processes=1; .*: 66")
        kv.put("app", user="bob")
        app.heard("alice", "bob")
    finally:
        one.stop()
        app.process.kill()


@ours
def test_a_command_that_hangs_is_ended_with_all_that_it_started(rendering, tmp_path):
    hang = f"echo $$ >{tmp_path}/hanging; trap '' TERM; sleep 600 & sleep 600"
    one = rendering(template={"command": hang, "command_timeout": "4s"})
    group = int(wait.until(lambda: wait.read(tmp_path / "hanging"), "the command to start"))
    one.agent.wait_log(r"template\[0\].*(4 ?s|time)")
    wait.until(lambda: not members(group), "the command's group to be gone")
    one.follows("bob")


def members(group):
    """The processes of a process group."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@ours
def test_a_command_does_not_get_what_the_agent_has(rendering, tmp_path):
    """Standard descriptors only, no token in the environment, signals as they were."""
    # What the shell had open to list its own descriptors is closed by the time that each is looked at.
    list_open = 'for fd; do [ ! -L "$fd" ] || echo "${fd##*/}"; done'
    script = f"set -- /proc/$$/fd/*; exec >{tmp_path}/fds; {list_open}; env >{tmp_path}/env; grep SigIgn /proc/self/status >{tmp_path}/sig; touch {tmp_path}/done"
    rendering(template={"command": script}, env={"VAULT_TOKEN": "token-of-the-environment"})
    wait.until((tmp_path / "done").exists, "the command to run")
    assert (tmp_path / "fds").read_text().split() == ["0", "1", "2"]
    assert "token-of-the-environment" not in (tmp_path / "env").read_text()
    ignored = int((tmp_path / "sig").read_text().split()[1], 16)
    assert not ignored & (1 << (signal.SIGPIPE - 1)), f"{ignored:x}"
    assert os.path.exists(tmp_path / "user")
