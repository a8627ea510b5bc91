"""What the first rendering costs the server."""

import pytest
from support import wait
from support.agent import original, template
from support.rendering import user

pytestmark = [
    pytest.mark.skipif(original(), reason="the original logs in twice, asks for mounts and opens more connections"),
    pytest.mark.both_servers,
]


def render(site, agent, folder, relay, secrets):
    """One agent in init mode that renders that many secrets, each into a file, by way of the relay."""
    kv = site.kv2()
    files = [template(user(kv.put(f"app{n}", user=f"user{n}")), folder / f"user{n}") for n in range(secrets)]
    relay.clear()
    one = agent(site.config(site.login(), *files, via=relay, exit_after_auth=True))
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
    assert wire.connections == 1 or (server_kind == "sandbox" and wire.connections <= min(secrets, 4))
