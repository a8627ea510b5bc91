"""The catalogue of faults over real minutes, many at a time: ours and the original, as one table in tests/bench/results."""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "bench")]

import facts  # noqa: E402
from catalogue import ALL, elsewhere  # noqa: E402
from catalogue.scene import FIRST_MINUTE, LATER_MINUTE, STORM, Measurement, Result, Scene  # noqa: E402
from support.certs import Authority  # noqa: E402
from support.kubernetes import Cluster  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.server import Server, binary  # noqa: E402
from support.site import Site, unique  # noqa: E402

RESULTS = HERE.parent / "bench" / "results"


class Estate:
    """What all scenes share: one server, one PostgreSQL, one authority."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.authority = Authority(self.folder / "ca")
        self.cluster = Cluster(self.authority)
        self.server = Server(self.folder / "server", self.authority)
        self.site = Site(self.server, self.cluster, self.folder)
        self.postgres = Postgres()

    def scene(self, fault, peer):
        folder = self.folder / unique("scene")
        folder.mkdir()
        site, server = self.site, None
        if fault.own_server:
            server = Server(folder / "server", self.authority, persistent=True)
            site = Site(server, self.cluster, folder)
        scene = Scene(site, self.postgres, self.authority, folder, peer)
        if server:
            scene.closing(server.stop)
        return scene

    def close(self):
        self.server.stop()
        self.postgres.close()
        self.cluster.close()


def measure(estate, fault, name, peer, seconds):
    try:
        return Measurement(fault, estate.scene(fault, peer), name, seconds).run()
    except Exception as e:  # noqa: BLE001  (one scene must not end the others)
        return Result(fault.name, name, wrong=[f"{type(e).__name__}: {str(e)[:300]}"])


# ---------------------------------------------------------------------------------------------------------------- the table


def requests(result):
    if result.stormed is not None:
        return f"storm: {STORM} in {result.stormed:g} s"
    return f"{result.first} / {result.later:g}" if result.first or result.later else "–"


def outcome(fault, result):
    words = []
    if result.exit is not None:
        words.append(f"ended: {result.exit}")
    if not result.kept:
        words.append("file lost")
    if fault.kind == "stays":
        words += [] if words else ["goes on"]
    elif result.recovered is not None:
        words.append(f"{'through' if fault.kind == 'lasts' else 'back'} after {result.recovered:g} s")
    elif fault.exits is None and result.exit is None:
        words.append("stuck")
    return ", ".join(words)


def row(fault, ours, peer):
    verdict = "; ".join(Measurement.judge(fault, ours)) if ours else ""
    theirs = [requests(peer), outcome(fault, peer) + ("; differs: " + peer.wrong[0].splitlines()[0][:80] if peer.wrong else "")] if peer else ["", fault.peer]
    cells = [fault.number, fault.text, requests(ours), outcome(fault, ours), *theirs, verdict or "held"]
    return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def markdown(record, faults, found):
    m = record["machine"]
    lines = [
        "# Faults",
        "",
        f"Measured {record['when']} at commit {record['commit']}: {m['cores']} × {m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; "
        f"load {m['load_before']} before and {m['load_after']} after. Ours beside `vault agent` ({record['server']}), with the same file, the same real server and the same "
        f"proxy; {record['seconds']} s of each fault, {record['jobs']} scenes at a time; nothing here is drawn by chance but the jitter of the agents' own pauses. "
        "Pauses are those that each has by default.",
        "",
        f"*Requests*: for the failing object that was asked for most, in the first minute / in the busiest later one. Ours may make {FIRST_MINUTE} / {LATER_MINUTE}. "
        f"A program that asks {STORM} times is stopped: storm. *back*: seconds from the end of the fault until a change is in the file; *through*: seconds from its "
        "beginning, for faults that last and must not disturb. A scene is *held* when the old file was whole, nothing crashed, the message named the fault, "
        "the figures are within the rule, and no secret was in log, environment, command line, what a core file would hold, or any other file.",
        "",
        f"**{record['held']} of {record['scenes']} scenes held by ours; storms: ours {record['storms']['ours']}, the original {record['storms']['peer']}.**",
        "",
        "| | fault | ours: requests | ours: outcome | original: requests | original: outcome | ours |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [row(f, found.get((f.name, "ours")), found.get((f.name, "peer"))) for f in faults if (f.name, "ours") in found]
    lines += ["", "## Held elsewhere, or not there", "", "| | fault | where, or why not |", "|---|---|---|"]
    lines += [f"| {number} | {text} | {where} |" for number, text, where in elsewhere.ROWS]
    return "\n".join(lines) + "\n"


def write(record, faults, found, folder):
    base = folder / f"faults-{record['when']}"
    rows = [{k: v for k, v in vars(r).items() if k not in ("log", "wrong") or (k == "wrong" and r.program == "ours")} for r in found.values()]
    base.with_suffix(".json").write_text(json.dumps({**record, "results": rows}, indent=1) + "\n")
    base.with_suffix(".md").write_text(markdown(record, faults, found))
    return base


# -------------------------------------------------------------------------------------------------------------------- a run


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=125, help="how long each fault lasts")
    parser.add_argument("--jobs", type=int, default=40, help="scenes at a time; they mostly wait")
    parser.add_argument("--only", nargs="*", default=[], help="numbers of faults")
    parser.add_argument("--programs", nargs="*", default=["ours", "peer"], choices=["ours", "peer"])
    parser.add_argument("--logs", type=pathlib.Path, help="a folder for the programs' logs")
    parser.add_argument("--add", type=pathlib.Path, help="an earlier JSON file, of which the scenes stay that are not run now")
    parser.add_argument("--names", nargs="*", default=[], help="whole names of scenes, as \"F13 the version is deleted\"")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    return parser.parse_args()


def run(options, faults, estate):
    found, lock = {}, threading.Lock()
    jobs = [(f, name) for f in faults for name in options.programs if name == "ours" or not f.peer]

    def one(job):
        f, name = job
        result = measure(estate, f, name, binary() if name == "peer" else None, options.seconds)
        with lock:
            found[f.name, name] = result
            broken = Measurement.judge(f, result) if name == "ours" else result.wrong
            print(f"{len(found)}/{len(jobs)} {name:4} {f.name}: {requests(result)}; {outcome(f, result)}; {'; '.join(broken) or 'held'}", flush=True)
            if options.logs:
                options.logs.mkdir(exist_ok=True)
                (options.logs / f"{f.name} {name}".replace("/", "_").replace(" ", "-")).write_text(result.log)
        return result

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, jobs))
    return found


def main():
    options = parse()
    faults = [f for f in ALL if (not options.only or f.number in options.only) and (not options.names or f.name in options.names)]
    faults = [f for f in faults if not f.root or os.geteuid() == 0]
    with tempfile.TemporaryDirectory(prefix="ampule-faults-") as folder:
        os.chmod(folder, 0o755)
        before, estate = facts.load(), Estate(folder)
        try:
            version = estate.server.health()["version"]
            found = run(options, faults, estate)
        finally:
            estate.close()
    if options.add:
        for row in json.loads(options.add.read_text())["results"]:
            found.setdefault((row["fault"], row["program"]), Result(**row))
        faults = [f for f in ALL if (f.name, "ours") in found]
    broken = [f for f in faults if (f.name, "ours") in found and Measurement.judge(f, found[f.name, "ours"])]
    scenes = sum(1 for _, name in found if name == "ours")
    record = {
        "when": datetime.date.today().isoformat(), "commit": facts.commit(), "server": version, "seconds": options.seconds, "jobs": options.jobs,
        "machine": {**facts.machine(), "load_before": before, "load_after": facts.load()}, "scenes": scenes, "held": scenes - len(broken),
        "storms": {name: sum(r.stormed is not None for (_, who), r in found.items() if who == name) for name in ("ours", "peer")},
    }
    print(f"{write(record, faults, found, options.results)}.md: {scenes - len(broken)} of {scenes} held")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
