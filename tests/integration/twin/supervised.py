"""`exec` with `env_template`: a program that gets secrets as variables, and what becomes of it."""

import json
import os
import signal

from support import wait
from support.agent import block

from .scenario import Scenario, sink

# Notes what it was started with and each signal, a line of JSON each, and does as it is told.
APP = """\
#!/usr/bin/python3
import json, os, select, signal, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
def note(**what):
    os.write(out, (json.dumps(what) + "\\n").encode())  # at once: a signal may come in the middle of a file object's work
def heard(number, frame):
    note(signal=signal.Signals(number).name)
    if signal.Signals(number).name in os.environ.get("ENDS", "SIGTERM").split():
        os._exit(int(os.environ.get("ENDS_WITH", "0")))
for name in os.environ.get("CATCHES", "SIGTERM").split():
    signal.signal(getattr(signal, name), heard)
note(argv=sys.argv[2:], cwd=os.getcwd() == os.path.dirname(sys.argv[0]), mask=signal.pthread_sigmask(0, []) == set(),
     fds=[n for n in range(64) if os.path.exists("/proc/self/fd/%d" % n) and n != out],
     env={n: v for n, v in sorted(os.environ.items()) if n not in ("LC_CTYPE", "PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_")}, pid=os.getpid())
how = os.environ.get("HOW", "")
if how.startswith("exit "):
    sys.exit(int(how[5:]))
if how.startswith("kill "):
    os.kill(os.getpid(), getattr(signal, how[5:]))
while True:
    select.select([], [], [], 0.1)  # pause() would sleep through a signal that came just before it
"""

SOON = 'template_config { static_secret_render_interval = "1s" }\n'


def env(name, contents, **pairs):
    return block("env_template", name, contents=contents, **pairs)


OWN = env("USER_NAME", '{{ with secret "@OWN@" }}{{ .Data.data.user }}{{ end }}')
USER = env("USER_NAME", '{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}')


def app(*words, **pairs):
    return block("exec", command=["@DIR@/app", "@DIR@/notes", *words], **pairs)


def script(twin):
    twin.write("../app", APP, 0o755)


def lines(twin):
    return [json.loads(line) for line in wait.lines(twin.path("../notes"))]


def starts(twin):
    return [line for line in lines(twin) if "pid" in line]


def signals(twin):
    return [line["signal"] for line in lines(twin) if "signal" in line]


def started(twin, count=1):
    twin.until(lambda: len(starts(twin)) >= count, f"start {count} of the program")
    return starts(twin)[count - 1]


def told(twin):
    """What the program wrote down, as facts; whether it is gone."""
    for number, line in enumerate(lines(twin)):
        twin.note(f"line {number}", {key: value for key, value in line.items() if key != "pid"})
    twin.note("left behind", [n for n, line in enumerate(starts(twin)) if alive(line["pid"])])
    for line in starts(twin):
        if alive(line["pid"]):
            os.kill(line["pid"], signal.SIGKILL)


def alive(pid):
    state = wait.read(f"/proc/{pid}/stat")
    return state is not None and " Z " not in state


def runs(*steps):
    """Started; then the steps; then the end."""

    def play(twin):
        started(twin)
        for step in steps:
            step(twin)
        twin.stop()
        told(twin)

    return play


def ends(twin):
    """The program ends, and with it the agent."""
    twin.ended()
    told(twin)


def send(number, heard=None):
    def step(twin):
        twin.signal(number)
        if heard:
            twin.until(lambda: heard in signals(twin), f"{heard} to be heard")

    return step


def grouped(twin):
    pid = starts(twin)[0]["pid"]
    twin.note("has a group of its own", os.getpgid(pid) == pid)


def settled(twin):
    twin.stop()
    told(twin)


def leaves(twin):
    """The program is over, and something that it started is not."""
    twin.ended()
    pid = int(twin.file("pid"))
    twin.note("what it started lives", alive(pid))
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
    twin.path("pid").unlink()


def changes(user, count):
    def step(twin):
        twin.change(user=user)
        started(twin, count)

    return step


def never_started(twin):
    twin.ended()
    twin.note("starts", len(starts(twin)))


def row(name, blocks, **more):
    return Scenario(name, blocks, **{"ends": False, "before": script, "play": runs(), "counted": False, **more})


def refused(name, blocks, **more):
    return row(name, blocks, play=never_started, exit=1, **more)


SCENARIOS = [
    row("a program with a variable", USER + app()),
    row("a program with its own words", USER + app("one", "two words", "$HOME", "")),
    row("a program with many variables", "".join(env(f"V{n}", '{{ with secret "@KV@/data/many/%d" }}{{ .Data.data.user }}{{ end }}' % n) for n in range(10)) + app()),
    row("a program with the agent's variables too", USER + app(), env={"KEPT": "1", "EMPTY": ""}),
    row("a variable of the agent is replaced", env("KEPT", "new") + app(), env={"KEPT": "old"}),
    row("a variable with lines and equals signs", env("V", "a=b\n c=d\n\n") + app()),
    row("an empty variable", env("V", '{{ "" }}') + app()),
    row("a variable from a file", 'env_template "V" { source = "@DIR@/in" }\n' + app(), before=lambda twin: [script(twin), twin.write("../in", "text\n")]),
    row("a variable with other delimiters", env("V", "<< 1 >>{{ }}", left_delimiter="<<", right_delimiter=">>") + app()),
    row("a variable whose key is missing", env("V", '{{ with secret "@KV@/data/app" }}{{ .Data.data.none }}{{ end }}') + app()),
    row("two variables with the same contents", env("ONE", "same") + env("TWO", "same") + app()),
    row("a variable in small letters", env("small", "x") + app()),
    row("a program ends with 0", USER + app(), env={"HOW": "exit 0"}, play=ends),
    row("a program ends with 5", USER + app(), env={"HOW": "exit 5"}, play=ends, exit=5),
    row("a program ends with 255", USER + app(), env={"HOW": "exit 255"}, play=ends, exit=255),
    row("a program is killed", USER + app(), env={"HOW": "kill SIGKILL"}, play=ends, exit=255),
    row("a program ends by SIGTERM of its own", USER + app(), env={"HOW": "kill SIGTERM", "CATCHES": "SIGUSR1"}, play=ends, exit=255),
    row("a program is stopped by SIGTERM", USER + app()),
    row("a program is stopped by SIGINT", USER + app(), stop=signal.SIGINT),
    row("a program is stopped by its own signal", USER + app(restart_stop_signal="SIGUSR1"), env={"CATCHES": "SIGUSR1 SIGTERM", "ENDS": "SIGUSR1"}),
    row("a program is stopped by SIGINT of its own", USER + app(restart_stop_signal="SIGINT"), env={"CATCHES": "SIGINT SIGTERM", "ENDS": "SIGINT"}),
    row("a program that ends with 3 when it is stopped", USER + app(), env={"ENDS_WITH": "3"}),
    row("a program is restarted after a change", OWN + app() + SOON, play=runs(changes("bob", 2))),
    row("a program is restarted after two changes", OWN + app() + SOON, play=runs(changes("bob", 2), changes("carol", 3))),
    row("a program is restarted always", OWN + app(restart_on_secret_changes="always") + SOON, play=runs(changes("bob", 2))),
    row("a program is restarted by its own signal", OWN + app(restart_stop_signal="SIGUSR2") + SOON, env={"CATCHES": "SIGUSR2 SIGTERM", "ENDS": "SIGUSR2 SIGTERM"},
        play=runs(changes("bob", 2))),
    row("a program is not restarted where nothing changed", OWN + app() + SOON, play=runs(lambda twin: twin.requested("/own-", 4, "GET"))),
    row("a program is never restarted", OWN + app(restart_on_secret_changes="never") + SOON,
        play=runs(lambda twin: twin.change(user="bob"), lambda twin: twin.requested("/own-", twin.proxy.count("GET", "/own-") + 3, "GET"))),
    row("a program's group", USER + app(), play=lambda twin: [started(twin), grouped(twin), twin.stop()]),
    row("SIGUSR2 to the agent", USER + app(), env={"CATCHES": "SIGUSR2 SIGTERM"}, play=lambda twin: [started(twin), send(signal.SIGUSR2, "SIGUSR2" if twin.ours else None)(twin), settled(twin)]),
    row("what a program leaves behind", USER + block("exec", command=["sh", "-c", "sleep 100 & echo $! >@OUT@/pid; exit 3"]), play=leaves, exit=3),
    row("a line for the shell", USER + block("exec", command=["@DIR@/app @DIR@/notes $USER_NAME 'two words'"])),
    row("a line for the shell that ends", USER + block("exec", command=["echo $USER_NAME >@OUT@/ran; exit 4"]), play=lambda twin: twin.ended(), exit=4),
    refused("a program that is not there", USER + block("exec", command=["@DIR@/none", "x"])),
    refused("a program without variables", app()),
    refused("variables without a program", USER),
    refused("a program without a command", USER + "exec { }\n"),
    refused("a program with an empty command", USER + "exec { command = [] }\n"),
    refused("a program and a restart that nobody knows", USER + app(restart_on_secret_changes="sometimes")),
    refused("a program and a signal that nobody knows", USER + app(restart_stop_signal="SIGNONE")),
    refused("a program and a key that nobody knows", USER + app(unknown="x")),
    refused("a variable twice", USER + USER + app()),
    refused("a variable with a destination", env("V", "x", destination="@OUT@/x") + app()),
    refused("a variable with perms", env("V", "x", perms="0600") + app()),
    refused("a variable without contents", 'env_template "V" { }\n' + app()),
    refused("a variable without a name", 'env_template { contents = "x" }\n' + app()),
    row("exit_after_auth with a program", USER + app(), sinks=sink(), ends=True, play=never_started),
    row("a program and a sink", USER + app(), sinks=sink()),
    row("a variable that fails ends who wants that", env("V", '{{ parseInt "x" }}') + app() + "template_config { exit_on_retry_failure = true }\n", play=never_started, exit=1),
]  # fmt: skip
