"""JSON schemas of an API server's own objects, in kubeconform's layout, and kubeconform itself on them: nothing is downloaded."""

import json
import subprocess

from .chart import TOP

DEFINITIONS = "_definitions.json"
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


def _strict(node):
    """In place: references within the one file of definitions, no members besides those that are named, and null for what may be left out."""
    if isinstance(node, list):
        for member in node:
            _strict(member)
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        node["$ref"] = node["$ref"].replace("#/definitions/", f"{DEFINITIONS}#/definitions/")
    if node.get("format") == "int-or-string":
        node.clear()
        node["type"] = ["string", "integer"]
    properties = node.get("properties")
    if isinstance(properties, dict) and node.get("type") == "object":
        node.setdefault("additionalProperties", False)
        for name, member in properties.items():
            _strict(member)
            if name not in node.get("required", []) and isinstance(member.get("type"), str):
                member["type"] = [member["type"], "null"]
    for key, member in node.items():
        if key != "properties":
            _strict(member)


def write(apiserver, folder):
    """A file for each kind of that API server."""
    definitions = apiserver.api.get("/openapi/v2")["definitions"]
    kinds = [(definition, kind) for definition, content in definitions.items() for kind in content.get("x-kubernetes-group-version-kind", [])]
    for content in definitions.values():
        _strict(content)
    # Quantities are texts there, though numbers are taken as well.
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = {"type": ["string", "number"]}
    (folder / DEFINITIONS).write_text(json.dumps({"definitions": definitions}))
    for definition, kind in kinds:
        group = kind["group"].split(".")[0]
        name = "-".join(filter(None, [kind["kind"].lower(), group, kind["version"].lower()]))
        allowed = {"apiVersion": "/".join(filter(None, [kind["group"], kind["version"]])), "kind": kind["kind"]}
        schema = {"$ref": f"{DEFINITIONS}#/definitions/{definition}", "properties": {key: {"enum": [value]} for key, value in allowed.items()}}
        (folder / f"{name}.json").write_text(json.dumps(schema))
    return folder


def kubeconform(folder, objects):
    """What kubeconform says of objects, strictly: one row for each that is not valid."""
    program = subprocess.run([TOP / "tests" / "servers" / "real-kubeconform"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    argv = [program, "-strict", "-output", "json", "-summary", "-schema-location", f"{folder}/{LOCATION}", "-"]
    done = subprocess.run(argv, input="\n---\n".join(map(json.dumps, objects)), capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert sum(said["summary"].values()) == len(objects), said
    return [f"{row['kind']} {row['name']}: {row['msg']}" for row in said["resources"]]
