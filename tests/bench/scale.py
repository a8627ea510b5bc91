"""Measures one agent with 100, 1,000 and 10,000 secrets, a template and a file each, beside `vault agent`: memory, descriptors, CPU, time.

Every program reads the same configuration file and talks to the same real server over TLS, in turns on the same machine.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import resource
import shutil
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
RESULTS = HERE / "results"
sys.path[:0] = [str(HERE), str(TOP / "tests")]

import facts  # noqa: E402
import footprint  # noqa: E402
import meters  # noqa: E402
import report  # noqa: E402
import scene as scenes  # noqa: E402
from support import server  # noqa: E402

STEP = 0.005  # seconds between two looks
ROWS = [("peak", "resident at most", "size"), ("descriptors", "descriptors at most", "count"), ("cpu", "CPU until all are written", "time"), ("seconds", "time until all are written", "time")]


def written(folder):
    return sum(not name.startswith(".") for name in os.listdir(folder))


def measure(program, scene, count, patience):
    """What it took until all files were there; nothing when that did not happen in time."""
    config, files = scene.config(count)
    folder, begin, descriptors = files[0].parent, time.monotonic(), 0
    with footprint.running(program, config) as process:
        while written(folder) < count:
            if time.monotonic() - begin > patience:
                return None
            for _ in range(10):
                descriptors = max(descriptors, len(os.listdir(f"/proc/{process.pid}/fd")))
                footprint.rest(STEP)
        seconds = time.monotonic() - begin
        cpu, _ = meters.work(process.pid)
        return {"peak": meters.memory(process.pid)["peak"], "descriptors": descriptors, "cpu": cpu, "seconds": seconds}


# ------------------------------------------------------------------------------------------------------------- the results


def table(result):
    ours, *peers = result["programs"]
    lines = [f"| secrets | | {' | '.join([ours['name'], *(cell for peer in peers for cell in (peer['name'], 'ratio'))])} |", f"|--:|---|{'--:|' * (1 + 2 * len(peers))}"]
    for count in result["counts"]:
        for key, title, kind in ROWS:
            value = report.look_up(ours["figures"], f"{count}.{key}")
            cells = [report.written(value, kind)]
            for peer in peers:
                theirs = report.look_up(peer["figures"], f"{count}.{key}")
                cells += [report.written(theirs, kind), report.ratio(value, theirs)]
            lines.append(f"| {count:,} | {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def growth(result):
    """What ten times as many secrets cost, in ours."""
    figures = result["programs"][0]["figures"]
    pairs = [(a, b) for a, b in zip(result["counts"], result["counts"][1:]) if figures.get(str(a)) and figures.get(str(b))]
    said = [f"from {a:,} to {b:,} secrets CPU grows {figures[str(b)]['cpu'] / figures[str(a)]['cpu']:.1f}× and memory {figures[str(b)]['peak'] / figures[str(a)]['peak']:.1f}×" for a, b in pairs]
    return f"Ours: {'; '.join(said)}." if said else ""


def markdown(result):
    m = result["machine"]
    conditions = (
        f"Measured {result['when']} at commit {result['commit']}: {m['cores']} × {m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; "
        f"load {m['load_before']} before and {m['load_after']} after; {result['server']} over TLS on loopback, Kubernetes login, KV version 2, a template and a "
        f"file for each secret, all in one folder of a disk, the same configuration file for every program, in turns. Seed {result['seed']}. “–”: not measured."
    )
    return f"# Scale\n\n{conditions}\n\n{table(result)}\n\n{growth(result)}\n"


def run(options):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    machine, before = facts.machine(), facts.load()
    seed = options.seed if options.seed is not None else random.randrange(1 << 31)
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        programs = [footprint.Program(options.agent, "Ampule")]
        if not options.alone:
            programs.append(footprint.Program(shutil.copy2(server.binary(), pathlib.Path(folder) / "peer")))
            programs[1].name += " agent"
        with contextlib.closing(scenes.Scene(folder, seed)) as scene:
            version = scene.server.health()["version"]
            scene.fill(max(options.counts))
            for count in options.counts:
                for program in programs[: None if count <= options.peer_most else 1]:
                    print(f"measuring: {program.name}, {count}", file=sys.stderr, flush=True)
                    program.figures[str(count)] = measure(program, scene, count, options.patience)
    return {
        "when": time.strftime("%Y-%m-%d"),
        "commit": facts.commit(),
        "seed": seed,
        "counts": options.counts,
        "server": f"Vault {version}",
        "machine": {**machine, "load_before": before, "load_after": facts.load()},
        "programs": [{"name": p.name, "figures": p.figures} for p in programs],
    }


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", default=os.environ.get("AMPULE_BIN", str(TOP / "build" / "bin")) + "/ampule-agent", metavar="PATH", help="our agent (default %(default)s; a release build is what should be measured)")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--counts", nargs="+", type=int, default=[100, 1000, 10000], metavar="N", help="secrets (default 100 1000 10000)")
    parser.add_argument("--peer-most", type=int, default=1000, metavar="N", help="the peer is spared more than that (default 1000)")
    parser.add_argument("--patience", type=int, default=600, metavar="SECONDS", help="for one run (default 600)")
    parser.add_argument("--seed", type=int, help="of the secrets' values (default: chosen and printed)")
    parser.add_argument("--dry", action="store_true", help="print the table, write no results")
    return parser.parse_args()


def main():
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("scale: needs root, because the agent's memory can be looked at by nobody else")
    result = run(options)
    print(markdown(result))
    if not options.dry:
        base = RESULTS / f"scale-{result['when']}"
        base.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
        base.with_suffix(".md").write_text(markdown(result))


if __name__ == "__main__":
    main()
