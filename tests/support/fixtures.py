"""Fixtures of every suite. One server of a kind, one PostgreSQL and one authority a worker; names, agents and proxies of its own for each test."""

import pathlib
import tempfile

import pytest

from . import systems
from .agent import Agent, original
from .apiserver import ApiServer
from .certs import Authority
from .directory import Directory
from .docker import container, engine, images  # noqa: F401  (fixtures)
from .kubernetes import Cluster
from .postgres import Postgres
from .process import Process
from .proxy import Proxy, Wire
from .rendering import Rendering
from .sandbox import Sandbox, SandboxCluster
from .server import Server, binary
from .site import Site, unique
from .wait import removed


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def cluster(authority):
    cluster = Cluster(authority)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory):
    """A real Kubernetes API server with controllers, and without a node."""
    folder = tmp_path_factory.mktemp("kubernetes")
    apiserver = ApiServer(folder, Authority(folder / "ca", "kubernetes"))
    yield apiserver
    apiserver.stop()


@pytest.fixture(scope="session")
def kubernetes_site(tmp_path_factory, authority, apiserver):
    """A server whose logins that API server reviews."""
    folder = tmp_path_factory.mktemp("kubernetes-site")
    server = Server(folder, authority)
    yield Site(server, apiserver, folder)
    server.stop()


@pytest.fixture(scope="session")
def real_site(tmp_path_factory, authority, cluster):
    folder = tmp_path_factory.mktemp("site")
    server = Server(folder, authority)
    yield Site(server, cluster, folder)
    server.stop()


@pytest.fixture(scope="session")
def sandbox_site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sandbox")
    sandbox = Sandbox(folder / "dir")
    yield Site(sandbox, SandboxCluster(sandbox), folder)
    sandbox.stop()


@pytest.fixture
def server_kind():
    """What serves: the mark `both_servers` runs a test with each kind."""
    return "real"


@pytest.fixture
def site(request, server_kind):
    """The shared server, in memory. Not to be sealed, stopped or slowed."""
    return request.getfixturevalue(f"{server_kind}_site")


@pytest.fixture
def own_site(request, server_kind, tmp_path):
    """A server for one test, which may seal it, and stop and restart it when it is a real one, whose data are on disk."""
    if server_kind == "sandbox":
        server = Sandbox(tmp_path / "server")
        cluster = SandboxCluster(server)
    else:
        server = Server(tmp_path / "server", request.getfixturevalue("authority"), persistent=True)
        cluster = request.getfixturevalue("cluster")
    yield Site(server, cluster, tmp_path)
    server.process.resume()
    server.stop()


@pytest.fixture(scope="session")
def postgres():
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    directory = Directory(tmp_path_factory.mktemp("directory"))
    yield directory
    directory.process.stop()


@pytest.fixture
def own_postgres():
    """A PostgreSQL that the test may stop."""
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture(scope="session", autouse=True)
def older_systems():
    yield
    systems.clean()


@pytest.fixture
def system():
    """What agents run on: the mark `every_system` runs a test with each, see support/systems."""
    return "new"


@pytest.fixture
def folders():
    """folders(…): a folder in tempfile.mkdtemp's words, removed after the test. `agent` and `peer` end before: who still writes somewhere keeps that from being removed."""
    made = []

    def make(prefix="ampule-test-", dir=None):
        made.append(pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=dir)))
        return made[-1]

    yield make
    for folder in made:
        removed(folder)


@pytest.fixture
def agent(tmp_path, system, folders):
    """agent(config, *args, env={…}) starts one; whatever still runs at the end is ended, and none may have shown a secret."""
    started = []

    def start(config, *args, within=(), **pairs):
        one = Agent(tmp_path / unique("agent"), config, *args, within=[*within, *systems.prefix(system)], **pairs)
        started.append(one)
        return one

    yield start
    shown = [one.shown() for one in started]
    for one in started:
        one.stop()
        # What is said at the end counts as well.
        shown.append(one.shown())
    assert original() or not any(shown), f"secrets are shown: {[s for s in shown if s]}"
    assert [one.log for one in started if one.reports] == []


@pytest.fixture
def peer(tmp_path, folders):
    """`peer(config)` starts the original, from the server's own binary; ended after the test."""
    running = []

    def start(config):
        (tmp_path / "peer.hcl").write_text(config)
        running.append(Process([binary(), "agent", f"-config={tmp_path}/peer.hcl"], cwd=tmp_path))
        return running[-1]

    yield start
    for process in running:
        process.stop()


@pytest.fixture(params=["ours", "original"])
def start(request):
    """An agent, ours and then the original."""
    return request.getfixturevalue("agent" if request.param == "ours" else "peer")


@pytest.fixture
def open_folder(folders):
    """A folder that another user may enter."""
    return folders()


@pytest.fixture
def rendering(site, agent, tmp_path):
    """rendering(…): an agent that keeps a secret's value in a file, started and done with it; see Rendering."""
    return lambda *blocks, **pairs: Rendering(site, agent, tmp_path, *blocks, **pairs).expect()


@pytest.fixture
def own_rendering(own_site, agent, tmp_path):
    """The same with the test's own server."""
    return lambda *blocks, **pairs: Rendering(own_site, agent, tmp_path, *blocks, **pairs).expect()


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
