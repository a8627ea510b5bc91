"""The catalogue of faults, a few seconds of each: the rules of tests/fault/table for ours. What takes real minutes is in that table.

Scenes mostly wait: those of a share are on at the same time.
"""

import concurrent.futures
import os
import pathlib

import pytest
from support.agent import original
from support.server import Server
from support.site import Site

from .catalogue import ALL
from .catalogue.scene import Measurement, Scene

SECONDS, SHARES = 3, 10
pytestmark = pytest.mark.skipif(original(), reason="tests/fault/table has the original beside ours")


@pytest.fixture
def measure(real_site, authority, cluster, postgres, tmp_path):
    """measure(fault): the result, and which rules were broken."""

    def one(fault, number):
        folder, site, server = tmp_path / f"scene-{number}", real_site, None
        folder.mkdir()
        if fault.own_server:
            server = Server(folder / "server", authority, persistent=True)
            site = Site(server, cluster, folder)
        try:
            return Measurement(fault, Scene(site, postgres, authority, folder / "scene"), "ours", SECONDS).run()
        finally:
            if server:
                server.stop()

    return one


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
def test_the_faults_of_the_catalogue_are_held(share, measure):
    faults = [f for f in ALL[share::SHARES] if os.geteuid() == 0 or not f.root]
    with concurrent.futures.ThreadPoolExecutor(len(faults)) as pool:
        results = list(pool.map(measure, faults, range(len(faults))))
    broken = {result.fault: (rules, result.log[-4000:]) for fault, result in zip(faults, results) if (rules := Measurement.judge(fault, result))}
    assert not broken, "\n\n".join(f"{name}: {'; '.join(rules)}\n{log}" for name, (rules, log) in broken.items())


def test_no_number_of_the_catalogue_is_forgotten():
    """Each of F1 to F93 is a scene, or said to be elsewhere."""
    text = (pathlib.Path(__file__).parent / "catalogue" / "elsewhere.py").read_text()
    numbers = {f.order for f in ALL}
    assert [n for n in range(1, 94) if n not in numbers and f'"F{n}"' not in text] == []
