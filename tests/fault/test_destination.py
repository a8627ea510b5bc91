"""Files that cannot be written: the path and the way out are named, the old file is kept, the others go on, and it is tried again."""

import os

import pytest
from support import spaces, wait
from support.agent import original, template
from support.rendering import Rendering, user

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original stops all templates for one that fails"),
]
needs_root = pytest.mark.skipif(not spaces.ROOT, reason="needs root for mounts")


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def strays(folder):
    return [name for name in os.listdir(folder) if name.startswith(".ampule-")]


@needs_root
def test_a_read_only_volume_is_named_and_holds_up_nobody_else(site, agent, tmp_path, volume):
    path = site.kv2().put("other", user="carol")
    one = Rendering(site, agent, tmp_path, template(user(path), volume / "other"), within=spaces.with_read_only(volume)).expect()
    one.agent.wait_log(f"{volume}/other.*read-only")
    one.follows("bob")


@needs_root
def test_a_volume_that_becomes_read_only_keeps_the_file_and_is_written_when_it_can_be(site, agent, tmp_path, volume):
    one = Rendering(site, agent, volume, within=spaces.with_small_volume(volume, "1m"))
    one.file = enter(one.agent, volume, "user")
    one.expect()
    spaces.enter(one.agent.pid, "mount", "-o", "remount,ro", volume)
    one.change("bob")
    one.agent.wait_log(f"{volume}/user.*read-only")
    one.kept()
    spaces.enter(one.agent.pid, "mount", "-o", "remount,rw", volume)
    one.expect("bob")


def enter(agent, volume, name):
    """The file as the agent sees it, whose mounts are its own."""
    wait.until(lambda: str(volume) in agent.proc("mountinfo"), "the mount")
    return type(volume)(f"/proc/{agent.pid}/root{volume}/{name}")


@needs_root
def test_a_full_volume_keeps_the_file_and_is_written_when_there_is_room(site, agent, tmp_path, volume):
    one = Rendering(site, agent, volume, within=spaces.with_small_volume(volume, "64k"))
    one.file = enter(one.agent, volume, "user")
    one.expect()
    filler = one.file.with_name("filler")
    fill(filler)
    one.change("bob" * 3000)
    one.agent.wait_log(f"{volume}/user.*no space left.*9000 bytes needed")
    one.kept()
    # While it tries again there may be one, for a moment.
    wait.until(lambda: not strays(one.file.parent), lambda: f"no strays, not {strays(one.file.parent)}")
    filler.unlink()
    one.expect("bob" * 3000)
    wait.until(lambda: not strays(one.file.parent), lambda: f"no strays, not {strays(one.file.parent)}")


def fill(path):
    """Takes all the room that is left."""
    with open(path, "wb", buffering=0) as f, pytest.raises(OSError):
        while True:
            f.write(b"x" * 1024)


def test_a_destination_that_is_a_directory_is_named_and_holds_up_nobody_else(site, agent, tmp_path, volume):
    path = site.kv2().put("other", user="carol")
    (volume / "other").mkdir()
    one = Rendering(site, agent, tmp_path, template(user(path), volume / "other")).expect()
    one.agent.wait_log(f"{volume}/other.*is a directory")
    one.follows("bob")
    (volume / "other").rmdir()
    wait.for_file(volume / "other", "carol")


def test_a_missing_folder_is_named_when_it_is_not_to_be_made(site, agent, tmp_path, volume):
    path = site.kv2().put("other", user="carol")
    one = Rendering(site, agent, tmp_path, template(user(path), volume / "sub/other", create_dest_dirs=False)).expect()
    one.agent.wait_log(f"{volume}/sub/other.*parent directory is missing")
    one.follows("bob")


def test_a_failing_file_is_tried_a_few_times_only(site, agent, tmp_path, volume, proxy):
    path = site.kv2().put("other", user="carol")
    (volume / "other").mkdir()
    one = Rendering(site, agent, tmp_path, template(user(path), volume / "other"), via=proxy).expect()
    one.agent.wait_log("is a directory")
    wait.never(lambda: one.agent.log.count("is a directory") > 8, "more than 8 complaints in 6 s", 6)
    assert proxy.count("GET", "/data/other") <= 10


def test_init_mode_names_the_destination_last(site, agent, tmp_path, volume):
    path = site.kv2().put("other", user="carol")
    (volume / "other").mkdir()
    strict = "template_config {\n exit_on_retry_failure = true\n}\n"
    one = agent(site.config(site.login(), template(user(path), volume / "other"), strict, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert f"{volume}/other" in one.last_line and "is a directory" in one.last_line
