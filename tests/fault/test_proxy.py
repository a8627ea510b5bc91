"""The proxy itself: a fault that is not made would let every other test of this folder pass."""

import http.client
import ssl

import pytest

from support.proxy import Wire
from support.vault import Vault, VaultError

HEALTH = "sys/health"
GONE = (OSError, http.client.HTTPException)


@pytest.fixture
def client(proxy, authority):
    return Vault(proxy.address, authority.file)


def test_requests_pass_and_are_counted(proxy, client):
    assert client.read(HEALTH)["sealed"] is False
    assert client.read(HEALTH)["sealed"] is False
    assert (proxy.count("GET", "^/v1/sys/health$"), proxy.count("POST"), proxy.connections, proxy.handshakes) == (2, 0, 2, 2)


def test_a_status_is_answered_as_often_as_asked(proxy, client):
    rule = proxy.error(503, path="health", times=1)
    with pytest.raises(VaultError) as refused:
        client.read(HEALTH)
    assert (refused.value.status, rule.hits) == (503, 1)
    assert client.read(HEALTH)


@pytest.mark.parametrize("fault", ["reset", "garbage", "lose_reply"])
def test_a_broken_reply_breaks_the_request_only(proxy, client, fault):
    getattr(proxy, fault)(path="health", times=1)
    with pytest.raises(GONE):
        client.read(HEALTH)
    assert client.read(HEALTH)


def test_a_lost_reply_was_given_by_the_server(site, proxy, authority):
    kv = site.kv1()
    proxy.lose_reply("POST", "/app$")
    with pytest.raises(GONE):
        Vault(proxy.address, authority.file, site.vault.token).write(kv.path("app"), user="alice")
    assert site.vault.read(kv.path("app"))["data"] == {"user": "alice"}


def test_a_big_reply_has_its_size(proxy, client):
    proxy.big(1 << 20, path="health")
    assert len(client.read(HEALTH)["data"]["x"]) == 1 << 20


def test_who_refuses_can_listen_again(proxy, client):
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        client.read(HEALTH)
    proxy.listen()
    assert client.read(HEALTH)


@pytest.mark.parametrize("kind", ["proxy", "wire"])
def test_silence_answers_nothing_and_closes_nothing(request, site, authority, kind):
    relay = request.getfixturevalue(kind)
    relay.silence()
    url = relay.address.removeprefix("https://")
    context = ssl.create_default_context(cafile=str(authority.file))
    connection = http.client.HTTPSConnection(url, timeout=0.5, context=context)
    with pytest.raises(TimeoutError):
        connection.request("GET", "/v1/sys/health")
    relay.resume()
    assert Vault(relay.address, authority.file).read(HEALTH)


def test_the_wire_counts_connections_and_bytes(wire, authority):
    assert isinstance(wire, Wire)
    Vault(wire.address, authority.file).read(HEALTH)
    assert wire.connections == 1
    assert wire.bytes_sent > 300 and wire.bytes_received > 300
