"""Images that no registry has are not named as if one had them; and all name the same."""

import re
import subprocess

import yaml
from support.agent import TOP, program

OWN = r"ampule/(?:agent-compat|agent|injector|cli|sandbox)\b"


def documents():
    return [path for path in TOP.rglob("*.md") if "build" not in path.relative_to(TOP).parts]


def chart():
    values, about = (yaml.safe_load((TOP / "charts/ampule" / name).read_text()) for name in ("values.yaml", "Chart.yaml"))
    return values["injector"], about


def test_explain_reviews_with_the_image_of_the_chart():
    injector, about = chart()
    said = subprocess.run([program("ampule"), "explain", "--help"], capture_output=True, text=True, check=True).stdout
    assert f"the image is the chart's ({injector['agentImage']['repository']}:{about['appVersion']})" in said


def test_kustomize_has_the_images_of_the_chart():
    injector, about = chart()
    text = (TOP / "deploy/kustomize/base/injector.yaml").read_text()
    assert set(re.findall(OWN + r":[^\s\"]+", text)) == {f"{injector[image]['repository']}:{about['appVersion']}" for image in ("image", "agentImage")}


def test_the_images_that_are_pushed_have_the_tag_that_the_chart_asks_for():
    text = (TOP / "README.md").read_text()
    assert set(re.findall(r"ampule/\$image:([^\s;]+)", text)) == {chart()[1]["appVersion"]}


def test_no_document_pulls_or_runs_them_from_a_registry():
    said = [f"{path.relative_to(TOP)}: {line.strip()}" for path in documents() for line in path.read_text().splitlines()
            if re.search(rf"(docker (run|pull)\b.* |\bimage: *[\"']?|agent-image: *[\"']?){OWN}", line)]  # fmt: skip
    assert not said
    assert "artifacthub.io/images" not in chart()[1]["annotations"]


def test_compose_never_pulls_them():
    services = yaml.safe_load((TOP / "deploy/compose/docker-compose.yml").read_text())["services"]
    assert len(services) == 6
    for name, service in services.items():
        assert re.fullmatch(OWN, service["image"]) and service["pull_policy"] == "never", name
        assert name == "rotate" or service["build"] == {"context": "../..", "target": service["image"].removeprefix("ampule/")}, name
