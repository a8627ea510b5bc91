"""The shapes of tests/bench/templates: what users write, small to large. The same seed gives the same data."""

import random
import string

DOTENV = """\
# {{ .app }}
DB_HOST={{ .db.host }}
DB_PORT={{ .db.port }}
DB_USER={{ .db.username }}
DB_PASSWORD={{ .db.password }}
"""

RANGE = "{{ range $k, $v := . }}{{ $k }}={{ $v }}\n{{ end }}"

LOGIC = """\
{{- if and .enabled (not .debug) (eq .env "prod") -}}
mode = "production"
{{- else if or .debug (ne .env "prod") }}
mode = "other"
{{- end }}
{{ $n := len .hosts }}{{ if gt $n 3 }}pool = {{ printf "%03d/%s" $n .env }}{{ else }}pool = {{ $n }}{{ end }}
{{ range $i, $h := .hosts }}{{ if $i }},{{ end }}{{ printf "%s:%d" $h 5432 }}{{ end }}
{{ with .owner }}owner = {{ .name | printf "%q" }}{{ else }}owner = none{{ end }}
{{ if and (ge $n 2) (le $n 100) (index .hosts 0) }}first = {{ index .hosts 0 | printf "%-12s|" }}{{ end }}
"""

DEFINE = """\
{{ define "server" }}server {{ .name }} {
  address = {{ .address }}
  weight = {{ .weight }}
}
{{ end }}{{ range . }}{{ template "server" . }}{{ end }}"""

ROWS = "{{ range . }}{{ .id }},{{ .name }},{{ .email }}\n{{ end }}"

JSON = """\
{"database": {{ .database | toJSON }},
"hosts": {{ .hosts | toJSON }},
"all": {{ . | toJSONPretty }}}
"""

SPRIG = """\
NAME={{ .name | sprig_upper | sprig_trunc 20 | sprig_quote }}
SLUG={{ .name | sprig_lower | sprig_replace " " "-" }}
HOSTS={{ .hosts | sprig_join "," }}
HASH={{ .password | sha256Hex }}
BASIC={{ printf "%s:%s" .name .password | base64Encode }}
LEVEL={{ .level | sprig_default "info" }}{{ $d := sprig_dict "a" .name "b" .password }}
DICT={{ $d.a }}/{{ sprig_get $d "b" }}
{{ range sprig_splitList "," .list }}{{ . | sprig_trim | sprig_title }} {{ end }}
TOP={{ sprig_first .hosts }} {{ sprig_ternary "yes" "no" true }} {{ sprig_contains "a" .name }}
{{ .text | sprig_indent 4 }}
"""


def word(rng, least, most):
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(least, most)))


def secret(rng, length):
    return "".join(rng.choice(string.ascii_letters + string.digits + "-_.!") for _ in range(length))


def hosts(rng, count):
    return [f"{word(rng, 3, 8)}.{word(rng, 4, 8)}.svc" for _ in range(count)]


def database(rng):
    return {"host": f"{word(rng, 4, 8)}.db.svc", "port": 5432, "username": word(rng, 6, 10), "password": secret(rng, 24)}


def row(rng, number):
    name = word(rng, 8, 12)
    return {"id": number, "name": name, "email": f"{name}@{word(rng, 6, 8)}.example"}


def nested(rng):
    tenants = {word(rng, 5, 9): {"database": database(rng), "hosts": hosts(rng, 4), "quota": rng.randint(1, 1000)} for _ in range(10)}
    return {"database": database(rng), "hosts": hosts(rng, 8), "tenants": tenants, "note": 'a "quoted" <b>note</b> &c.', "on": True, "none": None}


def words(rng):
    text = "\n".join(word(rng, 10, 40) for _ in range(8))
    listed = ", ".join(word(rng, 3, 9) for _ in range(10))
    return {"name": f"{word(rng, 5, 9)} {word(rng, 5, 9)}", "password": secret(rng, 32), "hosts": hosts(rng, 6), "list": listed, "text": text}


def logic(rng):
    return {"enabled": True, "debug": False, "env": "prod", "hosts": hosts(rng, 8), "owner": {"name": word(rng, 6, 10)}}


# name, what it is, template, data of a random source, whether it needs no functions but the language's own
SHAPES = [
    ("dotenv", "small dotenv", DOTENV, lambda rng: {"app": word(rng, 5, 9), "db": database(rng)}, True),
    ("range", "range over 200 keys", RANGE, lambda rng: {word(rng, 8, 16).upper(): secret(rng, 24) for _ in range(200)}, True),
    ("logic", "logic with printf", LOGIC, logic, True),
    ("define", "define and template, 20 calls", DEFINE, lambda rng: [
        {"name": word(rng, 4, 8), "address": f"10.0.{n}.{n}", "weight": rng.randint(1, 99)} for n in range(20)], True),
    ("rows", "20,000 rows", ROWS, lambda rng: [row(rng, n) for n in range(20000)], True),
    ("json", "nested JSON with toJSON", JSON, nested, False),
    ("sprig", "sprig-heavy", SPRIG, words, False),
]


def data(shape, seed):
    return shape[3](random.Random(f"{seed}/{shape[0]}"))
