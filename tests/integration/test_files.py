"""What becomes of files on the disk when others have their hands on them too."""

import fcntl
import os
import shutil
import subprocess

import pytest
from support import wait
from support.agent import Agent, original, program, template
from support.rendering import SOON, user

pytestmark = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="the original does otherwise")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes other uids: needs root")


def by_hand(path):
    path.unlink()


def overwritten(path):
    path.write_text("by hand")


def replaced(path):
    other = path.with_name("other")
    other.write_text("alicf")
    other.replace(path)


@pytest.mark.parametrize("done", [by_hand, overwritten, replaced])
def test_a_file_that_somebody_changed_is_healed_at_the_next_interval(rendering, tmp_path, done):
    one = rendering(template={"command": f"echo told >>{tmp_path}/told"})
    wait.for_file(tmp_path / "told", "told\n")
    done(one.file)
    wait.for_file(one.file, "alice")
    wait.for_file(tmp_path / "told", "told\ntold\n")
    one.follows("bob")


@ours
def test_a_mode_that_was_asked_for_is_healed_too(rendering):
    one = rendering(template={"perms": "0640"})
    one.file.chmod(0o666)
    wait.until(lambda: one.file.stat().st_mode & 0o777 == 0o640, "the mode to be as it should be")


@ours
def test_a_file_that_nobody_touched_is_not_evaluated_again(site, agent, tmp_path):
    """A template with the time in it would be another each time, and its command would run."""
    path = site.kv2().put("app", user="alice")
    clock = template(user(path) + " {{ timestamp }}", tmp_path / "clock")
    other = template(user(path), tmp_path / "other")
    agent(site.config(site.login(), clock, other, SOON))
    first = wait.for_file(tmp_path / "clock", contains="alice")
    for _ in range(2):
        wait.for_file(tmp_path / "other", "alice")
        (tmp_path / "other").unlink()
    wait.for_file(tmp_path / "other", "alice")
    assert wait.read(tmp_path / "clock") == first


def test_files_written_beside_are_healed(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    beside = '{{ with secret "%s" }}{{ .Data.data.user | writeToFile "%s/beside" "" "" "0600" }}{{ end }}' % (path, tmp_path)
    agent(site.config(site.login(), template(beside, tmp_path / "main"), SOON))
    wait.for_file(tmp_path / "beside", "alice")
    (tmp_path / "beside").unlink()
    wait.for_file(tmp_path / "beside", "alice")
    (tmp_path / "beside").write_text("by hand")
    wait.for_file(tmp_path / "beside", "alice")


@ours
def test_a_sink_is_healed(site, rendering, tmp_path):
    login = site.login()
    login.sink(tmp_path / "token")
    rendering(login=login)
    token = wait.for_file(tmp_path / "token", contains=".")
    (tmp_path / "token").unlink()
    wait.for_file(tmp_path / "token", token)
    (tmp_path / "token").write_text("by hand")
    wait.for_file(tmp_path / "token", token)


@as_root
def test_a_destination_that_is_a_link_gets_the_mode_and_owner_of_its_target(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o440)
    os.chown(tmp_path / "real", 1234, 1234)
    (tmp_path / "link").symlink_to("real")
    agent(site.config(site.login(), template(user(path), tmp_path / "link"), SOON))
    wait.for_file(tmp_path / "link", "alice")
    now = (tmp_path / "link").lstat()
    assert (now.st_mode & 0o777, now.st_uid, now.st_gid) == (0o440, 1234, 1234)
    assert (tmp_path / "real").read_text() == "old"


@ours
@as_root
def test_who_uses_a_file_that_was_replaced_is_told_though_the_next_one_was_refused(site, open_folder, monkeypatch):
    files, login = open_folder, site.login()
    for source, name in ((login.token_file, "token"), (site.ca_file, "ca.pem"), (program("ampule-agent"), "ampule-agent")):
        shutil.copy(source, files / name)
    for name in ("agent", "free"):
        (files / name).mkdir()
    for each in (files, *files.iterdir()):
        os.chown(each, 1234, 1234)
    (files / "sticky").mkdir()
    (files / "sticky").chmod(0o1777)
    (files / "sticky" / "b").write_text("old")
    monkeypatch.setenv("AMPULE_BIN", str(files))
    login.volume = files
    path = site.kv2().put("app", user="alice")
    good = template(user(path), files / "free" / "a", command=f"echo told >{files}/free/told")
    bad = template(user(path), files / "sticky" / "b")
    one = Agent(files / "agent", site.config(login, good, bad, vault={"ca_cert": files / "ca.pem"}), user=1234)
    try:
        wait.for_file(files / "free" / "told", "told\n")
        assert wait.read(files / "sticky" / "b") == "old"
    finally:
        one.stop()


@ours
def test_a_log_that_nobody_reads_stops_nothing(site, tmp_path):
    """The pipe is full before the start; the agent renders, follows, and ends when it is told to."""
    kv = site.kv2()
    path = kv.put("app", user="alice")
    config = tmp_path / "agent.hcl"
    config.write_text(site.config(site.login(), template(user(path), tmp_path / "user"), SOON))
    out, into = os.pipe()
    os.write(into, b"x" * fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096))
    one = subprocess.Popen([program("ampule-agent"), "agent", f"-config={config}", "-log-level=trace"], stderr=into, cwd=tmp_path)
    try:
        wait.for_file(tmp_path / "user", "alice")
        assert len(os.read(out, 65536)) == 4096
        kv.put("app", user="bob")
        wait.for_file(tmp_path / "user", "bob")
        said = os.read(out, 65536).decode()
        assert "dropped=" in said.splitlines()[0] and said.endswith("\n"), said
        one.terminate()
        assert one.wait(60) == 0
    finally:
        one.kill()
        one.wait()
        os.close(out)
        os.close(into)


def test_a_link_above_the_destination_is_followed_where_it_points_now(site, agent, tmp_path):
    """`current -> releases/7`, as deployment tools have it: the new release gets its file by itself, and what changes later."""
    kv = site.kv2()
    path = kv.put("app", user="alice")
    for number in "12":
        (tmp_path / "releases" / number).mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/1")
    agent(site.config(site.login(), template(user(path), tmp_path / "current" / "user"), SOON))
    wait.for_file(tmp_path / "releases" / "1" / "user", "alice")
    (tmp_path / "next").symlink_to("releases/2")
    (tmp_path / "next").replace(tmp_path / "current")
    wait.for_file(tmp_path / "releases" / "2" / "user", "alice")
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "releases" / "2" / "user", "bob")
    assert (tmp_path / "releases" / "1" / "user").read_text() == "alice"


@ours
@as_root
@pytest.mark.parametrize("way", ["destination", "writeToFile", "file", "sandbox_path"])
def test_a_link_that_a_neighbour_put_on_the_way_is_refused_and_named(site, agent, tmp_path, way):
    path = site.kv2().put("app", user="alice")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("of nobody's concern")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "link").symlink_to("../private")
    for each in (tmp_path / "theirs", tmp_path / "theirs" / "link"):
        os.chown(each, 4321, 4321, follow_symlinks=False)
    link = tmp_path / "theirs" / "link"
    contents = {
        "destination": template(user(path), link / "user"),
        "writeToFile": template('{{ "x" | writeToFile "%s" "" "" "0600" }}' % (link / "sub" / "user"), tmp_path / "main"),
        "file": template('{{ file "%s" }}' % (link / "key"), tmp_path / "main"),
        "sandbox_path": template('{{ file "%s" }}' % (link / "key"), tmp_path / "main", sandbox_path=link),
    }
    one = agent(site.config(site.login(), contents[way], SOON))
    one.wait_log(r"\[ERROR\].*template\[0\].*/theirs/link.*another uid")
    assert sorted(os.listdir(tmp_path / "private")) == ["key"]
    assert wait.read(tmp_path / "main") is None


@pytest.mark.parametrize("spelling", ["user", "./user", "../{}/user", "/user"])
def test_of_two_templates_with_one_destination_the_last_wins(site, agent, tmp_path, spelling):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    first = template("never", f"{tmp_path}/" + spelling.format(tmp_path.name), command=f"echo first >>{tmp_path}/told")
    second = template(user(path), tmp_path / "user", command=f"echo second >>{tmp_path}/told")
    one = agent(site.config(site.login(), first, second, SOON))
    wait.for_file(tmp_path / "user", "alice")
    if not original():
        one.wait_log(r"also that of template\[1\]")
        wait.for_file(tmp_path / "told", "second\n")
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")
    if not original():
        wait.for_file(tmp_path / "told", "second\nsecond\n")
