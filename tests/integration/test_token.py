"""The agent's own token: renewed, replaced, taken away."""

import pytest
from support import wait
from support.agent import original, template
from support.rendering import SOON, user

pytestmark = pytest.mark.both_servers


def test_a_rotated_service_account_token_is_used_at_the_next_login(site, rendering, proxy):
    one = rendering(via=proxy, login=site.login(token_ttl="2s", token_max_ttl="4s"))
    rotated = site.cluster.token()
    one.login.volume.write(token=rotated)
    wait.until(lambda: proxy.logins(rotated), "a login with the new token")
    assert proxy.count(path="/login$") >= 2
    one.follows("bob")


def test_a_token_is_renewed_as_long_as_it_may_be(site, rendering, proxy):
    one = rendering(via=proxy, login=site.login(token_ttl="3s", token_max_ttl="60s"))
    wait.until(lambda: proxy.count(path="^/v1/auth/token/renew-self$") >= 3, "three renewals")
    assert original() or proxy.logins() == 1
    one.follows("bob")


def test_reaching_the_end_of_a_token_does_not_write_the_file_again(site, agent, tmp_path, proxy):
    path = site.kv2().put("app", user="alice")
    login = site.login(token_ttl="2s", token_max_ttl="4s")
    agent(site.config(login, template(user(path), tmp_path / "user"), via=proxy))
    wait.for_file(tmp_path / "user", "alice")
    before = (tmp_path / "user").stat()
    wait.until(lambda: proxy.logins(login.token) >= (6 if original() else 3), "the third login")
    after = (tmp_path / "user").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_login_comes_before_the_old_token_ends(site, agent, tmp_path, proxy):
    """So that no read is ever refused."""
    path = site.kv2().put("app", user="alice")
    login = site.login(token_ttl="4s", token_max_ttl="4s")
    agent(site.config(login, template(user(path), tmp_path / "user"), SOON, via=proxy))
    wait.for_file(tmp_path / "user", "alice")
    wait.until(lambda: proxy.logins() >= (6 if original() else 3), "the third login")
    assert [str(r) for r in proxy.requests if r.status == 403] == []


def test_a_token_revoked_behind_the_agents_back_is_replaced(site, rendering, tmp_path):
    login = site.login(token_ttl="4s")
    login.sink(tmp_path / "token")
    one = rendering(login=login)
    token = wait.until(lambda: wait.read(tmp_path / "token"), "the token file")
    site.vault.write("auth/token/revoke", token=token)
    wait.for_file(tmp_path / "token", differs_from=token)
    one.follows("bob")
