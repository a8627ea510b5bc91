"""The README's four lines: build, tag, push, set two values; with a real registry, from which the images come back."""

import json
import os
import re
import socket
import subprocess
import urllib.request

import pytest
from support import wait
from support.agent import TOP
from support.docker import DOCKER
from support.process import Process

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images

EXAMPLE = "registry.example.com"
KINDS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


def lines():
    """From the one that builds to the one that installs."""
    [block] = re.findall(r"^deploy/images/build agent-compat.*?^helm install[^\n]*", (TOP / "README.md").read_text(), re.S | re.M)
    return block.splitlines()


@pytest.fixture
def registry(tmp_path):
    """Debian's docker-registry on a free port; its address. Engines speak plain HTTP to loopback addresses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {"version": "0.1", "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}, "http": {"addr": address}}
    (tmp_path / "registry.yml").write_text(json.dumps(config))
    process = Process(["/usr/bin/docker-registry", "serve", tmp_path / "registry.yml"])
    wait.until(lambda: answers(address), lambda: f"the registry; it said\n{process.log}")
    yield address
    process.stop()


def answers(address):
    try:
        return urllib.request.urlopen(f"http://{address}/v2/", timeout=60).status == 200
    except OSError:
        return False


def has(address, image):
    """Whether the registry has what a node would ask it for."""
    name, _, tag = image.removeprefix(address + "/").rpartition(":")
    request = urllib.request.Request(f"http://{address}/v2/{name}/manifests/{tag}", headers={"Accept": KINDS})
    return urllib.request.urlopen(request, timeout=60).status == 200


def shell(engine, images, tmp_path, text):
    """Runs lines as typed; only that the tests' engine builds without a bridge and without a registry for its base."""
    wrapper = tmp_path / "programs" / "docker"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\n[ "$1" = build ] && shift && exec {DOCKER} build --network=host "$@"\nexec {DOCKER} "$@"\n')
    wrapper.chmod(0o755)
    env = {**engine.env, "BASE": images.base, "DOCKER": "docker", "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    return engine.run("bash", "-ec", text, cwd=TOP, env=env)


def rendered(line):
    """The images that the chart's Deployment names with the values of that line."""
    programs = subprocess.run([TOP / "tests/servers/real-kubernetes"], capture_output=True, text=True, check=True).stdout.strip()
    line = line.replace("helm install ampule", f"{programs}/helm template ampule")
    text = subprocess.run(["bash", "-ec", line], cwd=TOP, capture_output=True, text=True, check=True).stdout
    [injector] = re.findall(r"^ +image: \"?([^\s\"]+injector[^\s\"]*)", text, re.M)
    [agent] = re.findall(r"name: AGENT_INJECT_VAULT_IMAGE\n +value: \"?([^\s\"]+)", text)
    return injector, agent


def test_build_tag_push_and_two_values(registry, engine, images, tmp_path):
    build, tag, push, install = [line.replace(EXAMPLE, registry) for line in lines()]
    assert install.count(" --set injector.") == 2
    shell(engine, images, tmp_path, f"{build}\n{tag}\n{push}")
    names = rendered(build.partition(" && ")[2] + "\n" + install)
    assert all(name.startswith(registry + "/") for name in names)
    for name in names:
        assert has(registry, name)
        built = engine.inspect(name)["Id"]
        engine.call("rmi", name)
        engine.call("pull", name)
        assert engine.inspect(name)["Id"] == built
        engine.call("rmi", name)
