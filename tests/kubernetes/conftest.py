"""Releases of the chart for tests that lay hands on them."""

import pytest

from support.release import Release


@pytest.fixture
def install(apiserver, tmp_path):
    """install(replicas=1, ring=None, mounts={…}, **injector): a release of its own with values of the injector; `ring(release)` is what the Secret holds before the start."""
    made = []

    def install(replicas=1, ring=None, mounts=None, **injector):
        one = Release(apiserver, tmp_path, **injector)
        made.append(one)
        one.mounts |= mounts(one) if mounts else {}
        if ring:
            one.set_ring(**ring(one))
        return one.started(replicas) if replicas else one

    yield install
    for one in made:
        one.stop()
