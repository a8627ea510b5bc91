"""The way to the server is broken: names, connections, TLS, packets. The file stays, the cause is named, nobody storms, all goes on by itself."""

import pytest
from support import spaces, wait
from support.agent import original, template
from support.certs import Authority
from support.proxy import Proxy, Wire
from support.rendering import Rendering, user

both_servers = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="the original storms, gives up, or says something else")
needs_root = pytest.mark.skipif(not spaces.ROOT, reason="needs root for namespaces")
SHORT = {"VAULT_CLIENT_TIMEOUT": "3s"}


def start(site, agent, folder, via=None, vault=None, **options):
    """An agent that cannot have rendered yet."""
    path = site.kv2().put("app", user="alice")
    return agent(site.config(site.login(), template(user(path), folder / "user"), via=via, vault=vault), **options)



# ------------------------------------------------------------------------------------------------------------------ addresses


def test_a_refused_connection_at_the_start_is_tried_again(site, agent, tmp_path, proxy):
    proxy.refuse()
    one = start(site, agent, tmp_path, via=proxy)
    one.wait_log(f"127.0.0.1:{proxy.port}.*refused|refused.*127.0.0.1:{proxy.port}")
    proxy.listen()
    wait.for_file(tmp_path / "user", "alice")


@ours
@both_servers
def test_a_refused_connection_later_keeps_the_file_and_is_tried_again(rendering, wire):
    one = rendering(via=wire)
    wire.refuse()
    one.agent.wait_log(f"127.0.0.1:{wire.port}.*connection refused")
    one.kept()
    wire.listen()
    one.follows("bob")


@ours
def test_refused_connections_are_tried_a_few_times_only(rendering, wire):
    one = rendering(via=wire)
    wire.refuse()
    one.agent.wait_log("connection refused")
    wait.never(lambda: one.agent.log.count("connection refused") > 20, "more than 20 complaints in 6 s", 6)


@ours
def test_an_address_that_speaks_no_tls_is_explained(site, agent, tmp_path, postgres):
    one = start(site, agent, tmp_path, vault={"address": f"https://127.0.0.1:{postgres.port}"})
    one.wait_log(f"127.0.0.1:{postgres.port}.*TLS")
    assert wait.read(tmp_path / "user") is None


@ours
def test_http_where_https_is_spoken_is_explained(site, agent, tmp_path):
    one = start(site, agent, tmp_path, vault={"address": site.address.replace("https:", "http:")})
    # The server says 400 and hangs up; what comes first is not up to anybody.
    one.wait_log(r"127.0.0.1:\d+.*https://|auth/kubernetes/login: 400")
    assert wait.read(tmp_path / "user") is None


# ------------------------------------------------------------------------------------------------------------------------ TLS


@both_servers
def test_a_certificate_for_another_name_is_refused_and_both_names_are_told(site, agent, tmp_path, authority):
    proxy = Proxy(site.address, site.ca_file, authority, names=("vault.example.net",))
    try:
        one = start(site, agent, tmp_path, via=proxy)
        one.wait_log("127.0.0.1" if original() else "vault.example.net.*127.0.0.1")
        wait.never(lambda: proxy.requests, "a request without a proven name", 2)
        assert wait.read(tmp_path / "user") is None
    finally:
        proxy.close()


@both_servers
def test_a_certificate_for_another_name_is_accepted_under_tls_server_name(site, agent, tmp_path, authority):
    proxy = Proxy(site.address, site.ca_file, authority, names=("vault.example.net",))
    try:
        start(site, agent, tmp_path, via=proxy, vault={"tls_server_name": "vault.example.net"})
        wait.for_file(tmp_path / "user", "alice")
    finally:
        proxy.close()


@both_servers
def test_a_certificate_of_an_unknown_authority_is_refused(site, agent, tmp_path, proxy):
    other = Authority(tmp_path / "other", "Another CA")
    one = start(site, agent, tmp_path, via=proxy, vault={"ca_cert": other.file})
    one.wait_log("(?i)unknown authority")
    wait.never(lambda: proxy.requests, "a request to an unknown server", 2)
    assert wait.read(tmp_path / "user") is None


@ours
@both_servers
def test_a_namesake_of_the_authority_is_told_from_it(site, agent, tmp_path, proxy, authority):
    """It was made anew, under its old name; the file here is exchanged later, or too early."""
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    one = Rendering(site, agent, tmp_path, via=proxy, vault={"ca_cert": ca_file}).expect()
    ca_file.write_text(Authority(tmp_path / "other").pem)
    proxy.refuse()
    one.agent.wait_log("connection refused")
    proxy.listen()
    one.agent.wait_log(f'unknown authority "Ampule test CA"; another CA of this name is in "{ca_file}"')
    ca_file.write_text(authority.pem)
    one.follows()


@ours
@both_servers
def test_a_ca_file_that_is_corrected_is_used_without_a_restart(site, agent, tmp_path, proxy):
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(Authority(tmp_path / "other", "Another CA").pem)
    one = start(site, agent, tmp_path, via=proxy, vault={"ca_cert": ca_file})
    one.wait_log("(?i)unknown authority")
    ca_file.write_text(proxy.ca_file.read_text())
    wait.for_file(tmp_path / "user", "alice")


@ours
@both_servers
def test_a_missing_ca_file_is_named(site, agent, tmp_path):
    one = start(site, agent, tmp_path, vault={"ca_cert": tmp_path / "no-such.pem"})
    one.wait_log(f"{tmp_path}/no-such.pem")


@ours
@both_servers
def test_an_expired_certificate_is_refused_with_its_date(site, agent, tmp_path, authority):
    proxy = Proxy(site.address, site.ca_file, authority, days=0)
    try:
        one = start(site, agent, tmp_path, via=proxy)
        one.wait_log(r"expired on \d{4}-\d\d-\d\d")
        assert proxy.requests == []
    finally:
        proxy.close()


# -------------------------------------------------------------------------------------------------------------------- replies


@both_servers
@pytest.mark.parametrize("fault", ["not json", "cut json", "a list", "garbage", "reset", "50 MB"])
def test_a_bad_reply_to_a_read_keeps_the_file_and_is_read_again(rendering, proxy, fault):
    make = {
        "not json": lambda: proxy.answer(200, "<html>maintenance</html>", path="/data/app"),
        "cut json": lambda: proxy.answer(200, '{"data":{"data":{"user":"mal', path="/data/app"),
        "a list": lambda: proxy.answer(200, '["mallory"]', path="/data/app"),
        "garbage": lambda: proxy.garbage(path="/data/app"),
        "reset": lambda: proxy.reset(path="/data/app"),
        "50 MB": lambda: proxy.big(path="/data/app"),
    }
    one = rendering(via=proxy)
    if fault == "50 MB" and original():
        pytest.skip("the original takes replies of any size")
    rule = make[fault]()
    wait.until(lambda: rule.hits >= 2, "two reads that fail")
    one.kept()
    assert original() or one.agent.wait_log(one.secret + ".*(answer|connection)")
    assert rule.hits < 10
    rule.remove()
    one.follows("bob")


@ours
def test_a_reply_of_50_mb_is_refused_without_taking_its_memory(rendering, proxy):
    one = rendering(via=proxy)
    before = peak(one.agent)
    rule = proxy.big(path="/data/app")
    one.agent.wait_log(one.secret + ".*more than 8388608 bytes")
    assert rule.hits >= 1
    # The most that an answer may have is 8 MiB.
    assert peak(one.agent) - before < 12 << 10
    one.kept()


def peak(agent):
    """In KiB."""
    return int(agent.proc_status("VmHWM").split()[0])


@ours
@both_servers
def test_a_reply_to_a_login_that_is_not_json_is_explained_and_tried_again(site, agent, tmp_path, proxy):
    rule = proxy.answer(200, "<html>sign in</html>", path="/login$", times=2)
    one = start(site, agent, tmp_path, via=proxy)
    one.wait_log("auth/kubernetes/login.*not.*Vault|auth/kubernetes/login.*JSON")
    wait.for_file(tmp_path / "user", "alice")
    assert rule.hits == 2


# -------------------------------------------------------------------------------------------------------------------- silence


@ours
@both_servers
def test_dropped_packets_are_noticed_and_a_new_connection_is_taken(rendering, wire):
    one = rendering(via=wire, env=SHORT)
    before = wire.connections
    wire.silence()
    one.agent.wait_log(r"no (complete answer|connection) within")
    one.kept()
    wire.resume()
    one.follows("bob")
    assert wire.connections > before


@pytest.fixture
def cable():
    cable = spaces.Cable()
    yield cable
    cable.close()


@ours
@needs_root
def test_a_cable_that_is_cut_and_mended_is_no_reason_for_a_restart(site, rendering, cable):
    wire = Wire(site.address, cable.listen, cable.far_address)
    try:
        one = rendering(via=wire, vault={"tls_server_name": "localhost"}, within=cable.near, env=SHORT)
        cable.cut()
        one.agent.wait_log(f"{cable.far_address}.*(within|lost|cannot connect|timed out)")
        one.kept()
        cable.mend()
        one.follows("bob")
    finally:
        wire.close()


@ours
@both_servers
def test_a_server_that_hangs_is_not_waited_for_longer_than_was_said(rendering, proxy):
    one = rendering(via=proxy, env=SHORT)
    rule = proxy.hang(path="/data/app")
    one.agent.wait_log(one.secret + ".*no complete answer within 3 s")
    one.kept()
    rule.remove()
    one.follows("bob")


# ---------------------------------------------------------------------------------------------------------------------- names


@pytest.fixture
def names():
    server = spaces.NameServer()
    yield server
    server.close()


@pytest.fixture
def named(site, authority):
    """A proxy for the name vault.ampule.test."""
    proxy = Proxy(site.address, site.ca_file, authority, names=("vault.ampule.test",))
    yield proxy
    proxy.close()


def by_name(proxy):
    return {"address": f"https://vault.ampule.test:{proxy.port}"}


@needs_root
@pytest.mark.parametrize("code", [spaces.NameServer.SERVFAIL, spaces.NameServer.NXDOMAIN], ids=["SERVFAIL", "NXDOMAIN"])
def test_a_name_that_does_not_resolve_is_named_and_asked_again(site, agent, tmp_path, names, named, code):
    names.code = code
    one = start(site, agent, tmp_path, via=named, vault=by_name(named), within=spaces.with_resolver(tmp_path, names.address))
    one.wait_log("vault.ampule.test")
    if not original():
        one.wait_log('"vault.ampule.test" does not resolve.*' + names.address)
        asked = len(names.questions)
        wait.never(lambda: len(names.questions) > asked + 30, "a storm of questions", 3)
    names.code, names.records = None, {"vault.ampule.test": "127.0.0.1"}
    wait.for_file(tmp_path / "user", "alice")


@needs_root
@pytest.mark.parametrize("names_of_server", [["node.ampule.test", "vault.ampule.test"], pytest.param(["vault.ampule.test"], marks=ours)])
def test_a_host_without_a_port_is_where_its_srv_record_says(site, agent, tmp_path, names, authority, names_of_server):
    """Ours holds the server to the configured name: the record, which nobody signed, need not be believed."""
    relay = Proxy(site.address, site.ca_file, authority, names=names_of_server)
    try:
        names.records = {"node.ampule.test": "127.0.0.1"}
        names.services = {"_http._tcp.vault.ampule.test": (relay.port, "node.ampule.test")}
        env = {"VAULT_SRV_LOOKUP": "true", "BAO_SRV_LOOKUP": "true"}
        start(site, agent, tmp_path, via=relay, vault={"address": "https://vault.ampule.test"}, env=env,
              within=spaces.with_resolver(tmp_path, names.address))
        wait.for_file(tmp_path / "user", "alice")
        assert original() or relay.requests[0].headers["Host"] == "vault.ampule.test"
    finally:
        relay.close()


@ours
@needs_root
def test_a_name_server_that_fails_later_keeps_the_file(rendering, tmp_path, names, named):
    names.records = {"vault.ampule.test": "127.0.0.1"}
    one = rendering(via=named, vault=by_name(named), within=spaces.with_resolver(tmp_path, names.address))
    names.code = names.SERVFAIL
    named.reset_all()
    one.agent.wait_log('"vault.ampule.test" does not resolve')
    one.kept()
    names.code = None
    one.follows("bob")


@ours
@needs_root
def test_a_name_server_that_does_not_answer_is_given_up_in_time(site, agent, tmp_path, names, named):
    names.close()
    one = start(site, agent, tmp_path, via=named, vault=by_name(named), within=spaces.with_resolver(tmp_path, names.address))
    one.wait_log('"vault.ampule.test" does not resolve.*' + names.address)
