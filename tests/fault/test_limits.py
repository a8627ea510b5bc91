"""The machine gives less than was asked for: inotify, descriptors, standard output."""

import os
import subprocess

import pytest
from support import spaces, wait
from support.agent import original, template
from support.rendering import Rendering

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original does not watch files"),
]


def user_namespaces():
    return subprocess.run(["unshare", "-U", "-r", "true"], capture_output=True, check=False).returncode == 0


def watching(site, agent, folder, **options):
    """An agent that also copies a file by way of a template."""
    (folder / "snippet").write_text("one")
    copy = template('{{ file "%s" }}' % (folder / "snippet"), folder / "copy")
    one = Rendering(site, agent, folder, copy, **options).expect()
    wait.for_file(folder / "copy", "one")
    return one


def test_a_file_that_a_template_reads_is_watched(site, agent, tmp_path):
    watching(site, agent, tmp_path)
    (tmp_path / "snippet").write_text("two")
    wait.for_file(tmp_path / "copy", "two")


@pytest.mark.skipif(not user_namespaces(), reason="needs user namespaces")
def test_without_inotify_files_are_read_again_in_time(site, agent, tmp_path):
    one = watching(site, agent, tmp_path, within=spaces.without_inotify())
    one.agent.wait_log("inotify limit.*max_user_instances|every 2 s.*inotify")
    (tmp_path / "snippet").write_text("two")
    wait.for_file(tmp_path / "copy", "two")
    one.follows("bob")


@pytest.mark.parametrize("descriptors", [32])
def test_few_descriptors_are_enough(site, agent, tmp_path, descriptors):
    one = Rendering(site, agent, tmp_path, within=["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"]).expect()
    one.follows("bob")


def test_a_log_that_nobody_reads_any_more_stops_nothing(site, agent, tmp_path):
    one = Rendering(site, agent, tmp_path, within=["sh", "-c", 'exec "$@" >/dev/full 2>/dev/full', "sh"]).expect()
    one.follows("bob")


def test_closed_standard_descriptors_are_no_matter(site, agent, tmp_path):
    one = Rendering(site, agent, tmp_path, within=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]).expect()
    one.follows("bob")
    assert os.readlink(f"/proc/{one.agent.pid}/fd/1") == "/dev/null"
