"""`ampule { atomic_group … }`: files of one folder switch together, then the command runs once."""

import os
import random
import re
import signal
import stat
import threading

import pytest
from support import spaces, wait
from support.agent import block, original, template
from support.rendering import SOON, user

pytestmark = [pytest.mark.skipif(original(), reason="the originals write one file after the other"), pytest.mark.both_servers]
needs_root = pytest.mark.skipif(not spaces.ROOT, reason="needs root for mounts")
NAMES = ("ca", "cert", "key")
KILLS = int(os.environ.get("AMPULE_KILLS", 60)) // 3


def through(folder):
    """What a reader sees who opens `..data` once: a text for each file; None: it was removed meanwhile, or is not there yet."""
    try:
        top = os.open(folder / "..data", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        return [open(name, encoding="ascii", opener=lambda path, flags: os.open(path, flags, dir_fd=top)).read() for name in NAMES]
    except FileNotFoundError:
        return None
    finally:
        os.close(top)


def version(folder):
    return os.readlink(folder / "..data")


def assert_whole(folder, *names):
    """The files, the link, one version, and nothing else."""
    names = names or NAMES
    assert sorted(os.listdir(folder)) == sorted([*names, "..data", version(folder)])
    assert sorted(os.listdir(folder / "..data")) == sorted(names)
    assert [os.readlink(folder / name) for name in names] == [f"..data/{name}" for name in names]


class Reader(threading.Thread):
    """Reads all the time, and notes what does not belong together."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.over, self.seen, self.mixed = folder, threading.Event(), set(), []
        self.start()

    def run(self):
        while not self.over.is_set():
            texts = through(self.folder)
            if texts is None:
                continue
            self.seen.add(texts[0])
            if len(set(texts)) > 1:
                self.mixed.append(texts)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.join()


class Scene:
    """Three files of one secret, and a command that notes what they hold."""

    def __init__(self, site, start, top):
        self.site, self.start, self.top = site, start, top
        self.folder, self.told = top / "tls", top / "told"
        self.kv = site.kv2()
        self.secret = self.kv.put("app", user="alice")
        self.login = site.login()
        self.agent, self.lines = None, []

    def one(self, name, text=None, **pairs):
        return template(user(self.secret) if text is None else text, self.folder / name, **pairs)

    def config(self, *blocks, more="", **top):
        command = f"echo $(cd {self.folder} && ls) $(cat {self.folder}/*) >>{self.told}"
        own = block("ampule", body=block("atomic_group", "tls", folder=self.folder, command=command) + more)
        return self.site.config(self.login, *(blocks or [self.one(name) for name in NAMES]), own, SOON, **top)

    def runs(self, *blocks, **top):
        self.agent = self.start(self.config(*blocks, **top))
        return self

    def hears(self, line):
        """The command has run once more, and not more often before."""
        self.lines.append(line)
        wait.for_file(self.told, "".join(f"{line}\n" for line in self.lines), seconds=60)

    def holds(self, value):
        self.hears(" ".join([*NAMES, value * len(NAMES)]))
        assert [wait.read(self.folder / name) for name in NAMES] == [value] * len(NAMES)

    def change(self, value):
        self.kv.put("app", user=value)

    def follows(self, value):
        self.change(value)
        self.holds(value)


@pytest.fixture
def scene(site, agent, tmp_path):
    return Scene(site, agent, tmp_path)


def test_a_reader_never_sees_two_versions_and_the_command_runs_once_a_switch(scene):
    with Reader(scene.folder) as reader:
        scene.runs().holds("alice")
        for i in range(6):
            scene.follows(f"user{i}")
        wait.until(lambda: "user5" in reader.seen, "the reader to come round")
    assert reader.mixed == []
    assert_whole(scene.folder)


def test_nothing_is_seen_before_every_file_could_be_rendered(scene):
    other = scene.secret.replace("app", "other")
    scene.runs(*(scene.one(name) for name in NAMES[:2]), scene.one("key", user(other)))
    scene.agent.wait_log("other.*404|other.*no secret")
    assert os.listdir(scene.folder) == []
    scene.kv.put("other", user="alice")
    scene.holds("alice")
    assert_whole(scene.folder)


def test_what_did_not_change_goes_along_and_one_that_fails_holds_up_the_others(scene):
    other = scene.kv.put("other", user="1")
    scene.runs(scene.one("ca"), scene.one("cert", perms="0600"), scene.one("key", "{{ with secret \"%s\" }}{{ .Data.data.user | parseInt }}{{ end }}" % other))
    scene.hears("ca cert key alicealice1")
    scene.kv.put("other", user="nonsense")
    scene.agent.wait_log(r"template\[2\].*nonsense|template\[2\].*parseInt")
    evaluated = len(scene.agent.wait_log(r"evaluated: template\[0\]"))
    scene.change("bob")
    scene.agent.wait_log(r"evaluated: template\[0\]", count=evaluated + 1)
    # Had it switched without the failing one, the command would have said so.
    scene.kv.put("other", user="2")
    scene.hears("ca cert key bobbob2")
    scene.kv.put("other", user="3")
    scene.hears("ca cert key bobbob3")
    assert stat.S_IMODE((scene.folder / "cert").stat().st_mode) == 0o600
    assert_whole(scene.folder)


def test_an_equal_set_is_neither_switched_nor_told_by_the_next_agent(scene):
    for _ in range(2):
        assert scene.runs(exit_after_auth=True).agent.wait_exit(60) == 0, scene.agent.log
        scene.lines = ["ca cert key alicealicealice"]
        assert wait.read(scene.told) == scene.lines[0] + "\n"
        first = version(scene.folder)
    assert version(scene.folder) == first
    os.chmod(scene.folder / "cert", 0o600)
    os.unlink(scene.folder / "..data" / "key")
    assert scene.runs(exit_after_auth=True).agent.wait_exit(60) == 0, scene.agent.log
    scene.holds("alice")
    assert version(scene.folder) != first
    assert stat.S_IMODE((scene.folder / "cert").stat().st_mode) == 0o600
    assert_whole(scene.folder)


def beginning(folder, value):
    """A new version is in the making, or was made; asked a thousand times."""
    return any(len(os.listdir(folder)) != len(NAMES) + 2 for _ in range(1000)) or through(folder) == [value] * len(NAMES)


def test_a_kill_at_any_instant_leaves_one_version_and_the_next_start_cleans_up(scene):
    scene.runs().holds("alice")
    chance, left = random.Random(12), 0
    for i in range(KILLS):
        scene.change(f"user{i}")
        # From the moment on at which another folder is there, looked for without a pause.
        wait.until(lambda: beginning(scene.folder, f"user{i}"), "a change", 60)
        for _ in range(chance.randrange(200)):
            os.listdir(scene.folder)
        scene.agent.kill()
        texts = through(scene.folder)
        assert texts and len(set(texts)) == 1, texts
        left += len(os.listdir(scene.folder)) - len(NAMES) - 2
        scene.runs()
    scene.change("last")
    wait.until(lambda: through(scene.folder) == ["last"] * 3, "the last", 60)
    wait.until(lambda: len(os.listdir(scene.folder)) == len(NAMES) + 2, "the old version to go")
    print(f"{KILLS} kills, {left} files and folders left in between")
    assert_whole(scene.folder)


def test_a_file_that_was_there_becomes_a_link_and_keeps_its_mode(scene):
    scene.folder.mkdir()
    (scene.folder / "cert").write_text("mine")
    (scene.folder / "cert").chmod(0o600)
    scene.runs().holds("alice")
    assert stat.S_IMODE((scene.folder / "cert").stat().st_mode) == 0o600
    assert_whole(scene.folder)


def test_a_folder_in_the_place_of_a_file_is_named_and_nothing_appears(scene):
    (scene.folder / "cert").mkdir(parents=True)
    scene.runs()
    scene.agent.wait_log(r"ampule\.atomic_group\[tls\]: .*tls/cert.*is a directory")
    assert os.listdir(scene.folder) == ["cert"]
    (scene.folder / "cert").rmdir()
    scene.holds("alice")


def inside(one):
    """The folder as the agent sees it, whose mounts are its own."""
    wait.until(lambda: str(one.folder) in one.agent.proc("mountinfo"), "the mount")
    one.folder = type(one.folder)(f"/proc/{one.agent.pid}/root{one.folder}")


@needs_root
@pytest.mark.parametrize("how", ["read-only", "full"])
def test_a_volume_that_takes_nothing_keeps_the_old_set_until_it_does(scene, agent, how):
    folder = scene.folder
    folder.mkdir()
    scene.agent = agent(scene.config(), within=spaces.with_small_volume(folder, "256k"))
    inside(scene)
    scene.holds("alice")
    before = version(scene.folder)
    filler = scene.folder / ".filler"
    if how == "full":
        with open(filler, "wb", buffering=0) as f, pytest.raises(OSError):
            while True:
                f.write(b"x" * 1024)
    else:
        spaces.enter(scene.agent.pid, "mount", "-o", "remount,ro", folder)
    value = "bob" * 3000
    scene.change(value)
    scene.agent.wait_log(r"ampule\.atomic_group\[tls\]: .*/tls/.*" + ("no space left" if how == "full" else "read-only"))
    assert through(scene.folder) == ["alice"] * 3
    assert version(scene.folder) == before
    if how == "full":
        assert len(os.listdir(scene.folder)) == len(NAMES) + 3
        filler.unlink()
    else:
        spaces.enter(scene.agent.pid, "mount", "-o", "remount,rw", folder)
    scene.holds(value)
    assert_whole(scene.folder)


class Reloaded(Scene):
    def becomes(self, text):
        path = self.agent.config.with_suffix(".new")
        path.write_text(text)
        path.rename(self.agent.config)
        self.agent.signal(signal.SIGHUP)


def test_templates_come_and_go_with_a_reload_and_groups_take_a_restart(site, agent, tmp_path):
    one = Reloaded(site, agent, tmp_path)
    one.runs().holds("alice")
    one.becomes(one.config(*(one.one(name) for name in (*NAMES[:2], "new"))))
    one.hears("ca cert new alicealicealice")
    assert_whole(one.folder, "ca", "cert", "new")
    other = block("atomic_group", "other", folder=tmp_path / "other")
    one.becomes(one.config(*(one.one(name) for name in (*NAMES[:2], "new")), more=other))
    one.agent.wait_log(r"a restart is needed for: .*ampule\.atomic_group")
    one.change("bob")
    one.hears("ca cert new bobbobbob")


def test_two_groups_with_one_folder_are_refused_with_their_places(scene):
    one = scene.start(scene.config(more=block("atomic_group", "other", folder=f"{scene.folder}/../tls/")))
    assert one.wait_exit(60) != 0
    places = re.findall(r"agent\.hcl:(\d+):\d+: error: ampule\.atomic_group\[other\]: has the folder of .*\[tls\] \(.*agent\.hcl:(\d+)\)", one.log)
    assert places and int(places[0][0]) > int(places[0][1]) > 1, one.log
