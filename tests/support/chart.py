"""What the chart renders, as objects."""

import functools
import json
import pathlib
import subprocess

import yaml

from .apiserver import programs

TOP = pathlib.Path(__file__).resolve().parents[2]
CHART = TOP / "charts" / "ampule"


class Refused(AssertionError):
    """helm ended with an error; the text is what it said."""


@functools.lru_cache(None)
def _template(arguments, values):
    argv = [programs() / "helm", "template", *arguments, "--values", "-"]
    done = subprocess.run(argv, input=values, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def render(*sets, values=None, release="ampule", namespace="default", chart=CHART, options=()):
    """The objects for `--set` words ("a.b=c") and a tree of values."""
    words = [word for one in sets for word in ("--set", one)]
    text = _template((release, str(chart), "--namespace", namespace, *options, *words), json.dumps(values or {}))
    return [item for item in yaml.safe_load_all(text) if item]


def pick(objects, kind, name=None):
    """The one object of that kind (whose name ends so), or None."""
    found = [o for o in objects if o["kind"] == kind and (name is None or o["metadata"]["name"].endswith(name)) and not is_hook(o)]
    assert len(found) < 2, [o["metadata"]["name"] for o in found]
    return found[0] if found else None


def is_hook(item):
    return "helm.sh/hook" in (item["metadata"].get("annotations") or {})


def look(item, path):
    """A part of an object by a path like spec/containers/0/env/NAME: numbers and names find members of lists. None where there is none."""
    for word in path.replace("~1", "\0").split("/"):
        word = word.replace("\0", "/")
        if isinstance(item, list):
            named = [member for member in item if isinstance(member, dict) and member.get("name") == word]
            item = named[0] if named else item[int(word)] if word.isdigit() and int(word) < len(item) else None
        elif isinstance(item, dict):
            item = item.get(word)
        else:
            return None
    return item


def users_values(name):
    """A user's values file for another chart: "vault-helm" or "openbao-helm"."""
    return yaml.safe_load((TOP / "tests" / "kubernetes" / f"{name}-values.yaml").read_text())
