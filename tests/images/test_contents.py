"""What is in the images, and what is not."""

import re

import pytest
from images.contents import Contents
from support.agent import TOP

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images

USERS = {"etc/passwd", "etc/group"}
TRUST = {"etc/ssl/certs/ca-certificates.crt"}
SHELL = {"bin/busybox"}
FILES = {
    "agent": {"bin/ampule-agent"} | USERS | TRUST,
    "agent-compat": {"bin/ampule-agent"} | USERS | TRUST | SHELL,
    "injector": {"bin/ampule-injector"} | USERS,
    "cli": {"bin/ampule"} | USERS,
    "sandbox": {"bin/ampule-sandbox"} | USERS | SHELL,
}
APPLETS = set(re.findall(r'^APPLET\("([^"]+)", ', (TOP / "agent/tools/applets.def").read_text(), re.M))


@pytest.fixture(params=FILES)
def target(request):
    return request.param


@pytest.fixture
def contents(images, engine, target):
    return Contents(engine, f"ampule/{target}")


def test_there_is_one_program_and_what_it_needs(contents, target):
    assert contents.names() == FILES[target]
    assert {n for n in contents.names(lambda e: e.isdir())} >= {"home/vault", "tmp"}


def test_links_are_the_names_that_the_injector_calls(contents, target):
    links = {name: contents.files[name].linkname for name in contents.names(lambda e: e.issym())}
    shell = {"usr/bin": "../bin", **{f"bin/{applet}": "busybox" for applet in APPLETS}} if target in ("agent-compat", "sandbox") else {}
    names = {"bin/vault": "ampule-agent", "bin/bao": "ampule-agent"} if target == "agent-compat" else {}
    assert links == {**shell, **names}


def test_everything_belongs_to_root_and_nobody_else_may_write_but_the_home(contents):
    for name, entry in contents.files.items():
        mine = name == "home/vault" or name == "sandbox"
        assert (entry.uid, entry.gid) == ((100, 1000) if mine else (0, 0)), name
        assert name == "tmp" or entry.issym() or not entry.mode & 0o022, name
        assert not entry.mode & 0o6000, name


def test_it_runs_as_the_user_that_hashicorps_image_has(engine, contents, target):
    config = engine.inspect(f"ampule/{target}")["Config"]
    assert config["User"] == "100:1000"
    assert "HOME=/home/vault" in config["Env"]
    assert b"vault:x:100:1000::/home/vault:" in contents.data("etc/passwd")


def test_labels_say_what_it_is(engine, contents, target):
    config = engine.inspect(f"ampule/{target}")["Config"]
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    version = re.search(r"^project\(ampule VERSION (\S+)", (TOP / "CMakeLists.txt").read_text(), re.M)[1]
    assert labels["title"].startswith("ampule") and labels["description"] and labels["licenses"].startswith("MIT")
    assert labels["version"] == version
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", labels["revision"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", labels["created"])


def test_the_agents_image_has_no_shell(engine, images):
    for shell in ("/bin/sh", "/bin/bash", "/bin/busybox"):
        done = engine.run("/usr/bin/docker", "run", "--rm", f"--entrypoint={shell}", "ampule/agent", "-c", "true", check=False)
        assert done.returncode in (126, 127) and "no such file" in done.stderr


def test_every_applet_is_in_its_busybox(engine, images):
    """A name without its program says "applet not found"."""
    script = "for name in /bin/*; do [ -L $name ] && [ $name != /bin/vault ] && [ $name != /bin/bao ] && echo ${name##*/}; done; busybox --list"
    names = engine.call("run", "--rm", "--network=none", "--entrypoint=/bin/sh", "ampule/agent-compat", "-c", script).splitlines()
    assert set(names) == APPLETS and all(names.count(name) == 2 for name in APPLETS)


def test_the_programs_answer_to_their_names(engine, images):
    for target in FILES:
        assert "usage:" in engine.call("run", "--rm", "--network=none", f"ampule/{target}", "--help").lower()
    for alias in ("/bin/vault", "/bin/bao", "/bin/ampule-agent"):
        assert engine.call("run", "--rm", "--network=none", f"--entrypoint={alias}", "ampule/agent-compat", "version").startswith("ampule-agent ")
