"""One init run against a real server, again and again: each of its system calls fails, once and from then on, is interrupted, or is the last before SIGKILL.

No crash, no torn file, nothing left over after the next start, no silence and no hang. The figures go to tests/bench/results.
"""

import argparse
import collections
import concurrent.futures
import datetime
import json
import pathlib
import random
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "bench")]

import facts  # noqa: E402
from support import syscalls  # noqa: E402
from support.certs import Authority  # noqa: E402
from support.kubernetes import Cluster  # noqa: E402
from support.server import Server  # noqa: E402
from support.site import Site  # noqa: E402

RESULTS = HERE.parent / "bench" / "results"
MODES = {"kill": "SIGKILL instead of the call", "once": "the call fails once", "onwards": "it fails from then on", "EINTR": "it is interrupted once"}


def run(options, ground):
    counts = ground.lay().calls()
    points = syscalls.points(counts, options.modes)
    if options.again:
        wanted = {tuple(point) for point in options.again["points"]}
        points = [p for p in points if (p.mode, p.name, p.number) in wanted]
    if options.sample:
        points = sorted(random.Random(options.seed).sample(points, min(options.sample, len(points))))
    found, lock, done = [], threading.Lock(), [0]

    def one(point):
        word, wrong = ground.lay().at(point)
        with lock:
            found.append((point, word, wrong))
            done[0] += 1
            if wrong or done[0] % 100 == 0:
                print(f"{done[0]}/{len(points)} {point}: {word} {wrong}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, points))
    return counts, found


def markdown(record):
    m = record["machine"]
    lines = [
        "# System calls that fail, and kills at each", "",
        f"Measured {record['when']} at commit {record['commit']}: {m['cores']} × {m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; "
        f"seed {record['seed']}{', all points' if not record['sample'] else ''}. One init run (login, two secrets, two files of 90 KB{' that switch together' if record['together'] else ''}, a command, a sink) against a real server; "
        f"{sum(record['calls'].values())} system calls of {len(record['calls'])} kinds by the processes that make them most often. strace makes the calls fail; what it makes fail has no number, "
        "so those runs are without the agent's own filter of system calls. Kills are with it.", "",
        "| | points | how it went | wrong |", "|---|--:|---|--:|",
    ]
    for mode, text in MODES.items():
        if mode in record["modes"]:
            rows = record["modes"][mode]
            went = ", ".join(f"{word}: {n}" for word, n in sorted(rows["went"].items(), key=lambda item: -item[1]))
            lines.append(f"| {text} | {rows['points']} | {went} | {rows['wrong']} |")
    lines += ["", "*went on*: exit 0 and both files new. *tries on*: says what fails and when it tries again, and ends on SIGTERM. *ended, with a reason*: exit 1 and a line of the log. "
              "*cleaned up*: nothing torn after the kill, and after the next start both files new and nothing left over.", "",
              f"Strays between a kill and the next start: in {record['strays']} runs."]
    if record["wrong"]:
        lines += ["", "| wrong | |", "|---|---|", *(f"| {point} | {what} |" for point, what in record["wrong"])]
    return "\n".join(lines) + "\n"


def record_of(options, counts, found, strays):
    modes = {}
    for point, word, wrong in found:
        mode = modes.setdefault(point.mode, {"points": 0, "went": collections.Counter(), "wrong": 0})
        mode["points"] += 1
        mode["went"][word] += 1
        mode["wrong"] += bool(wrong)
    return {
        "when": datetime.date.today().isoformat(), "commit": facts.commit(), "machine": facts.machine(), "seed": options.seed, "sample": options.sample, "together": options.together,
        "calls": dict(counts), "modes": modes, "strays": strays,
        "words": [word for _, word, wrong in sorted(found) if wrong],
        "points": [(p.mode, p.name, p.number) for p, _, wrong in sorted(found) if wrong],
        "wrong": [(str(point), "; ".join(wrong)[:200].replace("\n", " ")) for point, _, wrong in sorted(found) if wrong],
    }


def merged(before, again):
    """What was wrong before, measured anew; how it went then is taken back first."""
    for point, word in zip(before["points"], before["words"]):
        mode = before["modes"][point[0]]
        mode["points"] -= 1
        mode["went"][word] -= 1
        mode["wrong"] -= 1
    for name, mode in again["modes"].items():
        whole = before["modes"][name]
        whole["points"] += mode["points"]
        whole["wrong"] += mode["wrong"]
        whole["went"] = dict(collections.Counter(whole["went"]) + mode["went"])
    return {**before, "wrong": again["wrong"], "points": again["points"], "words": again["words"], "strays": before["strays"] + again["strays"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many points, drawn; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--modes", nargs="*", default=list(MODES), choices=list(MODES))
    parser.add_argument("--together", action="store_true", help="the two files are of one atomic_group: one old and one new counts as torn")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    parser.add_argument("--again", type=lambda path: json.loads(pathlib.Path(path).read_text()), help="an earlier JSON file: only what was wrong there, and all the rest as it was")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ampule-torture-") as name:
        folder = pathlib.Path(name)
        authority = Authority(folder / "ca")
        cluster, server = Cluster(authority), Server(folder / "server", authority)
        try:
            ground = syscalls.Ground(Site(server, cluster, folder), folder, options.together)
            counts, found = run(options, ground)
        finally:
            server.stop()
            cluster.close()
    record = record_of(options, counts, found, ground.strays)
    if options.again:
        record = merged(options.again, record)
    base = options.results / f"torture-syscalls{'-together' if options.together else ''}-{record['when']}"
    base.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    base.with_suffix(".md").write_text(markdown(record))
    print(f"{base}.md: {len(found)} points, {len(record['wrong'])} wrong")
    return 1 if record["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
