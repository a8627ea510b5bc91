"""An application that speaks the Vault API to its agent."""

import http.client
import json
import re
import socket
import ssl

from . import agent


def listener(kind="tcp", body="", **pairs):
    """A block `listener`, on a free port without TLS unless something else is said."""
    if kind == "tcp":
        pairs = {"address": "127.0.0.1:0", "tls_disable": "tls_cert_file" not in pairs, **pairs}
    return agent.block("listener", kind, body=body, **pairs)


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Application:
    """`address` is what the agent's log says: "127.0.0.1:PORT" or "unix:///PATH"."""

    def __init__(self, address, authority=None, cert=None):
        self.address = address
        self.context = ssl.create_default_context(cafile=authority) if authority else None
        if cert:
            self.context.load_cert_chain(*cert)

    def connect(self):
        if self.address.startswith("unix://"):
            return _Unix(self.address.removeprefix("unix://"))
        host, port = self.address.rsplit(":", 1)
        if self.context:
            return http.client.HTTPSConnection(host, int(port), timeout=60, context=self.context)
        return http.client.HTTPConnection(host, int(port), timeout=60)

    def ask(self, method, path, body=None, **headers):
        """One request on a connection of its own; X_Vault_Token=… is a header."""
        connection = self.connect()
        try:
            if isinstance(body, dict):
                body = json.dumps(body)
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            return Answer(connection.getresponse())
        finally:
            connection.close()


def applications(one, **pairs):
    """One for each listener of an agent, in their order."""
    lines = [re.search(r" listening: address=(\S+) ", line) for line in one.wait_log(r" listening: address=")]
    return [Application(line[1], **pairs) for line in lines]
