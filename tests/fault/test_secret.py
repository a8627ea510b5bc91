"""A secret is refused or gone: its file is kept, it is named, the others go on, and it comes back by itself."""

import pytest
from support import wait
from support.agent import original, template
from support.rendering import SOON, Rendering, user

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original stops all templates for one that fails"),
]


@pytest.fixture
def pair(site, agent, tmp_path, proxy):
    """The usual rendering, and a second secret in the file `other`."""
    kv = site.kv2()
    path = kv.put("other", user="carol")
    one = Rendering(site, agent, tmp_path, template(user(path), tmp_path / "other"), via=proxy).expect()
    wait.for_file(tmp_path / "other", "carol")
    one.other_kv, one.other_path, one.other_file = kv, path, tmp_path / "other"
    return one


def allow(site, login, **rules):
    site.vault.put_policy(login.policy, {path: ["read"] for path in rules.values()})


def test_a_secret_that_becomes_forbidden_keeps_its_file_while_others_go_on(site, pair, proxy):
    allow(site, pair.login, other=pair.other_path)
    pair.agent.wait_log(pair.secret + ".*403 permission denied")
    pair.other_kv.put("other", user="dave")
    wait.for_file(pair.other_file, "dave")
    pair.kept()
    allow(site, pair.login, other=pair.other_path, app=pair.secret)
    pair.follows("bob")


def test_a_forbidden_secret_costs_no_storm_and_at_most_one_more_login(site, pair, proxy):
    allow(site, pair.login, other=pair.other_path)
    pair.agent.wait_log(pair.secret + ".*403 permission denied")
    before = proxy.count(path=pair.secret)
    wait.never(lambda: proxy.count(path=pair.secret) > before + 25, "more than 25 requests for it in 5 s", 5)
    assert proxy.logins() <= 2


def test_a_deleted_secret_keeps_its_file_while_others_go_on(site, pair):
    site.vault.delete(pair.secret)
    pair.agent.wait_log(pair.secret + ".*404 not found.*(version is deleted)")
    pair.other_kv.put("other", user="dave")
    wait.for_file(pair.other_file, "dave")
    pair.kept()
    pair.follows("bob")


def test_a_secret_whose_metadata_are_gone_keeps_its_file(site, pair):
    site.vault.delete(pair.secret.replace("/data/", "/metadata/"))
    pair.agent.wait_log(pair.secret + ".*404 not found")
    pair.kept()
    pair.follows("bob")


def test_a_secret_that_is_not_there_yet_holds_up_nobody_else(site, agent, tmp_path):
    kv = site.kv2()
    late, there = kv.path("late"), kv.put("there", user="carol")
    one = agent(site.config(site.login(), template(user(late), tmp_path / "late"), template(user(there), tmp_path / "there"), SOON))
    wait.for_file(tmp_path / "there", "carol")
    one.wait_log(late + ".*404 not found")
    assert wait.read(tmp_path / "late") is None
    kv.put("late", user="alice")
    wait.for_file(tmp_path / "late", "alice")


def test_a_secret_that_is_not_there_is_asked_for_slowly(site, agent, tmp_path, proxy):
    path = site.kv2().path("late")
    agent(site.config(site.login(), template(user(path), tmp_path / "late"), SOON, via=proxy))
    wait.until(lambda: proxy.count("GET", path), "the first read")
    wait.never(lambda: proxy.count("GET", path) > 16, "more than 16 requests in 5 s", 5)


def test_a_mount_that_is_not_there_is_named(site, agent, tmp_path):
    one = agent(site.config(site.login(), template(user("no-such-mount/data/app"), tmp_path / "user")))
    one.wait_log("no-such-mount/data/app.*(403|404)")


def test_nothing_that_is_valid_is_read_again_because_another_fails(site, agent, tmp_path, proxy):
    kv = site.kv2()
    late, there = kv.path("late"), kv.put("there", user="carol")
    one = agent(site.config(site.login(), template(user(late), tmp_path / "late"), template(user(there), tmp_path / "there"), via=proxy))
    wait.for_file(tmp_path / "there", "carol")
    one.wait_log(late + ".*404 not found", count=3)
    assert proxy.count("GET", there) == 1
