#!/usr/bin/env python3
"""Render every file of templates/ from the values in tests/vectors/shipped/ and compare; does its README say which agent each needs?

Usage: shipped.py BIN_DIR
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATES = HERE.parent.parent / "templates"


# From which Vault Agent on: the newest of what a template has in it. What is not here has been there for ever.
SINCE = {r"\benvOrDefault\b": (1, 8), r"\bwriteToFile\b": (1, 9), r"\bsprig_": (1, 11), r"\bpkiCert\b": (1, 12), r"\.CAChain\b": (1, 18)}


def needs(text):
    return max((version for name, version in SINCE.items() if re.search(name, text)), default=None)


def said(name):
    """The last column of the table in templates/README.md."""
    rows = [line.split("|") for line in (TEMPLATES / "README.md").read_text().splitlines() if line.startswith("| ")]
    found = [row[3].strip().partition(":")[0] for row in rows if name in re.split(r"[ ,]+", row[1])]
    return None if found == ["any"] else tuple(int(part) for part in found[0].split(".")) if found else ()


def render(program, template, values):
    secrets = json.loads(values.read_text())
    command = [program, "render", "--template", template, "--secrets", values]
    for name, value in secrets.pop("env", {}).items():
        command += ["--env", f"{name}={value.replace('$HERE', str(values.parent))}"]
    return subprocess.run(command, capture_output=True)


def main():
    program = pathlib.Path(sys.argv[1]) / "ampule"
    passed = failed = 0
    for template in sorted(TEMPLATES.glob("*.ctmpl")):
        values = HERE / "shipped" / f"{template.stem}.json"
        expected = HERE / "shipped" / f"{template.stem}.expected"
        result = render(program, template, values)
        if said(template.name) != needs(template.read_text()):
            failed += 1
            print(f"{template.name}: needs {needs(template.read_text())}, templates/README.md says {said(template.name)}")
        if result.returncode == 0 and result.stdout == expected.read_bytes():
            passed += 1
            continue
        failed += 1
        got = (result.stdout + result.stderr).decode(errors="replace")
        print(f"{template.name}: status {result.returncode}\n--- expected\n{expected.read_text(errors='replace')}--- got\n{got}")
    print(f"shipped templates: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
