"""The webhook among hostile clients, and at its end: whoever behaves is answered."""

import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import ssl
import threading
import warnings

import pytest
from support import wait
from support.limits import limit
from support.webhook import Load, Webhook, reviews

GOOD = reviews(8)[0]


@pytest.fixture
def webhook(authority, tmp_path):
    webhook = Webhook(authority, tmp_path / "webhook")
    yield webhook
    webhook.stop()


def assert_answers(webhook):
    assert webhook.process.running, webhook.process.log
    status, text = webhook.review(GOOD)
    assert status == 200 and "response" in json.loads(text)


# ------------------------------------------------------------------------------------------------------------------ slow ones


class Drip(threading.Thread):
    """Connections that send a request byte by byte and never end it."""

    def __init__(self, webhook, count):
        super().__init__(daemon=True)
        self.sockets = [webhook.connect() for _ in range(count)]
        for s in self.sockets:
            s.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
        self.stopped = threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(0.2):
            for s in self.sockets:
                with contextlib.suppress(OSError):
                    s.send(b" ")

    def close(self):
        self.stopped.set()
        self.join(20)
        for s in self.sockets:
            s.close()


def test_a_thousand_drip_feeding_connections_keep_nobody_waiting(webhook, record_property):
    drip = Drip(webhook, 1000)
    load = Load([webhook], reviews(50))
    load.until(300)
    load.stop()
    record_property("p99", load.at(0.99))
    print(f"p99 of well-behaved requests beside 1,000 drip-feeding connections: {load.at(0.99) * 1e3:.1f} ms")
    assert not load.failures
    # On a machine that does other things too; the figure is in tests/bench.
    assert load.at(0.99) < max(1, os.getloadavg()[0] / os.cpu_count())
    # They were cut at their deadline, although each had sent a byte a moment before.
    wait.until(lambda: webhook.metric("ampule_injector_connections") <= 2, "the end of the slow connections")
    drip.close()


def test_connections_that_never_speak_are_cut(webhook):
    silent = [socket.create_connection(("127.0.0.1", webhook.port)) for _ in range(50)]
    wait.until(lambda: webhook.metric("ampule_injector_connections") >= 51, "all of them")
    assert_answers(webhook)
    wait.until(lambda: webhook.metric("ampule_injector_connections") <= 2, "their end")
    for s in silent:
        s.close()


def all_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def test_more_connections_than_it_takes_keep_nobody_out(webhook):
    all_descriptors()
    most = limit("LIMIT_INJECTOR_CONNECTIONS")
    greedy = [socket.create_connection(("127.0.0.1", webhook.port), 20) for _ in range(most + 250)]
    assert_answers(webhook)
    assert webhook.metric("ampule_injector_connections") <= most
    for s in greedy:
        s.close()


def with_descriptors(authority, folder, count):
    return Webhook(authority, folder, within=["prlimit", f"--nofile={count}"])


def test_descriptors_that_are_wanted_are_enough_for_all_connections(authority, tmp_path):
    all_descriptors()
    most = limit("LIMIT_INJECTOR_CONNECTIONS")
    webhook = with_descriptors(authority, tmp_path, most + limit("LIMIT_INJECTOR_DESCRIPTORS"))
    greedy = [socket.create_connection(("127.0.0.1", webhook.port), 20) for _ in range(most + 10)]
    assert_answers(webhook)
    assert not re.search("descriptors|Too many open files", webhook.process.log)
    for s in greedy:
        s.close()
    webhook.stop()


def test_fewer_descriptors_than_wanted_are_told(authority, tmp_path):
    wanted = limit("LIMIT_INJECTOR_CONNECTIONS") + limit("LIMIT_INJECTOR_DESCRIPTORS")
    webhook = with_descriptors(authority, tmp_path, wanted - 1)
    webhook.process.wait_log(f"descriptors are few: limit={wanted - 1} wanted={wanted}")
    webhook.stop()


# --------------------------------------------------------------------------------------------------------------- nonsense


NONSENSE = {
    "plain-http": b"POST /mutate HTTP/1.1\r\nHost: x\r\n\r\n",
    "nothing": b"",
    "zeros": bytes(4096),
    "noise": random.Random(1).randbytes(65536),
    "half-a-hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20),
    "huge-record": b"\x16\x03\x01\xff\xff" + b"A" * 70000,
    "alerts": b"\x15\x03\x03\x00\x02\x01\x00" * 1000,
    "http2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_what_is_no_tls_ends_its_connection_only(webhook, name):
    with socket.create_connection(("127.0.0.1", webhook.port), 20) as s:
        with contextlib.suppress(OSError):
            s.sendall(NONSENSE[name])
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
    assert_answers(webhook)


def test_old_versions_of_tls_are_refused(webhook):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", webhook.port), 20) as s, pytest.raises(ssl.SSLError):
        context.wrap_socket(s)
    assert_answers(webhook)


REQUESTS = {
    "no-method": b"\r\n\r\n\r\n",
    "garbage": b"\x00\x01\x02\xff\xfe HTTP/9.9\r\n\r\n",
    "long-line": b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
    "header-flood": b"POST /mutate HTTP/1.1\r\n" + b"X-A: b\r\n" * 50000 + b"\r\n",
    "negative-length": b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "huge-length": b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "bad-chunk": b"POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    "endless-chunks": b"POST /mutate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b" " * 1024 + b"\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_no_request_ends_its_connection_only(webhook, name):
    with webhook.connect() as s, contextlib.suppress(OSError):
        s.sendall(REQUESTS[name])
        s.settimeout(1)
        while s.recv(65536):
            pass
    assert_answers(webhook)


def pod(**more):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"annotations": {"vault.hashicorp.com/agent-inject": "true"}, **more}, "spec": {"containers": []}}


def review(thing):
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "namespace": "n", "object": thing}}).encode()


MALFORMED = {
    "empty": (b"", 400),
    "no-json": (b"hello", 400),
    "cut": (GOOD[: len(GOOD) // 2], 400),
    "list": (b"[]", 400),
    "number": (b"1", 400),
    "no-request": (b"{}", 400),
    "deep": (b'{"request":' + b"[" * 100000 + b"]" * 100000 + b"}", 400),
    "deep-object": (review(None)[:-2] + b',"x":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}}", 400),
    "null-bytes": (b'{"request":{"uid":"\x00"}}', 400),
    "no-pod": (review([1, 2]), 200),
    "many-members": (review(pod(labels={str(n): "x" for n in range(250000)})), 400),
    "annotations-of-256-kib": (review(pod(annotations={"vault.hashicorp.com/agent-inject": "true", "x": "y" * 262144})), 200),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_review_is_answered_and_forgotten(webhook, name):
    body, status = MALFORMED[name]
    assert webhook.review(body)[0] == status
    assert_answers(webhook)


def test_a_body_over_the_limit_is_refused_before_it_is_read(webhook):
    with webhook.connect() as s:
        s.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n")
        assert b" 413 " in s.recv(4096)
    assert_answers(webhook)


def test_unfinished_bodies_use_up_no_memory_and_keep_nobody_out(webhook):
    """Each is within the limit of one body; together they would be 96 MB."""
    greedy = [webhook.connect() for _ in range(24)]
    for s in greedy:
        s.settimeout(20)
        with contextlib.suppress(OSError):
            s.sendall(b"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000001\r\n\r\n" + b"x" * 4000000)
        assert resident(webhook.pid) < (40 << 20) + limit("LIMIT_INJECTOR_HELD_BYTES")
    # Once all has been read that is on its way: those that fit, one more, and the one that asks.
    most = limit("LIMIT_INJECTOR_HELD_BYTES") // 4000000 + 2
    wait.until(lambda: webhook.metric("ampule_injector_connections") <= most, f"at most {most} connections to be left")
    assert_answers(webhook)
    for s in greedy:
        s.close()


def asking(size):
    """A pod with an init container of so many bytes, which comes back, in base64."""
    names = {"agent-inject": "true", "role": "x", "agent-inject-secret-a": "y", "agent-init-first": "true"}
    injected = pod(annotations={f"vault.hashicorp.com/{name}": value for name, value in names.items()})
    injected["spec"]["initContainers"] = [{"name": "i", "image": "y" * size}]
    injected["spec"]["containers"] = [{"name": "a", "volumeMounts": [{"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}]
    return review(injected)


def test_answers_that_nobody_reads_use_up_no_memory(webhook):
    """Each is 5 MB, more than the kernel takes."""
    body = asking(4000000)
    assert len(webhook.review(body)[1]) > 5000000
    greedy = [webhook.connect() for _ in range(40)]
    for s in greedy:
        with contextlib.suppress(OSError):
            s.sendall(f"POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    injected = 'ampule_injector_reviews_total{verdict="injected",reason="injected"}'
    wait.until(lambda: webhook.metric(injected) >= webhook.metric("ampule_injector_connections") > 1, "who was not cut to be answered")
    assert resident(webhook.pid) < 96 << 20
    assert_answers(webhook)
    for s in greedy:
        s.close()


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_memory_comes_down_after_huge_reviews(webhook):
    assert_answers(webhook)
    before = resident(webhook.pid)
    big = review(pod(annotations={"vault.hashicorp.com/agent-inject": "true", **{f"k{n}": "y" * 1000 for n in range(3000)}}))
    for _ in range(5):
        webhook.review(big)
    assert_comes_down(webhook, before)


def assert_comes_down(webhook, before):
    wait.until(lambda: resident(webhook.pid) < before + (4 << 20), lambda: f"{resident(webhook.pid)} bytes beside {before}")


def test_memory_comes_down_after_huge_answers(webhook):
    assert_answers(webhook)
    before = resident(webhook.pid)
    assert len(webhook.review(asking(4000000))[1]) > 5000000 > limit("LIMIT_REVIEW_KEPT_BYTES")
    assert_comes_down(webhook, before)


# ---------------------------------------------------------------------------------------------------------- changes and the end


def test_a_certificate_is_exchanged_under_load(webhook):
    load = Load([webhook], reviews(20))
    load.until(50)
    before = webhook.certificate()
    webhook.mount()
    wait.until(lambda: webhook.certificate() != before, "the new certificate")
    load.until(50)
    load.stop()
    assert not load.failures


def test_a_broken_certificate_leaves_the_old_one_in_use(webhook):
    before = webhook.certificate()
    webhook.key.write_text("nonsense")
    webhook.process.wait_log("not taken over")
    assert webhook.certificate() == before
    webhook.mount()
    wait.until(lambda: webhook.certificate() != before, "the next good one")


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_an_end_under_load_fails_no_request(authority, tmp_path, signo):
    going = Webhook(authority, tmp_path / "going", ampule_inject_shutdown_grace="5s")  # by then also a slow client has asked who is ready
    staying = Webhook(authority, tmp_path / "staying")
    loads = [Load([going, staying], reviews(20)) for _ in range(4)]
    for load in loads:
        load.until(50)
    os.kill(going.pid, signo)
    assert going.process.popen.wait(60) == 0
    for load in loads:
        load.until(50)
        load.stop()
    staying.stop()
    assert [load.failures for load in loads] == [[]] * 4


def test_readiness_goes_first_and_the_listener_last(authority, tmp_path):
    webhook = Webhook(authority, tmp_path, ampule_inject_shutdown_grace="10s")
    assert webhook.ask("GET", "/health/ready")[0] == 204
    os.kill(webhook.pid, signal.SIGTERM)
    wait.until(lambda: webhook.ask("GET", "/health/ready")[0] == 503, "unready")
    assert webhook.ask("GET", "/health/live")[0] == 204
    assert_answers(webhook)
    assert webhook.process.popen.wait(60) == 0


def test_a_second_signal_skips_the_grace_period(authority, tmp_path):
    webhook = Webhook(authority, tmp_path, ampule_inject_shutdown_grace="1h")
    os.kill(webhook.pid, signal.SIGTERM)
    webhook.process.wait_log("ending")
    os.kill(webhook.pid, signal.SIGTERM)
    assert webhook.process.popen.wait(60) == 0


# ---------------------------------------------------------------------------------------------------------------- what it says


def test_denials_are_logged_and_counted_by_reason(webhook):
    refused = json.loads(review(pod(annotations={"vault.hashicorp.com/agent-inject": "true"})))
    refused["request"]["namespace"] = "kube-system"
    status, text = webhook.review(json.dumps(refused).encode())
    assert status == 200 and json.loads(text)["response"]["allowed"] is False
    webhook.process.wait_log(r"\[WARN\].*denied: namespace=kube-system")
    assert webhook.metric('vault_agent_injector_failed_injections_by_namespace_total{namespace="kube-system"}') == 1


def test_who_posts_a_review_cannot_forge_lines_labels_or_words(authority, tmp_path):
    webhook = Webhook(authority, tmp_path, agent_inject_log_format="json")
    forged = json.loads(review(pod(annotations={"vault.hashicorp.com/agent-inject": "no\n[ERROR] forged"})))
    forged["request"]["namespace"] = 'x"} 1\nforged{a="'
    forged["request"]["object"]["metadata"]["name"] = "x reason=forged"
    assert webhook.review(json.dumps(forged).encode())[0] == 200
    webhook.process.wait_log("denied: namespace= pod= reason=annotation")
    lines = [json.loads(line) for line in webhook.process.log.splitlines()]
    assert all(set(line) == {"@level", "@message", "@module", "@timestamp"} for line in lines)
    assert webhook.metric('vault_agent_injector_failed_injections_by_namespace_total{namespace=""}') == 1
    webhook.stop()


def test_anything_but_json_is_refused_in_the_originals_words(webhook):
    assert webhook.ask("POST", "/mutate", GOOD, "text/plain") == (400, 'Invalid content-type: "text/plain"')
    assert webhook.ask("GET", "/nowhere")[0] == 404


MOST_NAMES = limit("LIMIT_CERTIFICATE_NAMES")
TOO_MANY_NAMES = ",".join("a" * (MOST_NAMES + 1))


@pytest.mark.parametrize(
    "setting, words",
    [
        ({"agent_inject_vault_addr": ""}, "no Vault address"),
        ({"agent_inject_tls_cert_file": ""}, "no certificate"),
        ({"agent_inject_tls_cert_file": "/nonexistent/x"}, "/nonexistent/x"),
        ({"agent_inject_tls_cert_file": "", "agent_inject_tls_auto": "cfg"}, "tls-auto-hosts"),
        ({"agent_inject_tls_cert_file": "", "agent_inject_tls_auto": "cfg", "agent_inject_tls_auto_hosts": TOO_MANY_NAMES}, f"more than {MOST_NAMES} names"),
        ({"agent_inject_tls_cert_file": "", "agent_inject_tls_auto": "cfg", "agent_inject_tls_auto_hosts": "a"}, "KUBERNETES_SERVICE_HOST"),
        ({"agent_inject_tls_cipher_suites": "TLS_NONSENSE"}, "TLS_NONSENSE"),
        ({"agent_inject_tls_min_version": "tls99"}, "tls12"),
        ({"agent_inject_listen": "nonsense"}, "nonsense"),
        ({"agent_inject_log_level": "loud"}, "loud"),
    ],
)
def test_a_wrong_setting_ends_it_with_1_and_its_name(authority, tmp_path, setting, words):
    webhook = Webhook(authority, tmp_path, wait_for=False, **setting)
    assert webhook.process.popen.wait(60) == 1
    webhook.process.wait_log(words.replace("/", "."))
