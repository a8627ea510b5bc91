"""Library calls of the unit tests fail: a slice of all, the same in each run. All of them: tests/fault/calls."""

import collections
import pathlib
import random
import sys

import pytest
from support import calls
from support.agent import program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from calls import left_out, points  # noqa: E402

SEED = 1
UNIT = pathlib.Path(program("ampule-agent")).parent.parent / "unit"
# Of each name; of all points of a program that many are drawn.
MOST, DRAWN = 4, 2
SLOW = {"test_tpl_limits", "test_tpl_redact", "test_fn_fn_vectors"}  # seconds each, and calls nothing but for memory
SHARES = 8

pytestmark = pytest.mark.skipif(not UNIT.is_dir(), reason="no unit tests beside the programs")


def drawn(name, known):
    """Calls for memory end the program by design, mostly: they are what is drawn where there are no others."""
    found = points(name, known, MOST, SEED)
    others = [call for call in found if call.name not in calls.MEMORY]
    return random.Random(f"{SEED} {name}").sample(others or found, min(DRAWN, len(others or found)))


@pytest.mark.parametrize("share", range(SHARES))
def test_no_library_call_that_fails_crashes_our_code(share):
    names = [name for name in sorted(p.name for p in UNIT.glob("test_*")) if name not in SLOW and not left_out(name)][share::SHARES]
    went, crashes, silent = collections.Counter(), [], []
    for name in names:
        known = calls.counts(UNIT / name)
        if not known:
            silent.append(name)
        for call in drawn(name, known):
            word, where = calls.fail(UNIT, call)
            went[word] += 1
            if word == "crashed":
                crashes.append(f"{call}: {where}")
    print(dict(went))
    assert not crashes
    assert not silent, "they fail by themselves"
    assert went["failed, by a check"] + went["gives up, and says so"] >= len(names) // 2, "too few calls failed to mean anything"
