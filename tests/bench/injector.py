"""Measures the webhook, and any peer that takes the same flags and environment, with the same reviews and the same load generator, in turn."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import select
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
RESULTS = HERE / "results"
sys.path[:0] = [str(HERE), str(TOP / "tests")]

import facts  # noqa: E402
import meters  # noqa: E402
import report  # noqa: E402
from support import injector, webhook  # noqa: E402
from support.apiserver import ApiServer  # noqa: E402
from support.certs import Authority  # noqa: E402
from support.process import free_port  # noqa: E402

NULL = subprocess.DEVNULL
CROWDS = (0, 100, 1000)
LOADS = (("1", "keep"), ("8", "keep"), ("64", "keep"), ("1", "new"), ("8", "new"), ("64", "new"))
ACCOUNT = "/run/secrets/kubernetes.io/serviceaccount"

# key, what it is, how it is written; rates are better when they are larger
ROWS = [
    ("file", "program file", "size"),
    ("start", "start to ready, median", "time"),
    *[row for count, mode in LOADS for name in [f"{count} connections, kept" if mode == "keep" else f"{count} at a time, a new connection each"] for row in (
        (f"{mode}{count}.rate", f"{name}: requests/s per core", "rate"), (f"{mode}{count}.cpu", f"{name}: CPU a request", "time"),
        (f"{mode}{count}.p50", f"{name}: p50", "time"), (f"{mode}{count}.p99", f"{name}: p99", "time"))],
    *[(f"idle{count}", f"resident, {count} connections", "size") for count in CROWDS],
    ("after", "resident, after all that", "size"),
    ("drip.p50", "p50 beside 1,000 drip-feeding connections", "time"),
    ("drip.p99", "p99 beside 1,000 drip-feeding connections", "time"),
]  # fmt: skip


class Cluster:
    """A real API server, and an account in it that may do what vault-k8s' chart allows. Nobody calls the webhook through it: the load does."""

    NAME = "injector"

    def __init__(self, folder):
        self.folder, self.server = folder, ApiServer(folder / "cluster", Authority(folder / "cluster-ca", "kubernetes"))
        api, rbac = self.server.api, "/apis/rbac.authorization.k8s.io/v1"
        self.server.account("default", self.NAME)
        rule = {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"], "verbs": ["get", "list", "watch", "patch"]}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.NAME}
        api.post(f"{rbac}/clusterroles", {"metadata": {"name": self.NAME}, "rules": [rule]})
        subject = {"kind": "ServiceAccount", "name": self.NAME, "namespace": "default"}
        api.post(f"{rbac}/clusterrolebindings", {"metadata": {"name": self.NAME}, "roleRef": role, "subjects": [subject]})
        self._write_account(folder / "account")

    def _write_account(self, account):
        account.mkdir()
        (account / "token").write_text(self.server.token("default", self.NAME))
        (account / "ca.crt").write_text(self.server.ca_pem)
        (account / "namespace").write_text("default")
        script = f'mount -t tmpfs none /run && mkdir -p {ACCOUNT} && mount --bind "{account}" {ACCOUNT} && exec "$@"'
        self.within = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh"]
        self.environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.server.port)}


class Program:
    """`argv` is a binary, perhaps behind words that put it where it finds its cluster; the environment given to us goes on to it."""

    def __init__(self, name, argv, scene):
        self.name, self.argv, self.scene, self.figures = name, argv, scene, {}

    def start(self):
        self.port = free_port()
        env = {**self.scene.environment, "AGENT_INJECT_LISTEN": f"127.0.0.1:{self.port}"}
        within = self.scene.cluster.within if self.scene.cluster else []
        self.process = subprocess.Popen([*within, *self.argv, "agent-inject"], env=env, stdin=NULL, stdout=NULL, stderr=NULL)
        end = time.monotonic() + 60
        while not self.ready():
            if time.monotonic() > end:
                raise SystemExit(f"{self.name} does not get ready")
            rest(0.001)

    def ready(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended with {self.process.returncode}: peers may need a cluster's credentials; see tests/bench/README.md")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as plain, self.scene.tls.wrap_socket(plain, server_hostname="localhost") as s:
                s.sendall(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return b" 204 " in s.recv(4096)
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def load(self, connections, seconds, mode):
        argv = [self.scene.load, str(self.port), self.scene.bodies, str(connections), str(seconds), mode]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def resident(self):
        return meters.memory(self.process.pid)["rss"]


class Scene:
    """Certificates, reviews and the load generator."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        authority = Authority(self.folder / "ca")
        cert, key = authority.issue("injector")
        self.tls = ssl.create_default_context(cafile=str(authority.file))
        self.bodies, self.load = self.folder / "bodies", self.folder / "injector_load"
        reviews = webhook.reviews(385)
        self.review_bytes = statistics.median(map(len, reviews))
        self.bodies.write_bytes(b"".join(b"%d\n%s" % (len(body), body) for body in reviews))
        self._build()
        self.cluster = None
        self.environment = {
            **os.environ, "AGENT_INJECT_VAULT_ADDR": "https://vault.default.svc:8200", "AGENT_INJECT_LOG_LEVEL": "error",
            "AGENT_INJECT_TLS_CERT_FILE": str(cert), "AGENT_INJECT_TLS_KEY_FILE": str(key), "AGENT_INJECT_TELEMETRY_PATH": "/metrics",
        }  # fmt: skip

    def start_cluster(self):
        """What every program then runs in, ours too, so that all start in the same way."""
        self.cluster = Cluster(self.folder)
        self.environment |= self.cluster.environment

    def close(self):
        if self.cluster:
            self.cluster.server.stop()

    def _build(self):
        deps = subprocess.run([TOP / "agent/deps/build", "--prefix"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        libraries = [f"{deps}/lib/libssl.a", f"{deps}/lib/libcrypto.a"]
        subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-isystem", f"{deps}/include", HERE / "injector_load.c", *libraries, "-o", self.load], check=True)


def rest(seconds):
    """Here the passing of time is what is measured."""
    select.select([], [], [], seconds)


def measure_start(program, options):
    times = []
    for _ in range(options.starts):
        begin = time.monotonic()
        program.start()
        times.append(time.monotonic() - begin)
        program.stop()
    program.figures["start"] = statistics.median(times)


def measure_loads(program, options):
    for connections, mode in LOADS:
        program.load(connections, 1, mode).communicate()
        before, _ = meters.work(program.process.pid)
        said = json.loads(program.load(connections, options.seconds, mode).communicate()[0])
        cpu = meters.work(program.process.pid)[0] - before
        if said["failures"] or said["not_200"] or not said["requests"]:
            raise SystemExit(f"{program.name}: {connections} {mode}: {said}")
        one = cpu / said["requests"]
        program.figures[f"{mode}{connections}"] = {"rate": 1 / one, "cpu": one, "p50": said["p50"], "p99": said["p99"], "requests": said["requests"]}


def measure_crowds(program, options):
    for count in CROWDS:
        crowd = program.load(count, 12, "idle") if count else None
        if crowd and crowd.stdout.readline().strip() != "ready":
            raise SystemExit(f"{program.name}: {count} connections were not taken")
        rest(options.rest)
        program.figures[f"idle{count}"] = program.resident()
        if crowd:
            crowd.communicate()


class Drip:
    """As in tests/fault: connections that never finish their request, fed byte by byte."""

    def __init__(self, program, count):
        self.sockets = []
        for _ in range(count):
            plain = socket.create_connection(("127.0.0.1", program.port), 20)
            self.sockets.append(program.scene.tls.wrap_socket(plain, server_hostname="localhost"))
            self.sockets[-1].sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")

    def feed(self):
        for s in self.sockets:
            try:
                s.send(b" ")
            except OSError:
                continue

    def close(self):
        for s in self.sockets:
            s.close()


def measure_drip(program, options):
    drip = Drip(program, 1000)
    load = program.load(8, options.seconds, "keep")
    while load.poll() is None:
        drip.feed()
        rest(0.2)
    said = json.loads(load.stdout.read())
    drip.close()
    program.figures["drip"] = {"p50": said["p50"], "p99": said["p99"]}


def measure(program, options):
    program.figures["file"] = pathlib.Path(program.argv[-1]).stat().st_size
    measure_start(program, options)
    program.start()
    try:
        measure_crowds(program, options)
        measure_loads(program, options)
        rest(options.rest)
        program.figures["after"] = program.resident()
        measure_drip(program, options)
    finally:
        program.stop()


def written(value, kind):
    return f"{value:,.0f}" if kind == "rate" and value else report.written(value, kind if kind != "rate" else "count")


def table(programs):
    ours, peers = programs[0], programs[1:]
    lines = ["| | " + " | ".join(p.name for p in programs) + " |" + " ratio |" * len(peers), "|---" * (1 + len(programs) + len(peers)) + "|"]
    for key, what, kind in ROWS:
        values = [report.look_up(p.figures, key) for p in programs]
        ratios = [report.ratio(*((v, values[0]) if kind == "rate" else (values[0], v))) for v in values[1:]]
        lines.append("| " + " | ".join([what, *(written(v, kind) for v in values), *ratios]) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--injector", default=TOP / "build/release/bin/ampule-injector", help="ours, a release build")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="a peer; the command's last word is its binary")
    parser.add_argument("--vault-k8s", action="store_true", help="beside vault-k8s and with a real API server, found or built by tests/servers")
    parser.add_argument("--seconds", type=float, default=10, help="of each load")
    parser.add_argument("--rest", type=float, default=3, help="seconds before memory is read")
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--out", default=RESULTS / f"injector-{datetime.date.today()}", help="files to write, without ending")
    options = parser.parse_args()
    if options.vault_k8s:
        options.peer.insert(0, f"vault-k8s={injector.original()}")
    with tempfile.TemporaryDirectory(prefix="ampule-bench-") as folder, contextlib.closing(Scene(folder)) as scene:
        load = facts.load()
        if options.vault_k8s:
            scene.start_cluster()
        programs = [Program("ampule-injector", [str(options.injector)], scene)]
        programs += [Program(name, command.split(), scene) for name, _, command in (peer.partition("=") for peer in options.peer)]
        for program in programs:
            measure(program, options)
    notes = {"machine": facts.machine(), "commit": facts.commit(), "load_before": load, "load_after": facts.load(), "review_bytes": scene.review_bytes,
             "seconds": options.seconds, "date": str(datetime.date.today())}  # fmt: skip
    machine = notes["machine"]
    text = (
        f"# The webhook: {notes['date']}, commit {notes['commit']}\n\n{table(programs)}\n\n"
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}, {machine['system']}; load {load} before, "
        f"{notes['load_after']} after. The load generator runs on the same machine. Reviews: the recorded ones, median {notes['review_bytes']:.0f} bytes, "
        f"TLS 1.3; {options.seconds:g} s a load. Requests per core are by the CPU time of the server's threads.\n"
    )
    pathlib.Path(f"{options.out}.md").write_text(text)
    pathlib.Path(f"{options.out}.json").write_text(json.dumps({**notes, "figures": {p.name: p.figures for p in programs}}, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
