"""ampule-injector with mounted certificates, on its own: no cluster. And its clients, well-behaved and other."""

import contextlib
import gzip
import http.client
import json
import pathlib
import re
import signal
import socket
import ssl
import threading
import time

from . import wait
from .agent import TOP, program
from .process import Process, free_port

REVIEWS = TOP / "tests" / "vectors" / "injector" / "reviews.jsonl.gz"


def reviews(count=None):
    """Bodies of recorded reviews that are answered with the settings of `Webhook`."""
    with gzip.open(REVIEWS, "rt") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(count) if count else iter(int, 1))]
    return [json.dumps(row["review"]).encode() for row in rows]


class Webhook:
    def __init__(self, authority, folder, *args, within=(), wait_for=True, **settings):
        self.folder, self.port, self.authority = pathlib.Path(folder), free_port(), authority
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cert, self.key = self.folder / "tls.crt", self.folder / "tls.key"
        self.mount()
        env = {
            "AGENT_INJECT_VAULT_ADDR": "https://vault.test:8200", "AGENT_INJECT_LISTEN": f"127.0.0.1:{self.port}",
            "AGENT_INJECT_TELEMETRY_PATH": "/metrics", "AGENT_INJECT_TLS_CERT_FILE": str(self.cert), "AGENT_INJECT_TLS_KEY_FILE": str(self.key),
            **{name.upper(): str(value) for name, value in settings.items()},
        }  # fmt: skip
        self.process = Process([*within, program("ampule-injector"), "agent-inject", *(args or ("2>&1",))], env=env, cwd=self.folder)
        self.tls = ssl.create_default_context(cafile=str(authority.file))
        if wait_for:
            self.process.wait_log("listening")

    def mount(self):
        """A new pair, exchanged at once as kubelet does: each file by a rename, the certificate first."""
        cert, key = self.authority.issue(f"injector-{time.monotonic_ns()}")
        for source, target in ((cert, self.cert), (key, self.key)):
            pathlib.Path(source).rename(target)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """Without a grace period: the second signal ends it."""
        if self.process.running:
            self.process.signal(signal.SIGTERM)
            self.process.wait_log("ending: signal")
        self.process.stop()

    def connect(self, timeout=60):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout)
        return self.tls.wrap_socket(plain, server_hostname="127.0.0.1")

    def client(self, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)

    def ask(self, method, path, body=None, kind="application/json"):
        """(status, text) of one request on its own connection."""
        with contextlib.closing(self.client()) as client:
            client.request(method, path, body, {"Content-Type": kind} if body is not None else {})
            answer = client.getresponse()
            return answer.status, answer.read().decode()

    def review(self, body):
        return self.ask("POST", "/mutate", body)

    def metric(self, name):
        """The value of one series, with its labels as printed; None while it is not there."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.ask("GET", "/metrics")[1], re.M)
        return found and float(found.group(1))

    def certificate(self):
        """The serial number of what a new connection is shown."""
        with self.connect() as s:
            return s.getpeercert()["serialNumber"]


class Load(threading.Thread):
    """Sends reviews to whichever of the webhooks says that it is ready, as a Service would: on a connection that is kept while the answers let it."""

    def __init__(self, webhooks, bodies):
        super().__init__(daemon=True)
        self.webhooks, self.bodies = webhooks, bodies
        self.answers, self.times, self.failures = 0, [], []
        self._stopped = threading.Event()
        self.start()

    def _ready(self):
        for webhook in self.webhooks:
            try:
                if webhook.ask("GET", "/health/ready")[0] == 204:
                    return webhook
            except OSError:
                continue
        raise AssertionError("no webhook is ready")

    def _one(self, client, body):
        begin = time.monotonic()
        client.request("POST", "/mutate", body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        text = answer.read()
        self.times.append(time.monotonic() - begin)
        if answer.status != 200 or "uid" not in json.loads(text)["response"]:
            raise AssertionError(f"status {answer.status}: {text[:200]!r}")
        self.answers += 1
        return answer.will_close

    def run(self):
        client, number = None, 0
        while not self._stopped.is_set():
            try:
                client = client or self._ready().client()
                if self._one(client, self.bodies[number % len(self.bodies)]):
                    client.close()
                    client = None
            except (OSError, AssertionError, http.client.HTTPException, ValueError) as e:
                self.failures.append(repr(e))
                client = None
            number += 1

    def until(self, answers):
        """Waits until there are as many answers more."""
        goal = self.answers + answers
        wait.until(lambda: self.answers >= goal or self.failures, f"{answers} answers")

    def stop(self):
        self._stopped.set()
        self.join(60)

    def at(self, part):
        """The time under which this part of the requests was answered."""
        return sorted(self.times)[int((len(self.times) - 1) * part)]
