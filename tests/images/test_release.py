"""What a user may check about a release: the same bytes again, the times of files, the list of parts, the fixes in it."""

import hashlib
import json
import re
import subprocess

import pytest
from images.contents import Contents
from support.agent import TOP
from support.docker import DOCKER

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images

DEBIAN = {"libevent", "libyaml", "nghttp2", "c-ares", "glibc", "gcc-12"}
LINKED = {
    "agent": {"openssl", "curl", "ca-certificates", "http-parser"} | DEBIAN,
    "agent-compat": {"openssl", "curl", "ca-certificates", "http-parser", "busybox"} | DEBIAN,
}


@pytest.fixture(params=["agent", "agent-compat", "injector", "cli", "sandbox"])
def target(request):
    return request.param


@pytest.fixture
def document(images, target):
    return json.loads((images.folder / f"{target}.spdx.json").read_text())


def packages(document):
    return {p["name"]: p for p in document["packages"]}


def test_a_second_build_with_nothing_kept_gives_the_same_programs(images, engine):
    """And the time of the files is the one that was asked for."""
    first = Contents(engine, "ampule/agent")
    options = ["--network=host", "--progress=plain", f"--build-arg=BASE={images.base}", "--build-arg=COMPILER_CACHE="]
    options += ["--build-arg=SOURCE_DATE_EPOCH=1234567890", "--target=agent", "--tag=ampule/agent:second"]
    engine.run(DOCKER, "build", *options, TOP)
    second = Contents(engine, "ampule/agent:second")
    assert first.data("bin/ampule-agent") == second.data("bin/ampule-agent")
    assert {second.files[name].mtime for name in second.names()} == {1234567890}


def test_files_carry_the_time_of_the_last_commit(images, engine, target):
    commit = subprocess.run(["git", "-C", TOP, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False).stdout.strip()
    contents = Contents(engine, f"ampule/{target}")
    assert {contents.files[name].mtime for name in contents.names()} == {int(commit or 0)}


def test_the_list_of_parts_names_the_files_with_their_checksums(document, engine, target):
    contents = Contents(engine, f"ampule/{target}")
    listed = {f["fileName"].removeprefix("./"): {s["algorithm"]: s["checksumValue"] for s in f["checksums"]} for f in document["files"]}
    assert set(listed) == contents.names()
    for name, sums in listed.items():
        assert sums["SHA256"] == hashlib.sha256(contents.data(name)).hexdigest()
        assert sums["SHA1"] == hashlib.sha1(contents.data(name)).hexdigest()


def test_the_list_of_parts_is_whole(document):
    assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0"
    assert re.fullmatch(r"https://\S+", document["documentNamespace"])
    elements = {e["SPDXID"] for e in document["packages"] + document["files"]}
    assert len(elements) == len(document["packages"]) + len(document["files"])
    related = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in document["relationships"]}
    [top] = [b for a, kind, b in related if (a, kind) == ("SPDXRef-DOCUMENT", "DESCRIBES")]
    assert {b for a, kind, b in related if (a, kind) == (top, "CONTAINS")} == elements - {top}
    # SPDX 2.3: who contains files says that they were looked at, and one checksum over theirs.
    [image] = [package for package in document["packages"] if package["filesAnalyzed"]]
    sums = sorted(s["checksumValue"] for f in document["files"] for s in f["checksums"] if s["algorithm"] == "SHA1")
    assert image["packageVerificationCode"] == {"packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest()}
    for package in document["packages"]:
        assert package["versionInfo"] and package["licenseDeclared"] != "NOASSERTION"


@pytest.mark.parametrize("target", LINKED, indirect=True)
def test_the_list_of_parts_is_what_is_linked(document, engine, target):
    found = packages(document)
    # libxcrypt comes with the template functions that hash passwords.
    assert set(found) - {f"ampule/{target}", "libxcrypt"} == LINKED[target]
    program = Contents(engine, f"ampule/{target}").data("bin/ampule-agent")
    for name, sign in (("openssl", rb"OpenSSL (\d+\.\d+\.\d+) "), ("curl", rb"libcurl/(\d+\.\d+\.\d+)")):
        if said := re.search(sign, program):
            assert found[name]["versionInfo"].startswith(said[1].decode() + "-")
    pinned = dict(re.findall(r"^(openssl|curl)\s+\S+\s+([0-9a-f]{64})", (TOP / "agent/deps/pins").read_text(), re.M))
    for name, checksum in pinned.items():
        assert found[name]["checksums"] == [{"algorithm": "SHA256", "checksumValue": checksum}]
        assert re.search(rf"^{name}\s+{re.escape(found[name]['versionInfo'].split('-')[0])}\s", (TOP / "agent/deps/pins").read_text(), re.M)


def test_tools_do_not_carry_what_only_the_agent_needs(images):
    cli = packages(json.loads((images.folder / "cli.spdx.json").read_text()))
    assert "busybox" not in cli and "ca-certificates" not in cli


def test_a_command_says_which_upstream_fixes_are_in(images):
    """The one that deploy/images/README.md names."""
    readme = (TOP / "deploy/images/README.md").read_text()
    commands = re.findall(r"^    (deploy/images/fixes .*?)(?:  +#.*)?$", readme, re.M)
    assert commands
    said = subprocess.run(f"cd '{TOP}' && {commands[0]}", shell=True, capture_output=True, text=True, check=True).stdout
    assert re.search(r"^openssl 3\.\d+\.\d+-\S+", said, re.M)
    assert re.search(r"^curl \S+\n(  .*\n)*  CVE-2023-38545", said, re.M)
    asked = subprocess.run([TOP / "deploy/images/fixes", images.folder / "agent.spdx.json", "CVE-2023-38545"], capture_output=True, text=True, check=False)
    assert asked.returncode == 0 and asked.stdout.startswith("curl ")
    asked = subprocess.run([TOP / "deploy/images/fixes", images.folder / "agent.spdx.json", "CVE-1999-0001"], capture_output=True, text=True, check=False)
    assert asked.returncode == 1


def test_the_label_names_the_licences_of_all_parts(document, engine, target):
    label = engine.inspect(f"ampule/{target}")["Config"]["Labels"]["org.opencontainers.image.licenses"]
    assert set(label.split(" AND ")) == {package["licenseDeclared"] for package in document["packages"]}
