"""Templates into files: bytes, modes, owners, folders, backups, and what else is in the way."""

import os

from .scenario import Scenario, ended_by_ours, one, sink, until

USER = '{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}'


def there(text="old", mode=None, owner=None, name="file"):
    return lambda twin: twin.write(name, text, mode, owner)


def both(*steps):
    return lambda twin: [step(twin) for step in steps]


def link(target, name="file"):
    return lambda twin: twin.path(name).symlink_to(target)


def folder(name, mode=0o755, owner=None):
    def make(twin):
        twin.path(name).mkdir(parents=True)
        twin.path(name).chmod(mode)
        if owner:
            os.chown(twin.path(name), *owner)

    return make


def dated(twin):
    """A file of long ago, so that one that was left alone can be told from one that was written anew."""
    os.utime(twin.write("file", "x"), (1, 1))


def date(twin):
    twin.ended()
    twin.note("left alone", twin.path("file").stat().st_mtime == 1)


def hold(twin):
    """Somebody has the file open that is there before."""
    twin.held = open(twin.write("file", "old"), encoding="utf-8")


def held(twin):
    twin.ended()
    with twin.held as file:
        twin.note("who has it open reads", file.read())


def fails(name, blocks, **more):
    """The agent cannot do it: with exit_on_retry_failure it ends."""
    return Scenario(name, blocks + "template_config { exit_on_retry_failure = true }\n", **{"exit": 1, **more})


PERMS = ['"0600"', '"0644"', '"600"', '"0777"', '"0000"', '"0640"', "0600", "384", '"4755"', '"1777"', '"2750"']

SCENARIOS = [
    Scenario("a constant", one("x"), shows={"file": "'x'"}),
    Scenario("nothing rendered is an empty file", one('{{ "" }}'), shows={"file": "''"}),
    Scenario("one template", one(USER), shows={"file": "alice"}),
    Scenario("fifteen templates", "".join(one('{{ with secret "@KV@/data/many/%d" }}{{ .Data.data.user }}{{ end }}' % n, f"file{n}") for n in range(15)),
             shows={"file14": "user14"}),
    Scenario("thirteen templates of one secret", "".join(one(USER + str(n), f"file{n}") for n in range(13)), shows={"file12": "alice12"}),
    Scenario("seven templates with the same contents", "".join(one(USER, f"file{n}") for n in range(7)), shows={"file6": "alice"}),
    Scenario("two templates for one file", one("first") + one("second")),
    Scenario("all bytes of a string", one("\u00e4 \u20ac \U0001f512 \\t|\r\n|\n  trailing  \n"), shows={"file": "\u20ac"}),
    Scenario("a large file", one("{{ range $i := loop 20000 }}line {{ $i }} of many lines\n{{ end }}")),
    Scenario("a source file", 'template { source = "@DIR@/in.tpl" destination = "@OUT@/file" }\n', before=there(USER + "\n", name="../in.tpl"),
             shows={"file": "alice\\n"}),
    Scenario("an empty source file", 'template { source = "@DIR@/in.tpl" destination = "@OUT@/file" }\n', before=there("", name="../in.tpl")),
    fails("a source that is not there", 'template { source = "@DIR@/none.tpl" destination = "@OUT@/file" }\n'),
    Scenario("neither source nor contents", 'template { destination = "@OUT@/file" }\n', exit=1),
    Scenario("both source and contents", 'template { source = "@DIR@/in.tpl" contents = "x" destination = "@OUT@/file" }\n', exit=1,
             before=there("y", name="../in.tpl")),
    fails("no destination", 'template { contents = "x" }\n'),
    *(Scenario(f"perms {perms}", one("x", body=f"perms = {perms}\n")) for perms in PERMS),
    *(Scenario(f"perms {perms} refused", one("x", body=f"perms = {perms}\n"), exit=1) for perms in ('""', '"rw-r--r--"', '"0999"', '"-1"', "true", '"77777"')),
    Scenario("perms under a strict umask", one("x", perms="0664"), umask=0o077),
    Scenario("no perms under a strict umask", one("x"), umask=0o077),
    Scenario("no perms keep those that are there", one("x"), before=there(mode=0o604)),
    Scenario("no perms keep the owner that is there", one("x"), before=there(mode=0o640, owner=(1234, 1235))),
    Scenario("perms replace those that are there", one("x", perms="0600"), before=there(mode=0o604)),
    Scenario("perms are set though the text is the same", one("x", perms="0600"), before=there("x", mode=0o604)),
    Scenario("an owner by number", one("x", user="1234", group="1235"), shows={"file": "1234:1235"}),
    Scenario("an owner by name", one("x", user="nobody", group="daemon"), shows={"file": "65534:1"}),
    Scenario("an owner by uid and gid", one("x", body="uid = 1234\ngid = 1235\n"), shows={"file": "1234:1235"}),
    Scenario("only a user", one("x", user="1234"), shows={"file": "1234:0"}),
    Scenario("only a group", one("x", group="1235"), shows={"file": "0:1235"}),
    Scenario("an owner is set though the text is the same", one("x", user="1234"), before=there("x")),
    fails("a user that nobody knows", one("x", user="no-such-user")),
    fails("a group that nobody knows", one("x", group="no-such-group")),
    Scenario("folders are made", one("x", "a/b/c/file")),
    Scenario("folders are made under a strict umask", one("x", "a/b/file"), umask=0o077),
    fails("folders are not made", one("x", "a/b/file", create_dest_dirs=False)),
    Scenario("folders are asked for", one("x", "a/file", create_dest_dirs=True)),
    Scenario("a folder of another", one("x", "a/file"), before=folder("a", 0o700, (1234, 1234))),
    Scenario("the text that is there is left alone", one("x"), before=dated, play=date),
    Scenario("who has the old file open reads on", one("x"), before=hold, play=held),
    Scenario("a backup of what was there", one("x", backup=True), before=there("old", 0o640)),
    Scenario("a backup without anything there", one("x", backup=True)),
    Scenario("a backup of the same text", one("x", backup=True), before=there("x")),
    Scenario("a backup over an older backup", one("x", backup=True), before=both(there("old"), there("older", name="file.bak"))),
    Scenario("no backup is the default", one("x"), before=there("old")),
    Scenario("a link to a file", one("x"), before=both(there("old", 0o640, name="real"), link("real"))),
    Scenario("a link to nothing", one("x"), before=link("real")),
    Scenario("a link to a folder above", one("x", "sub/file"), before=both(folder("real"), link("real", "sub"))),
    fails("a folder where the file should be", one("x"), before=folder("file")),
    fails("a file where the folder should be", one("x", "a/file"), before=there("old", name="a")),
    Scenario("a name with spaces", one("x", "a b/c d"), shows={"a b/c d": "'x'"}),
    Scenario("a name beyond ASCII", one("x", "\u00e4/\u20ac")),
    Scenario("a name with dots", one("x", "a/../b/./file"), before=folder("a")),
    Scenario("a name with dots after a folder that is not there", one("x", "a/../file"), play=ended_by_ours),
    Scenario("a name from the working folder", 'template { contents = "x" destination = "out/file" }\n', shows={"file": "'x'"}),
    Scenario("a file that cannot be replaced by its mode", one("x"), before=there("old", 0o000)),
    Scenario("other delimiters", one("<< 1 | print >>{{ kept }}", left_delimiter="<<", right_delimiter=">>"), shows={"file": "1{{ kept }}"}),
    Scenario("one other delimiter", one("[[ 1 }}", left_delimiter="[["), shows={"file": "1"}),
    Scenario("long delimiters", one("BEGIN 1 END", left_delimiter="BEGIN", right_delimiter="END")),
    Scenario("white space is trimmed", one("a  {{- 1 -}}  b")),
    fails("a template that does not parse", one("{{ if }}")),
    fails("a function that does not exist", one("{{ no_such_function }}")),
    fails("a function that fails", one('{{ parseInt "x" }}')),
    fails("a function that is denied", one('{{ env "HOME" }}', function_denylist=["env"])),
    fails("a function that is denied by its old key", one('{{ env "HOME" }}', function_blacklist=["env"])),
    Scenario("another function than the denied", one("{{ 1 | print }}", function_denylist=["env"])),
    Scenario("a file inside its sandbox", one('{{ file "@DIR@/in/x" }}', sandbox_path="@DIR@/in"), before=there("inside", name="../in/x"), shows={"file": "inside"}),
    fails("a file outside of its sandbox", one('{{ file "@DIR@/in/../x" }}', sandbox_path="@DIR@/in"),
          before=both(there("inside", name="../in/x"), there("x", name="../x"))),
    fails("a file out of its sandbox by a link", one('{{ file "@DIR@/in/x" }}', sandbox_path="@DIR@/in"),
          before=both(there("x", name="../x"), folder("../in"), link("../x", "../in/x"))),
    Scenario("a file from anywhere", one('{{ file "@DIR@/x" }}'), before=there("text\n", name="../x"), shows={"file": "text"}),
    Scenario("a missing key is no value", one('{{ with secret "@KV@/data/app" }}[{{ .Data.data.none }}]{{ end }}'), shows={"file": "[<no value>]"}),
    fails("a missing key is an error", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.none }}{{ end }}', error_on_missing_key=True)),
    Scenario("no missing key is no error", one(USER, error_on_missing_key=True), shows={"file": "alice"}),
    Scenario("error_fatal is accepted", one("x", error_fatal=False)),
    Scenario("a wait", one(USER, wait={"min": "100ms", "max": "200ms"}), shows={"file": "alice"}),
    Scenario("a wait in one string", one(USER, wait="100ms:200ms")),
    Scenario("a wait that cannot be", one("x", wait="2s:1s"), exit=1),
    Scenario("a wait in words", one("x", wait="soon"), exit=1),
    Scenario("a key that nobody knows", one("x", unknown="x"), exit=1),
    Scenario("a boolean in words", one("x", error_on_missing_key="true"), exit=1),
    Scenario("files beside are written", one('{{ "a" | writeToFile "@OUT@/beside" "" "" "0640" }}{{ "b" | writeToFile "@OUT@/more" "1234" "1235" "0600" "newline" }}x')),
    Scenario("files beside are appended to", one('{{ range $i := loop 3 }}{{ $i | print | writeToFile "@OUT@/beside" "" "" "0640" "append,newline" }}{{ end }}x')),
    Scenario("a template and a sink", one("x", "a") + one(USER, "b"), sinks=sink(), shows={"b": "alice", "token": "TOKEN"}),
    Scenario("files of a template that fails beside one that does not", one("x", "good") + one('{{ parseInt "x" }}', "bad"), ends=False, play=until("good")),
]  # fmt: skip
