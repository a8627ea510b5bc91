"""System calls of an init run fail, or are the last before SIGKILL: some of some kinds. All of all kinds: tests/fault/torture."""

import pytest
from support import syscalls
from support.agent import original

NAMES = {
    "kill": ["write", "renameat", "linkat", "fsync", "unlinkat", "sendto"],
    "once": ["write", "renameat", "linkat", "fsync", "openat", "epoll_ctl", "recvfrom"],
    "onwards": ["renameat", "openat", "epoll_ctl", "sendto"],
    "EINTR": ["read", "write", "epoll_wait", "recvfrom", "connect"],
}
pytestmark = [
    pytest.mark.skipif(original(), reason="the original leaves files behind"),
    pytest.mark.skipif(not syscalls.available(), reason="strace may not trace here"),
]


@pytest.mark.parametrize("mode", NAMES)
def test_system_calls_that_fail_or_are_the_last_tear_nothing(site, tmp_path, mode):
    ground = syscalls.Ground(site, tmp_path)
    counts = ground.lay().calls()
    wrong = {}
    for name in NAMES[mode]:
        word, faults = ground.lay().at(syscalls.Point(mode, name, max(1, counts[name])), seconds=5)
        if faults:
            wrong[name] = (word, faults)
    assert not wrong


# Those by which a set of files switches; of an init run it makes nearly all.
SWITCHING = {"kill": ["mkdirat", "symlinkat", "renameat", "unlinkat"], "once": ["mkdirat", "symlinkat", "renameat"], "onwards": ["symlinkat", "renameat", "unlinkat"]}


@pytest.mark.parametrize("mode", SWITCHING)
def test_files_that_switch_together_do_so_whatever_fails_or_is_the_last(site, tmp_path, mode):
    ground = syscalls.Ground(site, tmp_path, together=True)
    counts = ground.lay().calls()
    assert all(counts[name] for name in SWITCHING[mode]), counts
    found = [(point, *ground.lay().at(point, seconds=5)) for name in SWITCHING[mode] for point in syscalls.points({name: counts[name]}, [mode])]
    assert not [(str(point), word, faults) for point, word, faults in found if faults]
