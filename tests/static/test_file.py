"""What the release build's files are, in the words of readelf and of the linker's map."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from support.agent import TOP, program

NAMES = ("ampule-agent", "ampule-injector", "ampule", "ampule-sandbox")
BUILD = pathlib.Path(os.environ.get("AMPULE_BIN") or TOP / "build/static/bin").parent


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def readelf(name, *options):
    return subprocess.run(["readelf", "-W", *options, program(name)], check=True, capture_output=True, text=True).stdout


def segment(name, kind):
    """One program header: its flags, or None."""
    found = re.search(rf"^  {kind} .* ([R ][W ][E ]) 0x", readelf(name, "--program-headers"), re.M)
    return found and found.group(1)


def linked(name):
    """The link map's list of archive members, and why each is there."""
    return (BUILD / f"{name}.map").read_text().split("\nDiscarded input sections\n")[0]


def test_it_is_a_position_independent_program(name):
    assert re.search(r"Type: +DYN", readelf(name, "--file-header"))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf(name, "--dynamic"))


def test_it_needs_no_interpreter_and_no_library(name):
    assert "INTERP" not in readelf(name, "--program-headers")
    assert "(NEEDED)" not in readelf(name, "--dynamic")
    assert "(RPATH)" not in readelf(name, "--dynamic") and "(RUNPATH)" not in readelf(name, "--dynamic")


def test_its_relocations_are_read_only_before_it_starts(name):
    assert segment(name, "GNU_RELRO") == "R  "
    assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", readelf(name, "--dynamic"))
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", readelf(name, "--dynamic"))
    assert "(TEXTREL)" not in readelf(name, "--dynamic")


def test_nothing_is_writable_and_executable(name):
    assert segment(name, "GNU_STACK") == "RW "
    flags = re.findall(r"^  LOAD .* ([R ][W ][E ]) 0x", readelf(name, "--program-headers"), re.M)
    assert flags and all(f in ("R  ", "R E", "RW ") for f in flags)


def test_the_stack_is_guarded_in_our_code_and_in_the_libraries(name):
    assert "stack_chk_fail" in linked(name)
    guards = subprocess.run(f"objdump -d '{program(name)}' | grep -c '%fs:0x28'", shell=True, capture_output=True, text=True, check=False)
    assert os.uname().machine != "x86_64" or int(guards.stdout) > 500


def test_calls_that_write_are_checked(name):
    # Members that are there because an object of ours asked for them.
    members = re.findall(r"libc\.a\((\w+_chk)\.o\)\s+(\S+)", linked(name))
    assert any(asker.endswith(".c.o") for _, asker in members)


@pytest.mark.parametrize("library", ["crypto", "curl"])
def test_calls_of_the_trimmed_libraries_that_write_are_checked(library):
    prefix = subprocess.run([TOP / "agent/deps/build", "--where"], capture_output=True, text=True, check=True).stdout.strip()
    wanted = subprocess.run(["nm", "--undefined-only", f"{prefix}/lib/lib{library}.a"], capture_output=True, text=True, check=True).stdout
    assert re.search(r" U __\w+_chk$", wanted, re.M)


def test_it_carries_no_symbols_and_no_paths_of_this_machine(name):
    assert ".symtab" not in readelf(name, "--section-headers") and ".debug_" not in readelf(name, "--section-headers")
    data = pathlib.Path(program(name)).read_bytes()
    assert str(TOP).encode() not in data and str(BUILD).encode() not in data


def test_release_builds_carry_no_code_that_may_not_be_distributed_with_openssl(name):
    assert "libinotifytools" not in linked(name)


def test_the_agent_carries_neither_tools_nor_servers():
    assert not re.search(r"libampule_(tools|sandbox)\.a|libjansson\.a", linked("ampule-agent"))


@pytest.mark.timeout(900)
def test_a_build_in_another_folder_gives_the_same_bytes(tmp_path):
    source, build = tmp_path / "a-folder" / "source", tmp_path / "another" / "folder"
    shutil.copytree(TOP / "agent", source / "agent")
    shutil.copy(TOP / "CMakeLists.txt", source)
    options = ["-DAMPULE_STATIC=ON", "-DAMPULE_INOTIFYTOOLS=OFF", "-DAMPULE_TESTS=OFF"]
    subprocess.run(["cmake", "-S", source, "-B", build, "-G", "Ninja", *options], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", build], check=True, capture_output=True)
    same = {name: (build / "bin" / name).read_bytes() == pathlib.Path(program(name)).read_bytes() for name in NAMES}
    assert all(same.values()), same
