"""SIGHUP: another configuration for an agent that runs. The original takes over its log level and its certificates alone."""

import os
import shutil
import signal
import stat

import pytest
from support import wait
from support.agent import block, original, program, template
from support.certs import Authority
from support.process import Process
from support.rendering import SOON, user
from support.site import unique

pytestmark = pytest.mark.skipif(original(), reason="the original takes over no template")
RELOADED, REFUSED = "configuration reloaded: ", "configuration not taken over"
LEASED = '{{ with secret "%s" }}{{ .Data.username }}{{ end }}'


@pytest.fixture
def elsewhere(folders):
    """A folder that nothing of a test writes to but the test."""
    return folders("ampule-reload-", "/var/tmp")


class Scene:
    """An agent whose configuration is exchanged by `becomes`; `names` are the files of templates with one secret."""

    def __init__(self, site, start, folder, via=None):
        self.site, self.start, self.folder, self.via = site, start, folder, via
        self.kv = site.kv2()
        self.secret = self.kv.put("app", user="alice")
        self.login = site.login()
        self.agent, self.seen = None, 0

    def file(self, name):
        return self.folder / name

    def one(self, name, text=None, **pairs):
        return template(user(self.secret) if text is None else text, self.file(name), **pairs)

    def config(self, *blocks, **top):
        return self.site.config(self.login, *blocks, via=self.via, **top)

    def runs(self, *blocks, **top):
        self.agent = self.start(self.config(*blocks, **top))
        return self

    def holds(self, name, text="alice"):
        wait.for_file(self.file(name), text)
        return self

    def asked(self):
        """What comes of a SIGHUP: its last line."""
        self.agent.signal(signal.SIGHUP)
        self.seen += 1
        return self.agent.wait_log(f"{RELOADED}|{REFUSED}", count=self.seen)[-1]

    def becomes(self, *blocks, **top):
        return self.given(self.config(*blocks, **top))

    def given(self, text):
        path = self.agent.config.with_suffix(".new")
        path.write_text(text)
        path.rename(self.agent.config)
        return self.asked()


@pytest.fixture
def scene(site, agent, tmp_path):
    return Scene(site, agent, tmp_path)


@pytest.fixture
def counted(site, agent, tmp_path, proxy):
    """The same, with its requests counted."""
    return Scene(site, agent, tmp_path, proxy)


def test_templates_come_and_go_and_change_without_a_new_login_and_nothing_is_read_again(counted, site, postgres, proxy):
    one = counted
    path = postgres.enable(site.vault, unique("db"), default_ttl="60s", max_ttl="120s")
    other = one.kv.put("other", user="carol")
    leased = one.one("leased", LEASED % path)
    one.runs(leased, one.one("user"), one.one("gone", user(other))).holds("user").holds("gone", "carol")
    name = wait.for_file(one.file("leased"), contains="v-")
    new = one.kv.put("new", user="dave")
    said = one.becomes(one.one("new", user(new)), one.one("user", user(one.secret) + "!", perms="0600"), leased)
    assert said.endswith(": 1 template added, 1 template edited, 1 template removed")
    one.holds("new", "dave").holds("user", "alice!").holds("gone", "carol").holds("leased", name)
    assert stat.S_IMODE(one.file("user").stat().st_mode) == 0o600
    assert proxy.count(path="/login$") == 1
    assert proxy.count("GET", f"^/v1/{path}$") == 1
    assert [proxy.count("GET", f"{secret.replace('/data/', '/(data/)?')}$") for secret in (one.secret, other, new)] == [1, 1, 1]


def test_a_template_that_is_gone_is_fetched_no_more_and_its_lease_is_not_renewed(counted, site, postgres, proxy):
    one = counted
    path = postgres.enable(site.vault, unique("db"), default_ttl="4s", max_ttl="10m")
    one.runs(one.one("leased", LEASED % path), one.one("user"), SOON).holds("user")
    wait.for_file(one.file("leased"), contains="v-")
    assert "1 template removed" in one.becomes(one.one("user"), SOON)
    # What was sent before that was answered by then.
    before = proxy.count("GET", "/app$")
    wait.until(lambda: proxy.count("GET", "/app$") > before, "a further read of what is left")
    proxy.clear()
    wait.until(lambda: proxy.count("GET", "/app$") >= 6, "further reads of what is left")
    assert proxy.count(path="renew$") == 0 and proxy.count(path=f"/{path}$") == 0
    assert one.file("leased").exists()


def test_a_source_file_that_was_edited_is_rendered_anew(scene):
    source = scene.file("source.tpl")
    source.write_text(user(scene.secret))
    scene.runs(block("template", source=source, destination=scene.file("user")), scene.one("other")).holds("user")
    assert scene.asked().endswith("nothing has changed")
    source.write_text("<" + user(scene.secret) + ">")
    assert "1 template edited" in scene.asked()
    scene.holds("user", "<alice>")


BAD = {
    "a file without its end": (lambda one: "template {", r"agent\.hcl:1:\d+: error: "),
    "an unknown key": (lambda one: one.config(one.one("user", nonsense=1)), r"agent\.hcl:\d+:\d+: error: template\[0\]\.nonsense"),
    "a refused value": (lambda one: one.config(one.one("user", perms="0999")), r"agent\.hcl:\d+:\d+: error: template\[0\]\.perms"),
    "a template without its end": (lambda one: one.config(one.one("user", "{{ if }}")), r"agent\.hcl:\d+: template\[0\]: template: "),
    "a CA file that is away": (lambda one: one.site.config(one.login, one.one("user"), vault={"ca_cert": "/nowhere.pem"}), r"/nowhere\.pem"),
    "a source that is away": (
        lambda one: one.config(block("template", source=one.file("nowhere.tpl"), destination=one.file("user"))),
        r"agent\.hcl:\d+: template\[0\]: source: .*nowhere\.tpl",
    ),
}


def test_a_bad_file_changes_nothing_and_says_where_it_is_wrong(scene):
    scene.runs(scene.one("user"), SOON).holds("user")
    for name, (bad, where) in BAD.items():
        assert REFUSED in scene.given(bad(scene)), name
        scene.agent.wait_log(where)
    scene.agent.config.unlink()
    assert REFUSED in scene.asked()
    scene.agent.wait_log(r"agent\.hcl: error: .*no such file")
    scene.kv.put("app", user="bob")
    scene.holds("user", "bob")
    assert "1 template added" in scene.becomes(scene.one("user"), scene.one("more"), SOON)
    scene.holds("more", "bob")


def test_what_takes_a_restart_is_named_in_one_line_and_the_rest_is_taken_over(scene):
    scene.runs(scene.one("user")).holds("user")
    role = scene.login.role
    scene.login.role = "another"
    said = scene.becomes(scene.one("user"), scene.one("more"), pid_file=scene.file("pid"), exit_after_auth=True)
    assert said.endswith("1 template added")
    lines = scene.agent.wait_log("a restart is needed for")
    assert len(lines) == 1
    assert lines[0].endswith(": auto_auth.method.config, exit_after_auth, pid_file")
    scene.holds("more")
    scene.login.role = role
    assert "1 template removed" in scene.becomes(scene.one("user"))
    assert len(scene.agent.wait_log("a restart is needed for")) == 1


def test_log_level_and_the_time_between_reads_are_taken_over(scene):
    env = {"VAULT_LOG_LEVEL": ""}
    scene.agent = scene.start(scene.config(scene.one("user"), log_level="info"), env=env)
    scene.holds("user")
    said = scene.becomes(scene.one("user"), SOON, log_level="debug")
    assert said.endswith(": template_config.static_secret_render_interval, log_level")
    scene.kv.put("app", user="bob")
    scene.holds("user", "bob")
    scene.agent.wait_log("DEBUG")


def test_a_destination_that_was_given_up_at_the_start_takes_a_restart(scene, elsewhere):
    scene.runs(scene.one("user")).holds("user")
    if scene.agent.proc_status("NoNewPrivs") != "1" or "landlock: " in scene.agent.log:
        pytest.skip("nothing is given up here")
    outside = template("x", elsewhere / "file")
    said = scene.becomes(scene.one("user"), outside, scene.one("more"))
    assert said.endswith(": 1 template added")
    scene.agent.wait_log(rf"a restart is needed for: .*agent\.hcl:\d+: template\[1\] \({elsewhere}/file\): ")
    scene.holds("more")
    assert list(elsewhere.iterdir()) == []
    # An edited one stays as it was, whatever comes after it.
    said = scene.becomes(scene.one("user", '{{ file "/etc/hostname" }}'), scene.one("more", "more"))
    assert said.endswith(": 1 template edited")
    scene.holds("more", "more").holds("user")


def test_a_command_is_another_where_the_agent_cannot_write_to_the_configuration(scene, elsewhere, tmp_path):
    noted = scene.file("noted")

    def command(word):
        return scene.one("user", command=f"echo {word} >> {noted}")

    config = elsewhere / "agent.hcl"
    config.write_text(scene.config(command("first"), SOON))
    scene.agent = Process([program("ampule-agent"), "agent", f"-config={config}"], cwd=tmp_path)
    scene.agent.config = config
    try:
        wait.for_file(noted, "first\n")
        said = scene.becomes(command("second"), scene.one("more", "x", command=f"echo more >> {noted}"), SOON)
        assert said.endswith(": 1 template added, 1 template edited")
        wait.for_file(noted, "first\nmore\n")
        scene.kv.put("app", user="bob")
        wait.for_file(noted, "first\nmore\nsecond\n")
        assert "a restart is needed" not in scene.agent.log
    finally:
        scene.agent.stop()


def test_a_new_command_takes_a_restart_where_the_agent_could_write_it_itself(scene):
    """Who has taken over the agent starts nothing but what the configuration said."""
    noted = scene.file("noted")
    scene.runs(scene.one("user", command=f"echo first >> {noted}"), SOON).holds("user")
    if "landlock: " in scene.agent.log:
        pytest.skip("nothing is given up here")
    assert scene.becomes(scene.one("user", "other", command=f"echo second >> {noted}"), scene.one("more"), SOON).endswith(": 1 template added")
    scene.agent.wait_log(r"a restart is needed for: .*template\[0\] .*can write to the configuration itself")
    scene.holds("more").kv.put("app", user="bob")
    wait.for_file(noted, "first\nfirst\n")
    assert "1 template edited" in scene.becomes(scene.one("user", "text", command=f"echo first >> {noted}"), SOON)
    scene.holds("user", "text")


def test_without_any_command_at_the_start_one_takes_a_restart(scene):
    scene.runs(scene.one("user")).holds("user")
    assert scene.becomes(scene.one("user", command="true"), scene.one("more", command="true")).endswith("nothing has changed")
    scene.agent.wait_log("its command takes it: none was there at the start", count=2)
    assert not scene.file("more").exists()


def test_sinks_come_and_go(scene):
    first = scene.login.sink(scene.file("first"))
    scene.runs(scene.one("user")).holds("user")
    token = wait.for_file(first, contains=".")
    second = scene.login.sink(scene.file("second"), wrap_ttl="5m")
    assert scene.becomes(scene.one("user")).endswith(": auto_auth.sink")
    assert token not in wait.for_file(second, contains="wrap")
    scene.login.sinks = ""
    third = scene.login.sink(scene.file("third"))
    scene.becomes(scene.one("user"))
    wait.for_file(third, token)
    assert first.exists() and second.exists()


def test_certificates_in_other_files_are_taken_over(site, scene, tmp_path):
    mine, other = tmp_path / "mine.pem", Authority(tmp_path / "another").file
    shutil.copy(site.ca_file, mine)
    scene.runs(scene.one("user"), SOON).holds("user")

    def believes(file):
        assert scene.given(site.config(scene.login, scene.one("user"), SOON, vault={"ca_cert": file})).endswith(": vault.ca_cert")

    believes(other)
    scene.agent.wait_log("app.*unknown authority")
    believes(mine)
    scene.kv.put("app", user="bob")
    scene.holds("user", "bob")


def test_during_a_login_that_fails_and_twice_at_once(scene, wire):
    scene.via = wire
    wire.refuse()
    scene.runs(scene.one("user"))
    scene.agent.wait_log("error authenticating")
    assert "1 template added" in scene.becomes(scene.one("user"), scene.one("more"))
    for _ in range(3):
        scene.agent.signal(signal.SIGHUP)
    wire.listen()
    scene.holds("user").holds("more")
    assert "1 template edited" in scene.becomes(scene.one("user"), scene.one("more", "x")) or scene.agent.wait_log("1 template edited")
    scene.holds("more", "x")


def test_init_mode_waits_for_what_came_meanwhile(scene):
    missing = scene.secret.replace("app", "later")
    scene.runs(scene.one("later", user(missing)), exit_after_auth=True)
    scene.agent.wait_log("later.*404|no secret exists|not found|is not there")
    assert "1 template added, 1 template removed" in scene.becomes(scene.one("user"), exit_after_auth=True)
    assert scene.agent.wait_exit() == 0
    scene.holds("user")
    assert not scene.file("later").exists()


def test_a_programs_variables_come_and_go_with_one_restart_each(scene):
    noted, app = scene.file("noted"), scene.file("app")
    app.write_text(f"#!/bin/sh\nenv | grep ^APP_ | sort | tr '\\n' ' ' >> {noted}; echo >> {noted}; exec sleep 600\n")
    app.chmod(0o755)
    program = block("exec", command=[str(app)])

    def variable(name, text=None):
        return block("env_template", f"APP_{name}", contents=user(scene.secret) if text is None else text)

    scene.runs(program, variable("A"), variable("B", "b"))
    wait.for_file(noted, "APP_A=alice APP_B=b \n")
    late = scene.kv.put("late", user="carol")
    assert "1 template added, 1 template removed" in scene.becomes(program, variable("A"), variable("C", user(late)))
    wait.for_file(noted, "APP_A=alice APP_B=b \nAPP_A=alice APP_C=carol \n")
    said = scene.becomes(block("exec", command=["/bin/false"], restart_stop_signal="SIGKILL"), variable("A"), variable("C", user(late)))
    assert said.endswith(": exec.restart_stop_signal")
    assert scene.agent.wait_log("a restart is needed for: exec.command")
    assert scene.agent.running
    assert os.path.getsize(noted) == len("APP_A=alice APP_B=b \nAPP_A=alice APP_C=carol \n")
