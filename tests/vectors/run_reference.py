#!/usr/bin/env python3
"""deploy/configuration.md is what `ampule configuration` prints, and what it prints is what the parser knows.

Usage: run_reference.py BIN_DIR
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = TOP / "deploy" / "configuration.md"
SOURCES = [TOP / "agent" / "config" / "override.c", TOP / "agent" / "config" / "load.c"]


def said(*command, **pairs):
    return subprocess.run(command, capture_output=True, text=True, check=False, **pairs)


def rows(program):
    return json.loads(said(program, "configuration", "--format=json").stdout)


def nested(paths):
    """HCL that has every key of a tree, each with a number."""
    tree = {}
    for path in sorted(paths, key=lambda path: path.count(".")):
        at = tree
        *folders, last = path.split(".")
        for name in folders:
            at[name] = at[name] if isinstance(at.get(name), dict) else {}
            at = at[name]
        at.setdefault(last, 5)

    def write(tree):
        return "".join(f"{head(k)} {{\n{write(v)}}}\n" if isinstance(v, dict) else f"{k} = {v}\n" for k, v in tree.items())

    def head(name):
        return f'{name} "NAME"' if name in ("env_template", "atomic_group") else name

    return write(tree)


def unknown(program, text):
    """The keys that `check` calls unknown."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "a.hcl")
        path.write_text(text)
        report = json.loads(said(program, "check", "-format=json", f"-config={path}").stdout)
    return {re.sub(r"\[\w+\]", "", problem["path"]) for problem in report["problems"] if problem["text"].startswith("unknown key")}


def tests(programs):
    program = programs / "ampule"
    known = rows(program)
    keys = {f"{row['path']}.{row['name']}".lstrip(".") for row in known if "(" not in row["path"] and row["path"] != "VAULT"}
    yield "the page is what is printed", PAGE.read_text() == said(program, "configuration", "--format=markdown").stdout
    yield "no key of it is unknown", unknown(program, nested(keys)) == set()
    others = sorted(key + "x" for key in keys)
    for start in range(0, len(others), 10):  # more are not told at once
        some = set(others[start:start + 10])
        yield f"other keys are: {sorted(some)}", unknown(program, nested(some)) == some
    for row in known:
        method = re.fullmatch(r"auto_auth\.method\.config\((\w+)\)", row["path"])
        if method:
            text = f'auto_auth {{ method "{method[1]}" {{ config = {{ {row["name"]} = "x" }} }} }}'
            yield f"{method[1]} knows {row['name']}", not unknown(program, text)
    methods = {match[1] for row in known if (match := re.fullmatch(r"auto_auth\.method\.config\((\w+)\)", row["path"]))}
    named = next(row["help"] for row in known if (row["path"], row["name"]) == ("auto_auth.method", "type"))
    yield f"the type names every method: {named}", set(re.findall(r"\w+", named)) - {"or"} == methods
    variables = {row["name"] for row in known if row["path"] == "VAULT"}
    code = "".join(path.read_text() for path in SOURCES)
    read = set(re.findall(r'override_get\([\w>-]+, "([A-Z_]+)"', code)) | set(re.findall(r'\{"([A-Z_]{4,})",\s', code)) | set(re.findall(r'"(AGENT_[A-Z_]+)"', code))
    read |= set(re.findall(r'log_word\([^"]*"([A-Z_]+)"', code))
    yield f"its variables are those that are read: {sorted(variables ^ read)}", variables == read
    shown = set(re.findall(r"\[VAULT_([A-Z_]+)\]", said(programs / "ampule-agent", "-help").stdout))
    yield f"the help's variables are on it: {sorted(shown - variables)}", shown and shown <= variables
    yield "every row says what it is", all(row["help"] for row in known)
    manual = said(program, "configuration", "--format=man").stdout
    yield "the manual page has every key", all(f".TP\n.B {name}\n" in manual for name in {row["name"] for row in known})
    if shutil.which("man"):
        formatted = said("man", "-l", "--warnings=w", "-", input=manual, env={**os.environ, "MANPAGER": "cat", "MANROFFOPT": "", "LC_ALL": "C.UTF-8"})
        yield f"it is one: {formatted.stderr[:200]}", formatted.returncode == 0 and not formatted.stderr and "lease_renewal_threshold" in formatted.stdout
    yield "one that is asked for is printed", said(program, "configuration", "retry.num").stdout.startswith("vault.retry.num_retries\n")
    yield "one that is not there is an error", said(program, "configuration", "no-such-key").returncode == 1
    yield "a wrong command line is another", {said(program, "configuration", *words).returncode for words in (["a", "b"], ["--format=x"], ["--no"])} == {2}


def main():
    results = list(tests(pathlib.Path(sys.argv[1]).resolve()))
    failed = [name for name, good in results if not good]
    for name in failed:
        print(f"not so: {name}")
    print(f"reference: {len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
