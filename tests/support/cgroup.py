"""A memory group of the kernel's, as a pod's limit is one; either version."""

import os
import pathlib
import uuid

TOP = pathlib.Path("/sys/fs/cgroup")
SECOND = (TOP / "cgroup.controllers").exists()
LIMIT, PEAK = ("memory.max", "memory.peak") if SECOND else ("memory.limit_in_bytes", "memory.max_usage_in_bytes")


class MemoryGroup:
    def __init__(self, most):
        self.path = (TOP if SECOND else TOP / "memory") / f"ampule-test-{uuid.uuid4().hex[:12]}"
        self.path.mkdir()
        (self.path / LIMIT).write_text(str(most))
        # Before a program: it starts inside.
        self.within = ["sh", "-ec", f'echo $$ >"{self.path}/cgroup.procs"; exec "$@"', "sh"]

    def peak(self):
        return int((self.path / PEAK).read_text())

    def killed(self):
        """How many processes the limit ended."""
        counts = (self.path / ("memory.events" if SECOND else "memory.oom_control")).read_text()
        return next(int(line.split()[1]) for line in counts.splitlines() if line.startswith("oom_kill "))

    def close(self):
        self.path.rmdir()


def available():
    """Whether this machine lets us make one."""
    try:
        MemoryGroup(1 << 27).close()
    except OSError:
        return False
    return os.geteuid() == 0
