"""Stands between an agent and a server, counts what passes, and makes faults that can be changed while it runs.

Wire works on bytes (any protocol, also HTTP/2), Tunnel is what HTTPS_PROXY names; Proxy ends TLS, speaks HTTP/1.1 and works on requests.
"""
# lint: delay is the fault

import contextlib
import dataclasses
import http.client
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse

HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


def _reset(connection):
    """Closes so that the other side sees a reset instead of an end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.close()


class Wire:
    """A TCP relay. `connections` and `bytes_sent`, `bytes_received` (of the clients) count from the start or the last clear()."""

    ca_file = None  # who ends TLS behind it has its own

    def __init__(self, upstream, listen=socket.socket, host="127.0.0.1", connect=socket.socket, port=0):
        """`listen` and `connect` make the sockets of the two sides, in another network namespace for instance."""
        url = urllib.parse.urlsplit(upstream)
        self._socket, self._host, self._connect = listen, host, connect
        self.upstream = (url.hostname, url.port)
        self._lock = threading.Lock()
        self._open = set()
        self._flows = threading.Event()
        self._flows.set()
        self._closed = threading.Event()
        self._listener = None
        self.port = port
        self.clear()
        self.listen()
        self.address = f"{url.scheme}://{host}:{self.port}"

    def clear(self):
        with self._lock:
            self.connections = self.bytes_sent = self.bytes_received = 0
            self.connected_at = []

    # Faults of the whole wire

    def refuse(self):
        """Nobody listens any more, and who was connected is reset: a server that was stopped."""
        # shutdown() wakes the thread in accept(), close() alone would leave it listening.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self.reset_all()

    def listen(self):
        """Listens (again), on the same port as before."""
        self._listener = self._socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self._host, self.port))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._acceptor.start()

    def reset_all(self):
        with self._lock:
            victims, self._open = self._open, set()
        for connection in victims:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def silence(self):
        """Connections stay, nothing passes in either direction and nothing is answered: packets are dropped without a reset."""
        self._flows.clear()

    def resume(self):
        self._flows.set()

    def close(self):
        self._closed.set()
        self.resume()
        with contextlib.suppress(OSError):
            self.refuse()

    # Connections

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self.connected_at.append(time.monotonic())
                self._open.add(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self._flows.wait()
            self.serve(connection)
        except (OSError, http.client.HTTPException, ValueError):
            _reset(connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                connection.close()

    def serve(self, connection):
        with self._connect() as server:
            server.settimeout(10)
            server.connect(self.upstream)
            server.settimeout(None)
            back = threading.Thread(target=self._pump, args=(server, connection, "bytes_received"), daemon=True)
            back.start()
            self._pump(connection, server, "bytes_sent")
            back.join()

    def _pump(self, source, sink, counter):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                with self._lock:
                    setattr(self, counter, getattr(self, counter) + len(data))
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


class Tunnel(Wire):
    """An HTTP proxy: whoever asks it to CONNECT anywhere is led to the server. `wanted` are the places asked for."""

    def __init__(self, upstream, **sockets):
        self.wanted = []
        super().__init__(upstream, **sockets)
        self.address = f"http://localhost:{self.port}"

    def serve(self, connection):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (byte := connection.recv(1)):
                return
            head += byte
        method, place, _ = head.decode("latin-1").split(" ", 2)
        if method != "CONNECT":
            connection.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        self.wanted.append(place)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        super().serve(connection)


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes
    at: float
    status: int = 0  # of the answer; 0: it has none
    faulted: bool = False  # a rule took it

    def __str__(self):
        return f"{self.method} {self.path} {self.status}"


class Rule:
    """What happens to the requests that match, for the first `times` of them (None: all). `hits` counts."""

    def __init__(self, method, path, times, act):
        self.method, self.path, self.times, self.act = method, re.compile(path), times, act
        self.hits = 0
        self.removed = threading.Event()

    def takes(self, request):
        if self.removed.is_set() or (self.times is not None and self.hits >= self.times):
            return False
        if self.method not in (None, request.method) or not self.path.search(request.path):
            return False
        self.hits += 1
        return True

    def remove(self):
        """From now on requests pass; those that hang are let go (closed without an answer)."""
        self.removed.set()


class Proxy(Wire):
    """Methods that add a Rule take `method` (None: any) and `path`, a regular expression searched in `/v1/...?query`."""

    def __init__(self, upstream, ca_file, authority, names=("localhost", "127.0.0.1"), days=2, port=0, **sockets):
        """A `port` of one's own may be asked for; `sockets` are those of Wire."""
        self._upstream_tls = ssl.create_default_context(cafile=str(ca_file))
        self.ca_file = authority.file
        self._rules = []
        self.requests = []
        self._resets = False
        super().__init__(upstream, port=port, **sockets)
        self.present(*authority.issue(f"proxy-{self.port}", names, days))

    def present(self, cert, key):
        """From the next connection on it shows this certificate (files)."""
        self.certificate = (cert, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.set_alpn_protocols(["http/1.1"])
        self._tls = context

    def reset_connections(self, yes):
        """Who connects is reset at once, and counted."""
        self._resets = yes
        if yes:
            self.reset_all()

    def clear(self):
        super().clear()
        with self._lock:
            self.handshakes = self.resumptions = 0
            self.requests = []

    def count(self, method=None, path=""):
        with self._lock:
            return sum(1 for r in self.requests if method in (None, r.method) and re.search(path, r.path))

    def logins(self, token=""):
        """How many logins there were, with this service-account token."""
        with self._lock:
            return sum(1 for r in self.requests if r.path.endswith("/login") and token.encode() in r.body)

    # Faults of single requests; each returns its Rule.

    def _add(self, method, path, times, act):
        rule = Rule(method, path, times, act)
        with self._lock:
            self._rules.insert(0, rule)
        return rule

    def answer(self, status, body=b"", method=None, path="", times=None, **headers):
        """Answers instead of the server."""
        body = body.encode() if isinstance(body, str) else body

        def act(rule, request, connection, forward):
            self._send(connection, request, status, {k.replace("_", "-"): v for k, v in headers.items()}, body)
            return True

        return self._add(method, path, times, act)

    def error(self, status, text="made by the proxy", **match):
        """A refusal in the server's own form."""
        return self.answer(status, '{"errors":["%s"]}' % text, Content_Type="application/json", **match)

    def big(self, size=50 << 20, **match):
        """A JSON reply of that many bytes."""
        return self.answer(200, b'{"data":{"x":"' + b"a" * size + b'"}}', Content_Type="application/json", **match)

    def garbage(self, data=b"\x00\x01 not HTTP at all\r\n\r\n", method=None, path="", times=None):
        """Bytes that are no reply, then the end."""

        def act(rule, request, connection, forward):
            connection.sendall(data)
            return False

        return self._add(method, path, times, act)

    def reset(self, method=None, path="", times=None):
        def act(rule, request, connection, forward):
            raise ConnectionResetError

        return self._add(method, path, times, act)

    def hang(self, method=None, path="", times=None):
        """Never answers (until the rule is removed, which closes the connection)."""

        def act(rule, request, connection, forward):
            while not rule.removed.wait(0.1) and not self._closed.is_set():
                pass
            return False

        return self._add(method, path, times, act)

    def delay(self, seconds, method=None, path="", times=None):
        def act(rule, request, connection, forward):
            rule.removed.wait(seconds)
            return forward()

        return self._add(method, path, times, act)

    def alter(self, change, method=None, path="", times=None):
        """The server answers, and `change(body)` makes other JSON of it (or changes it in place, and returns None)."""

        def altered(status, headers, body):
            if status != 200 or not body:
                return status, headers, body
            value = json.loads(body)
            other = change(value)
            return status, headers, other if isinstance(other, bytes) else json.dumps(value if other is None else other).encode()

        return self._add(method, path, times, lambda rule, request, connection, forward: forward(change=altered))

    def redirect(self, address, method=None, path="", times=None):
        """307 to the same path elsewhere."""

        def act(rule, request, connection, forward):
            self._send(connection, request, 307, {"Location": address + request.path}, b"")
            return True

        return self._add(method, path, times, act)

    def trickle(self, body, seconds=1.0, method=None, path="", times=None):
        """An answer that comes byte by byte."""

        def act(rule, request, connection, forward):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            for byte in body:
                if rule.removed.wait(seconds) or self._closed.is_set():
                    return False
                connection.sendall(bytes([byte]))
            return True

        return self._add(method, path, times, act)

    def lose_reply(self, method=None, path="", times=None):
        """The server does what was asked, the answer is lost with a reset."""

        def act(rule, request, connection, forward):
            forward(send=False)
            raise ConnectionResetError

        return self._add(method, path, times, act)

    # One connection

    def serve(self, connection):
        if self._resets:
            raise ConnectionResetError
        tls = self._tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self.handshakes += 1
            self.resumptions += bool(tls.session_reused)
            self._open.add(tls)
        upstream = http.client.HTTPSConnection(*self.upstream, timeout=60, context=self._upstream_tls)
        try:
            stream = tls.makefile("rb")
            while (request := self._receive(stream)) and self._handle(tls, request, upstream):
                pass
        except (OSError, http.client.HTTPException, ValueError):
            _reset(tls)
        finally:
            with self._lock:
                self._open.discard(tls)
            upstream.close()
            with contextlib.suppress(OSError):
                tls.close()

    def _receive(self, stream):
        line = stream.readline(65536)
        if not line.strip():
            return None
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = dict(http.client.parse_headers(stream).items())
        body = stream.read(int(headers.get("Content-Length", 0)))
        with self._lock:
            self.bytes_sent += len(body)
            request = Request(method, path, headers, body, time.monotonic())
            self.requests.append(request)
        return request

    def _handle(self, connection, request, upstream):
        """Returns whether the connection stays."""

        def forward(send=True, change=lambda *answer: answer):
            passed = {k: v for k, v in request.headers.items() if k.lower() not in HOP_HEADERS}
            upstream.request(request.method, request.path, request.body or None, passed)
            reply = upstream.getresponse()
            body = reply.read()
            self._flows.wait()
            if send:
                self._send(connection, request, *change(reply.status, dict(reply.getheaders()), body))
            return True

        self._flows.wait()
        with self._lock:
            rule = next((r for r in self._rules if r.takes(request)), None)
        request.faulted = rule is not None
        return rule.act(rule, request, connection, forward) if rule else forward()

    def _send(self, connection, request, status, headers, body):
        request.status = status
        lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Unknown')}"]
        lines += [f"{k}: {v}" for k, v in headers.items() if k.lower() not in HOP_HEADERS]
        lines += [f"Content-Length: {len(body)}", "", ""]
        with self._lock:
            self.bytes_received += len(body)
        connection.sendall("\r\n".join(lines).encode("latin-1") + body)
