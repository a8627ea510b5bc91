"""Waiting for something to become true, with a deadline and without a fixed delay."""

import os
import select
import shutil
import time

DEADLINE = 60.0  # a deadline costs nothing where all is well, and a machine may have much else to do
STEP = 0.02


class TimedOut(AssertionError):
    """What was waited for did not happen."""


def until(condition, what, seconds=DEADLINE):
    """Asks `condition` again and again until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise TimedOut(f"{what() if callable(what) else what}: not within {seconds:g} s")
        select.select([], [], [], STEP)


def never(condition, what, seconds):
    """Watches that `condition` stays false for a while. For what must not happen there is no event to wait for."""
    try:
        until(condition, what, seconds)
    except TimedOut:
        return
    raise AssertionError(f"{what}: happened")


def removed(folder):
    """Removes a folder with all that is in it, though somebody who is alive may still make and rename files there."""

    def gone():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return not os.path.lexists(folder)
        except OSError:
            return False
        return True

    until(gone, lambda: f"{folder} to be removed; it holds {os.listdir(folder)}")


def lines(path):
    """The whole lines of a file that somebody may be writing to; none while it is not there."""
    return (read(path) or "").rpartition("\n")[0].splitlines()


def read(path):
    """The bytes of a file as text, or None while it is not there."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):  # the latter of /proc, whose process ended while it was read
        return None


def for_file(path, content=None, contains=None, differs_from=None, seconds=DEADLINE):
    """Waits until the file is there (and is, contains or no longer is what was asked for); returns its text."""

    def fits():
        got = read(path)
        if got is None or (content is not None and got != content) or (contains is not None and contains not in got):
            return False
        return (got != differs_from) and (got,)

    return until(fits, lambda: f"{path} holds {read(path)!r}, wanted {content or contains or 'a change'!r}", seconds)[0]
