"""The files of deploy/compose, brought up as they are by Debian's docker-compose and by `docker compose`, version 2."""

import os
import re
import shutil
import subprocess

import pytest
from support.agent import TOP
from support.docker import DOCKER
from support.process import Process
from support.server import binary
from support.site import unique

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images

FOLDER = TOP / "deploy" / "compose"


@pytest.fixture(scope="module", params=["docker-compose", "docker compose"])
def compose(request):
    """The program that takes compose's arguments."""
    if request.param == "docker-compose":
        return "/usr/bin/docker-compose"
    return subprocess.run([TOP / "tests/servers/real-compose"], capture_output=True, text=True, check=True).stdout.strip()


class Project:
    """`up` in the foreground, under a project name of its own."""

    def __init__(self, engine, compose, *files, env=None):
        path = f"/usr/bin:{os.environ['PATH']}"  # version 1 builds with the docker command that it finds first
        self.engine, self.env = engine, {**engine.env, "PATH": path, "COMPOSE_PROJECT_NAME": unique("ampule"), **(env or {})}
        self.command = [compose, "--ansi=never", *(f"--file={FOLDER / name}" for name in files)]
        self.process = Process([*self.command, "up", "--no-color"], env=self.env, cwd=FOLDER)

    def run(self, *args):
        return self.engine.run(*self.command, *args, env=self.env)

    def file(self):
        """What the application has."""
        return self.run("exec", "-T", "app", "/bin/cat", "/secrets/app.env").stdout

    def said(self, service, pattern, seconds=120):
        """Waits for a line of that service; a list of the lines."""
        return self.process.wait_log(rf"^{service}[_-]1 +\| .*{pattern}", seconds=seconds)

    def status(self, service):
        """A container's exit status."""
        [name] = self.run("ps", "--all", "-q", service).stdout.split()
        state = self.engine.inspect(name, "container")["State"]
        return None if state["Running"] else state["ExitCode"]

    def down(self):
        self.run("down", "--volumes", "--timeout", "5")
        self.process.stop()


@pytest.fixture
def project(engine, images, compose):
    """project(*files): up; what it made is removed after the test."""
    started = []

    def start(*files, **pairs):
        started.append(Project(engine, compose, *files, **pairs))
        return started[-1]

    yield start
    for one in started:
        one.down()


@pytest.fixture
def server_image(engine, images, tmp_path):
    """Stands in for the public image, under its name: the test server's program and a shell, on this machine only."""
    name = "hashicorp/vault:latest"
    program = tmp_path / "vault"
    try:
        os.link(binary(), program)
    except OSError:
        shutil.copy(binary(), program)
    (tmp_path / "Dockerfile").write_text(f"FROM {images.base}\nCOPY vault /bin/vault\n")
    engine.run(DOCKER, "build", "-q", "-t", name, tmp_path)
    yield name
    engine.run(DOCKER, "rmi", "-f", name, check=False)


def test_a_rotation_arrives_in_the_application(project):
    up = project("docker-compose.yml")
    up.said("app", r"app has: user=alice password=correct horse")
    up.said("app", r"app has: user=alice password=number 2")
    up.said("app", r"app has: user=alice password=number 3")
    assert re.search(r"^password=number \d+$", up.file(), re.M)
    assert up.status("agent-init") == 0
    assert all(up.status(name) is None for name in ("ampule-sandbox", "kubelet", "agent", "app", "rotate"))


def test_the_files_name_no_image_but_our_own_and_the_public_server(engine, compose):
    ours = engine.run(compose, f"--file={FOLDER}/docker-compose.yml", "config").stdout
    assert set(re.findall(r"image: (\S+)", ours)) == {"ampule/agent", "ampule/sandbox"}
    both = [compose, f"--file={FOLDER}/docker-compose.yml", f"--file={FOLDER}/docker-compose.server.yml", "config"]
    for server in ("hashicorp/vault", "openbao/openbao"):
        config = engine.run(*both, env={"SERVER_IMAGE": server}).stdout
        assert set(re.findall(r"image: (\S+)", config)) == {"ampule/agent", "ampule/sandbox", server}


def test_images_that_are_missing_are_built_and_never_pulled(project, engine, images, tmp_path):
    """No registry can be reached here, and none is asked."""
    engine.run(DOCKER, "rmi", "-f", "ampule/agent:latest", "ampule/sandbox:latest")
    build = f"build: {{network: host, args: {{BASE: '{images.base}'}}}}"
    (tmp_path / "engine.yml").write_text("services:\n" + "".join(f"  {name}: {{{build}}}\n" for name in ("ampule-sandbox", "kubelet", "agent-init", "agent", "app")))
    up = project("docker-compose.yml", tmp_path / "engine.yml")
    up.said("app", r"app has: user=alice password=correct horse", seconds=600)
    assert not re.search(r"pull", up.process.log, re.I), up.process.log
    assert engine.inspect("ampule/agent:latest") and engine.inspect("ampule/sandbox:latest")


def test_a_public_server_takes_the_sandboxs_place(project, server_image):
    up = project("docker-compose.yml", "docker-compose.server.yml")
    up.said("app", r"app has: user=alice password=correct horse")
    up.said("app", r"app has: user=alice password=number \d+")
    assert up.status("setup") == 0 and up.status("agent-init") == 0
    up.said("agent", r"address=http://server:8200")
