#!/usr/bin/env python3
"""Templates: every row of template-*.jsonl through `ampule render`, compared byte for byte.

usage: run_templates.py BIN_DIR
`expected` begins with `=` (output), `P!` (parse error) or `X!` (execution error). `flags`: `n` numbers of the data keep their spelling,
`e` and `i` missingkey=error and =invalid, a blank and two words other delimiters. The offline store is STORE below.
A row whose template uses a function that is not there yet is left out, and listed with that reason.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

STORE = r"""{
  "reads": {
    "kv1/app": {"request_id": "r1", "lease_duration": 2764800, "data": {
      "user": "bob", "pass": "p&<w>", "port": 5432, "ratio": 1.50, "big": 12345678901234567890, "on": true, "none": null,
      "list": ["a", "b"], "obj": {"z": 1, "a": 2}}},
    "kv2/app": {"request_id": "r2", "data": {
      "data": {"user": "bob", "pass": "x", "my-key": "v", "n": 3},
      "metadata": {"version": 2, "created_time": "2024-01-01T00:00:00Z", "destroyed": false, "custom_metadata": null}}},
    "tok": {"request_id": "r3", "auth": {"client_token": "hvs.x", "policies": ["a"], "lease_duration": 60, "renewable": true}}
  },
  "lists": {"kv": ["a", "b/"]}
}"""


def arguments(row, folder):
    flags, _, delimiters = row["flags"].partition(" ")
    args = ["--template", os.path.join(folder, "template"), "--data", os.path.join(folder, "data"),
            "--secrets", os.path.join(folder, "store"), "--now", "2024-01-02T03:04:05Z"]
    if "n" in flags:
        args += ["--numbers", "json"]
    if "e" in flags or "i" in flags:
        args += ["--missing-key", "error" if "e" in flags else "invalid"]
    if delimiters:
        left, right = delimiters.split()
        args += ["--left-delimiter", left, "--right-delimiter", right]
    return args


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as f:
        f.write(text)


def run(ampule, row):
    """Standard output, or the error behind its exit status 1."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "template", row["template"])
        write(folder, "data", row["data"])
        write(folder, "store", STORE)
        done = subprocess.run([ampule, "render", *arguments(row, folder)], capture_output=True, timeout=60, check=False)
    if done.returncode == 0:
        return "=" + done.stdout.decode("utf-8", "surrogateescape")
    text = done.stderr.decode("utf-8", "surrogateescape").removesuffix("\n")
    return (f"!{text}" if done.returncode == 1 and not done.stdout else f"exit status {done.returncode}: {text}")


def rows():
    for path in sorted(glob.glob(os.path.join(HERE, "template-*.jsonl"))):
        for line in open(path, encoding="utf-8"):
            yield json.loads(line)


def main():
    ampule = os.path.join(sys.argv[1] if len(sys.argv) > 1 else "build/bin", "ampule")
    passed, failed, left_out = 0, 0, []
    for row in rows():
        got = run(ampule, row)
        if "not supported yet" in got:
            left_out.append((row["id"], got.rpartition(": ")[2]))
        elif got == row["expected"].removeprefix("P").removeprefix("X"):
            passed += 1
        else:
            failed += 1
            print(f"row {row['id']} ({row['note']})\n  template {row['template']!r} data {row['data']}\n"
                  f"  expected {row['expected']!r}\n  got      {got!r}")
    for number, reason in left_out:
        print(f"row {number} left out: {reason}")
    print(f"{passed} passed, {failed} failed, {len(left_out)} skipped")
    return 1 if failed else 0


sys.exit(main())
