"""What templates ask the server for, and how it is there in the text."""

from .scenario import Scenario, ended_by_ours, ended_by_the_original, one, until

FAILS = "template_config { exit_on_retry_failure = true }\n"
ONCE = "retry { num_retries = -1 }\n"


def read(path, fields="{{ .Data.data.user }}"):
    return one('{{ with secret "%s" }}%s{{ end }}' % (path, fields))


def later(twin):
    twin.texts["later"] = twin.own("later")


def comes_later(twin):
    """The secret comes when it was asked for in vain."""
    name = twin.texts["later"]
    twin.requested(f"/data/{name}")
    twin.world.vault.write(f"{twin.world.kv}/data/{name}", data={"user": "late"})
    twin.file(content="late")


def asked(path, count=1):
    """Until it was asked for (again): it goes on asking."""
    return lambda twin: twin.requested(f"^/v1/[^/]*/{path}", count)


def pem_shape(twin):
    """Which blocks of PEM are in a file, and its mode."""
    twin.ended()
    for path in sorted(p for p in twin.out.rglob("*") if p.is_file()):
        lines = [line if line.startswith("-----") or not line.strip() else "…" for line in path.read_text().split("\n")]
        twin.note(f"blocks of {path.name}", [line for n, line in enumerate(lines) if n == 0 or line != lines[n - 1]])
        path.write_text("")


def works(twin):
    """Credentials of a database that let one in."""
    twin.ended()
    user, password = twin.file().split()
    twin.note("is let in", twin.world._postgres().sql("SELECT 1", user, password))
    twin.path("file").write_text("")


LOOP = '{{ range secrets "@KV@/metadata/many" }}{{ with secret (printf "@KV@/data/many/%s" .) }}{{ .Data.data.user }} {{ end }}{{ end }}'
PKI = '{{ with pkiCert "@PKI@/issue/app" "common_name=one.example" "ttl=24h" }}{{ .Cert }}{{ .CA }}{{ .Key }}{{ end }}'
ISSUE = '{{ with secret "@PKI@/issue/app" "common_name=one.example" "ttl=24h" }}{{ .Data.certificate }}\n{{ .Data.private_key }}\n{{ end }}'
CREDS = "{{ .Data.username }} {{ .Data.password }}"
PLAIN = '{{ "plain" | base64Encode | printf "plaintext=%s" }}'

SCENARIOS = [
    Scenario("kv 2", read("@KV@/data/app"), shows={"file": "alice"}),
    Scenario("kv 2 without data in its path", read("@KV@/app"), shows={"file": "alice"}),
    Scenario("kv 2 with a slash before it", read("/@KV@/data/app"), shows={"file": "alice"}),
    Scenario("kv 2 with slashes around it", read("/@KV@/data/app/"), counted=False, ends=False, play=until("file")),
    Scenario("kv 2 deeper", read("@KV@/data/app/nested"), shows={"file": "nested"}),
    Scenario("kv 2 deeper without data", read("@KV@/app/nested"), shows={"file": "nested"}),
    Scenario("kv 2 in an older version", read("@KV@/data/versions?version=2"), shows={"file": "two"}),
    Scenario("kv 2 in an older version without data", read("@KV@/versions?version=1"), shows={"file": "one"}),
    Scenario("two versions in one file", read("@KV@/data/versions?version=1") .replace("}\n", "}\n", 1) + one(
        '{{ with secret "@KV@/data/versions?version=1" }}{{ .Data.data.user }}{{ end }} {{ with secret "@KV@/data/versions?version=3" }}{{ .Data.data.user }}{{ end }}', "both"),
             shows={"both": "one three"}),
    Scenario("kv 2 types", read("@KV@/data/app", "{{ .Data.data.port }} {{ .Data.data.on }} {{ .Data.data.list }} {{ .Data.data.map }} {{ .Data.data.map.k }} {{ index .Data.data.list 1 }}")),
    Scenario("kv 2 as JSON", read("@KV@/data/app", "{{ .Data.data | toJSON }}|{{ .Data.data | toJSONPretty }}|{{ .Data.data | toUnescapedJSON }}")),
    Scenario("kv 2 as YAML", read("@KV@/data/app", "{{ .Data.data | toYAML }}")),
    Scenario("kv 2 as TOML", read("@KV@/data/app", "{{ .Data.data | toTOML }}")),
    Scenario("kv 2 all pairs", read("@KV@/data/app", "{{ range $k, $v := .Data.data }}{{ $k }}={{ $v }}\n{{ end }}")),
    Scenario("kv 2 its own metadata", read("@KV@/data/versions", "{{ .Data.metadata.version }} {{ .Data.metadata.destroyed }} {{ .Data.metadata.custom_metadata }} {{ .LeaseDuration }} [{{ .LeaseID }}] {{ .Renewable }}")),
    Scenario("kv 2 metadata", read("@KV@/metadata/versions", "{{ .Data.current_version }} {{ .Data.max_versions }} {{ len .Data.versions }}"), shows={"file": "3 0 3"}),
    Scenario("kv 2 subkeys", read("@KV@/subkeys/app", "{{ .Data.subkeys | toJSON }}"), play=ended_by_ours, counted=False),
    Scenario("kv 2 configuration", read("@KV@/config", "{{ .Data.cas_required }}"), counted=False, vault=ONCE, ends=False, play=asked("(data/)?config")),
    Scenario("kv 1", read("@KV1@/app", "{{ .Data.user }} {{ .Data.port }}"), shows={"file": "alice 5432"}),
    Scenario("kv 1 deeper", read("@KV1@/app/nested", "{{ .Data.user }}"), shows={"file": "nested"}),
    Scenario("kv 1 lease", read("@KV1@/app", "{{ .LeaseDuration }} [{{ .LeaseID }}] {{ .Renewable }}")),
    Scenario("a list of kv 2", one('{{ range secrets "@KV@/metadata/many" }}{{ . }} {{ end }}'), shows={"file": "0 1 10 11"}),
    Scenario("a list of kv 2 without metadata", one('{{ range secrets "@KV@/many" }}{{ . }} {{ end }}'), shows={"file": "0 1 10 11"}),
    Scenario("a list with folders", one('{{ range secrets "@KV@/metadata/" }}{{ . }} {{ end }}'), counted=False, ends=False, play=until("file")),
    Scenario("a list of kv 1", one('{{ range secrets "@KV1@/" }}{{ . }} {{ end }}'), shows={"file": "app app/ short"}),
    Scenario("an empty list", one('[{{ range secrets "@KV@/metadata/none" }}{{ . }} {{ end }}]'), counted=False),
    Scenario("each of a list", one(LOOP), shows={"file": "user0 user1 user10"}),
    Scenario("a secret that names another", one('{{ with secret "@KV@/data/app" }}{{ with secret (printf "@KV@/data/app/%s" "nested") }}{{ .Data.data.user }}{{ end }}{{ end }}'), shows={"file": "nested"}),
    Scenario("a secret twice in one template", one(read("x") and '{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}{{ with secret "@KV@/data/app" }}{{ .Data.data.port }}{{ end }}'), shows={"file": "alice5432"}),
    Scenario("a secret under two names", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}{{ with secret "@KV@/app" }}{{ .Data.data.port }}{{ end }}'), shows={"file": "alice5432"}),
    Scenario("a field without with", one('{{ (secret "@KV@/data/app").Data.data.user }}'), shows={"file": "alice"}),
    Scenario("a secret in a variable", one('{{ $s := secret "@KV@/data/app" }}{{ if $s }}{{ $s.Data.data.user }}{{ end }}'), shows={"file": "alice"}),
    Scenario("a secret in a definition", one('{{ define "u" }}{{ with secret . }}{{ .Data.data.user }}{{ end }}{{ end }}{{ template "u" "@KV@/data/app" }}|{{ executeTemplate "u" "@KV@/data/app/nested" }}')),
    Scenario("a deleted secret", read("@KV@/data/deleted") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a destroyed secret", read("@KV@/data/destroyed") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a version that never was", read("@KV@/data/versions?version=9") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a secret that is not there ends who wants that", read("@KV@/data/none") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a secret that is not there in kv 1", read("@KV1@/none") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a secret that is forbidden", read("@KV@/data/forbidden") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a mount that is not there", read("no-such-mount/app") + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a missing key of a secret that is there ends nobody", read("@KV@/data/app", "[{{ .Data.data.none }}]") + FAILS, vault=ONCE, shows={"file": "[<no value>]"}),
    Scenario("a missing key that is an error ends who wants that", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.none }}{{ end }}', error_on_missing_key=True) + FAILS, vault=ONCE, exit=1),
    Scenario("a missing data of kv 1 in kv 2 form", read("@KV1@/app", "[{{ .Data.data }}]"), shows={"file": "[<no value>]"}),
    Scenario("a secret that comes later", read("@KV@/data/@LATER@"), ends=False, before=later, play=comes_later, counted=False, shows={"file": "late"}),
    Scenario("credentials of a database", read("@DATABASE@/creds/app", CREDS), play=works),
    Scenario("credentials of a database have a lease", read("@DATABASE@/creds/app", "{{ .LeaseDuration }} {{ .Renewable }} {{ if .LeaseID }}id{{ end }}"), shows={"file": "3600 true id"}),
    Scenario("credentials of a database in two templates", one('{{ with secret "@DATABASE@/creds/app" }}{{ .Data.username | len }}{{ end }}', "a") + one('{{ with secret "@DATABASE@/creds/app" }}{{ .Data.password | len }}{{ end }}', "b")),
    Scenario("a static role of a database", read("@DATABASE@/static-creds/fixed", "{{ .Data.username | len }} {{ .Data.rotation_period }} {{ .LeaseDuration }} {{ .Renewable }}")),
    Scenario("a certificate", one(PKI), play=pem_shape),
    Scenario("a certificate in two files", one(PKI.replace("{{ .CA }}{{ .Key }}", '{{ .Key | writeToFile "@OUT@/key" "" "" "0600" }}{{ .CA | writeToFile "@OUT@/ca" "" "" "0644" "append" }}')), play=pem_shape),
    Scenario("a certificate by a secret", one(ISSUE), play=pem_shape),
    Scenario("an authority's certificate", read("@PKI@/cert/ca", "{{ .Data.certificate | len }}"), counted=True),
    Scenario("a certificate that the role refuses", one(PKI.replace('"ttl=24h"', '"ttl=24h" "ip_sans=no-address"')) + FAILS, vault=ONCE, exit=1, counted=False),
    Scenario("a write that seals", one('{{ with secret "@TRANSIT@/encrypt/app" "plaintext=cGxhaW4=" "context=YQ==" }}{{ .Data.ciphertext }}{{ end }}'), shows={"file": "vault:v1:"}),
    Scenario("a write that seals and one that opens", one('{{ with secret "@TRANSIT@/encrypt/app" "plaintext=cGxhaW4=" "context=YQ==" }}{{ with secret "@TRANSIT@/decrypt/app" (printf "ciphertext=%s" .Data.ciphertext) "context=YQ==" }}{{ .Data.plaintext | base64Decode }}{{ end }}{{ end }}'), shows={"file": "plain"}),
    Scenario("a write that signs", one('{{ with secret "@TRANSIT@/hmac/mac" "input=YQ==" }}{{ .Data.hmac | len }}{{ end }}')),
    Scenario("a write with a number of bytes", one('{{ with secret "sys/tools/random/8" "format=hex" }}{{ .Data.random_bytes | len }}{{ end }}'), shows={"file": "16"}),
    Scenario("a write that wraps", one('{{ with secret "sys/wrapping/wrap" "a=b" }}{{ .Data }}{{ end }}') ),
    Scenario("a write without an answer", one('{{ with secret "@KV1@/@LATER@" "a=b" }}x{{ else }}none{{ end }}'), before=later, ends=False, counted=False, play=until("file", contains="")),
    Scenario("the token's own description", read("auth/token/lookup-self", "{{ .Data.path }} {{ .Data.type }}"), ends=False, counted=False, play=until("file")),
    Scenario("health", read("sys/health", "{{ .Data.initialized }}"), ends=False, counted=False, play=until("file")),
    Scenario("a cubbyhole", one('[{{ with secret "cubbyhole/x" }}{{ .Data.a }}{{ end }}]'), ends=False, counted=False, vault=ONCE, play=asked("x", 2)),
    Scenario("the policies", read("sys/policies/acl/default", "{{ .Data.name }}"), shows={"file": "default"}),
    Scenario("text functions", one('{{ "a-b" | toUpper | replaceAll "-" "_" }} {{ "x,y" | split "," | join "|" }} {{ "  t " | trimSpace }} {{ regexReplaceAll "[0-9]+" "#" "a12b3" }} {{ "abc" | sprig_trunc 2 }} {{ "abc" | contains "b" }}')),
    Scenario("codecs", one('{{ "a/b?" | base64Encode }} {{ "YQ==" | base64Decode }} {{ "a?" | base64URLEncode }} {{ "a" | sha256Hex }} {{ "a" | md5sum }} {{ "{\\"a\\":1}" | parseJSON }} {{ "a: [1, 2]" | parseYAML }}')),
    Scenario("arithmetic", one("{{ add 1 2 }} {{ subtract 2 5 }} {{ multiply 2 3 }} {{ divide 2 9 }} {{ modulo 4 9 }} {{ minimum 1 2 }} {{ maximum 1 2 }} {{ 3 | add 1.5 }}")),
    Scenario("the environment", one('{{ env "ONE" }}|{{ env "NONE" }}|{{ envOrDefault "NONE" "d" }}|{{ mustEnv "ONE" }}'), env={"ONE": "1"}, shows={"file": "1||d|1"}),
    Scenario("an environment that must be", one('{{ mustEnv "NONE" }}') + FAILS, exit=1),
    Scenario("a scratch pad", one('{{ scratch.Set "a" 1 }}{{ scratch.SetX "a" 2 }}{{ scratch.MapSet "m" "k" "v" }}{{ scratch.Get "a" }}{{ scratch.MapValues "m" }}{{ scratch.Key "b" }}')),
    Scenario("loops and conditions", one("{{ range $i := loop 1 4 }}{{ if eq $i 2 }}{{ continue }}{{ end }}{{ $i }}{{ else }}none{{ end }}{{ range $i := loop 9 }}{{ if gt $i 2 }}{{ break }}{{ end }}{{ end }}")),
    Scenario("a plugin", one('{{ plugin "@DIR@/script" "a b" }}'), before=lambda twin: twin.write("../script", '#!/bin/sh\necho "[$1]"\n', 0o755), play=ended_by_the_original, counted=False),
    Scenario("a key of Consul", one('{{ key "a" }}') + FAILS, vault=ONCE, exit=1, play=ended_by_ours),
]  # fmt: skip
