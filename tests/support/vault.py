"""The HTTP API of a Vault-compatible server, as tests use it."""

import http.client
import json
import ssl
import urllib.parse


class VaultError(Exception):
    def __init__(self, method, path, status, body):
        super().__init__(f"{method} {path}: {status} {body[:500]}")
        self.status, self.body = status, body


class Vault:
    """Paths are those of the API without `/v1/`. One connection a request, so that a restarted server is no matter."""

    def __init__(self, address, ca_file, token=None):
        self.address, self.ca_file, self.token = address, ca_file, token
        self._url = urllib.parse.urlsplit(address)
        self._tls = ssl.create_default_context(cafile=str(ca_file))

    def with_token(self, token):
        return Vault(self.address, self.ca_file, token)

    def request(self, method, path, body=None, expect=(200, 204), **headers):
        """The decoded answer ({} for none); raises VaultError for a status that was not expected."""
        connection = http.client.HTTPSConnection(self._url.hostname, self._url.port, timeout=60, context=self._tls)
        try:
            send = {"X-Vault-Request": "true", **{k.replace("_", "-"): v for k, v in headers.items()}}
            if self.token:
                send["X-Vault-Token"] = self.token
            data = None if body is None else json.dumps(body)
            connection.request(method, "/v1/" + urllib.parse.quote(path, safe="/?=&%"), data, send)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status not in expect:
            raise VaultError(method, path, answer.status, text)
        return json.loads(text) if text else {}

    def read(self, path):
        return self.request("GET", path)

    def list(self, path):
        return self.request("LIST", path)["data"]["keys"]

    def write(self, path, **body):
        return self.request("POST", path, body)

    def delete(self, path):
        return self.request("DELETE", path)

    def enable_secrets(self, path, kind, **body):
        self.write(f"sys/mounts/{path}", type=kind, **body)
        return path

    def enable_auth(self, path, kind, **body):
        self.write(f"sys/auth/{path}", type=kind, **body)
        return path

    def put_policy(self, name, rules):
        """`rules` maps paths to lists of capabilities."""
        lines = [f'path "{path}" {{ capabilities = {json.dumps(caps)} }}' for path, caps in rules.items()]
        self.request("PUT", f"sys/policies/acl/{name}", {"policy": "\n".join(lines)})
        return name

    def login(self, mount, **body):
        """The `auth` part of a login's answer."""
        return self.write(f"auth/{mount}/login", **body)["auth"]
