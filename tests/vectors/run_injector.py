#!/usr/bin/env python3
"""Give every review of injector/*.jsonl.gz to inject/ and compare with what the original injector answered.

Where we differ on purpose, MENDED says why, and the difference must be just that.

Usage: run_injector.py BIN_DIR [ID ...]
"""
import gzip
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent / "injector"
sys.path.insert(0, str(HERE))
from comparable import comparable, differences  # noqa: E402

# What the lines of a difference may be, and why.
MENDED = {
    "/pod/spec/shareProcessNamespace: only ours: ": "the original sets it only where it injects an init container",
}


def cases(wanted):
    rows = [json.loads(line) for path in sorted(HERE.glob("*.jsonl.gz")) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return [row for row in rows if not wanted or row["id"] in wanted]


def answers(program, rows):
    lines = "".join(json.dumps({"env": row["env"], "review": row["review"]}) + "\n" for row in rows)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(f"{program} ended with status {done.returncode}\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def reason(line, row):
    if row["review"].get("request", {}).get("operation", "CREATE") != "CREATE" and line.startswith("/pod: only theirs: "):
        return "a pod that exists keeps its containers: an API server refuses what the original asks for"
    return next((why for start, why in MENDED.items() if line.startswith(start)), None)


def main():
    program = pathlib.Path(sys.argv[1]).parent / "unit" / "injector-answers"
    rows = cases(sys.argv[2:])
    failed, mended = 0, {}
    for row, answer in zip(rows, answers(program, rows), strict=True):
        ours = comparable(row["review"], answer["status"], answer["body"])
        lines = list(differences(ours, row["expected"]))
        if any(reason(line, row) is None for line in lines):
            failed += 1
            print(f"{row['id']}:", *lines[:8], sep="\n    ")
        for line in lines:
            mended.setdefault(reason(line, row), []).append(row["id"])
    for why, ids in mended.items():
        if why:
            print(f"on purpose: {why}: {', '.join(ids)}")
    print(f"injector reviews: {len(rows) - failed} passed, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
