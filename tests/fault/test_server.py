"""The server is sealed, stopped, or answers with failures: the file stays, nobody storms, all goes on without a restart."""

import pytest
from support import wait
from support.agent import original, template
from support.proxy import Proxy
from support.rendering import user

both_servers = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="the original storms, gives up, or says something else")


@both_servers
def test_a_sealed_server_leaves_the_file_and_is_followed_again_when_unsealed(own_site, own_rendering):
    one = own_rendering()
    own_site.server.seal()
    one.agent.wait_log("(?i)sealed|503")
    one.kept()
    own_site.server.unseal()
    one.follows("bob")


@both_servers
def test_a_server_that_is_sealed_at_the_start_is_waited_for(own_site, agent, tmp_path):
    path = own_site.kv2().put("app", user="alice")
    login = own_site.login()
    own_site.server.seal()
    one = agent(own_site.config(login, template(user(path), tmp_path / "user")))
    one.wait_log("(?i)sealed|503")
    assert wait.read(tmp_path / "user") is None
    own_site.server.unseal()
    wait.for_file(tmp_path / "user", "alice")


@ours
@both_servers
def test_a_sealed_server_is_named_as_such_and_asked_a_few_times_only(own_site, own_rendering, own_proxy):
    one = own_rendering(via=own_proxy)
    own_site.server.seal()
    one.agent.wait_log("503 the server is sealed")
    own_proxy.clear()
    wait.never(lambda: len(own_proxy.requests) > 15, "more than 15 requests in 6 s", 6)


def test_a_restarted_server_is_followed_again(own_site, own_rendering):
    one = own_rendering()
    own_site.server.restart()
    one.follows("bob")


def test_a_server_that_is_stopped_for_a_while_is_followed_again(own_site, own_rendering):
    one = own_rendering()
    own_site.server.stop()
    one.agent.wait_log("(?i)connection refused", count=3)
    one.kept()
    own_site.server.start()
    one.agent.wait_log("(?i)sealed|503")
    own_site.server.unseal()
    one.follows("bob")


def test_a_server_that_is_killed_is_followed_again(own_site, own_rendering):
    one = own_rendering()
    own_site.server.kill()
    one.agent.wait_log("(?i)connection refused")
    one.kept()
    own_site.server.start()
    own_site.server.unseal()
    one.follows("bob")


@ours
def test_an_outage_shorter_than_the_tokens_life_needs_no_new_login(rendering, site, proxy):
    one = rendering(via=proxy, login=site.login(token_ttl="20s", token_max_ttl="60s"))
    proxy.refuse()
    one.agent.wait_log("connection refused", count=2)
    proxy.listen()
    one.follows("bob")
    assert proxy.logins() == 1


@ours
@pytest.mark.parametrize("status", [500, 502, 503, 429, 412, 403])
def test_whatever_it_refuses_with_it_is_asked_a_handful_of_times(rendering, site, proxy, status):
    """Renewals, reads and logins together."""
    one = rendering(via=proxy, login=site.login(token_ttl="10s"))
    rule = proxy.error(status)
    proxy.clear()
    wait.never(lambda: len(proxy.requests) > 40, "more than 40 requests in 8 s of outage", 8)
    one.kept()
    assert rule.hits >= 2
    rule.remove()
    one.follows("bob")


@ours
def test_renewals_that_fail_for_ever_do_not_become_a_storm(rendering, site, proxy):
    """Each token lives 6 s: it is renewed in vain, then replaced once."""
    one = rendering(via=proxy, login=site.login(token_ttl="6s"))
    rule = proxy.error(500, path="/renew-self$")
    wait.until(lambda: proxy.logins() >= 3, "the third login")
    assert rule.hits <= 12
    one.follows("bob")


@ours
def test_a_retry_after_is_kept_to(rendering, proxy):
    one = rendering(via=proxy)
    rule = proxy.answer(429, '{"errors":[]}', path="/data/app$", times=1, Retry_After="4")
    refused = wait.until(lambda: [r.at for r in proxy.requests if r.status == 429], "the refusal")[-1]
    wait.until(lambda: proxy.requests[-1].status == 200, "the next read")
    assert proxy.requests[-1].at - refused >= 4
    one.follows("bob")


@ours
@both_servers
def test_a_redirect_to_another_host_does_not_get_the_token(rendering, proxy, authority):
    elsewhere = Proxy(proxy.address, proxy.ca_file, authority, names=("localhost",))
    try:
        one = rendering(via=proxy)
        rule = proxy.answer(307, path="/data/app$", Location=f"https://localhost:{elsewhere.port}/v1/secret/data/app")
        wait.until(lambda: rule.hits >= 2, "two redirects")
        one.kept()
        assert [r for r in elsewhere.requests if "X-Vault-Token" in r.headers and r.headers["X-Vault-Token"]] == []
        rule.remove()
        one.follows("bob")
    finally:
        elsewhere.close()
