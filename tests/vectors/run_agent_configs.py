#!/usr/bin/env python3
"""Give every file of agent-configs.jsonl to `ampule-agent agent -test-verify-only` and compare the verdict.

A row holds a configuration and what Vault Agent and OpenBao Agent say to it; where the two differ, either is right.

Usage: run_agent_configs.py BIN_DIR
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROWS = pathlib.Path(__file__).resolve().parent / "agent-configs.jsonl"


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}


def verify(program, row, folder):
    path = folder / f"config.{row['format']}"
    path.write_text(row["text"])
    command = [program, "agent", f"-config={path}", "-test-verify-only"]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment(), timeout=30)


def judge(row, result):
    """None, or what is wrong."""
    if result.returncode not in (0, 1):
        return f"ended with status {result.returncode}\n{result.stderr[-2000:]}"
    if (result.returncode == 0) in (row["vault"], row["bao"]):
        return None
    verdict = "accepted" if result.returncode == 0 else "refused"
    return f"{verdict}; the originals say otherwise\n{result.stdout}{result.stderr}"


def main():
    program = pathlib.Path(sys.argv[1]) / "ampule-agent"
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for row in rows:
            wrong = judge(row, verify(program, row, pathlib.Path(folder)))
            if wrong:
                failed += 1
                print(f"{row['id']}: {wrong}")
    print(f"agent configs: {len(rows) - failed} passed, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
