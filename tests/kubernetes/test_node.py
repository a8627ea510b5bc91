"""Pods that really run: chart, webhook, agent and application on a real node, in images of the release build."""

import contextlib
import pathlib

import pytest

from support import node as nodes
from support.chart import CHART
from support.proxy import Proxy
from support.server import Server
from support.site import Site, unique
from support.spaces import Machine
from support.wait import until

PREFIX = "vault.hashicorp.com/"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    reason = nodes.why_not()
    if reason:
        pytest.skip(f"NO NODE HERE: {reason}")
    node = nodes.Node(tmp_path_factory.mktemp("node"))
    yield node
    node.stop()


@pytest.fixture(scope="module")
def site(node, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("node-site")
    server = Server(folder, authority)
    yield Site(server, node.apiserver, folder)
    server.stop()


@pytest.fixture(scope="module")
def counter(site, authority):
    """Counts what pods ask of the server."""
    proxy = Proxy(site.address, site.ca_file, authority, names=[Machine.address])
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def installed(node, site, counter, tmp_path_factory):
    """The chart, installed by helm, and its pods ready."""
    values = tmp_path_factory.mktemp("values") / "values.yaml"
    annotations = {"tls-secret": "server-ca", "ca-cert": "/vault/tls/ca.crt"}
    lines = [f'      {PREFIX}{key}: "{value}"' for key, value in annotations.items()]
    values.write_text("\n".join([
        f"global: {{externalVaultAddr: '{node.relay(counter.address)}'}}",
        f"tests: {{role: helm-test, secret: {site.kv2().put('helm-test', word='x')}}}",
        "injector:", f"  authPath: auth/{site.mount}", "  webhook: {failurePolicy: Fail}", "  agentDefaults:", "    annotations:", *lines,
    ]))  # fmt: skip
    namespace = node.apiserver.apps(site, "ampule", **{"pod-security.kubernetes.io/enforce": "restricted"})
    node.apiserver.helm("install", "ampule", CHART, "-n", namespace, "--values", values)
    for name in until(lambda: names(node, namespace, 2), "the injector's pods"):
        node.ready(namespace, name)
    return namespace


def names(node, namespace, count):
    found = [item["metadata"]["name"] for item in node.api.get(node.api.pods(namespace))["items"]]
    return found if len(found) == count else None


@pytest.fixture
def namespace(node, site, installed):
    return node.apiserver.apps(site)


def pod(script, annotations, **spec):
    container = {"name": "app", "image": "localhost/app:1", "imagePullPolicy": "Never", "command": ["/bin/sh", "-ec", script]}
    container |= spec.pop("container", {})
    full = {key if "/" in key else PREFIX + key: value for key, value in annotations.items()}
    return {"metadata": {"name": "app", "annotations": {PREFIX + "agent-inject": "true", **full}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 1, **spec}}  # fmt: skip


def word(path):
    return '{{ with secret "%s" }}{{ .Data.data.word }}{{ end }}' % path


def logins(counter):
    return counter.count(path="/login$")


def test_helm_test_injects_a_pod_that_reads_its_secret(node, site, installed):
    site.named_role("helm-test", installed, "default")
    assert "Phase:          Succeeded" in node.apiserver.helm("test", "ampule", "-n", installed, "--timeout", "180s")


def test_the_app_starts_with_its_file_and_sees_it_change(node, site, namespace):
    kv = site.kv2()
    path = kv.put("app", word="alice")
    site.named_role("app", namespace, "default")
    annotations = {"role": "app", "agent-inject-template-word": word(path), "template-static-secret-render-interval": "1s"}
    node.api.post(node.api.pods(namespace), pod("cat /vault/secrets/word; echo; exec sleep 1000", annotations))
    node.ready(namespace, "app")
    until(lambda: node.logs(namespace, "app", "app") == "alice\n", "the app to print its file")
    kv.put("app", word="bob")
    until(lambda: node.read(namespace, "app", "app", "/vault/secrets/word") == "bob", "the app to see the change")


def test_a_job_with_a_native_sidecar_finishes(node, site, namespace, counter):
    path = site.kv2().put("app", word="alice")
    site.named_role("app", namespace, "default")
    template = pod("cat /vault/secrets/word", {"role": "app", "agent-inject-template-word": word(path), "ampule.dev/native-sidecar": "true"},
                   restartPolicy="Never")  # fmt: skip
    template["metadata"].pop("name")
    counter.clear()
    node.api.post(f"/apis/batch/v1/namespaces/{namespace}/jobs", {"metadata": {"name": "job"}, "spec": {"backoffLimit": 0, "template": template}})

    def complete():
        job = node.api.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/job")
        return [c["type"] for c in job.get("status", {}).get("conditions", []) if c["status"] == "True" and c["type"] in ("Complete", "Failed")]

    assert until(complete, "the Job to end", 180) == ["Complete"]
    (made,) = node.api.get(node.api.pods(namespace))["items"]
    assert node.logs(namespace, made["metadata"]["name"], "app") == "alice"
    assert logins(counter) == 1


def test_a_pod_with_hand_over_logs_in_once_and_holds_one_credential(node, site, namespace, counter, postgres):
    creds = postgres.enable(site.vault, unique("db"))
    site.named_role("app", namespace, "default")
    contents = '{{ with secret "%s" }}{{ .Data.username }}{{ end }}' % creds
    annotations = {"role": "app", "agent-inject-template-user": contents, "ampule.dev/handover": "true"}
    counter.clear()
    node.api.post(node.api.pods(namespace), pod("cat /vault/secrets/user; echo; exec sleep 1000", annotations))
    node.ready(namespace, "app")
    first = until(lambda: node.logs(namespace, "app", "app"), "the app to print its file")
    until(lambda: "ampule-agent" in node.logs(namespace, "app", "vault-agent"), "the sidecar to have started")
    assert (logins(counter), len(site.vault.list(f"sys/leases/lookup/{creds}"))) == (1, 1)
    assert node.read(namespace, "app", "app", "/vault/secrets/user") == first.strip()


def test_a_change_signals_the_app_in_a_shared_process_namespace(node, site, namespace):
    kv = site.kv2()
    path = kv.put("app", word="alice")
    site.named_role("app", namespace, "default")
    script = """trap 'echo "told: $(cat /vault/secrets/word)"' HUP; echo started; while :; do sleep 0.2; done"""
    annotations = {"role": "app", "agent-inject-template-word": word(path), "template-static-secret-render-interval": "1s",
                   "agent-share-process-namespace": "true", "agent-run-as-same-user": "true", "ampule.dev/signal-word": "HUP:webapp"}  # fmt: skip
    # The application's process is known by its name.
    start = f"cat >/tmp/webapp <<'EOF'\n#!/bin/sh\n{script}\nEOF\nchmod +x /tmp/webapp; exec /tmp/webapp"
    node.api.post(node.api.pods(namespace), pod(start, annotations, container={"securityContext": {"runAsUser": 1000}}))
    node.ready(namespace, "app")
    until(lambda: "started" in node.logs(namespace, "app", "app"), "the app to have started")
    kv.put("app", word="bob")
    until(lambda: "told: bob" in node.logs(namespace, "app", "app"), lambda: f"the app to be told; the agent said:\n{node.logs(namespace, 'app', 'vault-agent')}")


def processes(argument):
    """Folders in /proc of this machine's processes with such an argument, of whatever container."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found += [folder] * (argument.encode() in (folder / "cmdline").read_bytes().split(b"\0"))
    return found


def test_the_app_finds_its_secret_in_its_environment_and_is_started_anew_with_the_next(node, site, installed):
    namespace = node.apiserver.apps(site, **{"pod-security.kubernetes.io/enforce": "restricted"})
    kv, name = site.kv2(), unique("WORD").replace("-", "_")
    path = kv.put("app", word="alice")
    site.named_role("app", namespace, "default")
    context = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 1000, "capabilities": {"drop": ["ALL"]},
               "seccompProfile": {"type": "RuntimeDefault"}, "readOnlyRootFilesystem": True}  # fmt: skip
    annotations = {"role": "app", f"ampule.dev/env-{name}": word(path), "template-static-secret-render-interval": "1s", "ampule.dev/seccomp-profile": "RuntimeDefault"}
    # Where the application looks for a server is not the agent's business.
    container = {"securityContext": context, "env": [{"name": "VAULT_ADDR", "value": "http://app:1"}]}
    script = f'echo "word=${name} server=$VAULT_ADDR"; exec sleep 1000'
    node.api.post(node.api.pods(namespace), pod(script, annotations, container=container))

    def said(line):
        return line in node.logs(namespace, "app", "app").splitlines()

    def told():
        return "\n".join(node.logs(namespace, "app", one) for one in ("app", "vault-agent"))

    node.ready(namespace, "app")
    until(lambda: said("word=alice server=http://app:1"), lambda: f"the app to print its variable:\n{told()}")
    found = processes(f"-variable={name}=/ampule/environment/{name}")  # the agent and its guard
    assert len(found) == 2
    for folder in found:
        assert b"alice" not in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        assert "Uid:\t1000" in (folder / "status").read_text()
    assert any("Seccomp:\t2\n" in (folder / "status").read_text() and "NoNewPrivs:\t1" in (folder / "status").read_text() for folder in found)
    kv.put("app", word="bob")
    until(lambda: said("word=bob server=http://app:1"), lambda: f"the app to be started anew:\n{told()}", 60)
    (status,) = [c for c in node.api.get(node.api.pods(namespace, "app"))["status"]["containerStatuses"] if c["name"] == "app"]
    assert status["restartCount"] == 0 and "running" in status["state"]


def test_a_job_with_variables_ends_as_its_program_does(node, site, namespace):
    path = site.kv2().put("app", word="alice")
    site.named_role("app", namespace, "default")
    annotations = {"role": "app", "ampule.dev/env-WORD": word(path), "ampule.dev/native-sidecar": "true", "log-level": "error"}
    node.api.post(node.api.pods(namespace), pod('printf %s "$WORD"; exit 7', annotations, restartPolicy="Never"))
    assert node.finished(namespace, "app") == "Failed"
    (status,) = node.api.get(node.api.pods(namespace, "app"))["status"]["containerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 7
    assert node.logs(namespace, "app", "app") == "alice"


def test_pod_security_restricted_admits_and_runs_an_injected_pod(node, site, installed):
    namespace = node.apiserver.apps(site, **{"pod-security.kubernetes.io/enforce": "restricted"})
    path = site.kv2().put("app", word="alice")
    site.named_role("app", namespace, "default")
    context = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "runAsUser": 1000, "capabilities": {"drop": ["ALL"]},
               "seccompProfile": {"type": "RuntimeDefault"}}  # fmt: skip
    annotations = {"role": "app", "agent-inject-template-word": word(path), "ampule.dev/seccomp-profile": "RuntimeDefault"}
    node.api.post(node.api.pods(namespace), pod("cat /vault/secrets/word; echo; exec sleep 1000", annotations, container={"securityContext": context}))
    node.ready(namespace, "app")
    until(lambda: node.logs(namespace, "app", "app") == "alice\n", "the app to print its file")
    status = node.read(namespace, "app", "vault-agent", "/proc/1/status")
    assert "Seccomp:\t2" in status and "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status


def test_a_pod_without_a_token_of_its_own_logs_in_with_one_for_the_server(node, site, namespace):
    path = site.kv2().put("app", word="alice")
    site.named_role("app", namespace, "default")
    annotations = {"role": "app", "agent-inject-template-word": word(path), "agent-pre-populate-only": "true", "ampule.dev/token-audience": "vault"}
    item = pod("cat /vault/secrets/word; [ ! -e /var/run/secrets/kubernetes.io ]", annotations, restartPolicy="Never", automountServiceAccountToken=False)
    node.api.post(node.api.pods(namespace), item)
    assert node.finished(namespace, "app") == "Succeeded"
    assert node.logs(namespace, "app", "app") == "alice"


def test_the_agent_revokes_its_token_when_the_pod_ends(node, site, namespace):
    path = site.kv2().put("app", word="alice")
    site.named_role("app", namespace, "default")
    annotations = {"role": "app", "agent-inject-template-word": word(path), "agent-inject-token": "true", "agent-revoke-on-shutdown": "true",
                   "agent-revoke-grace": "0"}  # fmt: skip
    node.api.post(node.api.pods(namespace), pod("exec sleep 1000", annotations))
    node.ready(namespace, "app")
    until(lambda: node.read(namespace, "app", "app", "/vault/secrets/token").startswith("hvs."), "the token")
    mine = site.vault.with_token(node.read(namespace, "app", "app", "/vault/secrets/token"))
    assert mine.read("auth/token/lookup-self")
    node.api.delete(node.api.pods(namespace, "app"))
    until(lambda: _refused(mine), "the token to be revoked")


def _refused(vault):
    try:
        vault.read("auth/token/lookup-self")
    except Exception as e:  # noqa: BLE001
        return getattr(e, "status", None) == 403
    return False
