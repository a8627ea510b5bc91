"""Templates that are wrong: named with their position, the others go on, and the old file is kept."""

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import SOON, Rendering, user

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original stops all templates for one that fails"),
]


def beside(site, agent, folder, contents, **pairs):
    """A good template, and this one in the file `other`."""
    return Rendering(site, agent, folder, template(contents, folder / "other", **pairs)).expect()


def test_a_template_that_does_not_parse_is_named_with_its_line(site, agent, tmp_path):
    one = beside(site, agent, tmp_path, "a line\n{{ with }}\n")
    one.agent.wait_log(r"template\[1\].*:2:.*missing value for with")
    one.follows("bob")
    assert wait.read(tmp_path / "other") is None


def test_a_template_file_that_does_not_parse_is_named(site, agent, tmp_path):
    (tmp_path / "bad.tpl").write_text("{{ nosuchfunction }}")
    kv = site.kv2()
    path = kv.put("app", user="alice")
    bad = block("template", source=tmp_path / "bad.tpl", destination=tmp_path / "other")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user"), bad, SOON))
    one.wait_log(rf'{tmp_path}/bad.tpl.*function "nosuchfunction" not defined')
    wait.for_file(tmp_path / "user", "alice")


def test_a_missing_key_is_named_when_it_is_an_error(site, agent, tmp_path):
    path = site.kv2().put("other", user="carol")
    one = beside(site, agent, tmp_path, user(path).replace(".user", ".password"), error_on_missing_key=True)
    one.agent.wait_log(r'template\[1\].*no entry for key "password"')
    one.follows("bob")
    assert wait.read(tmp_path / "other") is None


def test_a_missing_key_is_no_value_when_it_is_none(site, agent, tmp_path):
    path = site.kv2().put("other", user="carol")
    beside(site, agent, tmp_path, user(path).replace(".user", ".password"))
    wait.for_file(tmp_path / "other", "<no value>")


def test_a_key_that_is_removed_keeps_the_file_until_it_is_back(rendering):
    one = rendering(template={"error_on_missing_key": True})
    one.kv.put("app", other="x")
    one.agent.wait_log(r'template\[0\].*no entry for key "user"')
    one.kept()
    one.follows("bob")


def test_an_error_while_rendering_tells_no_value(site, agent, tmp_path):
    """The message names the function and the place; the fixture looks for what must not be in it."""
    path = site.kv2().put("other", user="not-a-number-but-a-secret")
    one = beside(site, agent, tmp_path, '{{ with secret "%s" }}{{ index .Data.data.user 1 2 }}{{ end }}' % path)
    one.agent.wait_log(r"template\[1\].*index")
    one.follows("bob")
