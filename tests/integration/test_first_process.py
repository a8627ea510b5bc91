"""As process 1 of a container, whether there is a program to supervise or not: whatever comes to it is reaped."""

import pathlib
import subprocess

import pytest
from support import wait
from support.agent import original, template

pytestmark = pytest.mark.skipif(original(), reason="the original reaps nothing")

ORPHANS = 50


def everybody():
    """All processes: {pid: (state, parent)}."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        found[int(stat.parent.name)] = (fields[0], int(fields[1]))
    return found


def zombies(first):
    """Those below a process."""
    found, below, seen = everybody(), {first}, 0
    while len(below) > seen:
        seen = len(below)
        below |= {pid for pid, (_, parent) in found.items() if parent in below}
    return [pid for pid in below if pid in found and found[pid][0] == "Z"]


@pytest.fixture
def first(site, agent, tmp_path):
    """Starts an agent as process 1 of a pid namespace; returns its number outside of that."""

    def start(*blocks):
        one = agent(site.config(site.login(), *blocks), within=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
        wait.for_file(tmp_path / "out", "x", seconds=60)
        return next(pid for pid, (_, parent) in everybody().items() if parent == one.pid)

    return start


def leave_orphans(ended):
    """A line for a shell, which ends before any of them."""
    return f"for i in $(seq {ORPHANS}); do (sh -c 'sleep 0.1; echo ended >>{ended}' &); done"


def assert_reaped(pid, ended):
    wait.until(lambda: (wait.read(ended) or "").count("ended") == ORPHANS, "all orphans to end", 60)
    wait.until(lambda: not zombies(pid), lambda: f"{len(zombies(pid))} zombies to be reaped", 60)
    assert pid in everybody()


def test_what_a_template_command_leaves_behind_is_reaped(first, tmp_path):
    pid = first(template("x", tmp_path / "out", command=leave_orphans(tmp_path / "ended")))
    assert_reaped(pid, tmp_path / "ended")


def test_what_somebody_starts_in_the_container_and_leaves_is_reaped(first, tmp_path):
    pid = first(template("x", tmp_path / "out"))
    subprocess.run(["nsenter", "-t", str(pid), "-p", "sh", "-c", leave_orphans(tmp_path / "ended")], check=True, timeout=60)
    assert_reaped(pid, tmp_path / "ended")
