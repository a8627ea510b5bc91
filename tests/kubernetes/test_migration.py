"""The way of a user of HashiCorp's own injector: values file and manifests as they are, both injectors side by side, and back again."""

import base64
import json
import re

import pytest
import yaml

from support import chart
from support.injector import Installed, Original
from support.pods import Pod
from support.site import unique
from support.wait import for_file, until

HERE = chart.TOP / "tests" / "kubernetes"
PREFIX = "vault.hashicorp.com/"
OURS, THEIRS = "ampule/agent-compat:0.1.0", "hashicorp/vault:2.0.4"
ADDRESS = "https://vault.example.com:8200"


def manifests():
    """What such a user has: (id, annotations, spec) of every pod template of the file."""
    for item in yaml.safe_load_all((HERE / "vault-k8s-workloads.yaml").read_text()):
        spec = item["spec"]
        template = item if item["kind"] == "Pod" else spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
        yield pytest.param(template["metadata"]["annotations"], template["spec"], id=item["metadata"]["name"])


@pytest.fixture(scope="module")
def theirs(apiserver, tmp_path_factory):
    """The injector that is there already. Its settings are those of the values file."""
    namespace = apiserver.namespace("vault")
    settings = {"AGENT_INJECT_VAULT_ADDR": ADDRESS, "AGENT_INJECT_VAULT_IMAGE": THEIRS, "AGENT_INJECT_VAULT_AUTH_PATH": "auth/k8s-prod",
                "AGENT_INJECT_EPHEMERAL_LIMIT": "128Mi", "AGENT_INJECT_EPHEMERAL_REQUEST": "64Mi", "AGENT_INJECT_DEFAULT_TEMPLATE": "json",
                "AGENT_INJECT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE": "false",
                "AGENT_INJECT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL": "10m", "AGENT_INJECT_REVOKE_ON_SHUTDOWN": "true"}  # fmt: skip
    original = Original(apiserver, tmp_path_factory.mktemp("original"), namespace, **settings)
    original.route(original.start())
    original.ready()
    yield original
    original.stop()


@pytest.fixture(scope="module")
def ours(apiserver, theirs, tmp_path_factory):
    """Ours beside it with the same values file: only the images are ours, and only namespaces with the label."""
    values = chart.users_values("vault-helm")
    for image in ("image", "agentImage"):
        values["injector"].pop(image)
    values["injector"]["webhook"]["namespaceSelector"] = {"matchLabels": {"injector": "ampule"}}
    installed = Installed(apiserver, tmp_path_factory.mktemp("ours"), "ampule", values=values)
    installed.route(installed.start())
    installed.ready(apiserver.namespace(unique("ready"), injector="ampule"))
    yield installed
    installed.stop()


def agents(pod):
    """The images of the agents in a pod, which must be there once."""
    spec = pod["spec"]
    found = [c for c in [*spec.get("initContainers", []), *spec["containers"]] if c["name"].startswith("vault-agent")]
    assert len({c["name"] for c in found}) == len(found)
    return {c["image"] for c in found}


def comparable(pod, image):
    """A pod without what is random or the agent's image, with the agents' configuration decoded."""
    text = json.dumps({"spec": pod["spec"], "annotations": pod["metadata"]["annotations"]})
    tree = json.loads(re.sub(r"kube-api-access-\w+", "kube-api-access", text.replace(image, "IMAGE")))
    for container in [*tree["spec"].get("initContainers", []), *tree["spec"]["containers"]]:
        for variable in container.get("env", []):
            if variable["name"] == "VAULT_CONFIG":
                config = json.loads(base64.b64decode(variable["value"]))
                config["template"] = sorted(config.get("template", []), key=lambda t: t["destination"])
                variable["value"] = config
    return tree


@pytest.mark.parametrize("annotations, spec", manifests())
def test_a_pod_is_what_the_original_makes_of_it(apiserver, theirs, ours, annotations, spec):
    before, after = apiserver.namespace(unique("before")), apiserver.namespace(unique("after"), injector="ampule")
    made = {}
    for namespace, image in ((before, THEIRS), (after, OURS)):
        apiserver.account(namespace, spec.get("serviceAccountName", "default"))
        made[image] = theirs.dry_run(namespace, annotations, **json.loads(json.dumps(spec)))
        assert agents(made[image]) == {image}
    assert comparable(made[OURS], OURS) == comparable(made[THEIRS], THEIRS)


def test_our_agent_does_what_the_original_injector_tells_it(apiserver, theirs, kubernetes_site, tmp_path):
    """The other half of the way: only the image is another."""
    site = kubernetes_site
    namespace = apiserver.apps(site)
    apiserver.account(namespace, site.named_role("app", namespace))
    kv = site.kv2()
    template = '{{ with secret "%s" }}{{ .Data.data.word }}{{ end }}' % kv.put("app", word="alice")
    annotations = {"agent-inject": "true", "role": "app", "service": site.address, "auth-path": f"auth/{site.mount}", "tls-secret": "server-ca",
                   "ca-cert": "/vault/tls/ca.crt", "agent-inject-template-word": template, "template-static-secret-render-interval": "1s"}  # fmt: skip
    stored = apiserver.api.post(apiserver.api.pods(namespace), {
        "metadata": {"name": "app", "annotations": {PREFIX + key: value for key, value in annotations.items()}},
        "spec": {"serviceAccountName": "app", "containers": [{"name": "app", "image": "app"}]},
    })  # fmt: skip
    assert agents(stored) == {THEIRS}
    pod = Pod(apiserver, stored, tmp_path / "pod")
    try:
        assert pod.start("vault-agent-init").wait_exit() == 0, pod.processes["vault-agent-init"].log
        for_file(pod.file("vault-secrets", "word"), "alice")
        pod.start("vault-agent")
        kv.put("app", word="bob")
        for_file(pod.file("vault-secrets", "word"), "bob")
    finally:
        pod.stop()


def test_one_namespace_moves_and_moves_back(apiserver, theirs, ours):
    moving, staying = (apiserver.namespace(unique(word)) for word in ("moving", "staying"))
    ask = {PREFIX + "agent-inject": "true", PREFIX + "role": "app"}

    def sees(*images):
        """Soon: the API server chooses webhooks by what it has heard of the namespaces, which is a little late."""
        seen = lambda: [agents(theirs.dry_run(name, ask)) for name in (moving, staying)]  # noqa: E731
        until(lambda: seen() == [{image} for image in images], lambda: f"agents {images}; they are {seen()}")

    def label(value):
        apiserver.api.merge(f"/api/v1/namespaces/{moving}", {"metadata": {"labels": {"injector": value}}})

    sees(THEIRS, THEIRS)
    label("ampule")
    sees(OURS, THEIRS)
    label(None)
    sees(THEIRS, THEIRS)


def test_a_pod_that_both_see_is_injected_once(apiserver, theirs, ours):
    both = apiserver.namespace(unique("both"), injector="ampule")
    made = theirs.dry_run(both, {PREFIX + "agent-inject": "true", PREFIX + "role": "app"})
    assert agents(made) == {OURS}


def test_the_original_goes_on_when_ours_is_uninstalled(apiserver, theirs, tmp_path):
    """And its webhook configuration, Secret and rights are still its own."""
    again = Installed(apiserver, tmp_path / "again", "ampule-again", release="again-ampule")
    again.stop()
    made = theirs.dry_run("default", {PREFIX + "agent-inject": "true", PREFIX + "role": "app"})
    assert agents(made) == {THEIRS}
