"""What a run found, as a table; called by tests/integration/twin/run: table.py FOLDER PEER yes|no."""

import json
import pathlib
import re
import sys

README = pathlib.Path(__file__).resolve().parent / "README.md"
MARK = "<!-- twin -->"


def count(rows):
    worse = sum(1 for row in rows if row["worse"])
    better = sum(1 for row in rows if row["other"] and not row["worse"])
    return f"{len(rows)} | {len(rows) - better - worse} | {better} | {worse}"


def table(rows, peer, times):
    families = list(dict.fromkeys(row["family"] for row in rows))
    lines = ["| family | scenarios | equal | better | worse |", "|---|--:|--:|--:|--:|"]
    lines += [f"| {family} | {count([row for row in rows if row['family'] == family])} |" for family in families]
    lines.append(f"| all | {count(rows)} |")
    seconds, user, system = map(float, times.split()[-3:])
    said = f"Beside {peer.split(',')[0]}: {seconds:.0f} s, {user + system:.0f} s of the processors."
    fewer = {}
    for row in rows:
        for reason in row["saved"]:
            fewer[reason] = fewer.get(reason, 0) + 1
    saved = [f"{number} scenarios: {reason}." for reason, number in sorted(fewer.items(), key=lambda item: -item[1])]
    return "\n".join([*lines, "", said, "Requests that ours does not make are equal here:", "", *[f"* {line}" for line in saved]])


def main():
    folder, peer, write = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "yes"
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    log = (folder / "log").read_text()
    broken = re.findall(r"^(?:FAILED|ERROR) .*", log, re.M)
    text = table(rows, peer, (folder / "times").read_text()) if rows else "nothing ran"
    print(text)
    for row in rows:
        for fault in row["worse"]:
            print(f"{row['family']}: {row['name']}: {fault}")
    if broken or not rows:
        print(*broken[:20], log.splitlines()[-1] if log else "", sep="\n")
        return 1
    if write:
        before, _, after = README.read_text().split(MARK)
        README.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
