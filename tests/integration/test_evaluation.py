"""Which templates are finished when: what is missing in a branch that nobody takes holds up nothing. The same table to the original, beside."""

import contextlib

import pytest
from support import wait
from support.agent import block, original, template
from support.process import Process
from support.server import binary

both_servers = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="the original sends what is reached while data are missing")

# In the texts: KV is a mount with app {user: alice, flag: on, next: second}, second {user: bob} and dir/one, dir/two {user: 1, 2};
# "no-such" is not there, "denied" is refused. What is rendered; None: nothing, since something that is named is missing.
SHAPES = {
    "fallback that is not there": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}', "alice"),
    "fallback that is refused": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ with secret "KV/data/denied" }}x{{ end }}{{ end }}', "alice"),
    "fallback in a mount that is not there": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ with secret "nowhere/x" }}x{{ end }}{{ end }}', "alice"),
    "fallback that is there": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ with secret "KV/data/second" }}x{{ end }}{{ end }}', "alice"),
    "else with": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else with secret "KV/data/no-such" }}x{{ end }}', "alice"),
    "two levels": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ with secret "KV/data/no-such" }}x{{ else }}'
                   '{{ with secret "KV/data/denied" }}y{{ end }}{{ end }}{{ end }}', "alice"),
    "range else": ('{{ range secrets "KV/metadata/dir/" }}{{ . }} {{ else }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}', "one two "),
    "range over what was listed": ('{{ range secrets "KV/metadata/dir/" }}{{ with secret (printf "KV/data/dir/%s" .) }}{{ .Data.data.user }}{{ else }}'
                                   '{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}{{ end }}', "12"),
    "a folder that is not there": ('{{ range secrets "KV/metadata/no-dir/" }}x{{ else }}none{{ end }}', "none"),
    "a listing that is refused": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ range secrets "KV/metadata/denied/" }}x{{ end }}{{ end }}', "alice"),
    "a flag": ('{{ $found := false }}{{ range secrets "KV/metadata/dir/" }}{{ if eq . "two" }}{{ $found = true }}{{ end }}{{ end }}'
               '{{ if not $found }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ else }}found{{ end }}', "found"),
    "a flag in the data": ('{{ with secret "KV/data/app" }}{{ if eq .Data.data.flag "on" }}yes{{ else }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}'
                           '{{ else }}{{ with secret "KV/data/denied" }}y{{ end }}{{ end }}', "yes"),
    "a variable with a default": ('{{ $user := "nobody" }}{{ with secret "KV/data/app" }}{{ $user = .Data.data.user }}{{ else }}'
                                  '{{ with secret "KV/data/no-such" }}{{ $user = "x" }}{{ end }}{{ end }}{{ $user }}', "alice"),
    "if not": ('{{ $app := secret "KV/data/app" }}{{ if not $app }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ else }}{{ $app.Data.data.user }}{{ end }}', "alice"),
    "a path made of data": ('{{ with secret "KV/data/app" }}{{ with secret (printf "KV/data/%s" .Data.data.next) }}{{ .Data.data.user }}{{ else }}'
                            '{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}{{ end }}', "bob"),
    "a path made of what is not there yet": ('{{ $app := secret "KV/data/app" }}{{ with secret (printf "KV/data/%v" $app.Data.data.next) }}{{ .Data.data.user }}{{ end }}', "bob"),
    "or": ('{{ with or (secret "KV/data/app") (secret "KV/data/no-such") }}{{ .Data.data.user }}{{ end }}', "alice"),
    "and": ('{{ with and (secret "KV/data/app") (secret "KV/data/second") }}{{ .Data.data.user }}{{ else }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}', "bob"),
    "define": ('{{ define "fallback" }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}'
               '{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ template "fallback" }}{{ end }}', "alice"),
    "executeTemplate": ('{{ define "fallback" }}{{ with secret "KV/data/denied" }}x{{ end }}{{ end }}'
                        '{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ executeTemplate "fallback" }}{{ end }}', "alice"),
    "scratch": ('{{ with secret "KV/data/app" }}{{ scratch.Set "user" .Data.data.user }}{{ end }}'
                '{{ if scratch.Key "user" }}{{ scratch.Get "user" }}{{ else }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}', "alice"),
    "break": ('{{ range secrets "KV/metadata/dir/" }}{{ . }}{{ break }}{{ else }}{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}', "one"),
    "both branches of another": ('{{ with secret "KV/data/app" }}{{ with secret "KV/data/second" }}{{ .Data.data.user }}{{ else }}'
                                 '{{ with secret "KV/data/no-such" }}x{{ end }}{{ end }}{{ else }}{{ with secret "KV/data/denied" }}y{{ end }}{{ end }}', "bob"),
    "the first is not there": ('{{ with secret "KV/data/no-such" }}x{{ else }}{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ end }}{{ end }}', None),
    "the first is refused": ('{{ with secret "KV/data/denied" }}x{{ else }}alice{{ end }}', None),
    "one of two": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ end }}{{ with secret "KV/data/no-such" }}x{{ end }}', None),
    "or with what is not there": ('{{ with or (secret "KV/data/no-such") (secret "KV/data/app") }}{{ .Data.data.user }}{{ end }}', None),
    "a path made of what is missing": ('{{ $a := secret "KV/data/no-such" }}{{ with secret (printf "KV/data/%v" $a.Data.data.next) }}x{{ else }}y{{ end }}', None),
}
RULES = {"KV/*": ["create", "read", "update", "list"], "KV/data/denied": ["deny"], "KV/metadata/denied/*": ["deny"], "ONE/*": ["create", "update"]}


class Estate:
    def __init__(self, site):
        self.kv, self.one = site.kv2(), site.kv1()
        self.mount = self.kv.mount
        self.kv.put("app", user="alice", flag="on", next="second")
        self.kv.put("second", user="bob")
        self.kv.put("dir/one", user="1")
        self.kv.put("dir/two", user="2")
        self.login = site.login(rules={self.text(path): may for path, may in RULES.items()})

    def text(self, shape):
        return shape.replace("KV", self.mount).replace("ONE", self.one.mount)

    def templates(self, folder, shapes):
        return [template(self.text(SHAPES[name][0]), folder / name.replace(" ", "-")) for name in shapes]


@pytest.fixture
def estate(site):
    return Estate(site)


def rendered(folder, shapes):
    return {name: wait.read(folder / name.replace(" ", "-")) for name in shapes}


@both_servers
def test_an_init_container_ends_wherever_the_original_renders(site, agent, tmp_path, estate):
    shapes = [name for name, (_, text) in SHAPES.items() if text is not None]
    running = {name: agent(site.config(estate.login, *estate.templates(tmp_path, [name]), exit_after_auth=True)) for name in shapes}
    assert {name: one.wait_exit() for name, one in running.items()} == dict.fromkeys(shapes, 0)
    assert rendered(tmp_path, shapes) == {name: SHAPES[name][1] for name in shapes}


@both_servers
def test_nothing_is_written_while_something_that_is_named_is_missing(site, agent, tmp_path, estate):
    one = agent(site.config(estate.login, *estate.templates(tmp_path, SHAPES)))
    wanted = {name: text for name, (_, text) in SHAPES.items()}
    wait.until(lambda: all(text is None or wait.read(tmp_path / name.replace(" ", "-")) == text for name, text in wanted.items()), lambda: one.log)
    one.wait_log("data/no-such.*404.*attempt=2")
    assert rendered(tmp_path, SHAPES) == wanted


@contextlib.contextmanager
def peer(folder, config):
    """The original with this configuration, from the server's own binary."""
    folder.mkdir()
    (folder / "peer.hcl").write_text(config)
    process = Process([binary(), "agent", f"-config={folder}/peer.hcl"], cwd=folder)
    try:
        yield process
    finally:
        process.stop()


def test_the_original_renders_the_same(site, tmp_path, estate):
    folder = tmp_path / "peer"
    wanted = {name: text for name, (_, text) in SHAPES.items()}
    with peer(folder, site.config(estate.login, *estate.templates(folder, SHAPES))) as original_agent:
        wait.until(lambda: rendered(folder, SHAPES) == wanted, lambda: f"{rendered(folder, SHAPES)}\n{original_agent.log}")
        original_agent.wait_log("no-such.*retry attempt 3")
        assert rendered(folder, SHAPES) == wanted


@both_servers
def test_a_branch_that_hangs_holds_up_nothing(site, agent, tmp_path, estate, proxy):
    proxy.hang("GET", "/data/no-such")
    one = agent(site.config(estate.login, *estate.templates(tmp_path, ["fallback that is not there"]), via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log


@both_servers
def test_what_is_not_named_any_more_is_not_asked_for(site, agent, tmp_path, estate, proxy):
    agent(site.config(estate.login, *estate.templates(tmp_path, ["fallback that is not there"]), via=proxy))
    wait.for_file(tmp_path / "fallback-that-is-not-there", "alice")
    asked = proxy.count("GET", "/data/no-such")
    # One may have been on its way; whoever goes on asks three times in that time.
    wait.never(lambda: proxy.count("GET", "/data/no-such") > asked + 1, "another read of it", 4)


@ours
@both_servers
def test_twenty_secrets_that_come_one_by_one_are_few_evaluations(site, agent, tmp_path, estate, proxy):
    for i in range(20):
        estate.kv.put(f"many/{i}", user=str(i))
        proxy.delay(0.05 * i, "GET", f"/many/{i}$")
    text = "".join('{{ with secret "KV/data/many/%d" }}{{ .Data.data.user }},{{ end }}' % i for i in range(20))
    one = agent(site.config(estate.login, template(estate.text(text), tmp_path / "out"), via=proxy))
    wait.for_file(tmp_path / "out", "".join(f"{i}," for i in range(20)))
    assert sum(proxy.count("GET", f"/many/{i}$") for i in range(20)) == 20
    assert len(one.wait_log("evaluated", count=2)) <= 3, one.log


# Writes ------------------------------------------------------------------------------------------------------------------


def puts(proxy):
    return [(r.path, r.body.decode()) for r in proxy.requests if r.method in ("PUT", "POST") and not r.path.endswith("/login")]


@ours
@both_servers
def test_a_write_behind_a_condition_is_sent_only_when_it_is_true(site, agent, tmp_path, estate, proxy):
    text = ('{{ $there := false }}{{ range secrets "KV/metadata/" }}{{ if eq . "app" }}{{ $there = true }}{{ end }}{{ end }}'
            '{{ if not $there }}{{ with secret "KV/app" "user=default" }}created{{ end }}{{ else }}kept{{ end }}')
    one = agent(site.config(estate.login, template(estate.text(text), tmp_path / "out"), via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert (wait.read(tmp_path / "out"), puts(proxy)) == ("kept", [])


@ours
@both_servers
@pytest.mark.parametrize("name", ["app", "no-such"])
def test_a_default_is_written_where_nothing_is_and_only_there(site, agent, tmp_path, estate, proxy, name):
    text = ('{{ with secret "KV/data/NAME" }}{{ .Data.data.user }}{{ else }}{{ with secret "KV/NAME" "user=default" }}{{ end }}{{ end }}')
    one = agent(site.config(estate.login, template(estate.text(text).replace("NAME", name), tmp_path / "out"), via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert wait.read(tmp_path / "out") == ("alice" if name == "app" else "default")
    assert len(puts(proxy)) == (name == "no-such")


@ours
@both_servers
@pytest.mark.parametrize("value", ['(printf "user=%s" $a.Data.data.user)', '(printf "user=%v" $a.Data.data.user)', '(print "user=" $a.Data.data.user)'])
def test_a_write_made_of_data_is_sent_once_with_the_data(site, agent, tmp_path, estate, proxy, value):
    text = '{{ $a := secret "KV/data/app" }}{{ with secret "KV/made" ' + value + ' }}{{ .Data.version }}{{ end }}'
    one = agent(site.config(estate.login, template(estate.text(text), tmp_path / "out"), via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert [body for _, body in puts(proxy)] == ['{"data":{"user":"alice"}}']


@ours
@both_servers
def test_a_write_waits_for_the_write_before_it(site, agent, tmp_path, estate, proxy):
    text = '{{ $v := secret "KV/first" "a=b" }}{{ with secret "KV/after" (printf "version=%v" $v.Data.version) }}done{{ end }}'
    one = agent(site.config(estate.login, template(estate.text(text), tmp_path / "out"), via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert [body for _, body in puts(proxy)] == ['{"data":{"a":"b"}}', '{"data":{"version":"1"}}']


@ours
@both_servers
def test_a_value_that_is_not_there_is_not_written(site, agent, tmp_path, estate, proxy):
    text = '{{ $a := secret "KV/data/app" }}{{ with secret "KV/made" (printf "user=%s" $a.Data.data.no_such_key) }}x{{ end }}'
    strict = block("template_config", exit_on_retry_failure=True)
    one = agent(site.config(estate.login, template(estate.text(text), tmp_path / "out"), strict, via=proxy, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert 'the value of "user" is made of one that is not there' in one.last_line
    assert (puts(proxy), wait.read(tmp_path / "out")) == ([], None)


@ours
@both_servers
@pytest.mark.parametrize("name", ["no-such", "denied"])
def test_a_write_behind_a_read_that_fails_is_not_sent(site, agent, tmp_path, estate, proxy, name):
    text = '{{ $a := secret "KV/data/NAME" }}{{ with secret "KV/made" "user=x" (printf "of=%s" $a.Data.data.user) }}x{{ end }}'
    one = agent(site.config(estate.login, template(estate.text(text).replace("NAME", name), tmp_path / "out"), via=proxy))
    one.wait_log(f"data/{name}.*attempt=2")
    assert (puts(proxy), wait.read(tmp_path / "out")) == ([], None)


# ONE is a mount of version 1.
WRITES = {
    "write and read": ('{{ with secret "KV/fresh" "a=b" }}{{ .Data.version }}{{ end }}{{ with secret "KV/data/fresh" }}{{ .Data.data.a }}{{ end }}', "1b"),
    "read and write": ('{{ with secret "KV/data/late" }}{{ .Data.data.a }}{{ end }}{{ with secret "KV/late" "a=b" }}{{ .Data.version }}{{ end }}', "b1"),
    "a default": ('{{ with secret "KV/data/default" }}{{ .Data.data.a }}{{ else }}{{ with secret "KV/default" "a=b" }}{{ end }}{{ end }}', "b"),
    "a write that answers nothing": ('{{ with secret "ONE/x" "a=b" }}x{{ else }}none{{ end }}', "none"),
    "a write of what was read": ('{{ with secret "KV/data/app" }}{{ with secret "ONE/copy" (printf "user=%s" .Data.data.user) }}x{{ else }}copied{{ end }}{{ end }}', "copied"),
    "a write for each name": ('{{ range secrets "KV/metadata/dir/" }}{{ with secret (printf "ONE/%s" .) "a=b" }}x{{ else }}{{ . }} {{ end }}{{ end }}', "one two "),
    "a read that a write names": ('{{ $w := secret "KV/named" "a=b" }}{{ with secret (printf "KV/data/named?version=%v" $w.Data.version) }}{{ .Data.data.a }}{{ end }}', "b"),
    "two writes": ('{{ with secret "KV/first" "a=b" }}{{ .Data.version }}{{ end }}{{ with secret "KV/second-write" "a=b" }}{{ .Data.version }}{{ end }}', "11"),
    "a write in a branch that is not taken": ('{{ with secret "KV/data/app" }}{{ .Data.data.user }}{{ else }}{{ with secret "ONE/never" "a=b" }}x{{ end }}{{ end }}', "alice"),
    "a write behind a flag": ('{{ $on := "" }}{{ with secret "KV/data/app" }}{{ $on = .Data.data.flag }}{{ end }}'
                              '{{ if eq $on "on" }}{{ with secret "ONE/flag" "a=b" }}x{{ else }}on{{ end }}{{ else }}off{{ end }}', "on"),
}


def written_templates(estate, folder):
    return [template(estate.text(text), folder / name.replace(" ", "-")) for name, (text, _) in WRITES.items()]


@both_servers
def test_templates_that_write_end_as_those_of_the_original(site, agent, tmp_path, estate):
    one = agent(site.config(estate.login, *written_templates(estate, tmp_path), exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert rendered(tmp_path, WRITES) == {name: text for name, (_, text) in WRITES.items()}


def test_the_original_ends_so(site, tmp_path, estate):
    folder = tmp_path / "peer"
    with peer(folder, site.config(estate.login, *written_templates(estate, folder))) as original_agent:
        wanted = {name: text for name, (_, text) in WRITES.items()}
        wait.until(lambda: rendered(folder, WRITES) == wanted, lambda: f"{rendered(folder, WRITES)}\n{original_agent.log}")


# Many --------------------------------------------------------------------------------------------------------------------


@ours
@both_servers
def test_ten_thousand_secrets_in_one_template(site, agent, tmp_path, estate):
    many = '{{ range loop 0 10000 }}{{ with secret (printf "KV/data/app?n=%d" .) }}{{ .Data.data.user }}{{ end }}{{ end }}'
    one = agent(site.config(estate.login, template(estate.text(many), tmp_path / "out")))
    wait.for_file(tmp_path / "out", "alice" * 10000, seconds=270)
    assert int(one.proc_status("VmHWM").split()[0]) < 100 * 1024
    assert int(one.proc("stat").rsplit(")", 1)[1].split()[11]) < 20 * 100, "more than 20 s of its own time"


@ours
@both_servers
def test_more_secrets_than_an_agent_takes_are_an_error_that_says_so(site, agent, tmp_path, estate):
    many = '{{ range loop 0 40000 }}{{ with secret (printf "KV/data/app?n=%d" .) }}{{ .Data.data.user }}{{ end }}{{ end }}'
    one = agent(site.config(estate.login, template(estate.text(many), tmp_path / "out")))
    one.wait_log("more than 32768 secrets in one template")
    assert wait.read(tmp_path / "out") is None
