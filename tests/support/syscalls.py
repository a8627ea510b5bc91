"""An agent among system calls that fail, or at each of which it is killed: strace does it, on one init run against a real server."""

import collections
import dataclasses
import os
import re
import shutil
import signal
import subprocess

from . import canary
from .agent import Agent, block, template
from .rendering import user
from .site import unique

LINES = 3000  # of a rendered file, so that it takes more than one write
STRAY = ".ampule-"
PLACE = "/the-sink-of-this-run"
# What each answers when it fails; others say ENOMEM. Those without an answer cannot fail.
ERRORS = {
    "EMFILE": "openat open openat2 socket socketpair epoll_create1 eventfd2 pipe2 memfd_create inotify_init1 timerfd_create signalfd4 pidfd_open accept4",
    "EIO": "read pread64 readlink readlinkat getdents64 fsync lseek fstat newfstatat statx",
    "ENOSPC": "write pwrite64 writev ftruncate fallocate mkdirat mkdir inotify_add_watch renameat rename renameat2 linkat",
    "ECONNRESET": "recvfrom recvmsg sendto sendmsg connect getsockopt setsockopt getpeername getsockname shutdown",
    "EPERM": "fchmod fchmodat fchown fchownat unlinkat unlink kill tgkill prctl prlimit64 setsid setpgid seccomp",
    "EAGAIN": "clone clone3 vfork fork mlock mlock2 getrandom",
    "EOPNOTSUPP": "landlock_create_ruleset landlock_add_rule landlock_restrict_self flock",
    "EINTR": "epoll_wait epoll_pwait poll ppoll futex select",
}
ERROR_OF = {name: error for error, names in ERRORS.items() for name in names.split()}
# A descriptor is closed whatever close() answers, and strace would leave it open. The others ask what is known, or do not wait: waitid here
# has WNOHANG, wait4 a child, fcntl an open descriptor, dup3 a number that is free, and signal masks are the caller's own memory.
NEVER_FAIL = {"close", "close_range", "waitid", "wait4", "fcntl", "dup2", "dup3", "rt_sigprocmask", "rt_sigaction", "exit_group", "exit", "rt_sigreturn", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getppid", "umask", "arch_prctl",
              "set_tid_address", "set_robust_list", "rseq", "execve", "brk", "munmap", "restart_syscall", "sched_yield", "alarm"}


@dataclasses.dataclass(frozen=True, order=True)
class Point:
    """The n-th call of a name, and what becomes of it."""

    mode: str
    name: str
    number: int

    def __str__(self):
        return f"{self.mode} {self.name} {self.number}"


def points(counts, modes):
    found = []
    for name, count in sorted(counts.items()):
        for number in range(1, count + 1):
            found += [Point(mode, name, number) for mode in modes if can(mode, name)]
    return found


def can(mode, name):
    """Whether that can happen to a call of this name."""
    return name != "exit_group" if mode == "kill" else name in INTERRUPTED if mode == "EINTR" else name not in NEVER_FAIL


class Ground:
    """Two secrets of a real server, and what an agent makes of them: two files (`together`: of one atomic_group), a command, a sink."""

    def __init__(self, site, folder, together=False):
        self.site, self.folder, self.together = site, folder, together
        self.kv = site.kv2()
        self.texts = {}
        for name in ("first", "second"):
            self.texts[name] = f"{canary.secret(name)}\n" * LINES
            self.kv.put(name, user=self.texts[name])
        self.login = site.login()
        self.login.sink(PLACE)
        self.strays = 0  # runs that left some, until the next start

    def lay(self):
        """A folder with the files of before; returns it with the configuration for it."""
        folder = self.folder / unique("run")
        volume = folder / "volume"
        volume.mkdir(parents=True)
        self._old(volume)
        told = {"command": f"touch {folder}/told"}
        files = [template(user(self.kv.path(name)), volume / name, **(told if name == "first" and not self.together else {})) for name in self.texts]
        settings = block("template_config", exit_on_retry_failure=True)
        if self.together:
            settings += block("ampule", body=block("atomic_group", "both", folder=volume, **told))
        config = self.site.config(self.login, *files, settings, exit_after_auth=True, vault={"retry": {"num_retries": 1}})
        return Run(self, folder, config.replace(PLACE, str(folder / "sink")))

    def _old(self, volume):
        """The files of before, as an earlier agent left them."""
        inside = volume
        if self.together:
            inside = volume / f"..2026_12_01_09_30_00.{'0' * 32}"
            inside.mkdir()
            (volume / "..data").symlink_to(inside.name)
        for name in self.texts:
            (inside / name).write_text("old\n" * LINES)
            if self.together:
                (volume / name).symlink_to(f"..data/{name}")


INTERRUPTED = set("read write epoll_wait poll recvfrom sendto connect wait4 getrandom futex".split())  # those that can wait


class Run:
    """One life of an agent under strace."""

    def __init__(self, ground, folder, config):
        self.ground, self.folder, self.config = ground, folder, config
        self.volume, self.trace = folder / "volume", folder / "trace"
        self.agent, self.muted = None, False

    def start(self, *inject):
        strace = ["strace", "-D", "-f", "-qq", "-o", self.trace, *inject] if inject else []
        self.agent = Agent(self.folder / unique("agent"), self.config, within=strace)
        return self.agent

    def calls(self):
        """How often each system call is made, by the process that makes it most often: strace counts for each."""
        self.start("-e", "trace=all", "-e", "signal=none").wait_exit(60)
        trace = self.trace.read_text(errors="replace")
        found = collections.Counter(re.findall(r"^(\d+) +(\w+)\(", trace, re.M))
        most = collections.Counter()
        for (_, name), count in found.items():
            most[name] = max(most[name], count)
        before = trace[: trace.index("PR_SET_SECCOMP")]
        self.ground.filter_at = len(re.findall(rf"^{before.splitlines()[-1].split()[0]} +prctl\(", before, re.M))
        return most

    def states(self):
        """What each file is: old, new, or torn; what does not switch together is torn as well."""
        known = {name: {"old\n" * LINES: "old", text: "new"} for name, text in self.ground.texts.items()}
        found = {name: known[name].get(text, "torn") for name, text in self._texts().items()}
        return dict.fromkeys(found, "torn") if self.ground.together and len(set(found.values())) > 1 else found

    def _texts(self):
        """Of one version, if there are versions: an agent that tries on may switch meanwhile."""
        while True:
            version = self._version()
            texts = {name: self._text(name) for name in self.ground.texts}
            if version == self._version():
                return texts

    def _version(self):
        return os.readlink(self.volume / "..data") if self.ground.together else None

    def _text(self, name):
        try:
            return (self.volume / name).read_text()
        except OSError:
            return None

    def strays(self):
        known = {*self.ground.texts, "..data", self._version()} if self.ground.together else set()
        return [name for name in os.listdir(self.volume) if name.startswith((STRAY, "..")) and name not in known]

    def shown(self):
        return [place for place in ("log",) if canary.leaks(self.agent.log)]

    # What happens

    def at(self, point, seconds=12):
        """Returns how it went, in a word or two, and what is wrong with that."""
        if point.mode == "kill":
            wrong, left = self.kill_at(point.name, point.number)
            self.ground.strays += left > 0
            went = "cleaned up" if not wrong else "not cleaned up"
        else:
            error = "EINTR" if point.mode == "EINTR" else ERROR_OF.get(point.name, "ENOMEM")
            onwards = point.mode == "onwards"
            # Interrupted for ever is no life at all.
            went, wrong = self.fail_at(point.name, point.number, "EBADF" if onwards and error == "EINTR" else error, onwards, seconds)
            # The dynamic loader, before there is a program, takes an interruption for a failure.
            if point.mode == "EINTR" and went != "went on" and "loading shared libraries" not in self.agent.log:
                wrong.append(f"an interruption is no failure: {went}: {self.agent.log[-300:]}")
        shutil.rmtree(self.folder, ignore_errors=True)
        return went, wrong

    def kill_at(self, name, number):
        """SIGKILL instead of that call; then a whole life. Returns what is wrong with what it leaves."""
        self.start("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}").wait_exit(60)
        wrong = [f"{file} is torn" for file, state in self.states().items() if state == "torn"]
        left = len(self.strays())
        code = self.start().wait_exit(60)
        if code != 0 or set(self.states().values()) != {"new"}:
            wrong.append(f"the next start: {code}, {self.states()}: {self.agent.log[-300:]}")
        if self.strays():
            wrong.append(f"strays after the next start: {self.strays()}")
        return wrong, left

    def fail_at(self, name, number, error, onwards, seconds):
        """That call fails; returns how it went (a word), and what is wrong with it."""
        when = f"{number}+" if onwards else number
        # A call that strace makes fail has no number any more, for which the agent's own filter would kill it: there is none in these runs.
        unfiltered = ["-e", f"inject=prctl:error=EINVAL:when={self.ground.filter_at}"] if name != "prctl" else []
        self.muted = onwards and name == "write"
        one = self.start("-e", f"trace={name},prctl", *unfiltered, "-e", f"inject={name}:error={error}:when={when}")
        try:
            code = one.wait_exit(seconds)
        except AssertionError:
            # Slow is not silent: on a busy machine a run takes its time.
            code = None if re.search("again_in=", one.log) else self._late(one)
        wrong = [f"{file} is torn" for file, state in self.states().items() if state == "torn"]
        wrong += [f"secrets in the {place}" for place in self.shown()]
        return self._judge(one, code, wrong)

    @staticmethod
    def _late(one):
        try:
            return one.wait_exit(45)
        except AssertionError:
            return None

    def _judge(self, one, code, wrong):
        word = "went on"
        if code is None:
            word = "tries on" if re.search(r"again_in=", one.log) else "silent"
            code = one.stop()
            if code < 0 and code != -signal.SIGTERM:
                word = "hangs"
        elif code < 0 or code > 128:
            # Before the first line there was only the dynamic loader, which has no better answer than a signal.
            word = "gives up, and says so" if re.search("out of memory|failed in libcrypto", one.log) else "crashed" if one.log else "ended in the dynamic loader"
        elif code:
            word = "ended, with a reason" if one.last_line.strip() else "ended, silent"
            if word == "ended, silent" and self.muted:
                word = "ended; it could not write why"
        elif set(self.states().values()) != {"new"}:
            wrong.append(f"exit 0, but {self.states()}")
        if word in ("silent", "hangs", "crashed", "ended, silent"):
            wrong.append(f"{word} ({code}): {one.log[-400:]}")
        return word, wrong


def available():
    return subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0
