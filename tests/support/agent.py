"""The agent under test, and configuration files for it."""

import functools
import json
import os
import pathlib
import re
import subprocess

from . import canary
from .process import Process

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def program(name):
    """A program under test: from $AMPULE_BIN, else build/bin. $AMPULE_AGENT replaces the agent alone (with `vault`, say)."""
    if name == "ampule-agent" and os.environ.get("AMPULE_AGENT"):
        return os.environ["AMPULE_AGENT"]
    return str(pathlib.Path(os.environ.get("AMPULE_BIN") or TOP / "build" / "bin") / name)


@functools.lru_cache(None)
def original():
    """Whether the program under test is one that ours replaces: some tests are about where the two differ."""
    if not os.environ.get("AMPULE_AGENT"):
        return False
    said = subprocess.run([program("ampule-agent"), "version"], capture_output=True, text=True, check=False).stdout
    return said.startswith(("Vault v", "OpenBao v"))


def hcl(value):
    """A value in HCL (which reads JSON's strings, numbers, booleans and lists)."""
    if isinstance(value, dict):
        return "{\n" + assignments(value) + "}"
    return json.dumps(value if isinstance(value, (bool, int, float, str, list)) else str(value))


def assignments(pairs):
    return "".join(f"{key} = {hcl(value)}\n" for key, value in pairs.items())


def block(name, label=None, /, body="", **pairs):
    head = name if label is None else f"{name} {hcl(label)}"
    return f"{head} {{\n{assignments(pairs)}{body}}}\n"


def template(contents, destination, body="", **pairs):
    return block("template", body=body, contents=contents, destination=destination, **pairs)


class Login:
    """A way to log in with a service-account token: mount and role at the server, token file and settings at the agent."""

    def __init__(self, mount, role, volume):
        self.mount, self.role, self.volume = mount, role, volume
        # Tests do not wait for the five minutes that the pauses may otherwise grow to.
        self.method = {"max_backoff": "2s"}
        self.sinks = ""

    @property
    def token_file(self):
        return self.volume / "token"

    def sink(self, path, **pairs):
        self.sinks += block("sink", "file", body=block("config", path=path), **pairs)
        return path

    def block(self):
        options = block("config", role=self.role, token_path=self.token_file)
        inner = block("method", "kubernetes", mount_path=f"auth/{self.mount}", body=options, **self.method)
        return block("auto_auth", body=inner + self.sinks)


class Agent(Process):
    """`ampule-agent agent -config=…`, in a folder of its own, with its configuration written there; it says all that it can say.

    `within` is a command that starts it, in a namespace of its own, say; `binary` another program than the one under test.
    """

    def __init__(self, folder, config, *args, within=(), binary=None, **pairs):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "agent.hcl"
        self.config.write_text(config)
        level = [] if "VAULT_LOG_LEVEL" in (pairs.get("env") or {}) else ["-log-level=trace"]
        super().__init__([*within, binary or program("ampule-agent"), "agent", f"-config={self.config}", *level, *args], cwd=self.folder, **pairs)

    def proc(self, name):
        """/proc/PID/name as text, "" once it has ended."""
        try:
            return pathlib.Path(f"/proc/{self.pid}/{name}").read_bytes().decode("utf-8", "replace")
        except OSError:
            return ""

    def proc_status(self, name):
        return dict(line.split(":\t", 1) for line in self.proc("status").splitlines())[name].strip()

    def shown(self):
        """The secrets that anybody can see from outside."""
        places = {"its log": self.log, "/proc/PID/environ": self.proc("environ"), "/proc/PID/cmdline": self.proc("cmdline")}
        return {place: found for place, text in places.items() if (found := canary.leaks(text))}

    @property
    def reports(self):
        """What the sanitizers of such a build found."""
        return [line for line in self.err if re.search(r"(Address|Leak)Sanitizer|: runtime error: ", line)]

    @property
    def last_line(self):
        return (self.err or self.out or [""])[-1]
