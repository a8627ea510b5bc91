"""What the kernel says about a process, and when a file appears."""

import ctypes
import os
import pathlib
import select
import struct
import time

TICK = os.sysconf("SC_CLK_TCK")
IN_CREATE, IN_MOVED_TO = 0x100, 0x80
EVENT = struct.Struct("iIII")


def _fields(pid, name):
    lines = pathlib.Path(f"/proc/{pid}/{name}").read_text().splitlines()
    return {key: rest.split()[0] for key, _, rest in (line.partition(":") for line in lines) if rest.split()}


def memory(pid):
    """Bytes: what is resident, its proportional part, what is private and written, and what is mapped from files."""
    rollup, status = _fields(pid, "smaps_rollup"), _fields(pid, "status")
    kib = {
        "rss": rollup["Rss"],
        "pss": rollup["Pss"],
        "private_dirty": rollup["Private_Dirty"],
        "private_all": int(rollup["Private_Clean"]) + int(rollup["Private_Dirty"]),
        "rss_anon": status["RssAnon"],
        "peak": status["VmHWM"],
    }
    return {key: int(value) * 1024 for key, value in kib.items()}


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def work(pid):
    """(CPU seconds, voluntary context switches) of all its threads since they began; a wait that ends is one switch.

    CPU comes from schedstat: the ticks of /proc/PID/stat are too coarse for a program that does nothing.
    """
    nanoseconds = switches = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        nanoseconds += int((task / "schedstat").read_text().split()[0])
        switches += int(_fields(f"{pid}/task/{task.name}", "status")["voluntary_ctxt_switches"])
    return nanoseconds / 1e9, switches


class Arrival:
    """Notes when a file of this name is made in a folder, without asking again and again, which would take the CPU from who makes it."""

    def __init__(self, path):
        self._name = os.path.basename(path).encode()
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if libc.inotify_add_watch(self._fd, os.fsencode(os.path.dirname(path)), IN_CREATE | IN_MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), f"watching {path}")

    def wait(self, seconds):
        """The monotonic time of the arrival."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            select.select([self._fd], [], [], max(0, end - time.monotonic()))
            now = time.monotonic()
            if self._name in self._names():
                return now
        raise TimeoutError(f"{self._name.decode()} did not appear in {seconds} s")

    def _names(self):
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return
        while data:
            _, _, _, length = EVENT.unpack_from(data)
            yield data[EVENT.size : EVENT.size + length].rstrip(b"\0")
            data = data[EVENT.size + length :]

    def close(self):
        os.close(self._fd)
