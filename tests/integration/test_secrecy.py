"""No value is ever said. Every test's agent logs at the highest level and is searched for what it must not show; here that search is put to the test."""

import pytest
from support import canary, wait
from support.agent import Agent, original, template
from support.rendering import user

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original shows values"),
]


def test_a_value_that_is_shown_would_be_found(tmp_path):
    value = canary.secret()
    for form in (value, value.encode().hex(), f"<{value}>"):
        assert canary.leaks(f"[DEBUG] answer: {form}") == [value]
    assert canary.leaks("X-Vault-Token: hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZDrabYTobQ4Ymnlq1qY") != []
    assert canary.leaks("nothing of that kind") == []


@pytest.mark.parametrize("level", ["trace", "debug", "info", "error"])
def test_a_whole_life_shows_no_value_at_any_level(site, rendering, proxy, level):
    one = rendering(via=proxy, login=site.login(token_ttl="3s", token_max_ttl="6s"), env={"VAULT_LOG_LEVEL": level})
    rules = [proxy.error(500, path="/data/app$", times=1), proxy.answer(200, "{", path="/data/app$", times=1)]
    wait.until(lambda: all(rule.hits for rule in rules), "the faults")
    wait.until(lambda: proxy.logins() >= 2, "another login")
    one.follows("bob")
    assert not one.agent.shown()


def test_an_error_body_of_the_server_is_not_repeated(site, rendering, proxy):
    value = canary.secret()
    one = rendering(via=proxy)
    rule = proxy.error(400, text=f"your secret {value} is bad", path="/data/app$")
    one.agent.wait_log(one.secret + ".*400")
    assert rule.hits
    rule.remove()
    one.follows("bob")


def test_the_password_of_a_proxy_is_not_repeated(site, tmp_path):
    password = canary.secret("password")
    path = site.kv2().put("app", user="alice")
    # What is in the environment is there for all of the same user; here only the log counts.
    server = {"address": site.address.replace("127.0.0.1", "10.255.255.1")}
    config = site.config(site.login(), template(user(path), tmp_path / "user"), vault=server)
    one = Agent(tmp_path / "agent", config, env={"HTTPS_PROXY": f"http://user:{password}@127.0.0.1:1"})
    try:
        one.wait_log(r"127\.0\.0\.1:1\b")
        assert canary.leaks(one.log) == []
    finally:
        one.stop()


def test_every_template_function_fails_without_telling_what_it_got(site, agent, tmp_path):
    """Each gets a value that it can do nothing with."""
    failing = [
        "parseJSON .Data.data.user",
        "base64Decode .Data.data.user",
        "index .Data.data.user 0 0",
        'join "," .Data.data.user',
        "slice .Data.data.user 900",
        "indent .Data.data.user .Data.data.user",
        "lt .Data.data.user 3",
    ]
    value = canary.secret("bad~value")
    path = site.kv2().put("app", user=value)
    files = [template('{{ with secret "%s" }}{{ %s }}{{ end }}' % (path, pipe), tmp_path / f"file{n}") for n, pipe in enumerate(failing)]
    one = agent(site.config(site.login(), *files))
    for n in range(len(failing)):
        one.wait_log(rf"template\[{n}\]")
    assert not one.shown()
