"""What the agent serves to applications: its listeners, and the requests that it passes on."""

import http.client
import json
import signal
import stat

import pytest
from support import wait
from support.agent import block, original, template
from support.application import Application, applications, listener

pytestmark = [pytest.mark.skipif(original(), reason="the original does not say its ports"), pytest.mark.both_servers]
LARGE = 24 << 20


class Pod:
    """An agent with listeners and a secret to read through it."""

    def __init__(self, site, start, login, *listeners, via=None, proxy=None, sink=None, **top):
        self.site = site
        self.path = f"/v1/{site.kv2().put('app', user='alice')}"
        if sink:
            login.sink(sink)
        use = [block("api_proxy", **proxy)] if proxy is not None else []
        self.agent = start(site.config(login, *(listeners or [listener()]), *use, via=via, **top))
        self.applications = applications(self.agent)
        self.application = self.applications[0]
        if sink and via is None:
            self.token = wait.until(lambda: wait.read(sink), "a login")


@pytest.fixture
def pod(site, agent, tmp_path):
    def make(*listeners, **pairs):
        return Pod(site, agent, site.login(), *listeners, sink=tmp_path / "sink", **pairs)

    return make


def user_of(answer):
    return answer.json["data"]["data"]["user"] if answer.status == 200 else answer.status


# ---------------------------------------------------------------------------------------------------------- whose token


@pytest.mark.parametrize("proxy, without, wrong", [(None, 403, 403), ({"use_auto_auth_token": True}, "alice", 403), ({"use_auto_auth_token": "force"}, "alice", "alice")])
def test_the_agent_lends_its_token_where_that_is_wanted(pod, proxy, without, wrong):
    one = pod(proxy=proxy)
    assert user_of(one.application.ask("GET", one.path)) == without
    assert user_of(one.application.ask("GET", one.path, X_Vault_Token="wrong")) == wrong
    assert user_of(one.application.ask("GET", one.path, X_Vault_Token=one.site.vault.token)) == "alice"


def test_whoever_uses_the_agents_token_is_not_told_it(pod):
    one = pod(proxy={"use_auto_auth_token": True})
    said = one.application.ask("GET", "/v1/auth/token/lookup-self")
    assert said.status == 200 and said.json["data"]["ttl"] > 0
    assert "id" not in said.json["data"] and "accessor" not in said.json["data"]
    renewed = one.application.ask("POST", "/v1/auth/token/renew-self", {})
    assert renewed.status == 200 and renewed.json["auth"]["lease_duration"] > 0 and not renewed.json["auth"]["client_token"]
    assert one.token.encode() not in said.body + renewed.body
    own = one.application.ask("GET", "/v1/auth/token/lookup-self", X_Vault_Token=one.site.vault.token)
    assert own.json["data"]["id"] == one.site.vault.token


# ------------------------------------------------------------------------------------------------------ what is passed on


def test_methods_bodies_queries_and_statuses_pass(pod):
    one = pod(proxy={"use_auto_auth_token": "force"})
    ask = one.application.ask
    written = ask("POST", one.path, {"data": {"user": "bob"}})
    assert written.status == 200 and written.json["data"]["version"] == 2
    assert user_of(ask("GET", f"{one.path}?version=1")) == "alice"
    assert user_of(ask("GET", one.path)) == "bob"
    keys = ask("LIST", one.path.replace("/data/app", "/metadata/"))
    assert keys.json["data"]["keys"] == ["app"]
    assert ask("GET", one.path.replace("/data/app", "/metadata/") + "?list=true").json["data"]["keys"] == ["app"]
    assert ask("DELETE", one.path).status == 204
    assert ask("GET", f"{one.path}x").status == 404
    refused = ask("PUT", one.path, "{no json")
    assert refused.status == 400 and refused.json["errors"]
    head = ask("HEAD", "/v1/sys/health")
    assert head.body == b"" and head.status == ask("GET", "/v1/sys/health").status


def test_headers_pass_but_for_those_of_a_connection(site, agent, proxy, tmp_path):
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink", proxy={"use_auto_auth_token": True})
    proxy.answer(200, b"{}", method="GET", path="/v1/mine", X_Mine="1")
    said = one.application.ask("GET", "/v1/mine", X_Wanted="yes", Connection="X-Private", X_Private="no", TE="trailers", Accept_Encoding="gzip", User_Agent="app/1")
    assert said.headers["X-Mine"] == "1"
    sent = next(r for r in proxy.requests if r.path == "/v1/mine")
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert headers["x-wanted"] == "yes" and headers["x-vault-request"] == "true"
    assert headers["user-agent"].startswith("Ampule API Proxy/") and headers["user-agent"].endswith("; app/1")
    assert headers["accept-encoding"] == "identity" and not {"x-private", "te"} & set(headers)


def test_the_configured_namespace_stands_before_the_clients(site, agent, proxy, tmp_path):
    login = site.login()
    config = site.config(login, listener(), block("api_proxy", prepend_configured_namespace=True), via=proxy, vault={"namespace": "a"})
    login.sink(tmp_path / "sink")
    config = site.config(login, listener(), block("api_proxy", prepend_configured_namespace=True), via=proxy, vault={"namespace": "a"})
    application = applications(agent(config))[0]
    proxy.answer(200, b"{}", method="GET", path="/v1/here")
    application.ask("GET", "/v1/here", X_Vault_Namespace="b")
    application.ask("GET", "/v1/here")
    sent = [{n.lower(): v for n, v in r.headers.items()}.get("x-vault-namespace") for r in proxy.requests if r.path == "/v1/here"]
    assert [s.strip("/") for s in sent] == ["a/b", "a"]


def test_large_bodies_take_no_memory(site, agent, proxy, tmp_path):
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink")
    proxy.big(LARGE, path="/v1/large")
    said = one.application.ask("GET", "/v1/large")
    assert said.status == 200 and len(said.body) >= LARGE
    received = one.application.ask("PUT", "/v1/large", b"x" * LARGE)
    assert received.status == 200
    sent = [r for r in proxy.requests if r.path == "/v1/large" and r.method == "PUT"]
    assert len(sent[0].body) == LARGE
    assert one.agent.reports or int(one.agent.proc_status("VmHWM").split()[0]) < 16 << 10


def test_an_answer_that_breaks_off_is_seen_to(site, agent, proxy, tmp_path):
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink")
    proxy.trickle(b"only a part of this", 0.1, method="GET", path="/v1/short")
    connection = one.application.connect()
    connection.request("GET", "/v1/short")
    answer = connection.getresponse()
    assert answer.status == 200 and answer.read(1) == b"o"
    proxy.reset_all()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    assert one.application.ask("GET", "/v1/sys/health").status in (200, 429, 472, 473, 501, 503)


def test_a_server_that_is_away_is_told_as_an_error(site, agent, proxy, tmp_path):
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink")
    proxy.refuse()
    said = one.application.ask("GET", one.path)
    assert said.status == 500 and said.json["errors"]
    proxy.listen()
    wait.until(lambda: user_of(one.application.ask("GET", one.path, X_Vault_Token=site.vault.token)) == "alice", "the server to be reached again")


def test_requests_that_hang_do_not_hold_others(site, agent, proxy, tmp_path):
    """LIMIT_RELAY_CONNECTIONS at once where the server does not speak HTTP/2; the agent's own go by others."""
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink")
    proxy.hang(method="GET", path="/v1/hangs")
    hanging = [one.application.connect() for _ in range(40)]
    for connection in hanging:
        connection.request("GET", "/v1/hangs")
    wait.until(lambda: proxy.count(path="^/v1/hangs") == len(hanging), "all of them to arrive")
    assert user_of(one.application.ask("GET", one.path, X_Vault_Token=site.vault.token)) == "alice"
    for connection in hanging:
        connection.close()


def test_a_client_that_goes_away_ends_its_request(site, agent, proxy, tmp_path):
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink")
    proxy.hang(method="GET", path="/v1/hangs")
    connection = one.application.connect()
    connection.request("GET", "/v1/hangs")
    wait.until(lambda: proxy.count(path="^/v1/hangs"), "the request to arrive")
    descriptors = int(one.agent.proc_status("FDSize"))
    connection.close()
    assert one.application.ask("GET", "/agent/v1/health").status in (200, 503)
    assert int(one.agent.proc_status("FDSize")) == descriptors


# -------------------------------------------------------------------------------------------------------------- listeners


def test_a_unix_socket_has_the_mode_that_it_is_given(pod, tmp_path):
    path = tmp_path / "agent.sock"
    one = pod(listener("unix", address=path, socket_mode="0600"), listener(), proxy={"use_auto_auth_token": True})
    assert [user_of(a.ask("GET", one.path)) for a in one.applications] == ["alice", "alice"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    one.agent.signal(signal.SIGTERM)
    assert one.agent.wait_exit() == 0
    assert not path.exists()


def test_tls_with_clients_that_show_a_certificate_and_files_that_are_renewed(pod, authority, tmp_path):
    cert, key = authority.issue("listener")
    mine, other = tmp_path / "cert.pem", tmp_path / "key.pem"
    mine.write_bytes(cert.read_bytes())
    other.write_bytes(key.read_bytes())
    one = pod(listener(tls_cert_file=mine, tls_key_file=other, tls_min_version="tls13", tls_require_and_verify_client_cert=True, tls_client_ca_file=authority.file),
              proxy={"use_auto_auth_token": True})
    shown = Application(one.application.address, authority.file, authority.issue("client"))
    assert user_of(shown.ask("GET", one.path)) == "alice"
    with pytest.raises(OSError):
        Application(one.application.address, authority.file).ask("GET", one.path)

    def subject():
        connection = shown.connect()
        connection.connect()
        name = dict(pair[0] for pair in connection.sock.getpeercert()["subject"])["commonName"]
        connection.close()
        return name

    assert subject() == "listener"
    mine.write_text("nonsense")
    one.agent.signal(signal.SIGHUP)
    one.agent.wait_log("the certificate of before stays in use")
    assert subject() == "listener"
    cert, key = authority.issue("renewed")
    mine.write_bytes(cert.read_bytes())
    other.write_bytes(key.read_bytes())
    one.agent.signal(signal.SIGHUP)
    wait.until(lambda: subject() == "renewed", "the new certificate")


def test_requests_without_the_header_are_refused_where_it_is_required(pod):
    one = pod(listener(require_request_header=True))
    said = one.application.ask("GET", one.path)
    assert said.status == 412 and "X-Vault-Request" in said.json["errors"][0]
    assert one.application.ask("GET", one.path, X_Vault_Request="yes").status == 412
    assert one.application.ask("GET", one.path, X_Vault_Request="true", X_Vault_Token=one.site.vault.token).status == 200


def test_a_listener_for_metrics_passes_nothing_on(pod):
    one = pod(listener(role="metrics_only"))
    assert one.application.ask("GET", one.path, X_Vault_Token=one.site.vault.token).status == 404
    assert one.application.ask("GET", "/agent/v1/health").status in (200, 503)


def test_the_agent_ends_when_it_is_asked_to_and_that_is_allowed(pod):
    one = pod(listener(), listener(body=block("agent_api", enable_quit=True)))
    assert one.applications[0].ask("POST", "/agent/v1/quit").status == 404
    assert one.applications[1].ask("GET", "/agent/v1/quit").status == 405
    assert one.applications[1].ask("POST", "/agent/v1/quit").status == 200
    assert one.agent.wait_exit() == 0


def test_health_says_what_it_waits_for(site, agent, proxy, tmp_path):
    login = site.login()
    path = site.kv2().put("app", user="alice")
    fault = proxy.error(503, path="/data/app")
    one = agent(site.config(login, listener(), template('{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}' % path, tmp_path / "out"), via=proxy))
    application = applications(one)[0]
    said = wait.until(lambda: (a := application.ask("GET", "/agent/v1/health")).status == 503 and path in a.body.decode() and a, "the reason")
    assert json.loads(said.body)["errors"]
    fault.remove()
    wait.until(lambda: application.ask("GET", "/agent/v1/health").status == 200, "the agent to be ready")
    assert application.ask("GET", "/agent/v1/health?purpose=nonsense").status == 400


def test_what_is_under_way_is_answered_before_the_agent_ends(site, agent, proxy, tmp_path):
    one = Pod(site, agent, site.login(), via=proxy, sink=tmp_path / "sink")
    proxy.delay(1, method="GET", path="/v1/late")
    connection = one.application.connect()
    connection.request("GET", "/v1/late")
    wait.until(lambda: proxy.count(path="^/v1/late"), "the request to arrive")
    one.agent.signal(signal.SIGTERM)
    assert connection.getresponse().status == 403  # it has no token
    assert one.agent.wait_exit() == 0
