"""What failed and was mended: it is said when the next try comes, that all is well again, and nobody waits longer than he must."""

import re
import signal
import subprocess
import time

import pytest
from support import wait
from support.agent import block, original, program, template
from support.rendering import SOON, user

pytestmark = [
    pytest.mark.both_servers,
    pytest.mark.skipif(original(), reason="the original says neither, and lets the whole ladder run off"),
]


def probe(one, *args):
    return subprocess.run([program("ampule-agent"), "probe", f"-pid={one.pid}", *args], capture_output=True, text=True, check=False)


def failing(lines):
    return [line for line in lines if re.search(r"\[WARN\].*attempt=|error authenticating", line)]


def test_every_failure_says_when_it_is_tried_again_and_the_end_of_an_outage_is_said(rendering, wire):
    one = rendering(via=wire)
    wire.refuse()
    one.agent.wait_log(r"connection refused.*attempt=2 again_in=\d+s")
    wire.listen()
    one.agent.wait_log(r"\[INFO\].*the server answers again: after=\d+s")
    one.agent.wait_log(re.escape(one.secret) + r"\): answered again: after=\d+s")
    one.follows("bob")
    assert all(re.search(r"again_in=\d+s", line) for line in failing(one.agent.err)), one.agent.log


def test_a_login_that_fails_says_when_the_next_one_comes(site, agent, tmp_path, proxy):
    proxy.answer(503, path="/login$")
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user"), via=proxy))
    one.wait_log(r"error authenticating: .*503.*: again_in=\d+s")


def slow(site):
    """A login whose pauses may grow as they do by themselves."""
    login = site.login()
    login.method = {}
    return login


def test_sighup_means_now(site, agent, tmp_path):
    kv = site.kv2()
    late = kv.path("late")
    one = agent(site.config(slow(site), template(user(late), tmp_path / "user")))
    one.wait_log(r"404 not found.*again_in=(8|9|1\d)s")
    kv.put("late", user="alice")
    one.signal(signal.SIGHUP)
    wait.for_file(tmp_path / "user", "alice", seconds=7)
    one.wait_log("SIGHUP: what failed is tried now")


def test_a_restart_ends_nobody_who_ends_after_failures(site, agent, tmp_path, proxy):
    """With one retry: 250 ms, and what the original's HTTP client tries by itself, some seven seconds in all."""
    path = site.kv2().put("app", user="alice")
    rule = proxy.answer(503, path="/data/app")
    one = agent(site.config(slow(site), template(user(path), tmp_path / "user"), block("template_config", exit_on_retry_failure=True),
                            via=proxy, vault={"retry": {"num_retries": 1}}))
    wait.until(lambda: rule.hits >= 4, "reads that fail for more than a second")
    assert one.running, one.log
    rule.remove()
    wait.for_file(tmp_path / "user", "alice")
    assert one.running, one.log


def test_who_ends_after_failures_says_so_with_the_settings_name(site, agent, tmp_path, proxy):
    path = site.kv2().put("app", user="alice")
    proxy.answer(503, path="/data/app")
    one = agent(site.config(slow(site), template(user(path), tmp_path / "user"), block("template_config", exit_on_retry_failure=True),
                            via=proxy, vault={"retry": {"num_retries": 1}}))
    wait.until(lambda: proxy.count(path="/data/app"), "the first read")
    since = time.monotonic()
    assert one.wait_exit() == 1
    assert 6 < time.monotonic() - since < 30  # the whole ladder takes minutes
    assert re.search(r"ending, as template_config.exit_on_retry_failure asks for: .*503", one.last_line), one.log


def test_tls_files_that_are_gone_show_in_log_and_probe(site, rendering, tmp_path, proxy):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(proxy.ca_file.read_bytes())
    one = rendering(via=proxy, vault={"ca_cert": str(ca)}, interval=block("template_config", static_secret_render_interval="4s"))
    ca.rename(tmp_path / "elsewhere.pem")
    one.agent.wait_log(rf"\[WARN\].*{ca}.*what was read before stays in use: again_in=")
    assert str(ca) in probe(one.agent).stdout
    one.follows("bob")
    (tmp_path / "elsewhere.pem").rename(ca)
    one.agent.wait_log("the TLS files are good again")
    assert str(ca) not in probe(one.agent).stdout


def test_a_client_certificate_that_is_over_shows_in_log_and_probe(site, rendering, authority, proxy):
    cert, key = authority.issue("over", days=0)
    one = rendering(via=proxy, vault={"client_cert": str(cert), "client_key": str(key)})
    one.agent.wait_log(rf"\[WARN\].*client_cert {cert}: the certificate expired \d+ s ago")
    assert "the certificate expired" in probe(one.agent).stdout


@pytest.mark.parametrize("lookup", [True, False], ids=["lookup-self allowed", "lookup-self forbidden"])
def test_a_token_that_is_revoked_again_and_again_is_replaced_each_time(site, rendering, tmp_path, lookup):
    """Whatever words the server has for it."""
    rules = dict(site.EVERYTHING) if lookup else {**site.EVERYTHING, "auth/token/lookup-self": ["deny"]}
    login = site.login(rules, token_no_default_policy=True)
    login.sink(tmp_path / "token")
    one = rendering(login=login)
    for value in ("bob", "carol", "dave"):
        token = wait.until(lambda: wait.read(tmp_path / "token"), "the token file")
        site.vault.write("auth/token/revoke", token=token)
        wait.for_file(tmp_path / "token", differs_from=token)
        one.follows(value)


def test_a_token_of_few_uses_is_replaced_at_once(site, rendering, proxy):
    one = rendering(via=proxy, login=site.login(token_num_uses=4))
    wait.until(lambda: proxy.logins() >= 4, "the fourth login")
    one.follows("bob")
    reads = [r for r in proxy.requests if r.path.endswith("/data/app")]
    assert sum(r.status == 200 for r in reads) >= 9
    assert proxy.count(path="lookup-self") <= 1
    assert not failing(one.agent.err), one.agent.log


def test_what_is_written_to_kv2_is_wrapped_at_the_first_try(site, agent, tmp_path, proxy):
    kv = site.kv2()
    kv.put("ready", user="x")
    path = kv.path("made")
    text = '{{ with secret "%s" "user=alice" }}{{ .Data.version }}{{ end }}' % path
    agent(site.config(site.login(), template(text, tmp_path / "version"), via=proxy))
    wait.for_file(tmp_path / "version", "1")
    assert [r.status for r in proxy.requests if r.method == "PUT" and r.path.endswith("/data/made")] == [200]
    assert site.vault.read(path)["data"]["data"] == {"user": "alice"}


def test_what_is_to_be_wrapped_is_wrapped_as_long_as_by_the_api(site, agent, tmp_path):
    text = '{{ with secret "sys/wrapping/wrap" "a=b" }}{{ .WrapInfo.TTL }}{{ end }}'
    agent(site.config(site.login(), template(text, tmp_path / "ttl")))
    wait.for_file(tmp_path / "ttl", "300")
