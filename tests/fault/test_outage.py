"""The server goes away and comes back: the file stays, nobody storms, and all goes on without a restart."""

import pytest

from support import wait
from support.agent import block, original, template

USER = '{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}'
SOON = block("template_config", static_secret_render_interval="1s")
ours = pytest.mark.skipif(original(), reason="the original storms, or gives up")


def running(site, agent, folder, address=None, **login):
    """An agent that has rendered one secret, with the function that changes it."""
    kv = site.kv2()
    path = kv.put("app", user="alice")
    one = agent(site.config(site.login(**login), template(USER % path, folder / "user"), SOON, address=address))
    wait.for_file(folder / "user", "alice")
    return one, lambda user: kv.put("app", user=user)


def test_a_sealed_server_leaves_the_file_and_is_followed_again_when_unsealed(own_site, agent, tmp_path):
    one, change = running(own_site, agent, tmp_path)
    own_site.server.seal()
    one.wait_log(r"(?i)sealed|503")
    assert wait.read(tmp_path / "user") == "alice"
    own_site.server.unseal()
    change("bob")
    wait.for_file(tmp_path / "user", "bob", seconds=60)


def test_a_restarted_server_is_followed_again(own_site, agent, tmp_path):
    one, change = running(own_site, agent, tmp_path)
    own_site.server.restart()
    change("bob")
    wait.for_file(tmp_path / "user", "bob", seconds=60)
    assert one.running


def test_a_refused_connection_at_the_start_is_tried_again(site, agent, tmp_path, proxy):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    proxy.refuse()
    one = agent(site.config(site.login(), template(USER % path, tmp_path / "user"), address=proxy.address))
    one.wait_log("(?i)refused")
    proxy.listen()
    wait.for_file(tmp_path / "user", "alice", seconds=60)


@ours
def test_dropped_packets_are_noticed_and_a_new_connection_is_taken(site, agent, tmp_path, wire):
    one, change = running(site, agent, tmp_path, address=wire.address)
    before = wire.connections
    wire.silence()
    one.wait_log("(?i)timed out|timeout|time-out|deadline exceeded", seconds=90)
    wire.resume()
    change("bob")
    wait.for_file(tmp_path / "user", "bob", seconds=60)
    assert wire.connections > before


@ours
def test_a_minute_of_failing_renewals_is_a_handful_of_requests(site, agent, tmp_path, proxy):
    running(site, agent, tmp_path, address=proxy.address, token_ttl="30s")
    proxy.error(503, path="")
    proxy.clear()
    wait.never(lambda: len(proxy.requests) > 30, "more than 30 requests in 10 s of outage", 10)


@pytest.mark.parametrize("fault", ["not json", "garbage", "reset"])
def test_a_bad_reply_to_a_read_keeps_the_file_and_is_read_again(site, agent, tmp_path, proxy, fault):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    make = {
        "not json": lambda: proxy.answer(200, "<html>maintenance</html>", path="/data/app"),
        "garbage": lambda: proxy.garbage(path="/data/app"),
        "reset": lambda: proxy.reset(path="/data/app"),
    }
    agent(site.config(site.login(), template(USER % path, tmp_path / "user"), SOON, address=proxy.address))
    wait.for_file(tmp_path / "user", "alice")
    rule = make[fault]()
    wait.until(lambda: rule.hits >= 2, "two reads that fail", 30)
    assert wait.read(tmp_path / "user") == "alice"
    rule.remove()
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob", seconds=60)


def test_a_refused_login_says_which_role_and_writes_nothing(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    login = site.login()
    login.role = "no-such-role"
    one = agent(site.config(login, template(USER % path, tmp_path / "user")))
    one.wait_log("(?i)no-such-role|invalid role|error authenticating")
    assert wait.read(tmp_path / "user") is None


def test_a_token_file_that_comes_late_is_waited_for(site, cluster, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    login = site.login()
    login.volume.write(other="")
    one = agent(site.config(login, template(USER % path, tmp_path / "user")))
    one.wait_log(f"(?i){login.token_file}|no such file")
    login.volume.write(token=cluster.token())
    wait.for_file(tmp_path / "user", "alice", seconds=60)
