"""Every scenario with both programs: files, modes, owners, sinks, exit codes, programs, requests at the server. Never what they log."""

import json
import os
import pathlib
import subprocess
import zlib

import pytest
from support import canary
from support.agent import original
from support.server import binary

from . import applications, commands, differences, files, lifetime, logins, reads, settings, sinks, supervised
from .scenario import Better, Saved, compare
from .stage import World, observe_both

FAMILIES = {module.__name__.rsplit(".", 1)[1]: module.SCENARIOS for module in (files, commands, reads, sinks, logins, supervised, lifetime, settings, applications)}
ALL = [pytest.param(scenario, family, id=f"{family}-{scenario.name.replace(' ', '_')}") for family, rows in FAMILIES.items() for scenario in rows]

# Where all of it is run elsewhere, a part is enough: AMPULE_TWIN_SLICE=4 takes every fourth, always the same ones.
SLICE = int(os.environ.get("AMPULE_TWIN_SLICE", "1"))
TAKEN = [param for param in ALL if zlib.crc32(param.id.encode()) % SLICE == 0]

pytestmark = pytest.mark.skipif(original(), reason="there is nothing to compare the original with")


@pytest.fixture(scope="session")
def world(request, real_site, authority, cluster, tmp_path_factory):
    world = World(real_site, authority, cluster, lambda: request.getfixturevalue("postgres"), tmp_path_factory.mktemp("twin"))
    yield world
    world.close()


def report(family, scenario, meant, faults):
    """For tests/integration/twin/run: what the table is made of."""
    if folder := os.environ.get("AMPULE_TWIN_REPORT"):
        other, saved = ([row.because for row in meant if isinstance(row, kind)] for kind in (Better, Saved))
        row = {"family": family, "name": scenario.name, "other": other, "saved": saved, "worse": faults}
        (pathlib.Path(folder) / f"{family}-{scenario.name.replace('/', '_')}.json").write_text(json.dumps(row))


def openbao():
    return subprocess.run([binary(), "version"], capture_output=True, text=True, check=True).stdout.startswith("OpenBao")


@pytest.mark.parametrize("scenario, family", TAKEN)
def test_twin(scenario, family, world, open_folder):
    if scenario.name in differences.VAULT_ONLY and openbao():
        pytest.skip("OpenBao's agent has not got that")
    open_folder.chmod(0o755)
    (ours, seen), (peer, theirs) = observe_both(world, scenario, open_folder)
    meant, faults = compare(scenario, seen, theirs, differences.BETTER, differences.SAVED)
    told = " ".join(row.aspect for row in meant if hasattr(row, "aspect"))
    if "exit" not in told.split() and theirs.aspects["exit"] != str(scenario.exit):
        faults.append(f"the original ends with {theirs.aspects['exit']}, not with {scenario.exit}")
    faults += [f"the original's {name} is {theirs.aspects.get(name)}, without {text!r}" for name, text in scenario.shows.items()
               if name not in told and text not in theirs.aspects.get(name, "")]  # fmt: skip
    if "(waited in vain)" in theirs.aspects and "waited in vain" not in told:
        faults.append(f"with the original there was no {theirs.aspects['(waited in vain)']}")
    faults += [f"shows {found}" for found in canary.leaks(ours.process.log)]
    report(family, scenario, meant, faults)
    assert not faults, "\n".join(faults) + f"\n{seen}\n{theirs}\n{ours.said()}{peer.said()}"


def test_names_are_unlike_and_every_difference_has_its_scenario():
    names = [scenario.name for rows in FAMILIES.values() for scenario in rows]
    assert len(names) == len(set(names)) and len(names) >= 200
    assert differences.VAULT_ONLY <= set(names)
    assert {row.scenario for row in differences.BETTER} | {row.witness for row in differences.SAVED} <= set(names)
