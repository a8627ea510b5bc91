#!/usr/bin/env python3
"""Give every configuration of agent_config_kinds.py to `ampule-agent agent -test-verify-only` and compare the verdict with the originals'.

agent-config-kinds.jsonl holds what Vault Agent and OpenBao Agent said; where the two differ, either is right. Where we differ from both, DIFFERS
says why that is better.

Usage: run_agent_config_kinds.py BIN_DIR
"""
import concurrent.futures
import json
import pathlib
import sys
import tempfile

import agent_config_kinds as kinds

ROWS = pathlib.Path(__file__).resolve().parent / "agent-config-kinds.jsonl"
REFUSED, ACCEPTED = False, True
BARE = "a bare object of JSON is a block here; there its members are taken for blocks"
LABEL = "there the type is \"config\", the only member's name, and the agent then ends: no such method, or sink"
HUGE = "a number that no integer holds is no name"
MAP = "a map is no list"
DIFFERS = {
    "keys in capitals.hcl": (ACCEPTED, "of two spellings the last one counts; there it is a second block"),
    "keys in capitals.json": (ACCEPTED, "of two spellings the last one counts; there it is a second block"),
    "supervised with a template.hcl": (ACCEPTED, "files and variables may stand beside each other"),
    "supervised with a template.json": (ACCEPTED, "files and variables may stand beside each other"),
    "without auto_auth.method.type.json": (REFUSED, LABEL),
    "without auto_auth.sink.type.json": (REFUSED, LABEL),
    "spelled bare objects.json": (ACCEPTED, BARE),
    "cluster_name=huge.json": (REFUSED, HUGE),
    "vault.address=huge.json": (REFUSED, HUGE),
    "vault.client_cert=huge.json": (REFUSED, HUGE),
    "auto_auth.method.mount_path=huge.json": (REFUSED, HUGE),
    "auto_auth.sink.config.group=huge.json": (ACCEPTED, "said when the agent starts, as other wrong values of a sink are there"),
    "disable_idle_connections=map.json": (REFUSED, MAP),
    "disable_keep_alives=map.hcl": (REFUSED, MAP),
}


def judge(case, row, program):
    """None, or what is wrong."""
    name, files, arguments, variables = case
    with tempfile.TemporaryDirectory() as folder:
        result = kinds.verify(program, files, arguments, variables, folder)
    if result.returncode not in (0, 1):
        return f"ended with status {result.returncode}\n{result.stderr[-2000:]}"
    if row is None:
        return "nobody asked the originals"
    accepted = result.returncode == 0
    expected = {row["vault"], row["bao"]}
    if name in DIFFERS:
        return None if accepted == DIFFERS[name][0] and accepted not in expected else f"DIFFERS is not true any more: accepted={accepted}, {row}"
    if accepted in expected:
        return None
    return f"{'accepted' if accepted else 'refused'}; the originals say otherwise\n{result.stdout}{result.stderr}"


def main():
    program = pathlib.Path(sys.argv[1]).resolve() / "ampule-agent"
    rows = {row["id"]: row for row in map(json.loads, ROWS.read_text().splitlines())}
    cases = list(kinds.all_kinds())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda case: judge(case, rows.get(case[0]), program), cases))
    for case, wrong in zip(cases, verdicts):
        if wrong:
            print(f"{case[0]}: {wrong}")
    stale = (set(rows) | set(DIFFERS)) - {case[0] for case in cases}
    for name in sorted(stale):
        print(f"{name}: there is no such case")
    failed = sum(map(bool, verdicts)) + len(stale)
    print(f"otherwise than both originals, for a reason: {len(DIFFERS)}")
    print(f"agent config kinds: {len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
