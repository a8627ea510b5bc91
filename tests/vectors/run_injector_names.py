#!/usr/bin/env python3
"""The list of annotations and settings of the injector, each with what tests it; fails for one that nothing tests.

An annotation is tested by recorded reviews that name it, and by its effect in tests/unit/inject/test_effects.c. A setting for pods is tested here: a review is
asked with and without its variable, and a text must be in one answer only (that flags are their variables is in test_settings.c). A setting of the server
itself is tested where SERVERS says.

Usage: run_injector_names.py BIN_DIR
"""
import base64
import json
import pathlib
import re
import subprocess
import sys

from run_injector import answers, cases

TESTS = pathlib.Path(__file__).resolve().parents[1]
PREFIXES = ("vault.hashicorp.com/", "openbao.org/")
BASE = {"AGENT_INJECT_VAULT_ADDR": "https://v:8200"}
ASK = {"agent-inject": "true", "role": "web", "agent-inject-secret-db": "kv/db"}
CONTEXT = {"securityContext": {"runAsUser": 1234}}

# variable behind AGENT_INJECT_: value, a text that the answer has with it and not without (behind "-": without it only), further annotations
PODS = {
    "VAULT_ADDR": ("https://other:1", '"address":"https://other:1"', {}),
    "VAULT_IMAGE": ("mine:1", '"image":"mine:1"', {}),
    "VAULT_AUTH_TYPE": ("jwt", '"type":"jwt"', {}),
    "VAULT_AUTH_PATH": ("auth/two", '"mount_path":"auth/two"', {}),
    "VAULT_NAMESPACE": ("team", '"namespace":"team"', {}),
    "VAULT_CACERT_BYTES": ("-PEM-", '"name":"VAULT_CACERT_BYTES","value":"-PEM-"', {}),
    "PROXY_ADDR": ("http://p", '"name":"HTTPS_PROXY","value":"http://p"', {}),
    "REVOKE_ON_SHUTDOWN": ("true", "token revoke", {}),
    "RUN_AS_USER": ("77", '"runAsUser":77', {}),
    "RUN_AS_GROUP": ("78", '"runAsGroup":78', {}),
    "RUN_AS_SAME_USER": ("true", '"runAsUser":1234', {}),
    "SET_SECURITY_CONTEXT": ("false", "-readOnlyRootFilesystem", {}),
    "DEFAULT_TEMPLATE": ("json", "toJSON", {}),
    "CPU_REQUEST": ("3m", '"cpu":"3m"', {}),
    "MEM_REQUEST": ("3Mi", '"memory":"3Mi"', {}),
    "EPHEMERAL_REQUEST": ("3Mi", '"ephemeral-storage":"3Mi"', {}),
    "CPU_LIMIT": ("7m", '"cpu":"7m"', {}),
    "MEM_LIMIT": ("7Mi", '"memory":"7Mi"', {}),
    "EPHEMERAL_LIMIT": ("7Mi", '"ephemeral-storage":"7Mi"', {}),
    "TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE": ("false", '"exit_on_retry_failure":false', {}),
    "TEMPLATE_STATIC_SECRET_RENDER_INTERVAL": ("9m", '"static_secret_render_interval":"9m"', {}),
    "TEMPLATE_MAX_CONNECTIONS_PER_HOST": ("5", '"max_connections_per_host":5', {}),
    "TEMPLATE_LEASE_RENEWAL_THRESHOLD": ("0.5", '"lease_renewal_threshold":0.5', {}),
    "AUTH_MIN_BACKOFF": ("3s", '"min_backoff":"3s"', {}),
    "AUTH_MAX_BACKOFF": ("9s", '"max_backoff":"9s"', {}),
    "DISABLE_IDLE_CONNECTIONS": ("caching", '"disable_idle_connections":["caching"]', {}),
    "DISABLE_KEEP_ALIVES": ("caching", '"disable_keep_alives":["caching"]', {}),
    "DEFAULT_ANNOTATIONS": ('{"ampule.dev/home-size":"3Mi"}', '"sizeLimit":"3Mi"', {}),
    "POLICY": ("enforce", '"allowed":false', {"agent-image": "x:1"}),
    "ALLOW_IMAGES": ("x:*", "-policy image", {"agent-image": "x:1"}),
    "ALLOW_ADDRESSES": ("https://x*", "-policy address", {"service": "https://x:1"}),
    "ALLOW_PATHS": ("/x*", "-policy path", {"secret-volume-path": "/x"}),
    "ALLOW_JSON_PATCH": ("true", "-policy json-patch", {"agent-json-patch": '[{"op":"add","path":"/tty","value":true}]'}),
    "ALLOW_ROOT": ("true", "-policy root", {"agent-run-as-user": "0"}),
    "ALLOW_INSECURE_TLS": ("true", "-policy tls", {"tls-skip-verify": "true"}),
    "KUBERNETES_VERSION": ("1.28", '"allowed":false', {"ampule.dev/native-sidecar": "true"}),
    "ANNOTATION_WARNINGS": ("false", "-did you mean", {"agent-init-frist": "true"}),
}

# The server's own: the tests that set it.
SERVERS = {
    "LISTEN": "support/webhook.py", "LOG_LEVEL": "support/injector.py", "LOG_FORMAT": "fault/test_webhook.py", "TELEMETRY_PATH": "support/webhook.py",
    "USE_LEADER_ELECTOR": "kubernetes/test_certificates.py", "TLS_AUTO": "kubernetes/test_chart_values.py", "TLS_AUTO_HOSTS": "kubernetes/test_certificates.py",
    "TLS_CERT_FILE": "support/webhook.py", "TLS_KEY_FILE": "support/webhook.py", "TLS_CA_CERT_FILE": "kubernetes/test_chart.py",
    "TLS_MIN_VERSION": "fault/test_webhook.py", "TLS_CIPHER_SUITES": "fault/test_webhook.py", "TLS_SECRET": "kubernetes/test_certificates.py",
    "SHUTDOWN_GRACE": "fault/test_webhook.py",
}  # fmt: skip


def printed(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=True).stdout


# ------------------------------------------------------------------------------------------------------------- annotations


def annotations(bin_dir):
    """Names from the table, without what may be behind them."""
    return [re.sub(r"\[?-NAME\]?$", "", name) for name in re.findall(r"^(\S+) \(", printed(bin_dir / "ampule", "annotations"), re.M)]


def row_of(name, rows):
    """The longest row that the name of an annotation is, or continues."""
    suffix = next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)
    return max((row for row in rows if suffix == row or suffix.startswith(row + "-")), key=len, default=None)


def reviews_by_row(rows):
    seen = dict.fromkeys(rows, 0)
    for case in cases([]):
        request = case["review"].get("request") or {}
        names = ((request.get("object") or {}).get("metadata") or {}).get("annotations") or {}
        for row in {row_of(name, rows) for name in names} - {None}:
            seen[row] += 1
    return seen


def effects():
    """Rows with a line in test_effects.c, which itself checks that it has all."""
    text = (TESTS / "unit" / "inject" / "test_effects.c").read_text()
    return {name.lower().replace("_", "-") for name in re.findall(r"\bANNOT_(\w+)", text)}


def check_annotations(bin_dir):
    rows = annotations(bin_dir)
    seen, told = reviews_by_row(rows), effects()
    for row in rows:
        unit = row.replace("ampule.dev/", "own-") in told
        yield row, [f"{seen[row]} recorded reviews"] * bool(seen[row]) + ["test_effects.c"] * unit


# ---------------------------------------------------------------------------------------------------------------- settings


def review(more):
    names = {name if "/" in name else PREFIXES[0] + name: value for name, value in {**ASK, **more}.items()}
    token = {"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    pod = {"metadata": {"annotations": names}, "spec": {"containers": [{"name": "app", "volumeMounts": [token], **CONTEXT}]}}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "namespace": "x", "object": pod}}


def said(answer):
    """The whole answer as text, what is encoded in it decoded."""
    text = answer["body"]
    for pattern in (r'"patch":"([^"]*)"', r'"name":"VAULT_CONFIG","value":"([^"]*)"'):
        text += "".join(base64.b64decode(found).decode() for found in re.findall(pattern, text))
    return text


def works(text, without, with_it):
    if text.startswith("-"):
        return text[1:] in without and text[1:] not in with_it
    return text in with_it and text not in without


def check_settings(bin_dir):
    program = bin_dir.parent / "unit" / "injector-answers"
    known = re.findall(r"\[(A\w+_INJECT_\w+)[],]", printed(bin_dir / "ampule-injector", "--help"))
    for name in known:
        short = re.sub(r"^A\w+?_INJECT_", "", name)
        if short in PODS:
            value, text, more = PODS[short]
            without, with_it = answers(program, [{"env": env, "review": review(more)} for env in (BASE, {**BASE, name: value})])
            yield name, ["here"] * works(text, said(without), said(with_it))
        else:
            path = SERVERS.get(short)
            named = path and re.search(rf"{short}\b", (TESTS / path).read_text(), re.I)
            yield name, [path] * bool(named)


def main():
    bin_dir = pathlib.Path(sys.argv[1])
    rows = [*check_annotations(bin_dir), *check_settings(bin_dir)]
    for name, tests in rows:
        print(f"{name:48}  {', '.join(tests) or 'NOTHING TESTS IT'}")
    failed = sum(not tests for _, tests in rows)
    print(f"names of the injector: {len(rows) - failed} passed, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
