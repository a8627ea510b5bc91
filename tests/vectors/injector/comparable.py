"""Brings two answers to an admission review into a form in which equal answers are equal.

The patch is applied and the pods are compared. Three things stand in random order at the original and are sorted: templates of the agent's
configuration, the numbers of the custom secrets volumes, and the copied AWS variables.
"""
import base64
import copy
import json

CUSTOM = "vault-secrets-custom-"


def step(node, part):
    return node[int(part)] if isinstance(node, list) else node[part]


def applied(pod, operations):
    """The pod after an RFC 6902 patch of add and remove."""
    pod = copy.deepcopy(pod)
    for operation in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
        node = pod
        for part in parts[:-1]:
            node = step(node, part)
        last = parts[-1]
        if operation["op"] == "remove":
            del node[int(last) if isinstance(node, list) else last]
        elif isinstance(node, list):
            node.insert(len(node) if last == "-" else int(last), operation["value"])
        else:
            node[last] = operation["value"]
    return pod


def containers(pod):
    spec = pod.get("spec", {})
    return (spec.get("initContainers") or []) + (spec.get("containers") or [])


def by_text(values):
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def open_config(container):
    for variable in container.get("env") or []:
        if variable.get("name") == "VAULT_CONFIG" and isinstance(variable.get("value"), str):
            config = json.loads(base64.b64decode(variable["value"]))
            if "template" in config:
                config["template"] = by_text(config["template"])
            variable["value"] = {"decoded": config}


def sort_aws(container):
    """Only of injected containers: the application's own variables keep their order."""
    variables = container.get("env")
    if not variables or container["name"] == "app":
        return
    aws = [v for v in variables if v.get("name", "").startswith("AWS_")]
    rest = [v for v in variables if not v.get("name", "").startswith("AWS_")]
    container["env"] = rest + sorted(aws, key=lambda v: v["name"] + str(v.get("value")))


def sort_some(values, chosen):
    """The chosen ones among the values in order of their names, on the places where they were."""
    ordered = iter(sorted((v for v in values if chosen(v)), key=lambda v: v["name"]))
    return [next(ordered) if chosen(v) else v for v in values]


def rename_custom(pod):
    """A custom volume is called by the path it is mounted at."""
    names = {}
    mounts = [mount for container in containers(pod) for mount in container.get("volumeMounts") or []]
    for mount in mounts:
        if mount["name"].startswith(CUSTOM) and mount["name"][len(CUSTOM):].isdigit():
            names[mount["name"]] = "custom:" + mount["mountPath"]
    for named in mounts + (pod.get("spec", {}).get("volumes") or []):
        named["name"] = names.get(named["name"], named["name"])
    if not names:
        return
    is_custom = lambda named: named["name"].startswith("custom:")
    for container in containers(pod):
        if container.get("volumeMounts"):
            container["volumeMounts"] = sort_some(container["volumeMounts"], is_custom)
    if pod["spec"].get("volumes"):
        pod["spec"]["volumes"] = sort_some(pod["spec"]["volumes"], is_custom)


def comparable_pod(pod):
    rename_custom(pod)
    for container in containers(pod):
        open_config(container)
        sort_aws(container)
    return pod


def comparable(review, status, body):
    """The answer to compare; what is not a review stays text."""
    if status != 200:
        return {"http": status, "text": body}
    answer = json.loads(body)
    response = answer["response"]
    result = {"http": 200, "apiVersion": answer.get("apiVersion"), "uid": response.get("uid"), "allowed": response.get("allowed")}
    if (response.get("status") or {}).get("message"):
        result["message"] = response["status"]["message"]
    if response.get("patch"):
        operations = json.loads(base64.b64decode(response["patch"]))
        result["pod"] = comparable_pod(applied(review["request"]["object"], operations)) if operations else None
    return result


def differences(ours, theirs, path=""):
    """One line for each place where two values differ."""
    show = lambda value: json.dumps(value, ensure_ascii=False)[:160]
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            if key not in theirs:
                yield f"{path}/{key}: only ours: {show(ours[key])}"
            elif key not in ours:
                yield f"{path}/{key}: only theirs: {show(theirs[key])}"
            else:
                yield from differences(ours[key], theirs[key], f"{path}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs)):
            yield from differences(a, b, f"{path}/{i}")
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{path}: ours {show(ours)}, theirs {show(theirs)}"
