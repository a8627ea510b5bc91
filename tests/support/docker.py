"""A Docker engine of the tests' own: Debian's dockerd with its data in the cache, in a mount namespace of its own, without a bridge or packet filter.

Its containers use the machine's network, or networks that they make. It is for one run at a time.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

from . import wait
from .agent import TOP
from .process import Process

DOCKER = "/usr/bin/docker"  # Debian's: others may lack the parts that Debian's has built in
CACHE = pathlib.Path(os.environ.get("AMPULE_CACHE") or pathlib.Path.home() / ".cache/ampule") / "docker"
KEEP = "6GB"  # of build steps, from run to run
REFUSED = r"operation not permitted|permission denied|not supported|no such device|function not implemented|cgroup.* not (mounted|found)"


class Engine:
    """Started when made. `call` is the docker command; containers that are left are removed by stop()."""

    def __init__(self):
        CACHE.mkdir(parents=True, exist_ok=True)
        self._lock = self._take()
        # Sockets want short paths.
        self._run = pathlib.Path(tempfile.mkdtemp(prefix="ampule-docker-", dir="/tmp"))
        self.host = f"unix://{self._run}/docker.sock"
        self.env = {**os.environ, "DOCKER_HOST": self.host, "DOCKER": DOCKER, "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(self._run)}
        folders = ["--data-root", CACHE / "data", "--exec-root", self._run, "--pidfile", self._run / "docker.pid"]
        network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        # Its mounts end with it; a process without CAP_SYS_RESOURCE may not protect itself from the OOM killer.
        within = ["unshare", "--mount", "--propagation", "private"]
        self.process = Process([*within, "/usr/sbin/dockerd", "-H", self.host, *folders, *network, "--oom-score-adjust=0"])
        try:
            wait.until(self._answers, lambda: f"dockerd to answer; it said:\n{self.process.log}", 180)
        except BaseException:
            self._end()
            raise
        self._remove_containers()

    @staticmethod
    def _take():
        lock = open(CACHE / "lock", "w")  # noqa: SIM115  (open as long as the engine)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("docker: another run has the engine, waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def _answers(self):
        if not self.process.running:
            last = re.findall(r"(?:failed to start daemon: |level=fatal msg=|level=error msg=)(.*)", self.process.log)
            if last and re.search(REFUSED, last[-1], re.I):
                pytest.skip(f"the kernel refuses a Docker engine: {last[-1]}")
            raise AssertionError(f"dockerd ended:\n{self.process.log}")
        return subprocess.run([DOCKER, "version"], env=self.env, capture_output=True, check=False).returncode == 0

    def run(self, *argv, check=True, **pairs):
        """Any command that speaks to the engine; its output as text."""
        env = {**self.env, **pairs.pop("env", {})}
        done = subprocess.run([str(a) for a in argv], env=env, capture_output=True, text=True, errors="replace", check=False, **pairs)
        assert done.returncode == 0 or not check, f"{' '.join(map(str, argv))}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    def call(self, *args, **pairs):
        return self.run(DOCKER, *args, **pairs).stdout.strip()

    def inspect(self, name, kind="image"):
        return json.loads(self.call(kind, "inspect", name))[0]

    def _remove_containers(self):
        if left := self.call("ps", "-aq").split():
            self.call("rm", "-f", "-v", *left)

    def _end(self):
        self.process.stop(30)
        # Containers and namespaces are gone with their mounts; what remains are empty folders and logs.
        shutil.rmtree(self._run, ignore_errors=True)
        self._lock.close()

    def stop(self):
        with contextlib.suppress(AssertionError):
            self._remove_containers()
            self.call("image", "prune", "-f")
            self.call("builder", "prune", "-f", "--keep-storage", KEEP)
        self._end()


class Images:
    """What deploy/images/build made: `folder` has its lists of parts."""

    def __init__(self, engine):
        self.engine, self.folder = engine, TOP / "build" / "images"
        self.base = engine.run(TOP / "deploy/images/base").stdout.strip()
        self.build()

    def build(self, *args, options=()):
        network = ["--network=host", "--progress=plain"]
        return self.engine.run(TOP / "deploy/images/build", *args, "--", *network, *options, env={"BASE": self.base})


class Container(Process):
    """`docker run` in the foreground, on the machine's network unless `network` says otherwise. `volumes`: host path -> path inside."""

    def __init__(self, engine, image, *args, name, volumes=None, env=None, options=(), network="host", entrypoint=None):
        self.engine, self.name = engine, name
        argv = [DOCKER, "run", "--rm", "--name", name, f"--network={network}"]
        argv += [f"--volume={host}:{inside}" for host, inside in (volumes or {}).items()]
        argv += [f"--env={key}={value}" for key, value in (env or {}).items()]
        argv += [f"--entrypoint={entrypoint}"] if entrypoint is not None else []
        super().__init__([*argv, *options, image, *args], env=engine.env)

    def exec(self, *command, check=True):
        return self.engine.run(DOCKER, "exec", self.name, *command, check=check)

    def stop(self, seconds=30):
        """As Kubernetes ends it; the exit code."""
        self.engine.run(DOCKER, "stop", "-t", int(seconds), self.name, check=False)
        return self.wait_exit(seconds + 20)


@pytest.fixture(scope="session")
def engine():
    if os.geteuid():
        pytest.skip("only root may start a Docker engine")
    engine = Engine()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def images(engine):
    return Images(engine)


@pytest.fixture
def container(engine, request):
    """container(image, *args, volumes=…): started; ended and looked through for secrets after the test."""
    from . import canary
    from .site import unique

    started = []

    def start(image, *args, **pairs):
        one = Container(engine, image, *args, name=unique("ampule"), **pairs)
        started.append(one)
        return one

    yield start
    for one in started:
        if one.running:
            one.stop(5)
    assert not [found for one in started if (found := canary.leaks(one.log))]
