"""writeToFile: files beside the rendered one, written once everything is there."""

import os

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import SOON

pytestmark = [pytest.mark.both_servers, pytest.mark.every_system]
ours = pytest.mark.skipif(original(), reason="the original writes on every pass and in place")


def writes(path, key, file, flags="", perms="0640", owner='"" ""'):
    """A call that writes a value of a KV v2 secret."""
    return '{{ with secret "%s" }}{{ .Data.data.%s | writeToFile "%s" %s "%s" %s }}{{ end }}' % (
        path, key, file, owner, perms, f'"{flags}"' if flags else "")


def test_a_template_of_nothing_but_writes_gives_its_files_and_an_empty_one(site, agent, tmp_path):
    path = site.kv2().put("app", cert="a certificate", key="a key of it")
    both = writes(path, "cert", tmp_path / "tls" / "cert", perms="0644") + writes(path, "key", tmp_path / "tls" / "key", perms="0600")
    agent(site.config(site.login(), template(both, tmp_path / "done")))
    wait.for_file(tmp_path / "done", "")
    assert wait.read(tmp_path / "tls" / "cert") == "a certificate"
    assert wait.read(tmp_path / "tls" / "key") == "a key of it"
    assert [os.stat(tmp_path / "tls" / name).st_mode & 0o7777 for name in ("cert", "key")] == [0o644, 0o600]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others: needs root")
def test_a_file_is_given_to_the_named_user_and_group(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    both = writes(path, "user", tmp_path / "names", owner='"daemon" "mail"') + writes(path, "user", tmp_path / "number", owner='"1234" ""')
    agent(site.config(site.login(), template(both, tmp_path / "done")))
    wait.for_file(tmp_path / "done", "")
    owners = [(os.stat(tmp_path / name).st_uid, os.stat(tmp_path / name).st_gid) for name in ("names", "number")]
    assert owners == [(1, 8), (1234, 0)]


def test_parts_are_appended_with_newlines(site, agent, tmp_path):
    path = site.kv2().put("app", leaf="leaf of a chain", root="root of a chain")
    chain = tmp_path / "chain"
    agent(site.config(site.login(), template(writes(path, "leaf", chain, "newline") + writes(path, "root", chain, "append,newline"), tmp_path / "done")))
    wait.for_file(tmp_path / "done", "")
    assert wait.read(chain) == "leaf of a chain\nroot of a chain\n"


def test_appending_alone_keeps_what_the_file_holds(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    (tmp_path / "log").write_text("first ")
    one = agent(site.config(site.login(), template(writes(path, "user", tmp_path / "log", "append"), tmp_path / "done"), exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert wait.read(tmp_path / "log") == "first alice"


@ours
@pytest.mark.parametrize("flags, holds, then", [("preserve_on_empty", "old", "old"), ("preserve_on_empty,newline", "old", "old"), ("", "old", ""), ("preserve_on_empty", "", "")])
def test_empty_content_may_leave_a_file_as_it_is(site, agent, tmp_path, flags, holds, then):
    path = site.kv2().put("app", user="")
    (tmp_path / "kept").write_text(holds)
    one = agent(site.config(site.login(), template(writes(path, "user", tmp_path / "kept", flags), tmp_path / "done"), exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert wait.read(tmp_path / "kept") == then


@ours
def test_nothing_is_written_before_the_last_secret_is_there_and_then_once(site, agent, tmp_path):
    kv = site.kv2()
    path, late = kv.put("app", user="alice"), kv.path("late")
    both = writes(path, "user", tmp_path / "log", "append,newline") + '{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}' % late
    one = agent(site.config(site.login(), template(both, tmp_path / "done")))
    one.wait_log(late + ".*404")
    assert not (tmp_path / "log").exists()
    kv.put("late", user="bob")
    wait.for_file(tmp_path / "done", "bob")
    assert wait.read(tmp_path / "log") == "alice\n"


@ours
def test_an_unchanged_file_is_left_alone_and_a_changed_one_is_replaced_whole(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice", shell="zsh")
    both = writes(path, "user", tmp_path / "user") + writes(path, "shell", tmp_path / "shell")
    agent(site.config(site.login(), template(both, tmp_path / "done"), SOON))
    wait.for_file(tmp_path / "done", "")
    before = {name: os.stat(tmp_path / name) for name in ("user", "shell")}
    kv.put("app", user="bob", shell="zsh")
    wait.for_file(tmp_path / "user", "bob")
    after = {name: os.stat(tmp_path / name) for name in ("user", "shell")}
    assert (after["shell"].st_ino, after["shell"].st_mtime_ns) == (before["shell"].st_ino, before["shell"].st_mtime_ns)
    assert after["user"].st_ino != before["user"].st_ino


@ours
def test_the_command_runs_when_only_a_file_beside_has_changed(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    agent(site.config(site.login(), template(writes(path, "user", tmp_path / "user"), tmp_path / "done", command=f"cp {tmp_path}/user {tmp_path}/seen"), SOON))
    wait.for_file(tmp_path / "seen", "alice")
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "seen", "bob")


def links(folder, kind):
    (folder / "elsewhere").mkdir()
    if kind == "file":
        (folder / "elsewhere" / "file").write_text("old")
        (folder / "link").symlink_to(folder / "elsewhere" / "file")
        return folder / "link", "refusing to write to symlink"
    (folder / "link").symlink_to(folder / "elsewhere")
    return folder / "link" / "file", "refusing to write through symlinked directory"


@pytest.mark.skipif(original(), reason="Vault up to 1.19 follows links")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_symbolic_link_is_not_followed(site, agent, tmp_path, kind):
    path = site.kv2().put("app", user="alice")
    file, words = links(tmp_path, kind)
    strict = block("template_config", exit_on_retry_failure=True)
    one = agent(site.config(site.login(), template(writes(path, "user", file), tmp_path / "done"), strict, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert words in one.log
    assert wait.read(tmp_path / "elsewhere" / "file") in (None, "old")
    assert not (tmp_path / "done").exists()


@ours
def test_a_file_that_cannot_be_written_keeps_the_whole_set_back(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    (tmp_path / "folder").mkdir()
    both = writes(path, "user", tmp_path / "user") + writes(path, "user", tmp_path / "folder")
    one = agent(site.config(site.login(), template(both, tmp_path / "done")))
    one.wait_log(r"template\[0\]: .*folder")
    assert not (tmp_path / "user").exists() and not (tmp_path / "done").exists()
