"""The whole way on a real API server: the chart installed from nothing, the webhook called on create, and what it made of the pod run by hand."""

import base64
import json
import re
import ssl
import subprocess
import urllib.request

import pytest
import yaml

from support.agent import program
from support.apiserver import ApiError
from support.chart import CHART, TOP
from support.injector import Installed
from support.pods import Pod
from support.site import unique
from support.wait import for_file, until

PREFIX = "vault.hashicorp.com/"
STATUS = PREFIX + "agent-inject-status"


@pytest.fixture
def site(kubernetes_site):
    return kubernetes_site


@pytest.fixture(scope="module")
def injector(apiserver, kubernetes_site, tmp_path_factory):
    # The CA of this server is in a Secret of every namespace, and no pod has to say so.
    trust = {PREFIX + "tls-secret": "server-ca", PREFIX + "ca-cert": "/vault/tls/ca.crt"}
    values = {"global": {"externalVaultAddr": kubernetes_site.address}, "injector": {
        "agentDefaults": {"annotations": trust}, "metrics": {"enabled": True}, "authPath": f"auth/{kubernetes_site.mount}", "webhook": {"failurePolicy": "Fail"},
    }}  # fmt: skip
    installed = Installed(apiserver, tmp_path_factory.mktemp("injector"), unique("ampule"), values=values)
    installed.route(installed.start())
    installed.ready()
    yield installed
    installed.stop()


@pytest.fixture
def namespace(apiserver, site):
    return apiserver.apps(site)


@pytest.fixture
def create(apiserver, injector, namespace, tmp_path):
    """create(item): the pod as it is stored, to be run by hand."""
    made = []

    def create(item):
        apiserver.account(namespace, item["spec"].get("serviceAccountName", "default"))
        stored = apiserver.api.post(apiserver.api.pods(namespace), item)
        made.append(Pod(apiserver, stored, tmp_path / unique("pod")))
        return made[-1]

    yield create
    for pod in made:
        pod.stop()


def example(name, kind="Pod"):
    return next(o for o in yaml.safe_load_all((TOP / "deploy" / "examples" / f"{name}.yaml").read_text()) if o["kind"] == kind)


def template_of(item):
    """The pod in an object of any kind, or None."""
    spec = item.get("spec", {})
    return item if item["kind"] == "Pod" else spec.get("jobTemplate", {"spec": spec})["spec"].get("template")


def pod(annotations, **spec):
    containers = [{"name": "app", "image": "app", "command": ["app"]}]
    return {"metadata": {"generateName": "app-", "annotations": {PREFIX + k if "/" not in k else k: v for k, v in annotations.items()}},
            "spec": {"containers": containers, **spec}}  # fmt: skip


def config(item, container):
    env = {v["name"]: v.get("value") for v in item.container(container)["env"]}
    return json.loads(base64.b64decode(env["VAULT_CONFIG"]))


def test_the_everyday_example_renders_a_connection_string_that_works(site, postgres, namespace, create):
    postgres.enable(site.vault, "database", role="app-readonly")
    site.named_role("api-server", namespace, rules={"database/creds/app-readonly": ["read"]})
    item = example("database")
    template = PREFIX + "agent-inject-template-database-url"
    annotations = item["metadata"]["annotations"]
    annotations[template] = annotations[template].replace(":5432", f":{postgres.port}")
    one = create(item)
    assert [c["name"] for c in one.item["spec"]["initContainers"]] == ["vault-agent-init"]
    assert [c["name"] for c in one.item["spec"]["containers"]] == ["api-server", "vault-agent"]
    assert one.start("vault-agent-init").wait_exit() == 0, one.processes["vault-agent-init"].log
    url = for_file(one.file("vault-secrets", "database-url"))
    assert postgres.url(url, "SELECT 1") == "1"


def test_a_pod_that_does_not_ask_is_left_alone(injector, namespace):
    assert STATUS not in injector.dry_run(namespace, {"note": "x"})["metadata"]["annotations"]
    assert STATUS not in injector.dry_run(namespace, {PREFIX + "agent-inject": "false"})["metadata"]["annotations"]


def test_a_pod_that_does_not_ask_is_never_sent(apiserver, injector, namespace):
    before = injector.replicas[0].process.log
    injector.dry_run(namespace, {PREFIX + "role": "x"})
    injector.dry_run(namespace, {PREFIX + "agent-inject": "false"})
    assert injector.replicas[0].process.log == before


def test_a_refusal_reaches_the_user_with_its_reason(injector, namespace):
    with pytest.raises(ApiError, match="no Vault role found"):
        injector.dry_run(namespace, {PREFIX + "agent-inject": "true"})


def test_a_container_without_a_command_is_refused_by_name(apiserver, injector, namespace):
    annotations = {"agent-inject": "true", "role": "x", "ampule.dev/env-WORD": "{{ 1 }}"}
    item = pod(annotations, containers=[{"name": "app", "image": "app", "command": ["app"]}, {"name": "proxy", "image": "app"}])
    with pytest.raises(ApiError, match="ampule.dev/env-WORD: container proxy has no command"):
        apiserver.api.post(apiserver.api.pods(namespace) + "?dryRun=All", item)
    item["metadata"]["annotations"][PREFIX + "agent-inject-containers"] = "app"
    made = apiserver.api.post(apiserver.api.pods(namespace) + "?dryRun=All", item)
    assert [c.get("command", [None])[0] for c in made["spec"]["containers"][:2]] == ["/ampule/program/ampule-agent", None]


def test_the_program_that_was_brought_starts_the_app_with_its_variables(site, namespace, create):
    path = site.kv2().put("app", word="alice")
    site.named_role("app", namespace)
    contents = '{{ with secret "%s" }}{{ .Data.data.word }}{{ end }}' % path
    one = create(pod({"agent-inject": "true", "role": "app", "ampule.dev/env-WORD": contents}, serviceAccountName="app", containers=[
        {"name": "app", "image": "app", "command": ["/bin/sh", "-c"], "args": ['printf %s "$WORD"; exit 7']},
    ]))  # fmt: skip
    for name in ("ampule-program", "vault-agent-init"):
        assert one.start(name).wait_exit() == 0, one.processes[name].log
    app = one.start("app")
    assert app.wait_exit() == 7 and app.out == ["alice"], app.log


def test_a_value_that_is_no_boolean_is_refused(injector, namespace):
    with pytest.raises(ApiError, match="error checking if should inject agent"):
        injector.dry_run(namespace, {PREFIX + "agent-inject": "yes"})


def test_a_misspelt_annotation_is_warned_of_by_its_nearest_name(apiserver, injector, namespace):
    injector.dry_run(namespace, {PREFIX + "agent-inject": "true", PREFIX + "role": "x", PREFIX + "agent-pre-populat": "true"})
    assert any("agent-pre-populate" in warning for warning in apiserver.api.warnings), apiserver.api.warnings


def test_system_namespaces_are_refused(injector):
    with pytest.raises(ApiError, match="cannot inject into system namespaces"):
        injector.dry_run("kube-system", {PREFIX + "agent-inject": "true", PREFIX + "role": "x"})


def test_the_sidecar_keeps_the_file_fresh(site, namespace, create):
    kv = site.kv2()
    path = kv.put("app", word="alice")
    site.named_role("app", namespace)
    contents = '{{ with secret "%s" }}{{ .Data.data.word }}{{ end }}' % path
    one = create(pod({
        "agent-inject": "true", "role": "app", "agent-inject-template-word": contents, "template-static-secret-render-interval": "1s",
    }, serviceAccountName="app"))  # fmt: skip
    assert one.start("vault-agent-init").wait_exit() == 0, one.processes["vault-agent-init"].log
    for_file(one.file("vault-secrets", "word"), "alice")
    one.start("vault-agent")
    kv.put("app", word="bob")
    for_file(one.file("vault-secrets", "word"), "bob")


def test_what_controllers_create_is_injected_too(apiserver, injector, namespace):
    deployment = example("hand-over", "Deployment")
    apiserver.account(namespace, "orders")
    apiserver.api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment)
    found = until(lambda: apiserver.api.get(apiserver.api.pods(namespace))["items"], "a pod of the Deployment")
    assert found[0]["metadata"]["annotations"][STATUS] == "injected"


@pytest.mark.parametrize("path", sorted((TOP / "deploy" / "examples").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_example_is_injected_without_a_warning(apiserver, injector, namespace, path):
    for template in filter(None, map(template_of, yaml.safe_load_all(path.read_text()))):
        apiserver.account(namespace, template["spec"]["serviceAccountName"])
        body = {"metadata": {"generateName": "try-", "annotations": template["metadata"]["annotations"]}, "spec": template["spec"]}
        body["spec"].setdefault("restartPolicy", "Always")
        made = apiserver.api.post(apiserver.api.pods(namespace) + "?dryRun=All", body)
        assert made["metadata"]["annotations"][STATUS] == "injected"
        assert apiserver.api.warnings == []


# ----------------------------------------------------------------------------------------------------------------- examples

# file, what is in it
RENDERED = {
    "deployment": ("app.env", "WORD=alice\n"), "job": ("db.json", '"WORD":"alice"'), "cronjob": ("s3", "WORD:alice"), "hand-over": ("db", "postgresql://v-"),
    "environment": ("DATABASE_URL", "postgresql://v-"), "native-sidecar": ("db", "postgresql://v-"), "pki-nginx": ("tls.pem", "-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----"),
}  # fmt: skip


@pytest.fixture(scope="module")
def secrets(kubernetes_site, postgres):
    """What the examples read, by the paths that they name."""
    vault = kubernetes_site.vault
    kv, pki = kubernetes_site.kv2().put("example", WORD="alice"), vault.enable_secrets(unique("pki"), "pki")
    creds = postgres.enable(vault, unique("database"))
    vault.write(f"{pki}/root/generate/internal", common_name="example.com", ttl="240h")
    vault.write(f"{pki}/roles/nginx", allowed_domains="example.com", allow_subdomains=True, max_ttl="48h")
    return {"secret/data/web": kv, "secret/data/migrate": kv, "secret/data/billing": kv, "database/creds/billing": creds, "aws/creds/report": kv, "database/creds/orders": creds, "database/creds/import": creds,
            "pki/issue/nginx": f"{pki}/issue/nginx"}  # fmt: skip


@pytest.mark.parametrize("name", RENDERED)
def test_the_agent_of_an_example_renders_its_file(apiserver, injector, site, secrets, namespace, create, name):
    text = (TOP / "deploy" / "examples" / f"{name}.yaml").read_text()
    for path, real in secrets.items():
        text = text.replace(path, real)
    (template,) = (t for item in yaml.safe_load_all(text) for t in [template_of(item)] if t)
    for item in yaml.safe_load_all(text):
        if item["kind"] == "ConfigMap":
            apiserver.api.post(f"/api/v1/namespaces/{namespace}/configmaps", item)
    site.named_role(template["metadata"]["annotations"][PREFIX + "role"], namespace, template["spec"]["serviceAccountName"])
    one = create({"metadata": {"generateName": "try-", "annotations": template["metadata"]["annotations"]}, "spec": {"restartPolicy": "Always", **template["spec"]}})
    (agent,) = [c for c in one.item["spec"]["initContainers"] if c["name"].startswith("vault-agent")]
    process = one.start(agent["name"])
    file, words = RENDERED[name]
    volume = "ampule-environment" if name == "environment" else "vault-secrets"
    if agent.get("restartPolicy") != "Always":
        assert process.wait_exit() == 0, process.log
    until(lambda: one.file(volume, file).exists(), lambda: f"the file; the agent said:\n{process.log}")
    assert words in one.file(volume, file).read_text()


# ------------------------------------------------------------------------------------------------------------------ explain

LACKING = {"auth-type": "oci"}  # which the agent does not have
SHAPES = [
    {}, {"agent-pre-populate-only": "true"}, {"agent-pre-populate": "false"}, {"ampule.dev/native-sidecar": "true"}, {"ampule.dev/handover": "true"},
    {"agent-init-first": "true"}, LACKING, {"agent-configmap": "mine"}, {"ampule.dev/token-audience": "vault"},
    {"agent-inject-secret-a": "kv/a", "secret-volume-path-a": "/vault/other"},
    {"agent-inject-secret-a": "kv/a", "ampule.dev/identity-a": "pay", "ampule.dev/identity-role-pay": "pay"},
    {"ampule.dev/env-WORD": "{{ 1 }}", "agent-pre-populate": "false"}, {"ampule.dev/env-WORD": "{{ 1 }}", "ampule.dev/native-sidecar": "true"},
]  # fmt: skip


def explain(injector, text, *options):
    """(exit status, outcomes by name, the whole answer), with the settings of the installed injector."""
    env = {v["name"]: v["value"] for v in injector.deployment["spec"]["template"]["spec"]["containers"][0]["env"] if "value" in v}
    done = subprocess.run([program("ampule"), "explain", "--format=json", *options], input=text, env=env, capture_output=True, text=True, check=False)
    assert done.stderr == "" and "\x1b" not in done.stdout
    answer = json.loads(done.stdout)
    return done.returncode, {row["name"]: row["outcome"] for row in answer["workloads"]}, answer


def test_explain_finds_every_pod_of_a_fleet_as_the_webhook_made_it(apiserver, injector, namespace):
    wanted = {}
    for number in range(100):
        shape = SHAPES[number % len(SHAPES)]
        item = pod({"agent-inject": "true", "role": "x", **shape} if number % 3 else {"note": "x"})
        item["metadata"]["name"] = name = f"pod-{number}"
        apiserver.api.post(apiserver.api.pods(namespace), item)
        wanted[name] = "not injected" if number % 3 == 0 else "not supported" if shape is LACKING else "same"
    status, outcomes, answer = explain(injector, apiserver.kubectl("get", "pods", "-n", namespace, "-o", "json"))
    assert outcomes == wanted, [row["notes"] for row in answer["workloads"] if row["outcome"] == "different"]
    assert status == 1


def test_explain_reads_what_kubectl_prints_of_all_kinds(apiserver, injector, namespace):
    for path in sorted((TOP / "deploy" / "examples").glob("*.yaml")):
        apiserver.kubectl("apply", "-n", namespace, "-f", path)
    for form in ("yaml", "json"):
        text = apiserver.kubectl("get", "deployments,replicasets,jobs,cronjobs,services,serviceaccounts", "-n", namespace, "-o", form)
        status, outcomes, answer = explain(injector, text)
        assert {"web", "orders", "billing", "nginx", "migrate", "import", "report"} <= set(outcomes)
        assert set(outcomes.values()) == {"same"}, answer
        assert status == 0


# ------------------------------------------------------------------------------------------------------------------ refusals

MINE = {"volumes": [{"name": "mine", "emptyDir": {}}]}


def mounting(path, **more):
    return {**MINE, "containers": [{"name": "app", "image": "app", "volumeMounts": [{"name": "mine", "mountPath": path, **more}]}]}


def patching(value, path="/volumeMounts/-", annotation="agent-json-patch"):
    return {annotation: json.dumps([{"op": "add", "path": path, "value": value}])}


# Annotations, the pod, and what the webhook and explain say of it: this API server is the judge. None: it takes the pod, and nobody says anything.
REFUSALS = {
    "nothing": ({}, {}, None),
    "volume": ({}, {"volumes": [{"name": "vault-secrets", "emptyDir": {}}]}, "two volumes are named vault-secrets"),
    "container": ({}, {"containers": [{"name": "vault-agent", "image": "app"}]}, "two containers are named vault-agent"),
    "init container": ({}, {"initContainers": [{"name": "vault-agent-init", "image": "app"}]}, "two containers are named vault-agent-init"),
    "mount": ({}, mounting("/vault/secrets"), "container app mounts two volumes at /vault/secrets"),
    "mount of another folder": ({"secret-volume-path": "/data"}, mounting("/data"), "container app mounts two volumes at /data"),
    "mount of one secret": ({"agent-inject-secret-a": "kv/a", "secret-volume-path-a": "/data"}, mounting("/data"), "container app mounts two volumes at /data"),
    "mount below": ({}, mounting("/vault/secrets/sub"), None),
    "mount of a container that gets none": ({"agent-inject-containers": "other"}, mounting("/vault/secrets"), None),
    "copied mount": ({"agent-copy-volume-mounts": "app", "tls-secret": "x"}, mounting("/vault/tls"), "container vault-agent mounts two volumes at /vault/tls"),
    "copied propagation": ({"agent-copy-volume-mounts": "app"}, mounting("/x", mountPropagation="Bidirectional"), "with mountPropagation Bidirectional"),
    "patched mount": (patching({"name": "ca", "mountPath": "/ca"}), {}, "container vault-agent mounts the volume ca, which the pod does not have"),
    "patched name": (patching("app", "/name"), {}, "two containers are named app"),
    "patched init": (patching({}, "/lifecycle", "agent-init-json-patch"), {}, "container vault-agent-init is an init container and may not have lifecycle"),
    "no folder": ({"secret-volume-path": ""}, {}, "container app mounts a volume at no path"),
    "cpu": ({"agent-requests-cpu": "2"}, {}, "requests 2 of cpu, more than its limit of 500m"),
    "memory": ({"agent-limits-mem": "1Mi"}, {}, "more than its limit of 1Mi"),
    "less than nothing": ({"agent-limits-cpu": "-1"}, {}, "has less than no cpu: -1"),
    "cpu of the pod": ({"agent-requests-cpu": "200m"}, {"resources": {"requests": {"cpu": "100m"}}}, "request more cpu than the pod's own resources have (100m)"),
    "cpu of a large pod": ({"agent-requests-cpu": "200m"}, {"resources": {"requests": {"cpu": "200m"}}}, None),
    "uid": ({"agent-run-as-user": "-1"}, {}, "runAsUser must be between 0 and 2147483647"),
    "processes": ({"agent-share-process-namespace": "true"}, {"hostPID": True}, "hostPID and shareProcessNamespace exclude each other"),
    "windows": ({}, {"os": {"name": "windows"}}, "spec.os.name is windows"),
    "host process": ({}, {"hostNetwork": True, "containers": [{"name": "app", "image": "app", "securityContext": {"windowsOptions": {"hostProcess": True}}}]},
                     "either all containers are host processes of Windows or none"),
    "size": ({"ampule.dev/secrets-size": "-1Mi"}, {}, "volume vault-secrets is to be smaller than nothing: -1Mi"),
    "token": ({"ampule.dev/token-audience": "v", "ampule.dev/token-expiration": "4294967297"}, {}, "a token may not live longer than 2^32 seconds"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_the_api_server_refuses_the_webhook_and_explain_foresee(apiserver, injector, namespace, name):
    annotations, spec, words = REFUSALS[name]
    item = {"kind": "Pod", **pod({"agent-inject": "true", "role": "x", **annotations}, **spec)}
    try:
        apiserver.api.post(apiserver.api.pods(namespace) + "?dryRun=All", item)
        refused = False
    except ApiError as error:
        assert error.status == 422, error
        refused = True
    said = [text for text in apiserver.api.warnings if text.startswith("Kubernetes refuses: ")]
    _, outcomes, answer = explain(injector, json.dumps(item))
    assert refused == (words is not None) == bool(said)
    # An annotation that points at nothing is told of, which the original does not.
    pointless = name == "mount of a container that gets none"
    assert list(outcomes.values()) == ["refused" if refused else "better" if pointless else "same"], answer
    assert words is None or (words in said[0] and answer["workloads"][0]["text"] == said[0])


# ------------------------------------------------------------------------------------------------------------------ metrics


def test_the_dashboard_asks_the_served_metrics_as_their_types_allow(injector, namespace):
    injector.dry_run(namespace, {PREFIX + "agent-inject": "true", PREFIX + "role": "x"})
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    text = urllib.request.urlopen(f"https://127.0.0.1:{injector.replicas[0].port}/metrics", context=context, timeout=60).read().decode()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    assert f'vault_agent_injector_injections_by_namespace_total{{injection_type="init_and_sidecar",namespace="{namespace}"}} ' in text
    dashboard = json.loads((CHART / "dashboards" / "injector.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for expression in asked:
        assert all(expression.count(a) == expression.count(b) for a, b in ("()", "{}", "[]")), expression
        for name, rest in re.findall(r"\b((?:ampule|vault|process)_\w+)((?:\{[^}]*\})?(?:\[[^]]*\])?)", expression):
            kind = types[re.sub("_(bucket|sum|count)$", "", name) if name not in types else name]
            assert ("[" in rest) is (kind in ("counter", "histogram")), expression


# ---------------------------------------------------------------------------------------------------------- shapes of pods


def test_a_native_sidecar_is_one_container_that_stays(site, namespace, create):
    kv = site.kv2()
    path = kv.put("app", word="alice")
    site.named_role("app", namespace)
    contents = '{{ with secret "%s" }}{{ .Data.data.word }}{{ end }}' % path
    one = create(pod({"agent-inject": "true", "role": "app", "agent-inject-template-word": contents, "ampule.dev/native-sidecar": "true"},
                     serviceAccountName="app"))  # fmt: skip
    (container,) = one.item["spec"]["initContainers"]
    assert container["restartPolicy"] == "Always" and [c["name"] for c in one.item["spec"]["containers"]] == ["app"]
    process = one.start(container["name"])
    process.wait_log("rendered")
    for_file(one.file("vault-secrets", "word"), "alice")
    assert process.running


def test_pod_security_restricted_admits_an_injected_pod(apiserver, injector):
    name = apiserver.namespace(unique("strict"), **{"pod-security.kubernetes.io/enforce": "restricted"})
    context = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
    annotations = {PREFIX + "agent-inject": "true", PREFIX + "role": "x"}
    containers = [{"name": "app", "image": "app", "securityContext": context}]
    with pytest.raises(ApiError, match="seccompProfile"):
        injector.dry_run(name, annotations, containers=containers)
    injector.dry_run(name, {**annotations, "ampule.dev/seccomp-profile": "RuntimeDefault"}, containers=containers)


def test_openbaos_prefix_means_the_same(injector, namespace):
    made = injector.dry_run(namespace, {"openbao.org/agent-inject": "true", "openbao.org/role": "x"})
    assert made["spec"]["initContainers"][0]["name"] == "vault-agent-init"
