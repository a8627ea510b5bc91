#!/usr/bin/env python3
"""Templates: every row of templates/*.jsonl through `ampule render`, compared byte for byte; then, where Go is, the original is asked the same.

usage: run_templates.py BIN_DIR
`expected` begins with `=` (output), `P!` (parse error) or `X!` (execution error); what is no UTF-8 is `hex:` and digits. `flags`: `n` numbers of
the data keep their spelling, `e` and `i` missingkey=error and =invalid, a blank and two words other delimiters. Secrets: templates/store.json.
A row whose template uses a function that is not there yet is left out, and listed with that reason.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ROWS, STORE = HERE / "templates", HERE / "templates" / "store.json"
sys.path.insert(0, str(HERE.parent))
from support import gotemplate  # noqa: E402


def name(row):
    return f"{row['file']}/{row['id']}"


def arguments(row, folder):
    flags, _, delimiters = row["flags"].partition(" ")
    args = ["--template", os.path.join(folder, "template"), "--data", os.path.join(folder, "data"), "--secrets", str(STORE), "--now", gotemplate.NOW]
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


def bytes_of(expected):
    """What `expected` means, without the letter that tells parse from execution."""
    raw = bytes.fromhex(expected[4:]) if expected.startswith("hex:") else expected.encode()
    return raw[1:] if raw[:1] in b"PX" else raw


def run(ampule, row):
    """Standard output, or the error behind its exit status 1."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "template", row["template"])
        write(folder, "data", row["data"])
        done = subprocess.run([ampule, "render", *arguments(row, folder)], capture_output=True, timeout=60, check=False)
    if done.returncode == 0:
        return b"=" + done.stdout
    text = done.stderr.removesuffix(b"\n")
    return b"!" + text if done.returncode == 1 and not done.stdout else b"exit status %d: %s" % (done.returncode, text)


def compare(ampule, rows):
    passed, failed, left_out = 0, 0, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, got in zip(rows, pool.map(lambda row: run(ampule, row), rows)):
            if b"not supported yet" in got:
                left_out.append((name(row), got.rpartition(b": ")[2].decode()))
            elif got == bytes_of(row["expected"]):
                passed += 1
            else:
                failed += 1
                print(f"row {name(row)} ({row['note']})\n  template {row['template']!r} data {row['data']} flags {row['flags']!r}\n"
                      f"  expected {row['expected']!r}\n  got      {got!r}")
    for number, reason in left_out:
        print(f"row {number} left out: {reason}")
    return passed, failed, len(left_out)


def ask_original(rows):
    """Rows of which the original says the same as they do, and another thing; None when there is no Go."""
    oracle = gotemplate.build()
    if not oracle:
        return None
    wrong = 0
    for row, (got, reason) in zip(rows, gotemplate.ask_oracle(oracle, rows, STORE.read_text(encoding="utf-8"))):
        if got != row["expected"]:
            wrong += 1
            print(f"row {name(row)}: the original says {got or reason!r}\n  template {row['template']!r} data {row['data']} expected {row['expected']!r}")
    return len(rows) - wrong, wrong


def main():
    ampule = os.path.join(sys.argv[1] if len(sys.argv) > 1 else "build/bin", "ampule")
    rows = [{**json.loads(line), "file": path.stem} for path in sorted(ROWS.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").split("\n") if line]
    passed, failed, skipped = compare(ampule, rows)
    print(f"{len(rows)} rows: {passed} as expected, {failed} not, {skipped} left out")
    original = ask_original(rows)
    if original is None:
        print("SKIPPED: nothing asked the original whether the rows are right")
        skipped += 1
    else:
        print(f"{original[0]} rows are what the original says, {original[1]} are not")
        passed, failed = passed + original[0], failed + original[1]
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
