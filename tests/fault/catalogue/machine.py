"""F84 to F93: the machine gives less than was asked for."""

import os
import pathlib
import signal
import subprocess
import threading

from support import systems, wait
from support.rendering import user
from support.site import unique

from .scene import fault


def limited(*options):
    return ["prlimit", *options, "--"]


@fault("F84", "little address space", kind="lasts", counts=None, peer="Go's programs reserve more than this at the start")
def address_space(scene):
    scene.up(within=limited("--as=80000000"))
    yield


@fault("F85", "32 descriptors", kind="lasts", counts=None)
def descriptors(scene):
    scene.up(within=limited("--nofile=32"))
    yield


@fault("F85", "descriptors run out and come back", root=True, says="(?i)too many open files|descriptor", counts="connections")
def no_descriptors(scene):
    scene.up()
    subprocess.run(["prlimit", f"--pid={scene.program.pid}", "--nofile=5:4096"], check=True)
    scene.proxy.reset_all()
    scene.begin()
    scene.change()
    yield
    subprocess.run(["prlimit", f"--pid={scene.program.pid}", "--nofile=1024:4096"], check=True)


@fault("F87", "no process can be started for a command", root=True, kind="lasts", counts=None, says="(?i)unavailable|fork|started|limit")
def no_processes(scene):
    group = PidsGroup()
    scene.closing(group.close)
    ran = scene.folder / "ran"
    scene.template = {"command": f"echo x >>{ran}"}
    scene.up(within=group.within)
    wait.until(lambda: wait.read(ran), "the command")
    group.limit()
    yield


class PidsGroup:
    """A group of the kernel's that counts processes, as a pod's is one."""

    def __init__(self):
        top = pathlib.Path("/sys/fs/cgroup")
        self.path = (top if (top / "cgroup.controllers").exists() else top / "pids") / unique("ampule-test")
        self.path.mkdir()
        self.within = ["sh", "-ec", f'echo $$ >"{self.path}/cgroup.procs"; exec "$@"', "sh"]

    def limit(self):
        """No more than there are."""
        (self.path / "pids.max").write_text((self.path / "pids.current").read_text())

    def close(self):
        wait.until(self._removed, "the group to be empty")

    def _removed(self):
        try:
            self.path.rmdir()
        except OSError:
            return False
        return True


@fault("F88", "paused for half a minute, a token's life", kind="ends")
def paused(scene):
    scene.login = scene.site.login(token_ttl="15s", token_max_ttl="15s")
    scene.login.method = {}
    scene.up()
    scene.program.pause()
    wait.never(lambda: False, "", 30)
    scene.begin()
    scene.program.resume()
    yield


@fault("F89", "standard output and error are closed", kind="lasts", counts=None)
def closed(scene):
    scene.up(within=["sh", "-c", 'exec "$@" >&- 2>&-', "sh"])
    yield


@fault("F89", "the log's disk is full", kind="lasts", counts=None)
def full(scene):
    scene.up(within=["sh", "-c", 'exec "$@" >/dev/full 2>/dev/full', "sh"])
    yield


@fault("F89", "nobody reads the log's pipe", kind="lasts", counts=None)
def unread(scene):
    """All that it says goes into a pipe that is full."""
    pipe = scene.folder / "pipe"
    os.mkfifo(pipe)
    ends = [os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)]
    scene.closing(lambda: [os.close(end) for end in ends])
    for size in (4096, 1):
        try:
            while True:
                os.write(ends[1], b" " * size)
        except BlockingIOError:
            continue
    scene.up(within=["sh", "-c", f'exec "$@" >{pipe} 2>&1', "sh"])
    yield


@fault("F89", "the reader of the log goes away", kind="lasts", counts=None)
def gone(scene):
    scene.up(within=["bash", "-c", 'exec "$@" > >(head -c 1 >/dev/null) 2>&1', "sh"])
    yield


@fault("F91", "no memory may be locked", kind="lasts", counts=None, says="(?i)lock")
def unlocked(scene):
    scene.up(within=["setpriv", "--inh-caps=-all", "--bounding-set=-ipc_lock", "--", *limited("--memlock=0")] if os.geteuid() == 0 else limited("--memlock=0"))
    yield


@fault("F91", "an older kernel, without Landlock and others", kind="lasts", counts=None)
def older(scene):
    scene.up(within=systems.prefix("old-kernel"))
    yield


def configuration(text, says, change, exits=1, **pairs):
    @fault("F92", text, kind="stays", exits=exits, counts=None, says=says, **pairs)
    def configured(scene):
        scene.reform = change
        scene.begin()
        scene.start()
        if scene.ours and exits is not None:
            scene.program.wait_exit()
        yield


configuration("a configuration with a key of the wrong type", "agent.hcl:", lambda text: text + "\nexit_after_auth = { a = 1 }\n")
configuration("a configuration of 10 MiB", "(?i)bytes|larger|big", lambda text: text + "# x\n" * (5 << 19))
configuration("a configuration that is cut off", "agent.hcl:", lambda text: text[: len(text) // 2])
configuration("a key that nobody knows", "(?i)no_such_key", lambda text: text + "\nno_such_key = 1\n", exits=None)


@fault("F92", "the configuration is a link", kind="lasts", counts=None)
def link(scene):
    scene.agent_folder.mkdir()
    (scene.agent_folder / "agent.hcl").symlink_to(scene.folder / "real.hcl")
    scene.outputs.append(scene.folder / "real.hcl")
    scene.up()
    yield


@fault("F93", "SIGHUP two hundred times", kind="lasts", counts=None)
def hurried(scene):
    scene.up()
    before = len(scene.proxy.requests)
    for _ in range(200):
        scene.program.signal(signal.SIGHUP)
        threading.Event().wait(0.005)
    scene.begin()
    yield
    assert not scene.ours or len([r for r in scene.proxy.requests[before:] if r.at < scene.begun]) < 40, "a request for each SIGHUP"


@fault("F93", "SIGHUP two hundred times while a read fails", says="404 not found")
def hurried_in_vain(scene):
    late = scene.kv.path("late")
    scene.begin()
    scene.start(text=user(late))
    wait.until(lambda: scene.proxy.count(path="/data/late"), "the first read")
    for _ in range(200):
        scene.program.signal(signal.SIGHUP)
        threading.Event().wait(0.005)
    put = scene.kv.put
    scene.kv.put = lambda name, **data: put("late", **data)
    yield
