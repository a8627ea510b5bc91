"""One program under one fault: what it keeps, what it asks for, how it gets out again. The same for ours and for a peer."""

import dataclasses
import http.client
import os
import pathlib
import re
import subprocess
import threading
import time
import zlib

from support import agent, canary, wait
from support.agent import Agent
from support.process import free_port
from support.proxy import Proxy
from support.rendering import SOON, user

FIRST_MINUTE, LATER_MINUTE = 12, 2  # the most requests for one failing object
STORM = 600  # who asks so often for one object is stopped
ALL = []


@dataclasses.dataclass
class Fault:
    """`body(scene)` yields when the fault has begun, and ends it afterwards; it may yield once more, when the program is out again."""

    number: str
    text: str
    body: callable
    # "ends": the fault ends and is got over then; "lasts": a change comes through while it lasts; "stays": nothing can come through.
    kind: str = "ends"
    says: str = ""  # a line of our log
    exits: int = None  # our exit code, where the right answer is to end
    counts: object = "failing"  # "failing": requests that failed; "connections"; or a regular expression of "METHOD path"
    peer: str = ""  # why it is not run with the peer
    root: bool = False  # needs root
    own_server: bool = False
    recovery: float = 330  # seconds that the longest pause of all may take

    @property
    def order(self):
        return int(re.search(r"\d+", self.number)[0])

    @property
    def name(self):
        return f"{self.number} {self.text}"


def fault(number, text, **pairs):
    def keep(body):
        ALL.append(Fault(number, text, body, **pairs))
        return body

    return keep


@dataclasses.dataclass
class Result:
    fault: str
    program: str
    object: str = ""  # the one that was asked for most often
    first: int = 0  # requests for it in the first minute
    later: float = 0  # and in each later one
    requests: int = 0  # all requests of the first minute
    stormed: float = None  # seconds after which it was stopped
    exit: int = None
    kept: bool = True
    recovered: float = None
    shown: list = dataclasses.field(default_factory=list)  # where secrets were seen
    wrong: list = dataclasses.field(default_factory=list)  # what else does not hold
    log: str = ""


class Scene:
    """A server, a proxy before it, a secret, a folder, and the program, not started yet."""

    def __init__(self, site, postgres, authority, folder, binary=None):
        self.site, self.postgres, self.authority, self.folder, self.binary = site, postgres, authority, pathlib.Path(folder), binary
        self.ours = binary is None
        self.volume = self.folder / "volume"
        self.volume.mkdir(parents=True)
        self.proxy = Proxy(site.address, site.ca_file, authority, port=free_port())
        self.kv = site.kv2()
        self.first = canary.secret("alice")
        self.secret = self.kv.put("app", user=self.first)
        self.login = site.login()
        self.login.method = {}
        self.file = self.volume / "user"
        self.blocks, self.interval, self.top, self.vault, self.template = [], SOON, {}, {}, {}
        self.agent_folder, self.reform = self.folder / "agent", lambda text: text
        self.outputs = []
        self.program, self.now, self.begun, self.log_from = None, None, None, 0
        self._closing = [self.proxy.close]
        self._changes = 0

    # What a fault's body calls

    def closing(self, call):
        self._closing.append(call)

    def start(self, *args, text=None, **options):
        first = agent.template(text or user(self.secret), self.file, **self.template)
        vault = {"address": self.proxy.address, "ca_cert": self.proxy.ca_file, **self.vault}
        config = self.site.config(self.login, first, self.interval, *self.blocks, vault=vault, **self.top)
        self.program = Agent(self.agent_folder, self.reform(config), *args, binary=self.binary, **options)
        return self.program

    def up(self, *args, **options):
        """Started, and the file is there."""
        self.start(*args, **options)
        self.expect(self.first)

    def again(self):
        """Ended and started anew, in the same place."""
        self.program.kill()
        self.program = Agent(self.program.folder, self.program.config.read_text(), binary=self.binary)

    def expect(self, value, seconds=wait.DEADLINE):
        wait.for_file(self.file, value, seconds=seconds)
        self.now = value

    def begin(self):
        """The fault begins."""
        self.begun = time.monotonic()

    def change(self):
        self._changes += 1
        value = canary.secret(f"change-{self._changes}")
        # The server may have more to do than this.
        wait.until(lambda: self._put(value), "the change to be taken")
        return value

    def _put(self, value):
        try:
            return self.kv.put("app", user=value)
        except (OSError, http.client.HTTPException):
            return None

    def sink(self):
        return self.login.sink(self.folder / "sink")

    def token(self):
        return wait.until(lambda: wait.read(self.folder / "sink"), "the token")

    def beside(self, body, **pairs):
        """A template of whatever kind beside the first one, in the file `other`."""
        other = self.volume / "other"
        self.blocks.append(agent.template(body, other, **pairs))
        self.outputs.append(other)
        return other

    def close(self):
        if self.program:
            self.program.resume()
            self.program.kill()
        for call in reversed(self._closing):
            call()

    # What is seen

    def failing(self, counts):
        """object -> when it was asked for, since the fault began."""
        found = {}
        if counts == "connections":
            if times := [at for at in list(self.proxy.connected_at) if at >= self.begun]:
                found["connections"] = times
        for r in list(self.proxy.requests):
            name = f"{r.method} {r.path.partition('?')[0]}"
            failed = r.status >= 400 or r.status == 0 or r.faulted if counts == "failing" else counts and re.search(counts, name)
            if r.at >= self.begun and failed:
                found.setdefault(name.replace(self.kv.mount, "kv") + self._whose(r), []).append(r.at)
        return found

    @staticmethod
    def _whose(request):
        """What is renewed is another object with each token and lease."""
        token = request.headers.get("X-Vault-Token", "") if request.path.endswith("-self") else ""
        lease = request.body.decode("utf-8", "replace") if "/leases/" in request.path else ""
        return f" of one #{zlib.crc32((token + lease).encode()) & 0xFFFF:x}" if token or lease else ""

    def shown(self):
        """Where a secret can be seen that does not belong there: log, environment, command line, core file, folders."""
        places = list(self.program.shown())
        places += [f"the file {path.relative_to(self.folder)}" for path in self._files() if canary.leaks(wait.read(path) or "")]
        return places

    def secrets(self):
        """Those of this scene alone."""
        return [value for value in (self.first, self.now, self.login.token, wait.read(self.folder / "sink")) if value and len(value) >= canary.LEAST]

    def _files(self):
        mine = {self.file, self.folder / "sink", *self.outputs}
        for top, folders, names in os.walk(self.folder):
            folders[:] = [f for f in folders if not f.startswith("token-")]
            yield from (pathlib.Path(top) / n for n in names if pathlib.Path(top) / n not in mine and (pathlib.Path(top) / n).is_file())


def core(program):
    """What a core file of the process would have at this moment: all that it may write to, but for what the kernel leaves out."""
    found, span = [], None
    program.pause()
    try:
        with open(f"/proc/{program.pid}/smaps", encoding="utf-8", errors="replace") as maps, open(f"/proc/{program.pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                if (head := re.match(r"(\w+)-(\w+) rw", line)) or re.match(r"\w+-\w+ ", line):
                    span = head and tuple(int(x, 16) for x in head.groups())
                elif line.startswith("VmFlags:") and span and " dd" not in line:
                    memory.seek(span[0])
                    try:
                        found.append(memory.read(span[1] - span[0]))
                    except OSError:
                        continue
    except OSError:
        return b""
    finally:
        program.resume()
    return b"".join(found)


class Measurement:
    """One fault, one program."""

    def __init__(self, fault, scene, program, seconds):
        self.fault, self.scene, self.seconds = fault, scene, seconds
        self.result = Result(fault.name, program)

    def run(self):
        scene, steps = self.scene, None
        try:
            steps = self.fault.body(scene)
            next(steps)
            if scene.begun is None:
                scene.begin()
            self._while_it_lasts()
            self._out_again(steps)
            self._secrecy()
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            self.result.wrong.append(f"{type(e).__name__}: {str(e)[:400]}")
        finally:
            if scene.program:
                self.result.log = scene.program.log[-20000:]
            if steps:
                steps.close()
            scene.close()
        return self.result

    # The fault lasts

    def _while_it_lasts(self):
        scene, result = self.scene, self.result
        kept = scene.now
        if self.fault.kind == "lasts":
            self._follow()
            kept = scene.now
        self._says()
        while time.monotonic() < scene.begun + self.seconds and scene.program.running:
            if any(len(times) > STORM for times in scene.failing(self.fault.counts).values()):
                result.stormed = round(time.monotonic() - scene.begun, 1)
                break
            threading.Event().wait(min(0.25, max(0.01, scene.begun + self.seconds - time.monotonic())))
        self._count()
        if kept is not None and result.exit is None:
            result.kept = self._read() == kept
        if not scene.program.running:
            result.exit = scene.program.wait_exit()

    def _read(self):
        try:
            return wait.read(self.scene.file)
        except OSError:
            return None

    def _says(self):
        if self.fault.says and self.scene.ours:
            try:
                self.scene.program.wait_log(self.fault.says, seconds=max(self.seconds, wait.DEADLINE))
            except AssertionError:
                self.result.wrong.append(f"it does not say {self.fault.says!r}")

    def _count(self):
        scene, result = self.scene, self.result
        result.requests = sum(scene.begun <= r.at < scene.begun + 60 for r in list(scene.proxy.requests))
        for name, times in scene.failing(self.fault.counts).items():
            # An object's first minute begins with its first request; a later one anywhere: the busiest counts.
            end = times[0] + 60
            first = sum(at < end for at in times)
            later = max((sum(a <= at < a + 60 for at in times) for a in times if a >= end), default=0)
            if (first, later) > (result.first, result.later):
                result.object = name.partition(" of one")[0]
            result.first, result.later = max(result.first, first), max(result.later, later)

    # It ends

    def _follow(self):
        scene, start = self.scene, time.monotonic()
        if self.fault.kind != "lasts":
            value = scene.change()
        else:
            value, start = scene.change(), scene.begun
        try:
            wait.until(lambda: self._read() == value or not scene.program.running, "the change", self.fault.recovery)
        except wait.TimedOut:
            return
        if self._read() == value:
            scene.now, self.result.recovered = value, round(time.monotonic() - start, 1)

    def _out_again(self, steps):
        next(steps, None)
        if self.fault.kind == "ends" and self.result.exit is None:
            self._follow()
        if not self.scene.program.running and self.result.exit is None:
            self.result.exit = self.scene.program.wait_exit()
        next(steps, None)

    def _secrecy(self):
        scene, result = self.scene, self.result
        result.shown = scene.shown()
        # While a login or a read is under way, what it takes is in memory: a scene that never gets out of it is not looked at.
        if not scene.ours or self.fault.kind == "stays" or os.geteuid() != 0 or not scene.program.running:
            return
        secrets = [value.encode() for value in scene.secrets()]

        seen = []

        def clean():
            memory = core(scene.program)
            seen[:] = [value.partition(b"-")[0].decode()[:12] for value in secrets if value in memory]
            return not seen

        try:
            wait.until(clean, "no secret in a core file")
        except wait.TimedOut:
            result.shown.append(f"a core file: {seen}")

    # The rules

    @staticmethod
    def judge(fault, result):
        """Which of them ours broke."""
        rules = {
            f"{result.first} requests for {result.object} in the first minute": result.first > FIRST_MINUTE,
            f"{result.later} requests for {result.object} in a later minute": result.later > LATER_MINUTE,
            f"it ended with {result.exit}": result.exit != fault.exits,
            "the file was not kept": not result.kept,
            "it did not get over it": fault.kind != "stays" and fault.exits is None and result.recovered is None,
            f"secrets are shown: {result.shown}": bool(result.shown),
        }
        return [text for text, broken in rules.items() if broken] + result.wrong
