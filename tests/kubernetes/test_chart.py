"""The chart beyond its values: what it refuses, what its objects are, and that no two places say the same thing differently."""

import json
import re
import subprocess

import pytest
import yaml

from support.agent import program
from support.apiserver import programs
from support.chart import CHART, TOP, Refused, is_hook, look, pick, render, users_values

FIRST = "spec/template/spec/containers/0"

def test_a_values_file_of_the_vault_chart_works_as_it_is():
    objects = render(values=users_values("vault-helm"))
    deployment, hook = pick(objects, "Deployment"), pick(objects, "MutatingWebhookConfiguration")
    env = {v["name"]: v.get("value") for v in look(deployment, FIRST + "/env")}
    assert deployment["spec"]["replicas"] == 3
    assert look(deployment, FIRST + "/image") == "hashicorp/vault-k8s:1.7.6"
    assert env["AGENT_INJECT_VAULT_ADDR"] == "https://vault.example.com:8200"
    assert env["AGENT_INJECT_VAULT_IMAGE"] == "hashicorp/vault:2.0.4"
    assert (env["AGENT_INJECT_CPU_REQUEST"], env["AGENT_INJECT_MEM_REQUEST"]) == ("250m", "64Mi")
    assert env["AGENT_INJECT_TLS_MIN_VERSION"] == "tls13"
    assert look(hook, "webhooks/0/failurePolicy") == "Fail"
    assert look(hook, "webhooks/0/namespaceSelector") == {"matchLabels": {"vault": "yes"}}
    assert look(deployment, "spec/template/spec/nodeSelector") == {"role": "infra"}
    assert not [o for o in objects if o["kind"] in ("StatefulSet", "DaemonSet")]


@pytest.mark.parametrize("name", ["vault-helm", "openbao-helm"])
def test_texts_of_the_other_charts_that_call_their_name_mean_our_pods(name):
    objects = render(values=users_values(name))
    deployment, hook = pick(objects, "Deployment"), pick(objects, "MutatingWebhookConfiguration")
    mine = deployment["spec"]["template"]["metadata"]["labels"]
    term = "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector/matchLabels"
    assert look(deployment, term).items() <= mine.items()
    assert look(hook, "webhooks/0/objectSelector/matchExpressions/0/values") == [mine["app.kubernetes.io/name"]]


def test_a_values_file_of_the_openbao_chart_works_as_it_is():
    objects = render(values=users_values("openbao-helm"))
    deployment, hook = pick(objects, "Deployment"), pick(objects, "MutatingWebhookConfiguration")
    env = {v["name"]: v.get("value") for v in look(deployment, FIRST + "/env")}
    assert env["AGENT_INJECT_VAULT_ADDR"] == "https://bao.example.com:8200"
    assert env["AGENT_INJECT_VAULT_IMAGE"] == "quay.io/openbao/openbao:2.6.0"
    assert [c["name"] for c in look(hook, "webhooks/0/matchConditions")] == ["pod-asks-for-injection", "not-by-operators"]
    assert pick(objects, "Service")["metadata"]["labels"]["team"] == "platform"


def test_as_part_of_another_chart_it_may_be_switched():
    """helm gives a part the value that its condition names."""
    assert pick(render(values={"enabled": True}), "Deployment")


# What is not a value of that kind, and the part of the message that names it.
REFUSED = [
    ({"injector": {"replicas": "two"}}, "replicas"),
    ({"injector": {"replicas": -1}}, "replicas"),
    ({"injector": {"port": 70000}}, "port"),
    ({"injector": {"webhook": {"failurePolicy": "fail"}}}, "failurePolicy"),
    ({"injector": {"webhook": {"timeoutSeconds": 31}}}, "timeoutSeconds"),
    ({"injector": {"webhook": {"url": "http://plain"}}}, "url"),
    ({"injector": {"agentDefaults": {"template": "yaml"}}}, "template"),
    ({"injector": {"agentDefaults": {"memLimit": "128mb"}}}, "memLimit"),
    ({"injector": {"agentDefaults": {"annotations": {"ampule.dev/native-sidecar": True}}}}, "native-sidecar"),
    ({"injector": {"policy": {"mode": "strict"}}}, "mode"),
    ({"injector": {"logLevel": "loud"}}, "logLevel"),
    ({"injector": {"image": {"repository": ""}}}, "repository"),
    ({"injector": {"extraEnvironmentVars": {"A-B": "x"}}}, "A-B"),
    ({"injector": {"policy": {"allowPath": []}}}, "allowPath"),
    ({"injector": {"podDisruptionBudget": {"minimum": 1}}}, "minimum"),
    ({"injector": {"kubernetesVersion": "v1.30.2"}}, "kubernetesVersion"),
]


@pytest.mark.parametrize("values, word", REFUSED, ids=[word for _, word in REFUSED])
def test_the_schema_refuses(values, word):
    with pytest.raises(Refused, match=re.escape(word)):
        render(values=values)


# Texts that cannot be used, and what the message says of them.
TEXTS = [
    ("injector.affinity", "{{ include \"vault.fullname\" . ", "unclosed action"),
    ("injector.affinity", "podAffinity: {a: b", "injector.affinity: this text is no YAML"),
    ("injector.tolerations", "- a\nb: c", "injector.tolerations: this text is no YAML"),
    ("injector.webhook.objectSelector", "matchLabels: {a: '{{ template \"vault.mode\" . }}'}", 'injector.webhook.objectSelector: this text calls the template "vault.mode"'),
    ("injector.annotations", "a: '{{include `openbao.injectorEnabled` .}}'", 'injector.annotations: this text calls the template "openbao.injectorEnabled"'),
    ("injector.nodeSelector", '{{ include "injector.nodeselector" . }}', 'injector.nodeSelector: this text calls the template "injector.nodeselector"'),
]  # fmt: skip


def tree(path, value):
    for word in reversed(path.split(".")):
        value = {word: value}
    return value


@pytest.mark.parametrize("path, text, word", TEXTS, ids=[f"{n} {path}" for n, (path, _, _) in enumerate(TEXTS)])
def test_a_text_that_cannot_be_used_is_told_with_its_name(path, text, word):
    with pytest.raises(Refused, match=re.escape(word)):
        render(values=tree(path, text))


@pytest.mark.parametrize("vendor", ["vault", "openbao"])
@pytest.mark.parametrize("name, mine", [("name", "vault"), ("fullname", "secrets-vault"), ("namespace", "ns"), ("chart", None)])
def test_helpers_of_the_other_charts_in_texts_mean_what_they_mean_there(vendor, name, mine):
    text = f"podAffinity: {{a: '{{{{ include \"{vendor}.{name}\" . }}}}'}}"
    deployment = pick(render("nameOverride=vault", values=tree("injector.affinity", text), release="secrets", namespace="ns"), "Deployment")
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    assert look(deployment, "spec/template/spec/affinity/podAffinity/a") == (mine or f"ampule-{version}")
    if name == "fullname":
        assert deployment["metadata"]["name"] == mine + "-agent-injector"


# Whatever else stands in a user's values file for another chart: it is taken, and NOTES name it (test_objects).
UNKNOWN = [
    {"priorityClassName": "system-cluster-critical"},
    {"injector": {"serviceAccount": {"create": True, "name": "vault-agent-injector", "annotations": {}}}},
    {"injector": {"agentDefaults": {"extraEnvironmentVars": {"VAULT_ADDR": "https://vault.example.com"}}}},
    {"injector": {"replicaz": 2}},
    {"injector": {"webhook": {"failurPolicy": "Fail"}, "certs": {"secret": "x"}, "metrics": {"serviceMonitor": {"enabled": True}}}},
    {"injector": {"image": {"digest": "sha256:0"}, "livenessProbe": {"enabled": True}, "networkPolicy": {"allowExternal": True}}},
    {"injektor": {}, "global": {"storageClass": "", "imagePullSecrets": [{"name": "a", "b": "c"}]}},
    {"server": {"dataStorage": {"size": "10Gi"}}, "csi": {}, "ui": {"enabled": True}, "snapshotAgent": {}, "extraObjects": [{}], "vault": {}},
]


@pytest.mark.parametrize("values", UNKNOWN, ids=[next(iter(v)) + str(n) for n, v in enumerate(UNKNOWN)])
def test_values_of_others_change_nothing(values):
    objects = render(values=values)
    assert [o["kind"] for o in objects] == [o["kind"] for o in render()]
    assert look(pick(objects, "Deployment"), FIRST) == look(pick(render(), "Deployment"), FIRST)


def test_every_value_has_a_place_in_the_schema():
    """Or a default could not be written into a values file."""

    def walk(values, schema, path):
        for key, value in (values or {}).items():
            at = schema.get("properties", {}).get(key)
            assert at is not None, f"{path}.{key}"
            at = defs[at["$ref"].rsplit("/", 1)[1]] if "$ref" in at else at
            at = at["anyOf"][-1] if "anyOf" in at else at
            if isinstance(value, dict) and "properties" in at:
                walk(value, at, f"{path}.{key}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    defs = schema["$defs"]
    walk(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "")


def test_helm_finds_nothing_to_complain_about():
    done = subprocess.run([programs() / "helm", "lint", "--strict", str(CHART)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_readme_lists_the_values():
    done = subprocess.run([TOP / "charts" / "readme", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_value_is_explained():
    """A comment stands at the value or at the group that it is in."""
    listed = re.findall(r"^\| `([\w.-]+)` \|", (CHART / "README.md").read_text(), re.M)

    def walk(values, path):
        for key, value in values.items():
            name = f"{path}{key}"
            if any(name == one or name.startswith(one + ".") for one in listed):
                continue
            assert isinstance(value, dict) and value, name
            walk(value, name + ".")

    walk(yaml.safe_load((CHART / "values.yaml").read_text()), "")


def test_default_annotations_reach_the_injector_as_one_object():
    annotations = {"ampule.dev/native-sidecar": "true", "vault.hashicorp.com/role": 'a "quoted" role'}
    deployment = pick(render(values={"injector": {"agentDefaults": {"annotations": annotations}}}), "Deployment")
    assert json.loads(look(deployment, FIRST + "/env/AMPULE_INJECT_DEFAULT_ANNOTATIONS/value")) == annotations


POLICY = [
    ("injector.policy.mode=enforce", "POLICY", "enforce"),
    ("injector.policy.allowImages={a,b*}", "ALLOW_IMAGES", "a,b*"),
    ("injector.policy.allowAddresses={https://v:8200}", "ALLOW_ADDRESSES", "https://v:8200"),
    ("injector.policy.allowPaths={/vault/*,/run/x}", "ALLOW_PATHS", "/vault/*,/run/x"),
    ("injector.policy.allowJsonPatch=true", "ALLOW_JSON_PATCH", "true"),
    ("injector.policy.allowRoot=true", "ALLOW_ROOT", "true"),
    ("injector.policy.allowInsecureTls=true", "ALLOW_INSECURE_TLS", "true"),
    ("injector.shutdownGrace=9s", "SHUTDOWN_GRACE", "9s"),
    ("injector.policy.annotationWarnings=false", "ANNOTATION_WARNINGS", "false"),
    ("injector.kubernetesVersion=1.28", "KUBERNETES_VERSION", "1.28"),
]


@pytest.mark.parametrize("sets, name, value", POLICY, ids=[name for _, name, _ in POLICY])
def test_what_only_ampule_has_is_a_variable_too(sets, name, value):
    options = ("--set-string" if name == "KUBERNETES_VERSION" else "--set", sets)
    assert look(pick(render(options=options), "Deployment"), f"{FIRST}/env/AMPULE_INJECT_{name}/value") == value


@pytest.mark.parametrize("name", ["AGENT_INJECT_VAULT_ADDR", "agent.inject.log.level", "NAMESPACE", "POD_NAME", "AMPULE_INJECT_POLICY", "OTHER"])
def test_a_variable_that_the_user_gives_takes_the_place_of_the_charts(name):
    env = look(pick(render(values={"injector": {"extraEnvironmentVars": {name: "mine"}}}), "Deployment"), FIRST + "/env")
    names = [v["name"] for v in env]
    assert len(names) == len(set(names))
    assert {"name": name.upper().replace(".", "_"), "value": "mine"} in env


def test_names_that_become_the_same_variable_are_one():
    env = look(pick(render(values={"injector": {"extraEnvironmentVars": {"foo.bar": "a", "FOO_BAR": "b"}}}), "Deployment"), FIRST + "/env")
    assert len([v for v in env if v["name"] == "FOO_BAR"]) == 1


@pytest.mark.parametrize("ports, allowed", [([], [None]), ([7443], [7443])])
def test_ports_of_api_servers_elsewhere_may_be_named_or_left_open(ports, allowed):
    policy = pick(render(values={"injector": {"networkPolicy": {"apiServerPorts": ports}}}), "NetworkPolicy")
    assert [p.get("port") for p in look(policy, "spec/egress/0/ports") if p.get("port") != 53] == allowed


def test_every_setting_of_ampule_has_a_value():
    known = set(re.findall(r"\[(AMPULE_INJECT_\w+)", subprocess.run([program("ampule-injector"), "--help"], capture_output=True, text=True, check=True).stdout))
    values = {"injector": {"policy": {"allowImages": ["a"], "allowAddresses": ["a"]}, "agentDefaults": {"annotations": {"ampule.dev/direct": "true"}}}}
    assert known <= {v["name"] for v in look(pick(render(values=values), "Deployment"), FIRST + "/env")}


def test_the_version_of_the_cluster_is_what_helm_finds():
    deployment = pick(render(options=("--kube-version", "1.31.4")), "Deployment")
    assert look(deployment, FIRST + "/env/AMPULE_INJECT_KUBERNETES_VERSION/value") == "1.31"


def test_an_old_cluster_is_refused():
    with pytest.raises(Refused, match="1.27"):
        render(options=("--kube-version", "1.27.0"))


def test_rights_are_for_two_objects_by_name():
    objects = render()
    rules = [rule for o in objects if o["kind"] in ("Role", "ClusterRole") for rule in o["rules"]]
    assert sorted(name for rule in rules for name in rule["resourceNames"]) == ["ampule-agent-injector-certs", "ampule-agent-injector-cfg"]
    assert all("*" not in rule["verbs"] + rule["resources"] and "list" not in rule["verbs"] for rule in rules)


def test_an_upgrade_does_not_take_the_certificates_back():
    objects = render()
    assert "data" not in pick(objects, "Secret") and "stringData" not in pick(objects, "Secret")
    assert "caBundle" not in look(pick(objects, "MutatingWebhookConfiguration"), "webhooks/0/clientConfig")


def test_with_certificates_from_elsewhere_the_injector_has_no_rights():
    objects = render("injector.certs.secretName=mine", "injector.certs.caBundle=Zm9v")
    assert not [o["kind"] for o in objects if "Role" in o["kind"] or o["kind"] == "Secret"]


FROM_ELSEWHERE = ("injector.certs.secretName=mine", "injector.certs.caName=ca.crt")


def test_the_ca_of_a_mounted_secret_is_published_with_that_right_only():
    objects = render(*FROM_ELSEWHERE)
    env = look(pick(objects, "Deployment"), FIRST + "/env")
    assert look(env, "AGENT_INJECT_TLS_CA_CERT_FILE/value") == "/etc/webhook/certs/ca.crt"
    assert look(env, "AGENT_INJECT_TLS_AUTO/value") == pick(objects, "MutatingWebhookConfiguration")["metadata"]["name"]
    assert [o["kind"] for o in objects if "Role" in o["kind"] or o["kind"] == "Secret"] == ["ClusterRole", "ClusterRoleBinding"]


@pytest.mark.parametrize("sets, asks", [
    ((), True), (("injector.certs.secretName=mine",), False), (("injector.certs.certManager.enabled=true",), False), (FROM_ELSEWHERE, True),
    (("injector.certs.secretName=mine", "injector.extraEnvironmentVars.agent\\.inject\\.tls\\.auto=x"), True),
])  # fmt: skip
def test_an_injector_that_has_nothing_to_ask_the_api_server_has_no_token_and_no_way_out(sets, asks):
    objects = render(*sets)
    assert look(pick(objects, "Deployment"), "spec/template/spec/automountServiceAccountToken") is (None if asks else False)
    policy = pick(objects, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"] and ("egress" in policy) is asks


@pytest.mark.parametrize("sets, away", [
    ((), 0), (("injector.hostNetwork=true",), 1), (("injector.affinity.a=b",), 1), (("injector.affinity.a=b", "injector.replicas=1"), 0),
    (("injector.hostNetwork=true", "injector.replicas=1"), 1), (("injector.hostNetwork=true", "injector.replicas=1", "global.openshift=true"), 0),
])  # fmt: skip
def test_an_update_goes_on_where_no_node_has_room_for_one_more(sets, away):
    strategy = pick(render(*sets), "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxUnavailable": away, "maxSurge": 1}


def test_cert_manager_issues_and_writes_the_ca():
    objects = render("injector.certs.certManager.enabled=true")
    certificate, hook = pick(objects, "Certificate"), pick(objects, "MutatingWebhookConfiguration")
    assert certificate["spec"]["dnsNames"][-1] == "ampule-agent-injector-svc.default.svc"
    assert certificate["spec"]["issuerRef"] == {"kind": "Issuer", "name": pick(objects, "Issuer")["metadata"]["name"]}
    assert hook["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] == "default/" + certificate["metadata"]["name"]
    assert look(pick(objects, "Deployment"), "spec/template/spec/volumes/0/secret/secretName") == certificate["spec"]["secretName"]


def test_an_issuer_of_the_user_is_used():
    sets = ("injector.certs.certManager.enabled=true", "injector.certs.certManager.issuerRef.kind=ClusterIssuer",
            "injector.certs.certManager.issuerRef.name=internal")  # fmt: skip
    objects = render(*sets)
    assert pick(objects, "Issuer") is None
    assert pick(objects, "Certificate")["spec"]["issuerRef"] == {"kind": "ClusterIssuer", "name": "internal"}


@pytest.mark.parametrize("kind, value", [("ServiceMonitor", "serviceMonitor"), ("PodMonitor", "podMonitor")])
def test_a_monitor_asks_by_the_certificate_of_the_service_and_metrics_are_on(kind, value):
    objects = render(f"injector.{value}.enabled=true", f"injector.{value}.labels.release=prom", namespace="ns")
    monitor = pick(objects, kind)
    endpoint = look(monitor, "spec/endpoints/0") or look(monitor, "spec/podMetricsEndpoints/0")
    assert endpoint["tlsConfig"]["serverName"] == "ampule-agent-injector-svc.ns.svc"
    assert endpoint["tlsConfig"]["ca"]["secret"]["name"] == pick(objects, "Secret")["metadata"]["name"]
    assert monitor["metadata"]["labels"]["release"] == "prom"
    assert look(pick(objects, "Deployment"), FIRST + "/env/AGENT_INJECT_TELEMETRY_PATH/value") == endpoint["path"]


def test_there_are_no_monitors_unless_asked_for():
    kinds = {o["kind"] for o in render()}
    assert not kinds & {"ServiceMonitor", "PodMonitor", "ConfigMap", "Certificate", "Issuer"}


def test_the_dashboard_asks_for_metrics_that_the_injector_has():
    text = pick(render("injector.grafanaDashboard.enabled=true"), "ConfigMap")["data"]["ampule-injector.json"]
    asked = {name for panel in json.loads(text)["panels"] for t in panel["targets"] for name in re.findall(r"\b(?:ampule|vault|process)_\w+", t["expr"])}
    source = TOP / "agent" / "serve" / "metrics.c"
    if not source.exists():
        pytest.skip("the injector's metrics are not in the tree")
    missing = {name for name in asked if f'"{name.removesuffix("_bucket")}' not in source.read_text()}
    assert asked and not missing


def test_every_object_says_whose_it_is():
    for item in render("injector.serviceMonitor.enabled=true", "injector.grafanaDashboard.enabled=true"):
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "ampule", item["kind"]
        assert labels["app.kubernetes.io/name"].startswith("ampule"), item["kind"]


def test_texts_go_through_the_template_engine():
    affinity = "podAffinity: {a: '{{ .Release.Name }}'}"
    deployment = pick(render(values={"injector": {"affinity": affinity, "tolerations": "- {key: '{{ .Chart.Name }}'}"}}), "Deployment")
    assert look(deployment, "spec/template/spec/affinity") == {"podAffinity": {"a": "ampule"}}
    assert look(deployment, "spec/template/spec/tolerations") == [{"key": "ampule"}]


@pytest.mark.parametrize("sets", [(), ("nameOverride=" + "n" * 63,), ("fullnameOverride=" + "f" * 63,)], ids=["release", "name", "fullname"])
def test_names_and_labels_of_a_long_release_are_short_enough(sets):
    for item in render(*sets, release="a" * 53):
        long = 63 if item["kind"] in ("Service", "Deployment") else 253
        assert len(item["metadata"]["name"]) <= long
        assert all(len(value) <= 63 for value in item["metadata"]["labels"].values())


def test_one_test_pod_asks_for_injection_and_is_no_object_of_the_release():
    hooks = [o for o in render() if is_hook(o)]
    assert [o["kind"] for o in hooks] == ["Pod"]
    assert hooks[0]["metadata"]["annotations"]["vault.hashicorp.com/agent-pre-populate"] == "false"
    hook = next(o for o in render("tests.role=app") if is_hook(o))
    assert hook["metadata"]["annotations"]["vault.hashicorp.com/agent-pre-populate"] == "true"


def test_versions_in_the_chart_are_those_of_the_sources():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.search(r"project\(ampule VERSION ([\d.]+)", (TOP / "CMakeLists.txt").read_text()).group(1)
    assert (chart["version"], chart["appVersion"]) == (version, version)
