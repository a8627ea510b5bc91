"""The API server's own judgement: every object of chart, kustomize and examples is taken by it as it is written, unknown fields refused."""

import json

import pytest
import yaml

from support import schemas
from support.chart import CHART, TOP, is_hook, render, users_values
from support.site import unique

KUSTOMIZE, EXAMPLES = TOP / "deploy" / "kustomize", TOP / "deploy" / "examples"
BUILTIN = ("apps/v1", "v1", "batch/v1", "policy/v1", "rbac.authorization.k8s.io/v1", "admissionregistration.k8s.io/v1", "networking.k8s.io/v1")

VARIANTS = {
    "defaults": {},
    "one-replica": {"injector": {"replicas": 1}},
    "openshift": {"global": {"openshift": True}},
    "fail-closed": {"injector": {"webhook": {"failurePolicy": "Fail", "timeoutSeconds": 5, "reinvocationPolicy": "IfNeeded"}}},
    "outside": {"injector": {"webhook": {"url": "https://injector.example.com/mutate"}}},
    "conditions": {"injector": {"webhook": {"matchConditions": [{"name": "not-mine", "expression": "object.metadata.name != 'x'"}]}}},
    "every-pod": {"injector": {"webhook": {"onlyPodsThatAsk": False}}},
    "own-certificate": {"injector": {"certs": {"secretName": "mine"}}},
    "resources": {"injector": {"resources": {"limits": {"cpu": 1}}, "podDisruptionBudget": {"minAvailable": "50%"}, "strategy": {"type": "Recreate"}}},
    "metrics": {"injector": {"metrics": {"enabled": True}, "grafanaDashboard": {"enabled": True}}},
    "placement": {"injector": {"tolerations": [{"operator": "Exists"}], "nodeSelector": {"a": "b"}, "hostNetwork": True, "extraLabels": {"a": "b"}}},
    "settings": {"injector": {"agentDefaults": {"annotations": {"vault.hashicorp.com/role": "x"}}, "extraEnvironmentVars": {"a.b": 1}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def judge(apiserver):
    """judge(objects): takes them one by one without keeping them."""
    for name in ("ampule", "secrets"):
        if not apiserver.api.find(f"/api/v1/namespaces/{name}"):
            apiserver.namespace(name)

    def judge(objects, namespace="ampule"):
        assert objects
        text = "\n---\n".join(map(json.dumps, objects))
        apiserver.kubectl("apply", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-", text=text)

    return judge


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS.keys())
def test_the_api_server_takes_what_the_chart_renders(judge, values):
    judge([o for o in render(values=values, namespace="ampule") if o["apiVersion"] in BUILTIN])


def test_the_api_server_refuses_what_is_misspelt(judge):
    objects = [o for o in render(namespace="ampule") if o["kind"] == "Deployment"]
    broken = json.loads(json.dumps(objects).replace('"replicas"', '"replicaz"'))
    with pytest.raises(AssertionError, match="replicaz"):
        judge(broken)


def test_the_injectors_pods_pass_pod_security_restricted(apiserver):
    name = apiserver.namespace(unique("restricted"), **{"pod-security.kubernetes.io/enforce": "restricted"})
    template = next(o for o in render(namespace=name) if o["kind"] == "Deployment")["spec"]["template"]
    template["spec"].pop("serviceAccountName")
    apiserver.api.post(apiserver.api.pods(name) + "?dryRun=All", {"metadata": {"generateName": "try-"}, "spec": template["spec"]})


@pytest.mark.parametrize("values", [{}, users_values("vault-helm"), {"injector": {"enabled": False}}], ids=["defaults", "vault-helm", "off"])
def test_notes_say_what_is_installed(apiserver, values):
    said = apiserver.helm("install", "ampule", CHART, "--dry-run=server", "--values", "-", text=json.dumps(values))
    notes = said.split("NOTES:")[1]
    if values.get("injector", {}).get("enabled") is False:
        assert "the injector is off" in notes
    else:
        assert "helm -n default test ampule" in notes
        assert ("guessed" in notes) == (values == {})
        assert values != {} or "no registry has ampule/injector and ampule/agent-compat" in notes
        assert ("have no effect" in notes) == ("server" in values)
        assert ("the image of another injector" in notes) == ("injector" in values)


def test_notes_name_the_values_that_have_no_effect(apiserver):
    values = {"priorityClassName": "high", "ui": {"enabled": True}, "csi": {"enabled": False}, "global": {"psp": {"enable": False}, "region": "x"},
              "injector": {"replicaz": 2, "serviceAccount": {"create": True, "annotations": {}}, "agentImage": {"pullPolicy": "Always"},
                           "agentDefaults": {"extraEnvironmentVars": {"A": "b"}}, "extraEnvironmentVars": {"C": "d"}, "affinity": {"e": {}}}}  # fmt: skip
    said = apiserver.helm("install", "ampule", CHART, "--dry-run=server", "--values", "-", text=json.dumps(values))
    named = said.split("have no effect:\n")[1].split()
    assert named == ["csi", "global.psp", "global.region", "injector.agentDefaults.extraEnvironmentVars", "injector.agentImage.pullPolicy",
                     "injector.replicaz", "injector.serviceAccount.create", "priorityClassName", "ui"]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- kustomize


def kustomized(apiserver, folder):
    return [o for o in yaml.safe_load_all(apiserver.kubectl("kustomize", folder)) if o]


def without_managed_by(item):
    item = json.loads(json.dumps(item))
    item["metadata"]["labels"].pop("app.kubernetes.io/managed-by", None)
    return item


def key(item):
    return item["kind"], item["metadata"]["name"]


def test_the_kustomize_base_has_the_objects_of_the_chart(apiserver):
    rendered = [o for o in render("injector.kubernetesVersion=unknown", namespace="ampule") if not is_hook(o)]
    based = [o for o in kustomized(apiserver, KUSTOMIZE / "base") if o["kind"] != "Namespace"]
    theirs, ours = ({key(o): without_managed_by(o) for o in objects} for objects in (rendered, based))
    assert ours == theirs, "run deploy/kustomize/update"
    assert not [o for o in based if "managed-by" in str(o["metadata"])], "the base is managed by whoever applies it"


def overlays():
    return sorted(p.name for p in (KUSTOMIZE / "overlays").iterdir())


@pytest.mark.parametrize("name", overlays())
def test_the_api_server_takes_the_overlay(apiserver, judge, name):
    judge([o for o in kustomized(apiserver, KUSTOMIZE / "overlays" / name)], "secrets" if name == "namespace" else "ampule")


@pytest.mark.parametrize("name", overlays())
def test_an_overlay_changes_something(apiserver, name):
    changed = kustomized(apiserver, KUSTOMIZE / "overlays" / name)
    assert changed != kustomized(apiserver, KUSTOMIZE / "base")


def test_the_overlay_for_another_namespace_leaves_no_trace_of_the_first(apiserver):
    text = apiserver.kubectl("kustomize", KUSTOMIZE / "overlays" / "namespace")
    assert "namespace: ampule" not in text and ".ampule.svc" not in text and "-svc.ampule" not in text


# -------------------------------------------------------------------------------------------------------------- kubeconform


@pytest.fixture(scope="module")
def conform(apiserver, tmp_path_factory):
    """conform(objects): what kubeconform says against them by the schemas of this API server."""
    folder = schemas.write(apiserver, tmp_path_factory.mktemp("schemas"))
    return lambda objects: schemas.kubeconform(folder, [o for o in objects if o["apiVersion"] in BUILTIN])


def test_kubeconform_finds_nothing_in_what_the_chart_renders(conform):
    for values in [*VARIANTS.values(), users_values("vault-helm"), users_values("openbao-helm")]:
        assert conform(render(values=values, namespace="ampule")) == []


def test_kubeconform_finds_nothing_in_kustomize_and_examples(apiserver, conform):
    folders = [KUSTOMIZE / "base", *(KUSTOMIZE / "overlays" / name for name in overlays())]
    objects = [o for folder in folders for o in kustomized(apiserver, folder)]
    objects += [o for path in sorted(EXAMPLES.glob("*.yaml")) for o in yaml.safe_load_all(path.read_text()) if o]
    assert conform(objects) == []


@pytest.mark.parametrize("right, wrong", [('"replicas": 2', '"replicas": "two"'), ('"replicas"', '"replicaz"'), ('"runAsUser"', '"runAsUsr"'),
                                          ('"scheme": "HTTPS"', '"scheme": []'), ('"image": ', '"image": 1, "x": ')])  # fmt: skip
def test_kubeconform_would_find_it(conform, right, wrong):
    text = json.dumps(render())
    assert right in text and conform(json.loads(text.replace(right, wrong, 1)))


# ----------------------------------------------------------------------------------------------------------------- examples


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_api_server_takes_the_example(apiserver, judge, path):
    objects = [o for o in yaml.safe_load_all(path.read_text()) if o]
    namespace = apiserver.namespace(unique("example"))
    # A pod is taken only where its account is, and a dry run makes none.
    apiserver.account(namespace, next(o["metadata"]["name"] for o in objects if o["kind"] == "ServiceAccount"))
    judge(objects, namespace)


def test_the_readme_lists_every_example():
    listed = (EXAMPLES / "README.md").read_text()
    assert all(f"`{path.name}`" in listed for path in EXAMPLES.glob("*.yaml"))


def test_the_chart_packs(apiserver, tmp_path):
    apiserver.helm("package", CHART, "--destination", tmp_path)
    assert list(tmp_path.glob("ampule-*.tgz"))
