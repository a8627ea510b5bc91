"""`exec` with `env_template`: a program that is started with secrets in its environment, and supervised. Beside the original with the same file."""

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from support import wait
from support.agent import block, original, program
from support.process import Process
from support.rendering import SOON
from support.server import binary

pytestmark = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="Ampule's own")

# Notes what it was started with and each signal, a line of JSON each, and does as it is told.
APP = """\
#!/usr/bin/python3
import json, os, select, signal, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
def note(**what):
    os.write(out, (json.dumps(what) + "\\n").encode())  # at once: a signal may come in the middle of a file object's work
def heard(number, frame):
    note(signal=signal.Signals(number).name)
    if number in ends:
        os._exit(0)
ends = [getattr(signal, n) for n in os.environ.get("ENDS", "SIGTERM").split()]
for name in os.environ.get("CATCHES", "SIGTERM").split():
    signal.signal(getattr(signal, name), heard)
note(pid=os.getpid(), user=os.environ.get("APP_USER"), extra=os.environ.get("APP_EXTRA"), argv=sys.argv[2:],
     pgid=os.getpgid(0), env=sorted(os.environ), fds=sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1])
how = os.environ.get("APP_HOW", "")
if how.startswith("exit "):
    sys.exit(int(how[5:]))
if how.startswith("kill "):
    os.kill(os.getpid(), getattr(signal, how[5:]))
while True:
    select.select([], [], [], 0.1)  # pause() would sleep through a signal that came just before it
"""


def read(path, key="user"):
    return '{{ with secret "%s" }}{{ .Data.data.%s }}{{ end }}' % (path, key)


def env(name, contents, **pairs):
    return block("env_template", name, contents=contents, **pairs)


class Scene:
    """A supervised APP, its notes, and the secret that its environment is made of."""

    def __init__(self, site, folder):
        self.site, self.folder = site, folder
        self.kv = site.kv2()
        self.secret = self.kv.put("app", user="alice")
        self.login = site.login()
        self.script = folder / "app"
        self.script.write_text(APP)
        self.script.chmod(0o755)

    def change(self, value):
        self.kv.put("app", user=value)

    def config(self, notes, *blocks, top=None, interval=SOON, command=(), exec_keys=None, variables=None):
        given = variables if variables is not None else {"APP_USER": read(self.secret)}
        execution = block("exec", command=[str(self.script), str(notes), *command], **(exec_keys or {}))
        parts = [env(name, text) for name, text in given.items()]
        return self.site.config(self.login, *parts, execution, interval, *blocks, **(top or {}))


class Notes:
    def __init__(self, path, process):
        self.path, self.process = path, process

    def all(self):
        return [json.loads(line) for line in wait.lines(self.path)]

    def starts(self):
        return [one for one in self.all() if "pid" in one]

    def signals(self):
        return [one["signal"] for one in self.all() if "signal" in one]

    def started(self, count=1, seconds=wait.DEADLINE):
        wait.until(lambda: len(self.starts()) >= count, lambda: f"start {count}: {self.all()}\n{self.process.log}", seconds)
        return self.starts()[count - 1]

    def heard(self, *names):
        wait.until(lambda: self.signals() == list(names), lambda: f"{names}: {self.all()}\n{self.process.log}")


@pytest.fixture
def scene(site, tmp_path):
    return Scene(site, tmp_path)


@pytest.fixture
def supervised(scene, agent, tmp_path):
    def start(*blocks, env=None, **pairs):
        notes = tmp_path / "notes"
        process = agent(scene.config(notes, *blocks, **pairs), env=env)
        return Notes(notes, process)

    return start


@pytest.fixture
def both(scene, agent, tmp_path, server_kind):
    """The same scene with ours and, beside a real server, with the original."""
    peers = []

    def start(*blocks, env=None, **pairs):
        made = []
        for who in ["ours"] + ["peer"] * (server_kind == "real"):
            notes = tmp_path / f"notes-{who}"
            config = scene.config(notes, *blocks, **pairs)
            if who == "ours":
                process = agent(config, env=env)
            else:
                (tmp_path / "peer.hcl").write_text(config)
                process = Process([binary(), "agent", f"-config={tmp_path}/peer.hcl"], cwd=tmp_path, env=env)
                peers.append(process)
            made.append(Notes(notes, process))
        return made

    yield start
    for process in peers:
        process.stop()


def gone(pid):
    return not pathlib.Path(f"/proc/{pid}").exists() or "\nState:\tZ" in (wait.read(f"/proc/{pid}/status") or "\nState:\tZ")


# ---------------------------------------------------------------------------------------------------------------- as the original


def test_the_program_is_started_with_the_variables_as_by_the_original(scene, both):
    variables = {"APP_USER": read(scene.secret), "APP_EXTRA": "a=b\n", "EMPTY": '{{ "" }}', "HOME": "/replaced"}
    outcomes = []
    for notes in both(variables=variables, command=["one", "two words"], env={"KEPT": "1"}):
        start = notes.started()
        environment = set(start["env"])
        outcomes.append((start["user"], start["extra"], start["argv"], sorted(environment - {"LC_CTYPE"}), start["pgid"] == start["pid"] and "own"))
    assert outcomes[0][:3] == ("alice", "a=b\n", ["one", "two words"])
    assert {"KEPT", "EMPTY", "PATH", "HOME"} <= set(outcomes[0][3])
    assert all(one[:4] == outcomes[0][:4] for one in outcomes), outcomes


def test_a_change_restarts_it_as_the_original_does(scene, both):
    running = both()
    first = [notes.started() for notes in running]
    scene.change("bob")
    for notes, before in zip(running, first):
        again = notes.started(2)
        assert again["user"] == "bob" and again["pid"] != before["pid"]
        assert notes.signals() == ["SIGTERM"] and gone(before["pid"])


def test_never_leaves_it_alone_as_the_original_does(scene, both):
    running = both(exec_keys={"restart_on_secret_changes": "never"})
    for notes in running:
        notes.started()
    scene.change("bob")
    for notes in running:
        notes.process.wait_log("keeps the old one|not restarting")
        assert len(notes.starts()) == 1 and notes.signals() == []


@pytest.mark.parametrize("code", [0, 3])
def test_the_agent_ends_with_the_program_s_code(both, code):
    for notes in both(env={"APP_HOW": f"exit {code}"}):
        assert notes.process.wait_exit() == code


def test_a_signal_that_ends_the_program_is_told_as_by_a_shell(both):
    codes = [notes.process.wait_exit() for notes in both(env={"APP_HOW": "kill SIGKILL"})]
    assert codes[0] == 137
    assert codes[1:] in ([], [255])  # of the original nobody learns which signal it was


def test_sigterm_ends_both_with_the_stop_signal_and_zero(both):
    running = both(exec_keys={"restart_stop_signal": "SIGUSR1"}, env={"CATCHES": "SIGTERM SIGUSR1", "ENDS": "SIGUSR1"})
    pids = [notes.started()["pid"] for notes in running]
    for notes, pid in zip(running, pids):
        notes.process.signal(signal.SIGTERM)
        assert notes.process.wait_exit() == 0
        assert notes.signals() == ["SIGUSR1"] and gone(pid)


def test_a_program_that_cannot_be_started_ends_both_with_one(scene, site, agent, tmp_path, server_kind):
    config = scene.site.config(scene.login, env("A", "x"), block("exec", command=["no-such-program-anywhere"]))
    one = agent(config)
    assert one.wait_exit() == 1
    assert "no-such-program-anywhere" in one.last_line and "PATH" in one.last_line
    if server_kind == "real":
        (tmp_path / "peer.hcl").write_text(config)
        assert Process([binary(), "agent", f"-config={tmp_path}/peer.hcl"], cwd=tmp_path).wait_exit() == 1


def test_a_line_for_the_shell_gets_signals_as_a_group(scene, agent, tmp_path):
    told = tmp_path / "told"
    line = f"trap 'echo TERM >> {told}; exit 0' TERM; echo up >> {told}; echo $APP_USER >> {told}; while :; do read x < {tmp_path}/never; done"
    os.mkfifo(tmp_path / "never")
    one = agent(scene.site.config(scene.login, env("APP_USER", read(scene.secret)), block("exec", command=[line])))
    wait.for_file(told, "up\nalice\n")
    one.signal(signal.SIGTERM)
    assert one.wait_exit() == 0
    wait.for_file(told, "up\nalice\nTERM\n")


@pytest.mark.parametrize("wrong", ["lonely env_template", "lonely exec", "twice", "destination", "no command"])
def test_what_the_original_refuses_is_refused(scene, agent, tmp_path, server_kind, wrong):
    run = block("exec", command=["true"])
    blocks = {
        "lonely env_template": [env("A", "x")],
        "lonely exec": [run, block("template", contents="x", destination=tmp_path / "x")],
        "twice": [env("A", "x"), env("A", "y"), run],
        "destination": [env("A", "x", destination="/d"), run],
        "no command": [env("A", "x"), block("exec")],
    }[wrong]
    config = scene.site.config(scene.login, *blocks)
    one = agent(config, "-test-verify-only")
    assert one.wait_exit() == 1 and "agent.hcl:" in one.log
    if server_kind == "real":
        (tmp_path / "peer.hcl").write_text(config)
        assert Process([binary(), "agent", f"-config={tmp_path}/peer.hcl", "-test-verify-only"], cwd=tmp_path).wait_exit() == 1


RUN = 'exec { command = ["true"] }'
ONE = 'env_template "A" { contents = "x" }'
JUDGED = [
    f"{ONE} {RUN}",
    f'{ONE} exec {{ command = "true" }}',
    f'{ONE} exec {{ command = "true, x" }}',
    f'{ONE} exec {{ command = [] }}',
    f'{ONE} exec {{ command = [""] }}',
    f'{ONE} exec {{ command = "" }}',
    f'{ONE} exec {{ command = ["true", 1] }}',
    f'{ONE} exec {{ command = true }}',
    f'{ONE} exec {{ COMMAND = ["true"] }}',
    f'{ONE} exec "x" {{ command = ["true"] }}',
    f'{ONE} exec = {{ command = ["true"] }}',
    f"{ONE} {RUN} {RUN}",
    *(f'{ONE} exec {{ command = ["true"] restart_on_secret_changes = {word} }}' for word in ['"always"', '"never"', '""', '"ALWAYS"', '"x"', "true", "1"]),
    *(
        f'{ONE} exec {{ command = ["true"] restart_stop_signal = {word} }}'
        for word in ['"SIGTERM"', '"sigterm"', '"TERM"', '""', '"SIGNULL"', '"SIGIOT"', '"SIGCHLD"', '"SIGURG"', '"SIGSTKFLT"', '"SIGRTMIN"', "15", "true"]
    ),
    *(f'{ONE} exec {{ command = ["true"] child_process_stdout = {word} }}' for word in ['"/tmp/x"', '""', "1", "true"]),
    f'{ONE} exec {{ command = ["true"] kill_timeout = "1s" }}',
    f'{ONE} exec {{ command = ["true"] env {{ }} }}',
    f"env_template A {{ contents = \"x\" }} {RUN}",
    f'env_template "" {{ contents = "x" }} {RUN}',
    f'env_template "a=b" {{ contents = "x" }} {RUN}',
    f'env_template "a b" {{ contents = "x" }} {RUN}',
    f'env_template "A" "B" {{ contents = "x" }} {RUN}',
    f'env_template {{ contents = "x" }} {RUN}',
    f'env_template = {{ contents = "x" }} {RUN}',
    f"env_template \"A\" {{ }} {RUN}",
    f'env_template "A" {{ contents = "" }} {RUN}',
    f'env_template "A" {{ source = "" }} {RUN}',
    f'env_template "A" {{ source = "/no/such" }} {RUN}',
    f'env_template "A" {{ contents = "x" source = "/s" }} {RUN}',
    f'env_template "A" {{ contents = 1 }} {RUN}',
    f'env_template "A" {{ contents = ["x"] }} {RUN}',
    f'{ONE} env_template "a" {{ contents = "x" }} {RUN}',
    f"{ONE} {ONE} {RUN}",
    *(
        f'env_template "A" {{ contents = "x" {word} }} {RUN}'
        for word in [
            "error_on_missing_key = true", 'error_on_missing_key = "true"', "error_fatal = false", 'left_delimiter = "<<"', 'right_delimiter = ""',
            'function_denylist = ["env"]', 'function_denylist = "env"', 'function_blacklist = ["env"]', "backup = false", 'command = ""', 'command = "x"',
            'command_timeout = "1s"', "create_dest_dirs = false", 'destination = ""', 'destination = "/d"', "exec { }", 'perms = "0600"', 'user = "u"', "uid = 1",
            'group = "g"', "gid = 1", 'wait = "1s"', "wait { }", 'sandbox_path = "/"', 'sandbox_path = ""', "unknown = 1",
        ]
    ),
    '{"env_template": {"A": {"contents": "x"}}, "exec": {"command": ["true"]}, AUTH}',
    '{"env_template": [{"A": {"contents": "x"}}, {"B": {"contents": "x"}}], "exec": {"command": ["true"]}, AUTH}',
    '{"env_template": {"A": {"contents": "x"}, "B": {"contents": "x"}}, "exec": {"command": ["true"]}, AUTH}',
    '{"env_template": {"A": [{"contents": "x"}]}, "exec": {"command": ["true"]}, AUTH}',
    '{"env_template": {"A": {"contents": "x"}}, "exec": [{"command": ["true"]}], AUTH}',
    '{"env_template": {"A": {"contents": "x"}}, "exec": [{"command": ["true"]}, {"command": ["true"]}], AUTH}',
    '{"env_template": {"contents": "x"}, "exec": {"command": ["true"]}, AUTH}',
]  # fmt: skip
AUTH = 'auto_auth { method "token_file" { config { token_file_path = "/t" } } }'
AUTH_JSON = '"auto_auth": {"method": [{"type": "token_file", "config": {"token_file_path": "/t"}}]}'


def accepts(command, text, folder):
    path = folder / ("c.json" if text[0] == "{" else "c.hcl")
    path.write_text(text.replace("AUTH", AUTH_JSON) if text[0] == "{" else f"{AUTH}\n{text}")
    return subprocess.run([*command, "agent", f"-config={path}", "-test-verify-only"], capture_output=True, env={"HOME": str(folder)}).returncode == 0


@ours
def test_every_configuration_is_judged_as_by_the_original(tmp_path):
    verdicts = {text: [accepts([one], text, tmp_path) for one in (program("ampule-agent"), binary())] for text in JUDGED}
    assert {text: both for text, both in verdicts.items() if both[0] != both[1]} == {}
    # Names as objects are JSON's way; here they are taken from HCL as well.
    assert accepts([program("ampule-agent")], f'env_template {{ A {{ contents = "x" }} }} {RUN}', tmp_path)
    assert {both[1] for both in verdicts.values()} == {True, False}


def test_exit_after_auth_ends_without_the_program_as_the_original_does(both, tmp_path, scene):
    scene.login.sink(tmp_path / "token")
    for notes in both(top={"exit_after_auth": True}):
        assert notes.process.wait_exit() == 0
        assert notes.starts() == []


# ------------------------------------------------------------------------------------------------------------- better than it


@ours
@pytest.mark.every_system
def test_files_and_variables_together_and_the_files_come_first(scene, agent, tmp_path):
    file, copy = tmp_path / "file", tmp_path / "copy"
    config = scene.site.config(
        scene.login,
        block("template", contents=read(scene.secret), destination=file),
        env("APP_USER", read(scene.secret)),
        block("exec", command=[f"cat {file} > {copy}; echo :$APP_USER >> {copy}"]),
    )
    assert agent(config).wait_exit() == 0
    assert wait.read(copy) == "alice:alice\n"


@ours
def test_a_signal_instead_of_a_restart(scene, supervised, tmp_path):
    file = tmp_path / "file"
    other = scene.kv.put("other", user="x")
    notes = supervised(
        block("ampule", restart_signal="HUP"),
        block("template", contents=read(other), destination=file),
        env={"CATCHES": "SIGTERM SIGHUP"},
    )
    notes.started()
    scene.change("bob")
    notes.heard("SIGHUP")
    scene.kv.put("other", user="y")  # a file that tells nobody else
    notes.heard("SIGHUP", "SIGHUP")
    assert wait.read(file) == "y" and len(notes.starts()) == 1


@ours
def test_an_unchanged_environment_restarts_nothing(scene, supervised, proxy):
    notes = supervised()
    notes.started()
    scene.kv.put("app", user="alice", other="1")
    wait.never(lambda: len(notes.all()) > 1, "a signal or a restart", 4)


@ours
def test_who_does_not_listen_is_killed_with_all_of_its_group(scene, agent, tmp_path):
    told = tmp_path / "told"
    os.mkfifo(tmp_path / "never")
    line = f"trap '' TERM; (echo $$ >> {told}; read x < {tmp_path}/never) & echo up >> {told}; read x < {tmp_path}/never"
    one = agent(scene.site.config(scene.login, env("APP_USER", "x"), block("exec", command=[line])))
    wait.until(lambda: len((wait.read(told) or "").split()) == 2, "the program to start")
    (child,) = [int(pid) for pid in subprocess.run(["pgrep", "-f", str(tmp_path / "never")], capture_output=True, text=True).stdout.split()][:1]
    one.signal(signal.SIGTERM)
    assert one.wait_exit(60) == 0
    one.wait_log("killed with its process group")
    # They were killed before the agent ended; until the kernel is done with them they are there.
    wait.until(lambda: gone(child), "the child to be gone")
    wait.until(lambda: subprocess.run(["pgrep", "-f", str(tmp_path / "never")], capture_output=True).returncode == 1, "all of them to be gone")


@ours
def test_signals_reach_the_program(supervised):
    caught = ["SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM", "SIGCONT", "SIGHUP"]
    notes = supervised(env={"CATCHES": " ".join(["SIGTERM", *caught])})
    notes.started()
    for count, name in enumerate(caught, 1):
        notes.process.signal(getattr(signal, name))
        notes.heard(*caught[:count])


@ours
def test_what_the_originals_keep_to_themselves_ends_no_program_that_does_not_know_it(supervised):
    notes = supervised(env={"CATCHES": "SIGTERM SIGWINCH"})
    notes.started()
    for name in ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH"]:
        notes.process.signal(getattr(signal, name))
    notes.heard("SIGWINCH")
    assert notes.process.running


@ours
def test_the_program_is_as_if_no_agent_were_there(supervised):
    notes = supervised()
    start = notes.started()
    status = wait.read(f"/proc/{start['pid']}/status")
    ourselves = pathlib.Path("/proc/self/status").read_text()
    for name in ["NoNewPrivs", "Seccomp", "CapEff", "CapBnd", "Umask"]:
        row = re.compile(rf"^{name}:\t(.*)$", re.M)
        assert row.search(status).group(1) == row.search(ourselves).group(1), name
    assert start["fds"] == [0, 1, 2, 3]  # and its own notes
    limits = [pathlib.Path(f"/proc/{pid}/limits").read_text() for pid in (start["pid"], "self")]
    assert limits[0] == limits[1]


@ours
def test_the_agent_shows_no_secret_and_is_confined(supervised):
    notes = supervised()
    notes.started()
    status = notes.process.proc("status")
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M) and re.search(r"^Seccomp:\t2$", status, re.M)
    assert notes.process.shown() == {}
    for child in pathlib.Path(f"/proc/{notes.process.pid}/task/{notes.process.pid}/children").read_text().split():
        assert "alice" not in pathlib.Path(f"/proc/{child}/environ").read_text(errors="replace")


@ours
@pytest.mark.every_system
@pytest.mark.parametrize("who", ["agent", "guard"])
def test_nobody_is_orphaned(supervised, who):
    notes = supervised()
    start = notes.started()
    if who == "agent":
        notes.process.kill()
    else:
        guard = int(re.search(r"^PPid:\t(\d+)$", wait.read(f"/proc/{start['pid']}/status"), re.M).group(1))
        assert guard != notes.process.pid
        os.kill(guard, signal.SIGKILL)
        assert notes.process.wait_exit() == 128 + signal.SIGKILL
    wait.until(lambda: gone(start["pid"]), "the program to end with it")


@ours
def test_as_process_1_it_reaps_orphans(scene, tmp_path, agent):
    """In a pid namespace of its own: a grandchild outlives its parent, then ends; nothing stays a zombie."""
    left = tmp_path / "left"
    line = (
        "(sh -c 'exec sleep 0.2' &); i=0; while [ $i -lt 200 ]; do i=$((i+1)); z=$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null); "
        f"n=$(pgrep -c sleep); [ -z \"$z\" ] && [ \"$n\" = 0 ] && echo none > {left} && exit 7; /bin/true; done; exit 1"
    )
    config = scene.site.config(scene.login, env("APP_USER", "x"), block("exec", command=[line]))
    one = agent(config, within=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    assert one.wait_exit() == 7, one.log
    assert wait.read(left) == "none\n"


@ours
def test_a_template_that_fails_for_good_takes_the_program_down_first(scene, supervised):
    notes = supervised(
        block("template_config", static_secret_render_interval="1s", exit_on_retry_failure=True),
        interval="",
        variables={"APP_USER": '{{ with secret "%s" }}{{ parseInt .Data.data.user }}{{ end }}' % scene.kv.put("number", user="1")},
    )
    pid = notes.started()["pid"]
    scene.kv.put("number", user="x")
    assert notes.process.wait_exit() == 1
    assert notes.signals() == ["SIGTERM"] and gone(pid)


@ours
def test_a_variable_may_have_the_name_of_a_token_and_ours_is_not_passed_on(scene, supervised):
    notes = supervised(variables={"APP_USER": "x", "BAO_TOKEN": "x"}, env={"VAULT_TOKEN": "hidden", "BAO_TOKEN": "hidden"})
    start = notes.started()
    assert "BAO_TOKEN" in start["env"] and "VAULT_TOKEN" not in start["env"]


@ours
def test_what_is_too_large_for_an_environment_says_the_way_out(scene, supervised):
    notes = supervised(variables={"APP_USER": '{{ range $i := loop 140000 }}x{{ end }}'})
    notes.process.wait_log(r"env_template\[APP_USER\].*more than 131072 bytes")
    assert notes.starts() == [] and notes.process.running


@ours
def test_the_largest_environment_arrives_in_one_piece(scene, agent, tmp_path):
    """Far over what fits into one packet of a socket."""
    large = {f"LARGE_{n}": "{{ range $i := loop 100000 }}x{{ end }}" for n in range(12)}
    config = scene.site.config(scene.login, *[env(name, text) for name, text in large.items()], block("exec", command=[f"env | wc -c > {tmp_path}/size"]))
    assert agent(config).wait_exit() == 0
    assert int(wait.read(tmp_path / "size")) > 1_200_000


@ours
def test_a_probe_is_told_that_the_program_was_started(scene, supervised):
    notes = supervised(variables={"APP_USER": read(scene.kv.path("later"))})
    asked = lambda: subprocess.run([program("ampule-agent"), "probe", "-for=startup", f"-pid={notes.process.pid}"], capture_output=True, text=True)
    notes.process.wait_log("later.*404")
    assert asked().returncode == 1 and "env_template[APP_USER]" in asked().stderr
    scene.kv.put("later", user="x")
    notes.started()
    wait.until(lambda: asked().returncode == 0, lambda: asked().stderr)


@ours
def test_output_goes_to_files(scene, agent, tmp_path):
    config = scene.site.config(
        scene.login,
        env("A", "x"),
        block("exec", command=["echo out; echo err >&2"], child_process_stdout=tmp_path / "out", child_process_stderr=tmp_path / "err"),
    )
    assert agent(config).wait_exit() == 0
    assert (wait.read(tmp_path / "out"), wait.read(tmp_path / "err")) == ("out\n", "err\n")


@ours
def test_a_value_that_no_environment_can_hold_is_named(scene, supervised):
    notes = supervised(variables={"APP_USER": '{{ "a\\x00b" }}'})
    notes.process.wait_log(r"env_template\[APP_USER\].*zero byte")
    assert notes.starts() == [] and notes.process.running
