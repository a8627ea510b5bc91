"""System calls of an init run fail, or are the last before SIGKILL: the last of some kinds. All of all kinds: tests/fault/torture."""

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
