"""Build, demo and tests in any order; and no part of the tests shrinks unseen."""

import os
import re

import pytest
from readme.conftest import command

pytestmark = [pytest.mark.timeout(1200), pytest.mark.skipif(os.geteuid() != 0, reason="the demo mounts a tmpfs, which only root may")]

MAKE, DEMO, PLAN = command("cmake -S"), command("deploy/demo"), command("tests/run") + " plan"
CONFIGURE = MAKE.split(" && ")[0]


def test_the_readme_builds_with_what_it_installs(clone):
    assert "-G" not in CONFIGURE and "ninja" not in command("apt-get install")


def test_make_then_the_demo_then_the_tests(clone):
    clone.run(CONFIGURE)
    assert "Unix Makefiles" in (clone.folder / "build/CMakeCache.txt").read_text()
    assert "Every step held" in clone.run(DEMO)
    planned = clone.run(PLAN)
    assert len(re.findall(r"^   (normal|sanitize) test_", planned, re.M)) == 2 * len([*clone.folder.glob("tests/unit/*/test_*.c")])
    assert "Unix Makefiles" in (clone.folder / "build/CMakeCache.txt").read_text(), "what the user configured stays"


def test_the_demo_then_the_tests_then_make(clone):
    clone.run(DEMO)
    clone.run(PLAN)
    clone.run(f"{CONFIGURE} && cmake --build build --target help")


@pytest.mark.parametrize("folder", ["build/demo", "build/normal"])
def test_a_folder_that_somebody_configured_otherwise_is_put_right_and_that_is_said(clone, folder):
    clone.run(f"cmake -S . -B {folder} -DAMPULE_TESTS=OFF -DAMPULE_SANITIZE=ON")
    said = clone.run(DEMO if folder == "build/demo" else f"{PLAN} unit")
    assert re.search(rf"{folder} had AMPULE_SANITIZE=ON, it is OFF now", said)
    assert re.search(rf"{folder} had CMAKE_GENERATOR=Unix Makefiles, it is Ninja now", said)
    assert folder == "build/demo" or re.search(rf"{folder} had AMPULE_TESTS=OFF, it is ON now", said)


def test_a_tree_that_was_moved_is_built_where_it_is(clone):
    clone.run("deploy/configure build/moved")
    clone.folder = clone.folder.rename(clone.folder.parent / "elsewhere")
    assert "had CMAKE_HOME_DIRECTORY=" in clone.run("deploy/configure build/moved")
    assert "had " not in clone.run("deploy/configure build/moved")


def test_a_build_that_would_not_make_a_unit_test_is_named(clone):
    lists = clone.folder / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("  foreach(source ${tests})", "  list(FILTER tests EXCLUDE REGEX test_buf)\n  foreach(source ${tests})"))
    done = clone.run(f"{PLAN} unit", check=False)
    assert done.returncode == 1 and "build/normal would not make test_base_buf" in done.stdout


# ------------------------------------------------------------------------------------------------------- what did not run


@pytest.fixture
def unbuilt(clone):
    """Builds nothing and says that it did."""
    nothing = "#!/bin/sh\nexit 0\n"
    clone.write("deploy/configure", nothing, 0o755)
    clone.write("programs/cmake", nothing, 0o755)
    clone.env["PATH"] = f"{clone.folder}/programs:{clone.env['PATH']}"
    return clone


def failed(clone, part):
    """What the run of one part says of it, and its last line."""
    done = clone.run(f"tests/run {part}", check=False, AMPULE_SERVER="/bin/true", AMPULE_COMPOSE="/bin/true")
    assert done.returncode == 1, done.stdout
    return re.findall(r"^failed: (.*)$", done.stdout, re.M), done.stdout.splitlines()[-1]


@pytest.mark.parametrize("part", ["unit", "fuzz-corpus"])
def test_programs_that_are_not_there_are_missed(unbuilt, part):
    [[line], last] = failed(unbuilt, part)
    assert re.match(rf"{part}: (\d+) of \1 did not run: ", line) and last == "0 passed, 1 failed"


def test_checks_of_a_lint_that_died_are_missed(unbuilt):
    lint = unbuilt.folder / "tests/lint/run"
    lint.write_text(lint.read_text().replace("        problems = list(function())", "        sys.exit('died')", 1))
    [[line], last] = failed(unbuilt, "lint")
    assert re.match(r"lint: (\d+) of \1 did not run: ", line) and last == "0 passed, 1 failed"


@pytest.fixture
def two_lanes(unbuilt):
    """One driver of the parts that compute, one test of those on the Docker engine."""
    for file in [*unbuilt.folder.glob("tests/vectors/[rt]*.py"), *unbuilt.folder.glob("tests/compose/*.py")]:
        file.unlink()
    unbuilt.write("tests/vectors/run_good", "#!/bin/sh\necho '3 passed, 1 failed'\n", 0o755)
    unbuilt.write("tests/vectors/test_one.py", "def test_one():\n    pass\n")
    unbuilt.write("tests/compose/test_two.py", "def test_two():\n    pass\n")
    return unbuilt


def test_parts_beside_each_other_are_counted_together(two_lanes):
    lines, last = failed(two_lanes, "compose vectors")
    assert [line.partition(" (")[0] for line in lines] == [f"vectors: {two_lanes.folder}/tests/vectors/run_good"] or "run_good" in lines[0]
    assert last == "5 passed, 1 failed"


def test_parts_whose_run_was_killed_are_missed(two_lanes):
    """Its shell is the driver's parent."""
    two_lanes.write("tests/vectors/run_good", "#!/bin/sh\nkill -KILL $PPID\n", 0o755)
    lines, last = failed(two_lanes, "compose vectors")
    assert lines == ["compute: the parts that run one after another there did not finish"] and last == "1 passed, 1 failed"


def test_a_driver_that_cannot_run_or_runs_nothing_is_missed(unbuilt):
    for driver in unbuilt.folder.glob("tests/vectors/[rt]*.py"):
        driver.unlink()
    unbuilt.write("tests/vectors/run_good", "#!/bin/sh\necho '3 passed, 0 failed'\n", 0o755)
    unbuilt.write("tests/vectors/run_nothing", "#!/bin/sh\necho '0 passed, 0 failed'\n", 0o755)
    unbuilt.write("tests/vectors/run_not", "#!/bin/sh\necho '3 passed, 0 failed'\n")
    unbuilt.write("tests/vectors/test_one.py", "def test_one():\n    pass\n")
    lines, last = failed(unbuilt, "vectors")
    assert any(re.search("run_not did not finish", line) for line in lines)
    assert any(re.search("2 of 4 did not run: run_nothing, run_not,|2 of 4 did not run: run_not, run_nothing,", line) for line in lines)
    assert last == "4 passed, 2 failed"


def test_a_test_that_pytest_does_not_find_is_missed(unbuilt):
    for file in unbuilt.folder.glob("tests/compose/*.py"):
        file.unlink()
    unbuilt.write("tests/compose/test_two.py", "def test_first():\n    pass\n\n\ndef test_second():\n    pass\n\n\ndel test_second\n")
    assert failed(unbuilt, "compose") == (["compose: 1 of 2 did not run: test_two test_second, …"], "1 passed, 1 failed")


def test_a_part_without_tests_in_the_tree_is_a_failure(unbuilt):
    for file in unbuilt.folder.glob("tests/compose/*.py"):
        file.unlink()
    lines, last = failed(unbuilt, "compose")
    assert "compose: the tree has nothing to run for it" in lines and last.startswith("0 passed")
