"""Admission reviews made at random, from a seed: every annotation with right, wrong and odd values, and pods of all shapes."""
import json

PREFIX = "vault.hashicorp.com/"

# ------------------------------------------------------------------------------------------------------------------ values

TEXTS = [
    "", "a", "web", "A b", " padded ", 'say "x"', "back\\slash", "two\nlines", "tab\there", "<a> & 'b'", "äöü", "日本語", "😀", "\u2028\u2029", "\x01\x7f", "\u00a0\u00ad",
    "\ud800", "{{ .x }}", "$(id)", "a" * 300, "a,b", "a/b/../c", "/", ".", "..", "-", "~0~1", "null", "0", "%s%d",
]
BOOLS = ["true", "false"] * 6 + ["1", "t", "T", "TRUE", "True", "0", "f", "F", "FALSE", "False", "", "tRuE", "yes", "on", "off", " true", "true ", "true\n", "x", "2", "null", '"true"',
                                 "maybe", "ｔrue", "", "y\"z", "\u00ad", "\U000e0001", "é"]
INTS = ["0", "1", "5", "100", "1000", "4321", "-1", "-5", "+7", "007", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "", "x", "1.5", "1e3",
        "0x10", " 5", "5 ", "1_000", "٣", "-", "+", "--1", "5\n", "99999999999999999999999", "2147483648"]
UINTS = ["0", "5", "01", "30", "18446744073709551615", "18446744073709551616", "-1", "", "x", "+1", "1.5", " 1", "1_0", "00", "99999999999999999999999999"]
DURATIONS = ["1s", "10m", "1m30s", "0", "", "5", "x", "-1s", "+2h", "1.5h", ".5s", "1.s", "1ns", "1us", "1µs", "1μs", "1ms", "1d", "1h1", "s", "1ss", "1S", " 1s", "1s ", "1m 30s", "-", "+",
             "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "2562047h47m16.854775807s", "2562048h", "1000000000000000000000s", "0.0000000000000000000001s", "1.2.3s", "00", "-0", "+0",
             "é", "1é", "1\"", "1h\n", "0.9223372036854775808s", "9223372036.9s", "1h2m3s4ms5us6ns", "106751d", "1e3s", "٣s"]
QUANTITIES = ["0", "1", "0.5", "100m", "250m", "500mi", "64Mi", "128Mi", "1Gi", "1.5Gi", "0.1", "0.1Gi", "1e3", "1E3", "1E", "1e", "-1", "+1", "1k", "1K", "1Ki", "1024Ki", "1023Ki", "1048576", "0.001", "1n",
              "1u", "0.0001Mi", ".5", "5.", ".", "", "1 Gi", "1Mi ", " 1Mi", "1e-3", "1e-9", "1e-10", "1e18", "9Ei", "8Ei", "7Ei", "7.999Ei", "999E", "9E", "10z", "5Q", "0x10", "1ki", "1.2.3", "١", "e3",
              "Mi", "1000m", "1500m", "2000000u", "1e9n", "0Mi", "00.50", "-0", "0m", "0e5", "0.0", "0.000000000001", "0.0000000001n", "1Pi", "1P", "3Ti", "1T",
              "123456789.123456789", "1.0000000001", "0.9999999999", "64gi", "128mb", "128g", "128M", "5G", "1Mi\n", "-64Mi", "-0.5", "+64Mi", "1e+3", "1E-3", "1.5e3", "1e3Mi", "1000000", "1000", "10000Ki", "1.1Ki",
              "1e-1000", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9223372036854775807m", "999999999999999999", "0.1m", "0.01n", "1m1", "1ee3", "2Eii",
              "16m i", "0.000000001", "1234567890123456789n", "5e-1", "1e0", "1e1", "1e2", "1e4", "12e1", "100e-1", "1.5Ei", "1.25e-1"]
LISTS = ["", "app", "other", "app,other", "other,app", "app,app", ",", "app,", ",app", "app, other", "none", "auto-auth", "auto-auth,caching,templating", "auto-auth,,caching", "foo", "c0,c1", "APP", "a\"b,c\nd", "日,本"]
TEMPLATES = [
    "", " ", "\n", "{{ with secret \"a/b\" }}{{ .Data.x }}{{ end }}", "{{- with secret \"database/creds/app\" -}}\npostgresql://{{ .Data.username }}@db/app\n{{- end }}", "x & y < z > \"q\"", "{{ bad",
    "a<b>&c \"q\" \\ \n end", "<< with secret \"a\" >>x<< end >>", "plain", "é😀\u2028", "\x01\x7f\x00", "\ud800", "'; rm -rf /; '", "\t{{/* c */}}\r\n",
]
PATHS = ["", "database/creds/app", "secret/data/db", "pki/issue/web", "secret/data/a\"b", "secret/data/äö", "a\\b", "a\nb", "   ", "\t", "\u00a0", "\u2003 ", "\u3000", "\u200b", "x%sy", "x%y", "%", "%d%[1]s", "secret/data/%20", "a\" \"k=v", "kv/<&>"]
FOLDERS = ["/vault/secrets", "", "/", "/one", "/two", "/app/secrets", "/app/secrets/", "relative", "../up", "/a/../b", "//x", "/x\"y", "/x\ny", "/é", " /sp ", ".", "/vault/secrets/"]
FILES = ["", "a.env", "d/B.env", "../up", "/abs", "DB.Env", "../../../../etc/x", "a//b", "./c", "..", ".", "/", "a b", "é", "a\"b", "a/", "a/../..", "a\nb", "...", "a/.../b", "../a/../../b"]
COMMANDS = ["", "true", "kill -HUP 1", "sh -c 'x > y'", "kill -HUP $(pidof app)", "a && b", "\"q\"", "multi\nline", "é"]
PERMS = ["", "0400", "0640", "644", "rw", "0", "07777", "-1", "é", " 0400"]
DELIMITERS = ["", "<<", ">>", "{{", "[[", "é", " ", "\"", "\n", "{", "{{{"]
PORTS = ["", "8200", "8300", "x", "0", "99999", " 1", "é\"", "8200,8201"]
VOLUMES = ["", "tok", "missing", "kube-api-access-x7k2p", "nopath", "plain", "aws-iam-token", "two", "a\"b\nc", "é", "emptypath", "mounted-only", "\u00ad"]
NUMBERS = ["0", "0.5", "0.9"]
TELEMETRY = ["", "10s", "15", "0s", "true", "false", '"x"', '"5"', "5", "5.0", "5.5", "1e2", "1e20", "-3", "0", '["a","b"]', '["a",1]', "[]", '["a",null]', "null", "{}", '{"a":1}', "[", "x y", "9223372036854775807",
             "9223372036854775808", "1e-3", '"é\\u00e9"', '["<&>"]', " 5 ", '"a" x', "nul", "True", "-0", "01", "1.", '["a"', '"\\ud800"', "[[\"a\"]]", "100000000000000000000000", "1E400", "9007199254740993", "-9223372036854775808"]
PARAMETERS = ["", "x", "true", "false", "5", "cfgrole", "/tok/x", "eu-west-1", "é\"\n<&>", "{}", "a" * 200]

NAMES = ["db", "API-Key", "tls.crt", ".env", "x_y", "Cfg", "UPPER", "upper", "a-b-c", "0", "file-x", "Mixed.Case_1", "token", "K"]
PARAMS = ["role", "token-path", "token_path", "region", "a-b-c", "remove-secret-id-file-after-reading", "Role", "x", "--", "é", "role-", "namespace"]
STANZAS = ["usage-gauge-period", "maximum-gauge-cardinality", "disable-hostname", "enable-hostname-label", "lease-metrics-epsilon", "num-lease-metrics-buckets", "add-lease-metrics-namespace-labels",
           "filter-default", "prefix-filter", "statsite-address", "statsd-address", "circonus-api-token", "circonus-api-app", "circonus-api-url", "circonus-submission-interval",
           "circonus-submission-url", "circonus-check-id", "circonus-check-force-metric-activation", "circonus-check-instance-id", "circonus-check-search-tag", "circonus-check-display-name",
           "circonus-check-tags", "circonus-broker-id", "circonus-broker-select-tag", "dogstatsd-addr", "dogstatsd-tags", "prometheus-retention-time", "stackdriver-project-id",
           "stackdriver-location", "stackdriver-namespace", "stackdriver-debug-logs", "unknown-thing", "Disable-Hostname", "statsd_address", "DISABLE_HOSTNAME", "", "-"]

# Alone. template-lease-renewal-threshold is newer than the oracle; the recorded reviews have it.
ANNOTATIONS = {
    "agent-inject": ["true"] * 20 + BOOLS, "agent-inject-status": ["injected", "update", "", "Injected", "injected "], "agent-request-namespace": ["", "elsewhere"] + TEXTS,
    "secret-volume-path": FOLDERS, "preserve-secret-case": BOOLS, "agent-inject-default-template": ["map", "json", "JSON", "Map", "", "x", "MAP ", "jſon", "é"], "agent-inject-containers": LISTS,
    "agent-inject-token": BOOLS, "agent-copy-volume-mounts": ["", "app", "other", "init-db", "none", "vault-agent-init", "twin"], "template-config-exit-on-retry-failure": BOOLS,
    "template-static-secret-render-interval": DURATIONS, "template-max-connections-per-host": INTS, "agent-image": ["", "registry.example/other:2"] + TEXTS, "agent-init-first": BOOLS,
    "agent-pre-populate": BOOLS, "agent-pre-populate-only": BOOLS, "agent-configmap": ["", "my-config"] + TEXTS, "agent-extra-secret": ["", "extra"] + TEXTS, "agent-limits-cpu": QUANTITIES,
    "agent-limits-mem": QUANTITIES, "agent-limits-ephemeral": QUANTITIES, "agent-requests-cpu": QUANTITIES, "agent-requests-mem": QUANTITIES, "agent-requests-ephemeral": QUANTITIES,
    "agent-revoke-on-shutdown": BOOLS, "agent-revoke-grace": UINTS, "agent-run-as-user": INTS, "agent-run-as-group": INTS, "agent-run-as-same-user": BOOLS, "agent-set-security-context": BOOLS,
    "agent-share-process-namespace": BOOLS, "agent-service-account-token-volume-name": VOLUMES, "go-max-procs": ["", "1", "4"] + TEXTS, "log-level": ["", "debug", "x"] + TEXTS,
    "log-format": ["", "json"] + TEXTS, "service": ["", "http://vault:8200", "https://bao.example:8200/"] + TEXTS, "proxy-address": ["", "http://proxy:3128"] + TEXTS, "namespace": ["", "team-a", "team-a/"] + TEXTS,
    "role": ["", "other"] + TEXTS, "auth-type": ["", "kubernetes", "aws", "aws", "jwt", "approle", "AWS", "é\""], "auth-path": ["", "auth/k8s-prod", "ns/auth/kubernetes"] + TEXTS,
    "auth-min-backoff": DURATIONS, "auth-max-backoff": DURATIONS, "agent-auto-auth-exit-on-err": BOOLS, "tls-secret": ["", "vault-tls"] + TEXTS, "ca-cert": ["", "/vault/tls/ca.crt"] + TEXTS,
    "ca-key": ["", "/vault/tls/dir"] + TEXTS, "client-cert": ["", "/vault/tls/c.crt"] + TEXTS, "client-key": ["", "/vault/tls/c.key"] + TEXTS, "tls-server-name": ["", "vault.internal"] + TEXTS,
    "tls-skip-verify": BOOLS, "client-max-retries": ["", "5", "x"] + TEXTS, "client-timeout": ["", "30s"] + TEXTS, "agent-cache-enable": BOOLS,
    "agent-cache-use-auto-auth-token": ["", "true", "force"] + TEXTS, "agent-cache-listener-port": PORTS, "agent-cache-exit-on-err": BOOLS, "agent-enable-quit": BOOLS,
    "agent-disable-idle-connections": LISTS, "agent-disable-keep-alives": LISTS, "agent-inject-secret": PATHS, "agent-inject-template": TEMPLATES, "unknown-one": TEXTS, "": TEXTS,
}
# With a secret's name behind a dash.
FAMILIES = {
    "agent-inject-secret": PATHS, "agent-inject-template": TEMPLATES, "agent-inject-template-file": ["", "/t/db", "/etc/tpl/a.ctmpl"] + TEXTS, "agent-inject-file": FILES, "agent-inject-perms": PERMS,
    "agent-inject-command": COMMANDS, "agent-template-left-delim": DELIMITERS, "agent-template-right-delim": DELIMITERS, "error-on-missing-key": BOOLS, "secret-volume-path": FOLDERS,
    "preserve-secret-case": BOOLS,
}
PATCHES = ("agent-json-patch", "agent-init-json-patch")

POINTERS = [
    "/name", "/image", "/env", "/env/-", "/env/0", "/env/1/value", "/env/99", "/env/-1", "/env/-2", "/env/-99", "/env/x", "/env/01", "/env/", "/nope", "/nope/x", "", "/", "name", "/resources/limits/cpu",
    "/resources/limits", "/resources", "/securityContext", "/securityContext/runAsUser", "/volumeMounts/0/mountPath", "/lifecycle", "/lifecycle/preStop", "/args/0", "/args/-", "/command", "/ports",
    "/ports/-", "/imagePullPolicy", "/startupProbe", "/livenessProbe", "/terminationMessagePath", "/a~1b", "/a~0b", "/~2", "/tty", "/stdin", "/restartPolicy", "/env/1e0", "/env/+1", "/é", "/resources/limits/memory",
    "/resources/claims", "/envFrom", "/workingDir", "/resizePolicy", "/securityContext/seccompProfile", "/env/0/valueFrom/fieldRef/fieldPath", "/volumeMounts", "/resources/requests/nvidia.com~1gpu",
]
VALUES = [
    "x", "", 1, 0, 1.5, -1, True, False, None, [], {}, ["a"], {"a": 1}, {"name": "X", "value": "y"}, [{"name": "X", "value": "y"}], {"name": "v", "mountPath": "/v"}, "1Gi", "500m", "0.5", "Always", {"type": "RuntimeDefault"},
    {"exec": {"command": ["true"]}}, {"limits": {"cpu": "0.5", "memory": "1024Mi"}}, {"limits": {"nvidia.com/gpu": "1"}}, {"containerPort": 80}, {"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    {"httpGet": {"path": "/", "port": 8080}}, {"httpGet": {"path": "/", "port": "web"}}, {"runAsUser": 0, "privileged": True}, {"name": "n", "image": "i"}, "vault-agent", "vault-agent-init", "é<&>\"", {"preStop": {"sleep": {"seconds": 5}}},
]
OPS = ["add", "add", "add", "replace", "replace", "remove", "test", "move", "copy", "Add", "x", "", None]
PATCH_TEXTS = ["", "[]", "null", "bad", "{}", "{\"op\":\"x\"}", "[1]", "[null]", "[[]]", "[\"a\"]", " [] ", "[", "[{}]", "[{\"op\":\"add\"}]", "1", "\"x\"", "true", "[{\"op\":1,\"path\":\"/name\",\"value\":\"x\"}]", "\ufeff[]",
               "[{\"op\":\"add\",\"path\":\"/image\",\"value\":\"x:1\"}] x", "[{\"op\":\"add\",\"path\":null,\"value\":1}]", "[{\"op\":\"add\",\"path\":1,\"value\":1}]", "[{\"op\":\"copy\",\"from\":\"/image\",\"path\":\"/workingDir\"}]",
               "[{\"op\":\"replace\",\"path\":\"/image\"}]", "[{\"op\":\"test\",\"path\":\"/name\"}]", "[{\"op\":\"test\",\"path\":\"/nope\"}]", "[{\"op\":\"test\",\"path\":\"/nope\",\"value\":null}]"]

ENVIRONMENT = {
    "VAULT_AUTH_TYPE": ["kubernetes", "jwt", "aws", "approle"], "VAULT_AUTH_PATH": ["auth/jwt", "auth/x"], "VAULT_NAMESPACE": ["root-ns", "a/b"], "PROXY_ADDR": ["http://p:1"], "REVOKE_ON_SHUTDOWN": ["true", "false", "1"],
    "RUN_AS_USER": ["0", "5", "x", "-1"], "RUN_AS_GROUP": ["0", "7", "y"], "RUN_AS_SAME_USER": ["true", "false"], "SET_SECURITY_CONTEXT": ["true", "false"], "DEFAULT_TEMPLATE": ["map", "json"], "CPU_REQUEST": ["5m", "0.5", "x"],
    "MEM_REQUEST": ["8Mi", "0.5Gi"], "EPHEMERAL_REQUEST": ["1Gi", ""], "CPU_LIMIT": ["50m", "1", ""], "MEM_LIMIT": ["32Mi", "bad"], "EPHEMERAL_LIMIT": ["64Mi"], "TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE": ["false", "true"],
    "TEMPLATE_STATIC_SECRET_RENDER_INTERVAL": ["7s", "x"], "TEMPLATE_MAX_CONNECTIONS_PER_HOST": ["9", "0", "-3"], "AUTH_MIN_BACKOFF": ["2s", "0"], "AUTH_MAX_BACKOFF": ["3m"],
    "DISABLE_IDLE_CONNECTIONS": ["auto-auth", "a,b,,"], "DISABLE_KEEP_ALIVES": ["caching"], "VAULT_CACERT_BYTES": ["LS0tLS1CRUdJTiBDRVJU", "-----BEGIN CERT-----\nx\n", "YQ==", "YQ", "YQ==\n", "Y Q==", "YR==", "/w=="],
}

# -------------------------------------------------------------------------------------------------------------------- pods

TOKEN_MOUNT = {"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
AWS_MOUNT = {"name": "aws-iam-token", "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount", "readOnly": True}
MOUNTS = [
    {"name": "data", "mountPath": "/data"}, {"name": "tok", "mountPath": "/var/run/vault"}, {"name": "tok", "mountPath": "/x/ServiceAccount"}, {"name": "odd", "mountPath": "/my/serviceaccounts/x", "readOnly": False},
    {"name": "vault-secrets", "mountPath": "/vault/secrets", "subPath": "a"}, {"name": "home-init", "mountPath": "/h"}, {"name": "vault-secrets-custom-0", "mountPath": "/one"}, {"name": "data", "mountPath": "/d2", "subPathExpr": "$(X)",
     "mountPropagation": "HostToContainer"}, {"name": "data", "mountPath": "/d3", "recursiveReadOnly": "Enabled", "readOnly": True}, {"name": "nopath", "mountPath": ""}, {"name": "", "mountPath": "/e"}, {"name": "mounted-only", "mountPath": "/m"},
    {"name": "plain", "mountPath": "/plain"}, {"name": "emptypath", "mountPath": "/ep"}, {"name": "data", "mountPath": "/d4", "subPath": ""},
]
SOURCES = [{"serviceAccountToken": {"path": "vault-token", "audience": "vault", "expirationSeconds": 600}}, {"configMap": {"name": "x"}}, {"serviceAccountToken": {"path": ""}}, {"serviceAccountToken": {"path": "second/token"}},
           {"secret": {"name": "s"}}, {"downwardAPI": {"items": []}}, {}]
VOLUME_KINDS = [
    {"name": "data", "emptyDir": {}}, {"name": "plain", "emptyDir": {}}, {"name": "vault-secrets", "emptyDir": {}}, {"name": "home-sidecar", "hostPath": {"path": "/x"}}, {"name": "nopath", "projected": {"sources": [{"configMap": {"name": "x"}}]}},
    {"name": "emptypath", "projected": {"sources": [{"serviceAccountToken": {"path": ""}}]}}, {"name": "nullsources", "projected": {"sources": None}}, {"name": "aws-iam-token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
]
AWS_ENV = [{"name": "AWS_ROLE_ARN", "value": "arn:aws:iam::1:role/x"}, {"name": "AWS_REGION", "value": "us-east-2"}, {"name": "AWS_REGION", "value": ""}, {"name": "AWS_DEFAULT_REGION", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
           {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/tok"}, {"name": "AWS_PROFILE", "value": "p"}, {"name": "VAULT_CONFIG", "value": "e30="}, {"name": "HOME", "value": "/h"}, {"name": "AWS_ROLE_ARN"}]
CONTEXTS = [None, {}, {"runAsUser": 0}, {"runAsUser": 1000}, {"runAsUser": None}, {"runAsGroup": 5}, {"runAsUser": 4294967295, "privileged": False}, {"capabilities": {"add": ["X"]}, "runAsUser": -1}]


class Reviews:
    """An endless source of cases {"env", "review"}; the same for the same random numbers."""

    def __init__(self, random):
        self.random = random

    def often(self, chance):
        return self.random.random() < chance

    def some(self, values, most):
        return [self.random.choice(values) for _ in range(self.random.randint(0, most))]

    # -- annotations

    def patch(self):
        if self.often(0.3):
            return self.random.choice(PATCH_TEXTS)
        ops = []
        for _ in range(self.random.randint(1, 3)):
            op = {"op": self.random.choice(OPS), "path": self.random.choice(POINTERS)}
            if self.often(0.9):
                op["value"] = self.random.choice(VALUES)
            if op["op"] in ("move", "copy") and self.often(0.95):
                op["from"] = self.random.choice(POINTERS)
            ops.append(op)
        return json.dumps(ops, ensure_ascii=self.often(0.5))

    def one_annotation(self):
        kind = self.random.random()
        if kind < 0.08:
            return self.random.choice(PATCHES), self.patch()
        if kind < 0.16:
            return "auth-config-" + self.random.choice(PARAMS), self.random.choice(PARAMETERS)
        if kind < 0.26:
            return "agent-telemetry-" + self.random.choice(STANZAS), self.random.choice(TELEMETRY)
        if kind < 0.50:
            family = self.random.choice(list(FAMILIES))
            return f"{family}-{self.random.choice(NAMES)}", self.random.choice(FAMILIES[family])
        name = self.random.choice(list(ANNOTATIONS))
        return name, self.random.choice(ANNOTATIONS[name])

    def secrets(self):
        """Some secrets with what belongs to them, mostly right."""
        found = {}
        for name in self.some(NAMES, 4):
            declare = self.random.choice(["agent-inject-secret", "agent-inject-secret", "agent-inject-template", "agent-inject-template-file"])
            for family in [declare, *(f for f in FAMILIES if self.often(0.2))]:
                found[f"{family}-{name}"] = self.random.choice(FAMILIES[family])
        return found

    def annotations(self):
        found = {"agent-inject": "true", "role": "web", "agent-inject-secret-db": "database/creds/app-readonly"}
        if self.often(0.3):
            found.update(self.secrets())
        for _ in range(self.random.randint(0, 6) if self.often(0.7) else 1):
            name, value = self.one_annotation()
            found[name] = value
        for name in ("role", "agent-inject-secret-db", "agent-inject"):
            if self.often(0.04):
                del found[name]
        return found

    # -- pods

    def context(self, holder):
        if self.often(0.25):
            holder["securityContext"] = self.random.choice(CONTEXTS)

    def mounts(self):
        mounts = self.some(MOUNTS, 2) if self.often(0.5) else []
        if self.often(0.9):
            mounts.insert(self.random.randint(0, len(mounts)), TOKEN_MOUNT)
        if self.often(0.1):
            mounts.insert(self.random.randint(0, len(mounts)), AWS_MOUNT)
        return mounts

    def container(self, name):
        made = {"name": name, "image": "registry.example/app:1", "resources": {}}
        mounts = self.mounts()
        if mounts or self.often(0.5):
            made["volumeMounts"] = mounts
        elif self.often(0.3):
            made["volumeMounts"] = None
        if self.often(0.2):
            made["env"] = self.some(AWS_ENV, 4)
        self.context(made)
        if self.often(0.1):
            made.update({"futureKnob": {"a": [1.50, None]}, "restartPolicy": "Always"})
        return made

    def volumes(self, spec):
        volumes = [{"name": "kube-api-access-x7k2p", "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}] if self.often(0.9) else []
        if self.often(0.4):
            volumes += self.some(VOLUME_KINDS, 3)
        if self.often(0.2):
            volumes += [{"name": self.random.choice(["tok", "two"]), "projected": {"sources": self.some(SOURCES, 3)}}]
        if volumes or self.often(0.7):
            spec["volumes"] = volumes

    def spec(self):
        names = self.random.choice([["app"]] * 8 + [["app", "other"]] * 4 + [["other", "app"], ["app", "vault-agent"], [], ["c0", "c1", "c2", "c3", "c4"], ["twin", "twin"], [""]])
        spec = {"containers": [self.container(name) for name in names], "restartPolicy": "Always"}
        if not names and self.often(0.5):
            spec["containers"] = self.random.choice([None, []])
        if self.often(0.3):
            spec["initContainers"] = [self.container(name) for name in self.random.choice([["init-db"], ["init-db", "mesh"], ["vault-agent-init"], ["vault-agent-init", "init-db"], [], ["app"], ["twin"]])]
        self.volumes(spec)
        self.context(spec)
        extras = {"shareProcessNamespace": [True, False, None], "hostNetwork": [True], "automountServiceAccountToken": [False], "futureField": [{"a": [1, {"b": None}]}], "serviceAccountName": ["app"],
                  "ephemeralContainers": [[{"name": "debug", "volumeMounts": [TOKEN_MOUNT]}]], "nodeSelector": [{"a": "b"}]}
        for field, values in extras.items():
            if self.often(0.1):
                spec[field] = self.random.choice(values)
        return spec

    def metadata(self, prefix):
        annotations = {prefix + name: value for name, value in self.annotations().items()}
        if self.often(0.1):
            annotations |= {"example.com/x": "y", "vault.hashicorp.com": "z", "xvault.hashicorp.com/agent-inject": "true"}
        metadata = {"namespace": "shop", "labels": {"app": "web"}, "annotations": annotations}
        metadata |= self.random.choice([{"generateName": "web-7d9f-"}, {"name": "web"}, {"name": "web", "generateName": "web-"}, {}])
        if self.often(0.02):
            metadata["annotations"] = self.random.choice([None, {}])
        return metadata

    def pod(self, prefix):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": self.metadata(prefix), "spec": self.spec()}
        if self.often(0.1):
            pod["status"] = {"phase": self.random.choice(["Pending", "Running", "", "Succeeded"])}
        return pod

    def foreign(self):
        return self.random.choice([
            None, {}, {"kind": "Deployment", "spec": {"replicas": 1, "template": {"metadata": {"annotations": {PREFIX + "agent-inject": "true"}}}}}, {"kind": "ConfigMap", "data": {"a": "b"}}, [], "x", 1, True,
            {"metadata": []}, {"spec": "x"}, {"metadata": {"annotations": []}}, {"metadata": {"annotations": {"a": 1}}}, {"spec": {"containers": {}}}, {"spec": {"containers": ["x"]}}, 
            {"spec": {"volumes": [1]}}, {"spec": {"initContainers": "y"}}, {"spec": {"containers": [{"volumeMounts": {}}]}}, {"metadata": None, "spec": None}, {"spec": {"shareProcessNamespace": "yes"}}, {"metadata": {"annotations": "x"}},
        ])

    # -- whole

    def review(self, prefix):
        version = self.random.choice(["admission.k8s.io/v1"] * 8 + ["admission.k8s.io/v1beta1"])
        request = {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"}, "namespace": "shop",
                   "operation": self.random.choice(["CREATE"] * 40 + ["UPDATE", "DELETE", "CONNECT"]), "dryRun": self.often(0.1), "oldObject": None}
        request["object"] = self.foreign() if self.often(0.02) else self.pod(prefix)
        if self.often(0.05):
            request["namespace"] = self.random.choice(["kube-system", "kube-public", "", "default", "kube-node-lease"])
        if self.often(0.01):
            del request["namespace"]
        return {"kind": "AdmissionReview", "apiVersion": version, "request": request}

    def environment(self):
        env = {"VAULT_ADDR": "https://vault.default.svc:8200", "VAULT_IMAGE": "registry.example/agent:1"}
        if self.often(0.3):
            env |= {name: self.random.choice(ENVIRONMENT[name]) for name in self.random.sample(list(ENVIRONMENT), self.random.randint(1, 5))}
        return {"AGENT_INJECT_" + name: value for name, value in env.items()}

    def case(self):
        """With the prefix of its annotations: nearly always the original's."""
        prefix = "openbao.org/" if self.often(0.05) else PREFIX
        return {"prefix": prefix, "env": self.environment(), "review": self.review(prefix)}
