#!/usr/bin/env python3
"""Damage good configurations in 1,000 ways, the same at each run: no program falls over, and every refusal says where and what.

Bytes, tokens, keys, types, nesting, sizes and ends are changed; HCL, JSON and YAML, one file and two. `ampule-agent -test-verify-only` and
`ampule check` must end with 0 or 1, and refuse the same. Each error names a file and a line that it has, and its key unless the file cannot be read at all.

Usage: run_mutated_configs.py BIN_DIR [SEED [COUNT]]
"""
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import agent_config_kinds as kinds

RICH = {
    **kinds.BASE,
    "log_level": "info", "log_rotate_bytes": 1000, "disable_keep_alives": ["auto-auth"], "exit_after_auth": False,
    "template": {**kinds.BASE["template"], "perms": "0640", "wait": {"min": "1s", "max": "5s"}, "exec": {"command": ["a", "b"], "timeout": "5s"},
                 "notify": {"signal": "HUP", "process": "nginx"}, "error_on_missing_key": True},
    "template_config": {"static_secret_render_interval": "1m", "lease_renewal_threshold": 0.5},
    "ampule": {"strict_commands": True, "init_deadline": "5s"},
}
RICH["auto_auth"] = {**RICH["auto_auth"], "sink": {**RICH["auto_auth"]["sink"], "wrap_ttl": "5m"}}
ODD = [b"\0", b"\xff", b"\"", b"{", b"}", b"[", b"]", b"=", b",", b"\n", b"\\", b"${", b"<<E\n", b"/*", b"#", b"'", b"\xef\xbb\xbf", b":", b"-", b"0x", b"1e999", b"\t"]
LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): error: .+$")


def yaml(tree, indent=""):
    lines = []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{key}:\n{yaml(value, indent + '  ')}")
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}\n")
    return "".join(lines)


def paths(tree, before=()):
    for key, value in tree.items():
        yield (*before, key)
        if isinstance(value, dict):
            yield from paths(value, (*before, key))


def mutate_tree(rng, tree):
    """Another type, name or place of a value."""
    path = rng.choice(list(paths(tree)))
    dotted = ".".join(path)
    way = rng.randrange(4)
    if way == 0:
        return kinds.changed(tree, dotted, rng.choice(list(kinds.VALUES.values())[:-1]))
    if way == 1:
        return kinds.without(tree, dotted)
    if way == 2:
        at = tree
        for name in path:
            at = at[name]
        return kinds.changed(kinds.without(tree, dotted), dotted + rng.choice(["x", "_", "S", "-"]), at)
    return kinds.changed(tree, dotted, {path[-1]: {"no_such": 1}})


def mutate_bytes(rng, data):
    at = rng.randrange(len(data) + 1)
    way = rng.randrange(7)
    if way == 0:
        return data[:at]
    if way == 1:
        return data[:at] + rng.choice(ODD) + data[at:]
    if way == 2:
        end = min(len(data), at + rng.randrange(1, 20))
        return data[:at] + data[end:]
    if way == 3:
        end = min(len(data), at + rng.randrange(1, 40))
        return data[:end] + data[at:end] + data[end:]
    if way == 4:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
    if way == 5:
        return data[:at] + rng.choice([b"{", b"[", b'{"a":', b"a {", b"9", b"(", b"- "]) * rng.choice([10, 1000, 100000]) + data[at:]
    words = list(re.finditer(rb"[\w.]+", data))
    one, other = rng.choice(words), rng.choice(words)
    return data[:one.start()] + other.group() + data[one.end():]


def mutated(rng):
    """{name: bytes}."""
    tree = rng.choice([RICH, RICH, kinds.SUPERVISED, kinds.BASE])
    form = rng.choice(["hcl", "hcl", "json", "yaml"])
    write = {**kinds.WRITERS, "yaml": yaml}[form]
    while rng.random() < 0.5:
        tree = mutate_tree(rng, tree)
    data = write(tree).encode()
    while rng.random() < 0.5 or not data:
        data = mutate_bytes(rng, data or b"\n")
    if rng.random() < 0.2:
        return {f"1.{form}": data, "2.hcl": kinds.hcl(kinds.BASE).encode()}
    return {f"1.{form}": data}


def misplaced(file, line, files):
    """None, or what is wrong with where a refusal points to."""
    if file not in files:
        return "names no file"
    lines = files[file].count(b"\n") + 2  # the end is behind the last line; YAML knows other breaks of lines too
    return None if 1 <= line <= lines else f"names line {line} of {lines}"


def run(program, arguments, files, folder):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    command = [program, *arguments, *[f"-config={name}" for name in files]]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", env=clean, timeout=60, check=False)


def blame(problems, files):
    """What is wrong with the refusals of `check`: each names file and line, and either a key or the one place where a file ends to make sense."""
    unread = collections.Counter()
    for problem in problems:
        wrong = misplaced(problem.get("file"), problem["line"], files)
        if wrong:
            yield f"check {wrong}: {problem}"
        if not problem.get("path"):
            unread[problem.get("file")] += 1
    for file, count in unread.items():
        others = [problem for problem in problems if problem.get("file") == file and problem.get("path") not in (None, "", "auto_auth")]
        if count > 1 or others:
            yield f"check names no key in a file that it could read: {file}: {problems}"


def judge(programs, files, folder):
    """What is wrong with the answers to these files."""
    verify = run(programs / "ampule-agent", ["agent", "-test-verify-only"], files, folder)
    check = run(programs / "ampule", ["check", "-format=json"], files, folder)
    for one in verify, check:
        if one.returncode not in (0, 1):
            yield f"{pathlib.Path(one.args[0]).name} ended with {one.returncode}: {one.stderr[-2000:]}"
            return
    report = json.loads(check.stdout)
    errors = [problem for problem in report["problems"] if problem["severity"] != "warning"]
    yield from blame(errors, files)
    said = [line for line in verify.stderr.splitlines() if not re.match(r"[^ ]+ warning: ", line)]
    if verify.returncode and not said:
        yield "the agent refuses without a word"
    if bool(errors) != bool(check.returncode) or (verify.returncode and not any(problem["severity"] == "error" for problem in errors)):
        yield f"the agent ends with {verify.returncode}, check with {check.returncode}: {errors}"
    for line in said:
        found = LINE.match(line)
        wrong = misplaced(found["file"], int(found["line"]), files) if found else "names no file and line"
        if wrong:
            yield f"the agent {wrong}: {line}"


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    seed, count = int(sys.argv[2]) if len(sys.argv) > 2 else 1, int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    failed = refused = 0
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        files = mutated(rng)
        with tempfile.TemporaryDirectory() as folder:
            wrong = list(judge(programs, files, pathlib.Path(folder)))
        failed += bool(wrong)
        for text in wrong:
            print(f"{seed}/{number}: {text}")
    print(f"mutated configs: {count - failed} passed, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
