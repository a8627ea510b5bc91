"""A unit test whose own library calls fail, one by one: failing_calls.c is preloaded into it."""

import dataclasses
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).with_name("failing_calls.c")
# Also the code of a static library fails: what it answers to that is ours to know.
ERRNO = {name: 28 for name in ("write", "ftruncate", "fsync", "rename", "renameat", "linkat")}  # ENOSPC
ERRNO |= {name: 24 for name in ("open", "openat", "socket", "socketpair", "pipe2", "epoll_create1", "timerfd_create", "memfd_create")}  # EMFILE
ERRNO |= {"read": 5, "connect": 111, "unlinkat": 1, "fchmod": 1}  # others say ENOMEM
MEMORY = ("malloc", "calloc", "realloc", "strdup")
# How the program says that it gives up, by design.
GIVES_UP = re.compile("out of memory|failed in libcrypto")


@functools.lru_cache(None)
def library():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ampule-test-calls-"))
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", folder / "failing_calls.so", SOURCE, "-ldl"], check=True)
    return folder / "failing_calls.so"


def clean():
    if library.cache_info().currsize:
        shutil.rmtree(library().parent)


@dataclasses.dataclass(frozen=True, order=True)
class Call:
    program: str
    name: str
    number: int
    onwards: bool

    def __str__(self):
        return f"{self.program} {self.name} {self.number}{'+' if self.onwards else ''}"


def run(program, seconds, **env):
    """(exit code or None, what it said)."""
    with tempfile.TemporaryDirectory(prefix="ampule-test-calls-") as home:
        started = subprocess.Popen([program], cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                   env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "LD_PRELOAD": str(library()), **env})
        try:
            said = started.communicate(timeout=seconds)[0]
            return started.returncode, said.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, 9)
            return None, started.communicate()[0].decode("utf-8", "replace")


def counts(program):
    """Name -> how often, of one run in which nothing fails; {} for a program that fails by itself."""
    with tempfile.NamedTemporaryFile(prefix="ampule-test-calls-") as f:
        code, _ = run(program, 120, FAILING_COUNTS=f.name)
        return {name: int(n) for name, n in (line.split() for line in f.read().decode().splitlines())} if code == 0 else {}


def fail(unit, call, seconds=20):
    """How it went: a word, and where it crashed."""
    wish = f"{call.name}:{call.number}{'+' if call.onwards else ''}:{ERRNO.get(call.name, 12)}"
    code, said = run(unit / call.program, seconds, FAILING_CALL=wish)
    crash = re.search(r"^CRASHED (\d+)(.*)$", said, re.M)
    if crash and not (crash[1] == "6" and GIVES_UP.search(said)):
        where = place(unit / call.program, crash[2].split())
        return crashed_in(where), f"signal {crash[1]}: {' < '.join(where[:4])}"
    if crash:
        return "gives up, and says so", ""
    if code is None:
        return "waits", ""
    return ("passed" if code == 0 else "failed, by a check"), ""


def crashed_in(where):
    """Whose code it was. A test that hands on what it did not get, or ends it a second time, is no fault of the program."""
    if any(frame.startswith("tests/") for frame in where[:3]):
        return "the test itself crashed"
    return "crashed" if where and where[0].startswith("agent/") else "a library crashed"


def place(program, offsets):
    """Where these are in the source, innermost first; the C library's own frames are left out."""
    if not offsets:
        return []
    said = subprocess.run(["addr2line", "-e", program, *offsets], capture_output=True, text=True, check=False).stdout.splitlines()
    return [re.sub(r"^(\.\./)+|^.*?(?=/(agent|tests)/)/| \(.*", "", line) for line in said]
