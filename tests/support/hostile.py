"""Admission reviews by which one author of a pod, or whoever reaches the port, would stop the injector for everybody: little text that asks for much, and much text."""

import itertools
import json

OURS = "vault.hashicorp.com/"
BODY_MOST = 4 << 20  # LIMIT_REVIEW_BYTES
MOUNT = {"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}


def review(annotations, containers=(), uid="u", **spec):
    """A pod that asks for injection, with these annotations (upstream's prefix where they have none) and further containers."""
    names = {"agent-inject": "true", "role": "r", "agent-inject-secret-a": "secret/a"} | annotations
    metadata = {"name": "p", "annotations": {name if "/" in name else OURS + name: value for name, value in names.items()}}
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "i", "volumeMounts": [MOUNT]}, *containers], **spec}}
    whole = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": uid, "namespace": "n", "operation": "CREATE", "object": pod}}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


def patch(*operations):
    return {"agent-json-patch": json.dumps(operations, separators=(",", ":"))}


def copy(start, to):
    return {"op": "copy", "from": start, "path": to}


def deeper(count):
    """Each copy puts a value into its own deepest place."""
    depth = 1
    yield {"op": "add", "path": "/x", "value": {"b": {}}}
    for _ in range(count):
        yield copy("/x", "/x" + "/b" * min(depth, 450))
        depth += min(depth, 450)


def identities(count):
    """So many agents, each with everything."""
    return {f"ampule.dev/identity-{n}": f"i{n}" for n in range(count)} | {f"agent-inject-secret-{n}": "s" for n in range(count)} | {
        f"ampule.dev/identity-role-i{n}": "r" for n in range(count)}


def cases(text):
    """All spellings of a word in large and small letters."""
    return ("".join(letters) for letters in itertools.product(*({c, c.upper()} for c in text)))


def few(words, count, value="x"):
    return dict(zip(itertools.islice(words, count), itertools.repeat(value)))


SMALL = [{"name": "c"}]
BLOB = {"name": "i", "image": "x" * 3900000}

# Name -> a function that makes the body: some have megabytes.
REVIEWS = {
    # Copies in a pod's own patch.
    "copies-16": lambda: review(patch(*[copy("/env", "/env/-")] * 16)),
    "copies-24": lambda: review(patch({"op": "add", "path": "/args/-", "value": ["A" * 1000]}, *[copy("/args", "/args/-")] * 24)),
    "copies-deep-71": lambda: review(patch(*deeper(71))),
    "copies-and-removals": lambda: review(patch({"op": "add", "path": "/x", "value": "A" * 100000}, *[copy("/x", "/y"), {"op": "remove", "path": "/y"}] * 499)),
    "copies-of-nothing": lambda: review(patch({"op": "add", "path": "/x", "value": [[]] * 30000}, *[copy("/x", "/y")] * 900)),
    "tests-of-much": lambda: review(patch({"op": "add", "path": "/x", "value": list(range(30000))}, *[{"op": "test", "path": "/x", "value": 1}] * 900)),
    "tests-that-hold": lambda: review(patch({"op": "add", "path": "/x", "value": [[1] * 50] * 80}, *[{"op": "test", "path": "/x", "value": [[1] * 50] * 80}] * 20)),
    "inserts-in-front": lambda: review(patch({"op": "add", "path": "/x", "value": [0] * 100000}, *[{"op": "add", "path": "/x/0", "value": 0}] * 900)),
    "moves-to-the-front": lambda: review(patch({"op": "add", "path": "/x", "value": [0] * 100000}, *[{"op": "move", "from": "/x/-1", "path": "/x/0"}] * 900)),
    "long-paths": lambda: review(patch({"op": "add", "path": "/x", "value": 1}, *[{"op": "add", "path": "/x" + "/y" * 100, "value": 1}] * 999)),
    "many-objects-in-a-patch": lambda: review(patch({"op": "add", "path": "/x", "value": [{}] * 80000})),
    "patches-of-nine-agents": lambda: review(patch({"op": "add", "path": "/x", "value": [0] * 50000}) | identities(8)),
    # One thing times another.
    "secrets-times-containers": lambda: review(
        {f"agent-inject-secret-{n}": "s" for n in range(1000)} | {f"secret-volume-path-{n}": f"/{n}" for n in range(1000)}, [{"name": "a"}] * 22000),
    "secrets-times-60000-containers": lambda: review(
        {f"agent-inject-secret-{n}": "s" for n in range(1000)} | {f"secret-volume-path-{n}": f"/{n}" for n in range(1000)}, [{"name": "a"}] * 60000),
    "list-times-containers": lambda: review({"agent-inject-containers": "," * 250000}, SMALL * 20000),
    "list-of-names-times-containers": lambda: review({"agent-inject-containers": ",".join(f"{n:x}" for n in range(40000))}, [{"name": f"{n:x}"} for n in range(24000, 0, -1)]),
    "containers": lambda: review({}, SMALL * 24000),
    "unknown-annotations": lambda: review({f"agent-inject-{n:05d}" + "x" * 43: "" for n in range(3000)}),
    "unknown-annotations-past-the-limit": lambda: review({f"agent-inject-{n:05d}" + "x" * 43: "" for n in range(40000)}),
    "dashes": lambda: review({"-" * 200000: ""}),
    "options": lambda: review({f"auth-config-{n:04x}": "" for n in range(7000)}),
    "options-of-nine-agents": lambda: review({f"auth-config-{n:04x}": "" for n in range(5000)} | identities(8)),
    "telemetry": lambda: review(few(("agent-telemetry-" + word for word in cases("statsd-address")), 4500, '"x"')),
    "telemetry-of-nine-agents": lambda: review(few(("agent-telemetry-" + word for word in cases("statsd-address")), 4000, '"x"') | identities(8)),
    "folders-alike": lambda: review({f"agent-inject-secret-{n}": "" for n in range(1000)} | {f"secret-volume-path-{n}": "/" + "v" * 150 + str(n) for n in range(1000)}),
    "orphans": lambda: review({f"agent-inject-file-{n}": "" for n in range(5500)}),
    "secrets-of-one-file": lambda: review({f"agent-inject-secret-{n}": "s" for n in range(1000)} | {f"agent-inject-file-{n}": "x" for n in range(1000)}),
    "copied-mounts-of-nine-agents": lambda: review(
        {"agent-copy-volume-mounts": "m"} | identities(8), [{"name": "m", "volumeMounts": [{"name": "v", "mountPath": "/m"}] * 40}] * 390),
    "mounts-twice": lambda: review({"agent-copy-volume-mounts": "m"}, [{"name": "m", "volumeMounts": [{"name": "v", "mountPath": "/m" + "x" * 40}] * 16000}]),
    "variables-of-aws": lambda: review({"auth-type": "aws"} | identities(8), [{"name": "e", "env": [{"name": "x"}] * 24000}]),
    "long-numbers": lambda: review({"agent-limits-cpu": "1" * 80000, "agent-run-as-user": "1" * 80000, "auth-min-backoff": "1h" * 40000}),
    "long-quantity": lambda: review({"agent-limits-cpu": "1" * 80000 + "." + "1" * 80000 + "n"}),
    # Much text.
    "everything-again": lambda: review({"agent-init-first": "true"}, initContainers=[BLOB]),
    "escapes": lambda: review({"agent-init-first": "true"}, initContainers=[{"name": "i", "image": "<" * 650000}]),
    "text": lambda: review({}, [BLOB]),
    "members": lambda: review({}, x=[[]] * 49900),
    "keys": lambda: review({}, x={f"{n:06x}"[::-1]: 0 for n in range(49900)}),
    "too-many-members": lambda: review({}, x=[[]] * 1300000),
    "no-review": lambda: b'{"x":"' + b"\\u0001" * 690000 + b'"}',
    "spaces": lambda: b" " * (BODY_MOST - 1),
}
