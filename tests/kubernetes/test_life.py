"""The chart's life on a real API server: who is blocked while no injector answers, a release of the vault chart that becomes ours, and the end."""

import json

import pytest

from support.apiserver import ApiError
from support.chart import CHART
from support.injector import ASK, Load
from support.proxy import Wire
from support.site import unique
from support.wait import until

STATUS = "vault.hashicorp.com/agent-inject-status"
OTHERS = [{}, {"note": "x"}, {"vault.hashicorp.com/agent-inject": "false"}, {"vault.hashicorp.com/role": "app"}, {STATUS: "injected"}]


@pytest.mark.parametrize("how", ["ended", "hung"])
def test_without_an_injector_only_pods_that_ask_are_refused(install, how):
    one = install(webhook={"failurePolicy": "Fail", "timeoutSeconds": 1})
    process = one.replicas[0].process
    process.kill() if how == "ended" else process.pause()
    for annotations in OTHERS:
        assert one.dry_run(one.apps, annotations)["spec"]["containers"]
    for annotations in (ASK, {"openbao.org/agent-inject": "1"}, {"vault.hashicorp.com/agent-inject": "perhaps"}):
        with pytest.raises(ApiError, match="failed calling webhook"):
            one.dry_run(one.apps, annotations)
    if how == "hung":
        process.resume()
        one.ready()


def test_without_an_injector_and_with_ignore_pods_that_ask_start_without(install):
    one = install(webhook={"failurePolicy": "Ignore"})
    one.replicas[0].process.kill()
    assert STATUS not in one.dry_run(one.apps, ASK)["metadata"]["annotations"]


def test_while_the_api_server_is_away_pods_are_answered_and_afterwards_all_is_put_right(install):
    """Away for this injector alone."""
    one = install(replicas=0)
    wire = Wire(one.apiserver.host)
    one.route(one.start(KUBERNETES_SERVICE_PORT=str(wire.port)))
    one.ready()
    right, ring = one.bundle(), one.ring()
    pods = Load(one)
    wire.refuse()
    one.set_ring(tls_crt="nonsense")
    pods.more(20)
    assert pods.stop() == []
    one.set_bundle("")
    wire.listen()
    until(lambda: one.bundle() == right and one.ring() == ring, "bundle and Secret to be put right")
    one.ready()
    wire.close()


# ------------------------------------------------------------------------------------------------ a release of the vault chart


def theirs(name, namespace):
    """The injector of a release of the vault chart: its objects' names, labels and selectors, as a chart of templates that have nothing to fill in."""
    injector = f"{name}-agent-injector"
    labels = {"app.kubernetes.io/name": "vault-agent-injector", "app.kubernetes.io/instance": name}
    selector = {**labels, "component": "webhook"}
    container = {"name": "sidecar-injector", "image": "hashicorp/vault-k8s:1.7.6", "args": ["agent-inject", "2>&1"]}
    pod = {"serviceAccountName": injector, "containers": [container]}
    rbac = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{injector}-clusterrole"}
    hook = {"name": "vault.hashicorp.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore",
            "clientConfig": {"service": {"name": f"{injector}-svc", "namespace": namespace, "path": "/mutate"}, "caBundle": ""},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}]}  # fmt: skip

    def item(version, kind, name, **more):
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace, "labels": labels}, **more}

    return [
        item("v1", "ServiceAccount", injector),
        item("v1", "Service", f"{injector}-svc", spec={"ports": [{"name": "https", "port": 443, "targetPort": 8080}], "selector": selector}),
        item("apps/v1", "Deployment", injector, spec={"replicas": 1, "selector": {"matchLabels": selector},
                                                      "template": {"metadata": {"labels": selector}, "spec": pod}}),
        item("rbac.authorization.k8s.io/v1", "ClusterRole", f"{injector}-clusterrole", rules=[]),
        item("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", f"{injector}-binding", roleRef=rbac,
             subjects=[{"kind": "ServiceAccount", "name": injector, "namespace": namespace}]),
        item("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", f"{injector}-cfg", webhooks=[hook]),
    ]  # fmt: skip


@pytest.mark.parametrize("name", [(), ("nameOverride=vault",)], ids=["names of ours", "their names"])
def test_a_release_of_the_vault_chart_is_upgraded_in_place(apiserver, tmp_path, name):
    """With their names, objects stay what they are, also where fields may not change."""
    release, namespace = unique("vault"), apiserver.namespace(unique("vault"))
    chart = tmp_path / "vault"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: vault, version: 0.34.0}")
    (chart / "templates" / "all.yaml").write_text("\n---\n".join(map(json.dumps, theirs(release, namespace))))
    apiserver.helm("install", release, chart, "-n", namespace)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    before = apiserver.api.get(f"{path}/{release}-agent-injector")
    apiserver.helm("upgrade", release, CHART, "-n", namespace, *(word for one in name for word in ("--set", one)))
    (after,) = apiserver.api.get(path)["items"]
    assert after["spec"]["template"]["spec"]["containers"][0]["image"].startswith("ampule/injector:")
    assert (after["metadata"]["uid"] == before["metadata"]["uid"]) is bool(name)
    apiserver.helm("rollback", release, "1", "-n", namespace)
    (again,) = apiserver.api.get(path)["items"]
    assert again["spec"]["template"]["spec"]["containers"][0]["image"] == "hashicorp/vault-k8s:1.7.6"
    apiserver.helm("uninstall", release, "-n", namespace)


# ------------------------------------------------------------------------------------------------------------------- the end

KINDS = ["all", "secrets", "configmaps", "serviceaccounts", "roles", "rolebindings", "networkpolicies", "poddisruptionbudgets", "clusterroles",
         "clusterrolebindings", "mutatingwebhookconfigurations"]  # fmt: skip


def owned(one):
    """Names of what is left of a release, in its namespace and in the cluster."""
    words = one.apiserver.kubectl("get", ",".join(KINDS), "-n", one.namespace, "-o", "name", "--ignore-not-found").split()
    return sorted(word for word in words if one.release in word)


def test_uninstalling_leaves_nothing_behind_although_replicas_still_run(install):
    one = install(replicas=2)
    assert len(owned(one)) > 10
    one.apiserver.helm("uninstall", one.release, "-n", one.namespace, "--wait")
    for replica in one.replicas:
        replica.process.wait_log("status (403|404|401)")
    until(lambda: owned(one) == [], lambda: f"nothing to be left: {owned(one)}")
