"""`ampule-agent exec`: a program with variables out of files that somebody else keeps; and `copy`, which brings it there."""

import os
import pathlib
import signal
import stat
import subprocess

import pytest
from support import wait
from support.agent import original, program
from support.process import Process

pytestmark = pytest.mark.skipif(original(), reason="only Ampule has them")


def write(path, text):
    """As an agent does: the file is another one at once."""
    fresh = path.with_name("." + path.name)
    fresh.write_text(text)
    fresh.rename(path)


class Scene:
    def __init__(self, folder):
        self.files, self.notes = folder / "files", folder / "notes"
        self.files.mkdir()
        self.processes = []

    def start(self, script, *flags, names=("WORD",), env=None, **pairs):
        """A shell that runs `script`; $NOTES is a file for it."""
        variables = [f"-variable={name}={self.files / name}" for name in names]
        words = [program("ampule-agent"), "exec", *variables, *flags, "--", "/bin/sh", "-c", script, "app"]
        process = Process(words, env={"NOTES": str(self.notes), **(env or {})}, **pairs)
        self.processes.append(process)
        return process

    def noted(self, count=1):
        """So many lines of the notes."""
        lines = wait.until(lambda: (got := (wait.read(self.notes) or "").splitlines()) and len(got) >= count and got,
                           lambda: f"{count} notes: {wait.read(self.notes)}\n{self.processes[-1].log}", 60)  # fmt: skip
        return lines


@pytest.fixture
def scene(tmp_path):
    one = Scene(tmp_path)
    yield one
    for process in one.processes:
        process.kill()


# Notes its word, and waits for a signal.
NOTING = 'trap "exit 0" TERM; echo "$WORD" >>"$NOTES"; while :; do sleep 0.1; done'


def test_the_program_finds_what_the_files_hold_and_ends_as_it_wants(scene):
    (scene.files / "WORD").write_text("two\nlines ")
    (scene.files / "OTHER").write_text("")
    script = 'printf "[%s][%s][%s][%s]" "$WORD" "${OTHER-unset}" "$VAULT_ADDR" "$VAULT_TOKEN" >"$NOTES"; exit 7'
    process = scene.start(script, names=("WORD", "OTHER"), env={"OTHER": "its own", "VAULT_ADDR": "http://app", "VAULT_TOKEN": "app"})
    assert process.wait_exit() == 7
    assert scene.notes.read_text() == "[two\nlines ][][http://app][app]"


def test_the_secret_is_in_the_program_s_environment_and_nowhere_else(scene):
    (scene.files / "WORD").write_text("hidden-word")
    process = scene.start('echo $$ >"$NOTES"; while :; do sleep 0.1; done')
    (pid,) = scene.noted()
    assert "WORD=hidden-word" in pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0")
    for place in ("environ", "cmdline"):
        assert "hidden-word" not in pathlib.Path(f"/proc/{process.pid}/{place}").read_text(), place
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status
    assert "NoNewPrivs:\t0" in pathlib.Path(f"/proc/{pid}/status").read_text()
    assert "hidden-word" not in process.log


def test_it_waits_for_files_that_are_to_come(scene):
    process = scene.start('echo "$WORD $OTHER" >"$NOTES"', names=("WORD", "OTHER"))
    process.wait_log("waiting for a file: variable=WORD")
    write(scene.files / "OTHER", "two")
    write(scene.files / "WORD", "one")
    assert process.wait_exit() == 0
    assert scene.notes.read_text() == "one two\n"


def test_a_change_starts_it_anew(scene):
    write(scene.files / "WORD", "alice")
    process = scene.start(NOTING)
    assert scene.noted() == ["alice"]
    write(scene.files / "WORD", "bob")
    assert scene.noted(2) == ["alice", "bob"]
    assert process.running
    process.signal(signal.SIGTERM)
    assert process.wait_exit() == 0


def test_where_it_shall_not_it_keeps_the_old_value(scene):
    write(scene.files / "WORD", "alice")
    process = scene.start(NOTING, "-restart=false")
    scene.noted()
    write(scene.files / "WORD", "bob")
    process.wait_log("the environment has changed; the program keeps the old one")
    assert scene.noted() == ["alice"] and process.running


def test_a_value_that_cannot_be_read_ends_it_before_the_program_and_not_later(scene):
    (scene.files / "WORD").mkdir()
    process = scene.start(NOTING)
    assert process.wait_exit() == 1 and "variable WORD" in process.log and not scene.notes.exists()
    (scene.files / "WORD").rmdir()
    write(scene.files / "WORD", "alice")
    process = scene.start(NOTING)
    scene.noted()
    (scene.files / "WORD").unlink()
    (scene.files / "WORD").mkdir()
    process.wait_log("the old value stays: error=variable WORD")
    assert process.running


def test_it_waits_as_long_for_the_end_as_it_was_told(scene):
    write(scene.files / "WORD", "alice")
    process = scene.start('trap "" TERM; ' + NOTING.split(";", 1)[1], "-grace=300ms")
    scene.noted()
    process.signal(signal.SIGTERM)
    assert process.wait_exit() == 0
    assert "did not end within 0 s: killed with its process group" in process.log


def test_a_program_that_is_not_there_is_told(scene):
    write(scene.files / "WORD", "alice")
    process = Process([program("ampule-agent"), "exec", f"-variable=WORD={scene.files / 'WORD'}", "--", "nosuchprogram"])
    assert process.wait_exit() == 1
    assert 'exec: "nosuchprogram": not found' in process.log


@pytest.mark.parametrize("words, said", [
    ([], "exec: the program is missing"),
    (["-variable=A=/a", "--"], "exec: the program is missing"),
    (["-variable=A", "--", "x"], "NAME=PATH is expected"),
    (["-variable=1=/a", "--", "x"], "NAME=PATH is expected"),
    (["-grace=-1s", "--", "x"], "flag -grace"),
    (["-log-level=loud", "--", "x"], "flag -log-level"),
    (["-log-format=xml", "--", "x"], "flag -log-format"),
    (["-config=x", "--", "x"], "unknown flag: -config"),
])  # fmt: skip
def test_wrong_command_lines_are_told(words, said):
    done = subprocess.run([program("ampule-agent"), "exec", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and said in done.stderr, done


def test_copy_brings_the_program_whole(tmp_path):
    target = tmp_path / "ampule-agent"
    target.write_text("old")
    done = subprocess.run([program("ampule-agent"), "copy", target], capture_output=True, text=True, timeout=60, check=False, umask=0o077)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert stat.S_IMODE(target.stat().st_mode) == 0o755 and os.listdir(tmp_path) == ["ampule-agent"]
    said = [subprocess.run([one, "version"], capture_output=True, text=True, timeout=60, check=True).stdout for one in (target, program("ampule-agent"))]
    assert said[0] == said[1]


def test_copy_says_what_keeps_it_from_it(tmp_path):
    def copy(*words):
        done = subprocess.run([program("ampule-agent"), "copy", *words], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    status, said = copy(tmp_path)
    assert status == 1 and str(tmp_path) in said
    status, said = copy(tmp_path / "missing" / "ampule-agent")
    assert status == 1 and "missing" in said
    assert copy()[0] == 2 and copy("a", "b")[0] == 2 and copy("-help")[0] == 0
