"""Older systems: the newer system calls fail for one program, as on an older kernel or under an older container runtime."""

import functools
import pathlib
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).with_name("without_calls.c")
# The name of a system: what the calls that it lacks answer.
SYSTEMS = {"new": None, "old-kernel": "ENOSYS", "old-runtime": "EPERM"}


@functools.lru_cache(None)
def _program():
    # Programs under test may run as somebody else.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ampule-test-systems-"))
    folder.chmod(0o755)
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    subprocess.run([compiler, "-O1", "-o", folder / "without_calls", SOURCE], check=True)
    return folder / "without_calls"


def prefix(system):
    """A command prefix: what follows runs on that system."""
    answer = SYSTEMS[system]
    return [_program(), answer] if answer else []


def clean():
    if _program.cache_info().currsize:
        shutil.rmtree(_program().parent)
