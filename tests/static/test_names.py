"""Names in a program without shared libraries: as a pod sees them."""

import pytest
from support import spaces, wait
from support.agent import template
from support.proxy import Proxy
from support.rendering import user
from support.webhook import Webhook

pytestmark = pytest.mark.skipif(not spaces.ROOT, reason="needs root for namespaces")
POD = ("search default.svc.cluster.local svc.cluster.local cluster.local", "options ndots:5 timeout:1 attempts:2")
HOSTS = "127.0.0.1 localhost\n"


@pytest.fixture
def names():
    names = spaces.NameServer()
    yield names
    names.close()


@pytest.fixture
def called(site, authority, agent, tmp_path, names):
    """called(name, hosts): an agent in a pod's mount namespace, whose server has that name alone."""
    proxies = []

    def start(name, hosts=HOSTS):
        proxies.append(Proxy(site.address, site.ca_file, authority, names=(name,)))
        path = site.kv2().put("app", user="alice")
        settings = {"address": f"https://{name}:{proxies[-1].port}"}
        within = spaces.with_resolver(tmp_path, names.address, lines=POD, hosts=hosts)
        return agent(site.config(site.login(), template(user(path), tmp_path / "user"), via=proxies[-1], vault=settings), within=within)

    yield start
    for proxy in proxies:
        proxy.close()


def test_a_services_short_name_is_found_by_the_search_list(called, names, tmp_path):
    names.records = {"vault.security.svc.cluster.local": "127.0.0.1"}
    called("vault.security")
    wait.for_file(tmp_path / "user", "alice")
    asked = list(dict.fromkeys(names.questions))
    assert asked == ["vault.security.default.svc.cluster.local", "vault.security.svc.cluster.local"]


def test_a_name_outside_the_cluster_is_asked_for_as_it_is_in_the_end(called, names, tmp_path):
    names.records = {"vault.example.net": "127.0.0.1"}
    called("vault.example.net")
    wait.for_file(tmp_path / "user", "alice")
    assert names.questions[-1] == "vault.example.net"
    assert "vault.example.net.cluster.local" in names.questions


def test_a_name_of_the_hosts_file_needs_no_server(called, names, tmp_path):
    called("vault.pod", hosts=HOSTS + "127.0.0.1 other vault.pod\n")
    wait.for_file(tmp_path / "user", "alice")
    assert names.questions == []


def test_a_static_server_takes_connections(authority, tmp_path):
    webhook = Webhook(authority, tmp_path)
    assert [webhook.ask("GET", "/health/ready")[0] for _ in range(3)] == [204] * 3
    webhook.stop()
