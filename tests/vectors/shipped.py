#!/usr/bin/env python3
"""Render every file of templates/ from the values in tests/vectors/shipped/ and compare.

Usage: shipped.py BIN_DIR
"""
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TEMPLATES = HERE.parent.parent / "templates"


def render(program, template, values):
    secrets = json.loads(values.read_text())
    command = [program, "render", "--template", template, "--secrets", values]
    for name, value in secrets.pop("env", {}).items():
        command += ["--env", f"{name}={value}"]
    return subprocess.run(command, capture_output=True)


def main():
    program = pathlib.Path(sys.argv[1]) / "ampule"
    passed = failed = 0
    for template in sorted(TEMPLATES.glob("*.ctmpl")):
        values = HERE / "shipped" / f"{template.stem}.json"
        expected = HERE / "shipped" / f"{template.stem}.expected"
        result = render(program, template, values)
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
