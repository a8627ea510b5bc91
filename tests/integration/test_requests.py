"""What the first rendering costs the server."""

import pytest
from support import wait
from support.agent import block, original, template
from support.proxy import Wire
from support.rendering import user

pytestmark = [
    pytest.mark.skipif(original(), reason="the original logs in twice, asks for mounts and opens more connections"),
    pytest.mark.both_servers,
]


def render(site, agent, folder, relay, secrets, *blocks):
    """One agent in init mode that renders that many secrets, each into a file, by way of the relay."""
    kv = site.kv2()
    files = [template(user(kv.put(f"app{n}", user=f"user{n}")), folder / f"user{n}") for n in range(secrets)]
    relay.clear()
    one = agent(site.config(site.login(), *files, *blocks, via=relay, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert [wait.read(folder / f"user{n}") for n in range(secrets)] == [f"user{n}" for n in range(secrets)]


@pytest.mark.parametrize("secrets", [1, 20])
def test_the_first_rendering_takes_one_login_and_one_read_a_secret(site, agent, tmp_path, proxy, secrets):
    render(site, agent, tmp_path, proxy, secrets)
    requests = [str(r) for r in proxy.requests]
    assert proxy.count(path="^/v1/auth/kubernetes/login$") == 1, requests
    assert proxy.count("GET", "^/v1/kv-.*/data/app") == secrets, requests
    assert proxy.count(path="^/v1/sys/") == 0, requests
    assert len(requests) == secrets + 1, requests


@pytest.mark.parametrize("secrets", [1, 20])
def test_the_first_rendering_takes_one_connection(server_kind, site, agent, tmp_path, wire, secrets):
    render(site, agent, tmp_path, wire, secrets)
    # The sandbox speaks HTTP/1.1 only.
    assert wire.connections == 1 or (server_kind == "sandbox" and wire.connections <= min(secrets, 10))


@pytest.mark.parametrize("most, low, high", [(None, 5, 10), (1, 1, 1), ("3", 2, 3), (20, 11, 20), (0, 21, 30)])
def test_connections_without_http2_are_as_many_as_they_may_be(sandbox_site, agent, tmp_path, most, low, high):
    """Thirty secrets are asked for together; the login has made the first connection. One that is free is taken again."""
    wire = Wire(sandbox_site.address)
    limit = [] if most is None else [block("template_config", max_connections_per_host=most)]
    render(sandbox_site, agent, tmp_path, wire, 30, *limit)
    wire.close()
    assert low <= wire.connections <= high
