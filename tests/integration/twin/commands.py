"""What runs after a file was written."""

import os
import time

from support import wait

from .scenario import Scenario, ended_by_the_original, one, until

RAN = 'command = "echo ran >>@OUT@/ran"\n'
SOON = 'template_config { static_secret_render_interval = "1s" }\n'
FAILS = "template_config { exit_on_retry_failure = true }\n"


def listed(*words):
    return "command = [%s]\n" % ", ".join('"%s"' % word.replace('"', '\\"') for word in words)


def script(text):
    return lambda twin: twin.write("../script", "#!/bin/sh\n" + text, 0o755)


def changed_once(twin):
    """The first failure does not keep a change from being written, and told."""
    twin.file("ran", contains="ran")
    twin.change(user="bob")
    twin.file(content="bob")
    twin.file("ran", contains="ran\nran\n")
    twin.path("ran").unlink()


def gone_after(twin):
    """When it ends while a command runs: whether that is ended as well."""
    twin.file("pid", contains="\n")
    twin.signal(15)
    twin.ended()
    pid = twin.file("pid").strip()
    state = wait.read(f"/proc/{pid}/stat") or ""
    twin.note("the command is ended with it", not state or " Z " in state)
    if state:
        os.kill(int(pid), 9)
    twin.path("pid").unlink()


def quickly(twin):
    begin = time.monotonic()
    twin.ended()
    twin.note("ends before the command would", time.monotonic() - begin < 50)


SCENARIOS = [
    Scenario("a command", one("x", body=RAN), shows={"ran": "ran"}),
    Scenario("a command finds the new file", one("new", body='command = "cp @OUT@/file @OUT@/copy"\n'), shows={"copy": "new"}),
    Scenario("a command for the shell", one("x", body='command = "A=1; echo $A $(echo two) \'a  b\' | cat >@OUT@/ran && exit 0"\n'), shows={"ran": "1 two a  b"}),
    Scenario("a command in a list of one is for the shell", one("x", body=listed("echo 1 $HOME >@OUT@/ran"))),
    Scenario("a command in a list is not for the shell", one("x", body=listed("@DIR@/script", "a  b", "$HOME", "*", "")),
             before=script('for a; do echo "[$a]" >>"$(dirname $0)/out/ran"; done\n'), shows={"ran": "[$HOME]"}),
    Scenario("a command with a comma", one("x", body='command = "echo a, b >@OUT@/ran"\n'), counted=False),
    Scenario("a command by its path", one("x", body='command = "@DIR@/script"\n'), before=script('echo "$#" >"$(dirname $0)/out/ran"\n'), shows={"ran": "0"}),
    Scenario("an empty command", one("x", body='command = ""\n')),
    Scenario("no words of a command", one("x", body="command = []\n")),
    Scenario("an exec block", one("x", body="exec { %s }\n" % listed("echo ran >@OUT@/ran")), shows={"ran": "ran"}),
    Scenario("an exec block with a string", one("x", body='exec { command = "echo ran >@OUT@/ran" }\n'), shows={"ran": "ran"}),
    Scenario("an exec block and a command", one("x", body=RAN + "exec { %s }\n" % listed("echo exec >>@OUT@/ran"))),
    Scenario("two exec blocks", one("x", body="exec { %s }\nexec { %s }\n" % (listed("echo first >>@OUT@/ran"), listed("echo second >>@OUT@/ran")))),
    Scenario("an exec block with more variables", one("x", body='exec { %s\n env { custom = ["ONE=1", "TWO=2 3"] } }\n' % listed("echo $ONE $TWO $KEPT >@OUT@/ran")),
             env={"KEPT": "kept"}, shows={"ran": "1 2 3 kept"}),
    Scenario("an exec block with a clean environment", one("x", body='exec { %s\n env { pristine = true custom = ["ONE=1"] } }\n' % listed("/usr/bin/env >@OUT@/ran")),
             env={"KEPT": "kept"}, shows={"ran": "ONE=1"}),
    Scenario("an exec block with denied variables", one("x", body='exec { %s\n env { denylist = ["KE*"] } }\n' % listed("echo [$KEPT] [$OTHER] >@OUT@/ran")),
             env={"KEPT": "kept", "OTHER": "other"}, shows={"ran": "[] [other]"}),
    Scenario("an exec block with allowed variables", one("x", body='exec { %s\n env { allowlist = ["KE*", "PATH"] } }\n' % listed("echo [$KEPT] [$OTHER] >@OUT@/ran")),
             env={"KEPT": "kept", "OTHER": "other"}, shows={"ran": "[kept] []"}),
    Scenario("an exec block that is off", one("x", body="exec { enabled = false\n %s }\n" % listed("echo ran >@OUT@/ran"))),
    Scenario("an exec block with a key that nobody knows", one("x", body="exec { %s\n unknown = 1 }\n" % listed("true")), exit=1),
    Scenario("an exec block with a signal's name", one("x", body='exec { %s\n kill_signal = "SIGTERM" }\n' % listed("true")), exit=1),
    Scenario("a command's environment is the agent's", one("x", body='command = "echo $KEPT $HOME $LC_ALL >@OUT@/ran"\n'), env={"KEPT": "kept"}, shows={"ran": "kept"}),
    Scenario("a command's folder is the agent's", one("x", body='command = "pwd >@OUT@/ran"\n'), shows={"ran": "DIR\\n"}),
    Scenario("a command's mask is the agent's", one("x", body='command = "echo x >@OUT@/ran"\n'), umask=0o027),
    Scenario("a command's input is empty", one("x", body='command = "cat >@OUT@/ran"\n')),
    Scenario("a command that only writes to its outputs", one("x", body='command = "echo out; echo err >&2; echo ran >@OUT@/ran"\n')),
    Scenario("a command of a text that is the same is not run", one("x", body=RAN), before=lambda twin: twin.write("file", "x")),
    Scenario("one command of two templates is run once", one("x", "a", body=RAN) + one("y", "b", body=RAN)),
    Scenario("commands come in the order of the templates", "".join(one("x", f"file{n}", body=f'command = "echo {n} >>@OUT@/ran"\n') for n in range(5)),
             shows={"ran": "0\\n1\\n2\\n3\\n4\\n"}),
    Scenario("a command of the template that changed alone", one("x", "a", body=RAN) + one("y", "b", body='command = "echo b >>@OUT@/ran"\n'),
             before=lambda twin: twin.write("a", "x"), shows={"ran": "'b"}),
    Scenario("a command of a second pass", one('{{ range secrets "@KV@/metadata/app" }}{{ . }} {{ end }}{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}', body=RAN),
             shows={"ran": "ran"}),
    Scenario("what a command started in the background stays", one("x", body='command = "(sleep 1; echo late >@OUT@/late) >/dev/null 2>&1 & true"\n'), ends=False, play=until("late"),
             shows={"late": "late"}),
    Scenario("a command that fails ends who wants that", one("x", body='command = "exit 3"\n') + FAILS),
    Scenario("a command that is not there ends who wants that", one("x", body=listed("@DIR@/none", "x")) + FAILS),
    Scenario("a command that is killed ends who wants that", one("x", body='command = "kill -9 $$"\n') + FAILS),
    Scenario("a command that takes too long ends who wants that", one("x", body='command = "sleep 60"\ncommand_timeout = "1s"\n') + FAILS, play=quickly),
    Scenario("an exec block's time", one("x", body='exec { command = ["sleep", "60"] timeout = "1s" }\n') + FAILS, play=quickly),
    Scenario("a command that fails ends a running agent that wants it", one("x", body='command = "exit 3"\n') + FAILS, ends=False, exit=1, play=lambda twin: ended_by_the_original(twin, "file")),
    Scenario("a command that fails once", one('{{ with secret "@OWN@" }}{{ .Data.data.user }}{{ end }}', body='command = "echo ran >>@OUT@/ran; exit 3"\n') + SOON, ends=False, play=changed_once,
             counted=False),
    Scenario("a time in words that are none", one("x", body='command_timeout = "soon"\n'), exit=1),
    Scenario("a command that runs when the agent is ended", one("x", body='command = "echo $$ >@OUT@/pid; exec sleep 100"\ncommand_timeout = "100s"\n'), ends=False,
             play=gone_after),
]  # fmt: skip
