"""Logins that cannot succeed: the cause is named, tries are slow, and the next good token or role is enough."""

import pytest
from support import wait
from support.agent import original, template
from support.rendering import user

pytestmark = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="the original says something else")


def start(site, agent, folder, login, **pairs):
    """An agent whose login is going to fail."""
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(login, template(user(path), folder / "user"), **pairs))
    return one


def recovers(folder):
    wait.for_file(folder / "user", "alice")


def test_a_wrong_role_is_named_and_waited_for(site, agent, tmp_path):
    login = site.login()
    good, login.role = login.role, "no-such-role"
    one = start(site, agent, tmp_path, login)
    one.wait_log("no-such-role|invalid role")
    assert original() or one.wait_log('no-such-role.*invalid role name')
    assert wait.read(tmp_path / "user") is None
    site.vault.write(f"auth/{site.mount}/role/no-such-role", **site.role_of(good))
    recovers(tmp_path)


@ours
def test_a_role_for_another_account_is_explained(site, agent, tmp_path):
    login = site.login(name="other")
    login.volume.write(token=site.cluster.token())
    one = start(site, agent, tmp_path, login)
    one.wait_log(f"{login.role}.*403 permission denied.*not authorized")
    login.volume.write(token=site.cluster.token(name="other"))
    recovers(tmp_path)


@ours
def test_a_role_for_another_audience_is_explained(site, agent, tmp_path):
    login = site.login(audience="vault")
    login.volume.write(token=site.cluster.token())
    one = start(site, agent, tmp_path, login)
    one.wait_log(f'role "{login.role}".*audience|role "{login.role}".*403 permission denied')
    login.volume.write(token=site.cluster.token(audience="vault"))
    recovers(tmp_path)


def test_an_expired_service_account_token_is_refused_until_a_new_one_is_there(site, agent, tmp_path):
    login = site.login()
    login.volume.write(token=site.expired_token())
    one = start(site, agent, tmp_path, login)
    one.wait_log("403 permission denied|Code: 403")
    assert original() or one.wait_log(f"{login.role}.*403 permission denied")
    assert wait.read(tmp_path / "user") is None
    login.volume.write(token=site.cluster.token())
    recovers(tmp_path)


@ours
def test_an_expired_service_account_token_is_said_to_be_expired(site, agent, tmp_path):
    """The server does not say why: the token does."""
    login = site.login()
    login.volume.write(token=site.expired_token())
    start(site, agent, tmp_path, login).wait_log(f"{login.token_file}.*expired")


def test_refused_logins_are_slow(site, agent, tmp_path, proxy):
    login = site.login()
    login.role = "no-such-role"
    start(site, agent, tmp_path, login, via=proxy)
    wait.until(proxy.logins, "the first login")
    wait.never(lambda: proxy.logins() > 12, "more than 12 logins in 5 s", 5)


def test_a_missing_token_file_is_named_and_waited_for(site, agent, tmp_path, proxy):
    login = site.login()
    login.volume.write(other="")
    one = start(site, agent, tmp_path, login, via=proxy)
    one.wait_log(f"{login.token_file}.*no such file")
    assert original() or proxy.logins() == 0
    login.volume.write(token=site.cluster.token())
    recovers(tmp_path)


def test_an_empty_token_file_is_named_and_waited_for(site, agent, tmp_path):
    login = site.login()
    login.volume.write(token="")
    one = start(site, agent, tmp_path, login)
    one.wait_log(f"(?i){login.token_file}.*empty|missing jwt|read JWT")
    assert original() or one.wait_log(f"{login.token_file}.*empty")
    login.volume.write(token=site.cluster.token())
    recovers(tmp_path)


@ours
@pytest.mark.parametrize("content", ["\0", "x" * (65 << 10)], ids=["NUL", "65 KiB"])
def test_a_token_file_that_is_no_token_is_named(site, agent, tmp_path, proxy, content):
    login = site.login()
    login.volume.write(token=content)
    start(site, agent, tmp_path, login, via=proxy).wait_log(f"{login.token_file}.*(NUL|larger)")
    assert proxy.logins() == 0
    login.volume.write(token=site.cluster.token())
    recovers(tmp_path)


def test_a_token_that_is_swapped_while_logins_fail_is_used_at_once(site, agent, tmp_path, proxy):
    """As kubelet does it: all files of the volume change with one link."""
    login = site.login()
    login.volume.write(token=site.expired_token())
    one = start(site, agent, tmp_path, login, via=proxy)
    one.wait_log("403 permission denied|Code: 403")
    for _ in range(3):
        last = site.cluster.token()
        login.volume.write(token=last)
    recovers(tmp_path)
    assert proxy.logins(last) >= 1


@ours
def test_a_failing_login_does_not_stop_the_token_that_still_lives(site, rendering, proxy):
    one = rendering(via=proxy, login=site.login(token_ttl="15s", token_max_ttl="15s"))
    proxy.error(500, path="/login$", times=1)
    wait.until(lambda: proxy.logins() >= 3, "the first login, one that fails, one more")
    one.follows("bob")
    assert [str(r) for r in proxy.requests if r.status == 403] == []
