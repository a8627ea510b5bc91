"""Fixtures of every suite. One server, one PostgreSQL and one authority a worker; names, agents and proxies of its own for each test."""

import pytest

from .agent import Agent
from .certs import Authority
from .kubernetes import Cluster
from .postgres import Postgres
from .proxy import Proxy, Wire
from .server import Server
from .site import Site, unique


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def cluster(authority):
    cluster = Cluster(authority)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory, authority, cluster):
    """The shared server, in memory. Not to be sealed, stopped or slowed."""
    folder = tmp_path_factory.mktemp("site")
    server = Server(folder, authority)
    yield Site(server, cluster, folder)
    server.stop()


@pytest.fixture
def own_site(tmp_path, authority, cluster):
    """A server for one test, which may seal, stop and restart it; its data are on disk."""
    server = Server(tmp_path / "server", authority, persistent=True)
    yield Site(server, cluster, tmp_path)
    server.process.resume()
    server.stop()


@pytest.fixture(scope="session")
def postgres():
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture
def own_postgres():
    """A PostgreSQL that the test may stop."""
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture
def agent(tmp_path):
    """agent(config, *args, env={…}) starts one; whatever still runs at the end is ended."""
    started = []

    def start(config, *args, **pairs):
        one = Agent(tmp_path / unique("agent"), config, *args, **pairs)
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def proxy(site, authority):
    """A counting and faulting proxy before the shared server."""
    proxy = Proxy(site.address, site.ca_file, authority)
    yield proxy
    proxy.close()


@pytest.fixture
def own_proxy(own_site, authority):
    """The same before the test's own server."""
    proxy = Proxy(own_site.address, own_site.ca_file, authority)
    yield proxy
    proxy.close()


@pytest.fixture
def wire(site):
    """A relay of bytes before the shared server: counts connections and bytes whatever the protocol is."""
    wire = Wire(site.address)
    yield wire
    wire.close()
