"""The images for arm64, compiled across by Debian's compiler and run by qemu's user emulation."""

import subprocess

import pytest
from images.contents import Contents

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images

QEMU = "/usr/bin/qemu-aarch64-static"
OPTIONS = ("--platform=linux/arm64",)


@pytest.fixture(scope="module")
def image(images):
    images.build("--arch", "arm64", "agent")
    return "ampule/agent:latest-arm64"


def test_image_and_program_are_of_that_machine(engine, image, tmp_path):
    assert engine.inspect(image)["Architecture"] == "arm64"
    program = tmp_path / "ampule-agent"
    program.write_bytes(Contents(engine, image).data("bin/ampule-agent"))
    said = subprocess.run(["readelf", "-W", "-hld", program], check=True, capture_output=True, text=True).stdout
    assert "AArch64" in said and "DYN" in said and "INTERP" not in said and "(NEEDED)" not in said
    assert "GNU_RELRO" in said and "BIND_NOW" in said


def test_it_says_its_version(container, image):
    one = container(image, "/bin/ampule-agent", "version", entrypoint="/emulator", options=OPTIONS, volumes={QEMU: "/emulator:ro"})
    assert one.wait_exit(180) == 0 and one.log.startswith("ampule-agent "), one.log


def test_it_writes_the_secret_and_ends(started, image):
    agent, secrets = started("-exit-after-auth", image=image, emulator=QEMU, options=OPTIONS)
    assert agent.wait_exit(180) == 0, agent.log
    assert (secrets / "user").read_text() == "alice"
