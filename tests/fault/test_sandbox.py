"""The development server among clients that go away."""

import socket
import ssl
import struct

import pytest
from support.sandbox import Sandbox

SIGPIPE = 1 << 12


@pytest.fixture
def sandbox(tmp_path):
    sandbox = Sandbox(tmp_path / "sandbox")
    yield sandbox
    sandbox.stop()


def ignored(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1], 16) for line in f if line.startswith("SigIgn:"))


def test_a_client_that_goes_away_while_it_is_answered_does_not_end_it(sandbox):
    """Writing to a connection that was reset raises SIGPIPE, but not every time: that it is ignored is what counts."""
    assert ignored(sandbox.process.pid) & SIGPIPE
    sandbox.vault.enable_secrets("secret", "kv", options={"version": "2"})
    sandbox.vault.write("secret/data/big", data={"big": "x" * 900000})
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    host, port = sandbox.address.removeprefix("https://").split(":")
    request = f"GET /v1/secret/data/big HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {sandbox.vault.token}\r\n\r\n".encode()
    for _ in range(50):
        with context.wrap_socket(socket.create_connection((host, int(port)), 20), server_hostname=host) as client:
            client.sendall(request)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert sandbox.vault.read("secret/data/big")["data"]["data"]["big"]
    assert sandbox.process.running
