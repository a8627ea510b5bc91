"""Measures the agent beside `vault agent` and other peers: file, memory, threads, idle work, start, connections, a crowd.

Every program reads the same configuration file and talks to the same real server over TLS, in turns on the same machine.
"""

import argparse
import contextlib
import os
import pathlib
import random
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
RESULTS = HERE / "results"
MARK = "<!-- footprint -->"
PARTS = ("idle", "init", "first", "crowd")
SETTLED = 8  # seconds after the files: connections have been closed by then
NULL = subprocess.DEVNULL
sys.path[:0] = [str(HERE), str(TOP / "tests")]

import facts  # noqa: E402
import meters  # noqa: E402
import report  # noqa: E402
import scene as scenes  # noqa: E402
from support import proxy, server, wait  # noqa: E402


class Program:
    def __init__(self, path, name=None, image=None):
        self.path = pathlib.Path(path).resolve()
        said = subprocess.run([self.path, "version"], capture_output=True, text=True, check=True).stdout.split()
        self.name = name or f"{said[0]} {said[1].split('+')[0].strip('v,')}"
        self.figures = {"file": self.path.stat().st_size}
        if image:
            self.figures["image"] = pathlib.Path(image).stat().st_size

    def start(self, config):
        """Quiet, and with the environment of an empty container."""
        return subprocess.Popen([self.path, "agent", f"-config={config}"], env={"HOME": str(config.parent)}, stdin=NULL, stdout=NULL, stderr=NULL)


@contextlib.contextmanager
def running(program, config):
    process = program.start(config)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def rest(seconds):
    """Here the passing of time is what is measured."""
    select.select([], [], [], seconds)


def wait_for(files, seconds=120):
    wait.until(lambda: all(f.exists() for f in files), f"{len(files)} files", seconds)


# ------------------------------------------------------------------------------------------------------------ measurements


def measure_idle(program, scene, options):
    config, files = scene.config(3)
    with running(program, config) as process:
        wait_for(files)
        rest(SETTLED)
        cpu, switches = meters.work(process.pid)
        rest(options.seconds)
        cpu_then, switches_then = meters.work(process.pid)
        minutes = options.seconds / 60
        figures = {"cpu": (cpu_then - cpu) / minutes, "switches": (switches_then - switches) / minutes, "threads": meters.threads(process.pid)}
        return {**figures, **meters.memory(process.pid)}


def init_run(program, scene):
    """(start to file, start to exit, CPU) of one run with exit_after_auth."""
    config, (file,) = scene.config(1, once=True)
    with contextlib.closing(meters.Arrival(str(file))) as arrival:
        begin = time.monotonic()
        process = program.start(config)
        there = arrival.wait(60)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{program.name} ended with {process.returncode}")
    return there - begin, time.monotonic() - begin, usage.ru_utime + usage.ru_stime


def measure_init(programs, scene, options):
    """In turns, run by run, so that what else happens on the machine meets all of them."""
    runs = {program: [] for program in programs}
    for _ in range(options.runs):
        for program in programs:
            runs[program].append(init_run(program, scene))
    for program in programs:
        columns = zip(("file", "exit", "cpu"), zip(*runs[program]))
        program.figures["init"] = {name: {"min": min(values), "median": statistics.median(values)} for name, values in columns}


def first_files(program, scene, count, relay):
    config, files = scene.config(count, via=relay)
    with running(program, config):
        wait_for(files)
        rest(1)  # what is sent right after the first files belongs to the start


def measure_first(program, scene, _options):
    """A proxy that ends TLS counts all; with HTTP/2 there is a relay of bytes that counts connections."""
    figures = {}
    for count in (1, 20):
        with contextlib.closing(proxy.Proxy(scene.site.address, scene.site.ca_file, scene.authority)) as counting:
            first_files(program, scene, count, counting)
            figures[str(count)] = {
                "connections": counting.connections,
                "handshakes": counting.handshakes,
                "requests": counting.count(),
                "list": [f"{r.method} {r.path.split('/')[2]}" if "/data/" not in r.path else "GET secret" for r in counting.requests][:60],
            }
        with contextlib.closing(proxy.Wire(scene.site.address)) as wire:
            first_files(program, scene, count, wire)
            figures[str(count)]["h2_connections"] = wire.connections
    return figures


def measure_crowd(program, scene, options):
    made = [scene.config(1) for _ in range(options.crowd)]
    files = [file for _, (file,) in made]
    before = scene.requests()
    with contextlib.ExitStack() as stack:
        begin = time.monotonic()
        crowd = [stack.enter_context(running(program, config)) for config, _ in made]
        wait_for(files, 300)
        seconds = time.monotonic() - begin
        rest(SETTLED)
        pss = sum(meters.memory(process.pid)["pss"] for process in crowd)
        requests = scene.requests() - before
        for process in crowd:
            process.terminate()
    return {"seconds": seconds, "pss": pss, "requests": requests}


MEASURES = {"idle": measure_idle, "first": measure_first, "crowd": measure_crowd}


def measure(programs, scene, options):
    for part in options.parts:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        if part == "init":
            measure_init(programs, scene, options)
            continue
        for program in programs:
            program.figures[part] = MEASURES[part](program, scene, options)


# --------------------------------------------------------------------------------------------------------------------- run


def run(options):
    machine, before = facts.machine(), facts.load()
    seed = options.seed if options.seed is not None else random.randrange(1 << 31)
    with tempfile.TemporaryDirectory(prefix="footprint-") as folder:
        # A copy: a program that the server runs as well would share its pages, and proportional memory would be halved.
        copy = shutil.copy2(server.binary(), pathlib.Path(folder) / "peer")
        os.sync()  # pages of a file that are not on disk yet count as written by who maps them
        peers = [] if options.alone else [Program(copy, image=options.peer_image)] + [Program(p) for p in options.peers]
        for peer in peers[:1]:
            peer.name += " agent"
        programs = [Program(options.agent, "Ampule", options.image), *peers]
        with contextlib.closing(scenes.Scene(folder, seed)) as scene:
            version = scene.server.health()["version"]
            measure(programs, scene, options)
    return {
        "when": time.strftime("%Y-%m-%d"),
        "commit": facts.commit(),
        "seed": seed,
        "seconds": options.seconds,
        "runs": options.runs,
        "crowd": options.crowd,
        "server": f"Vault {version}",
        "machine": {**machine, "load_before": before, "load_after": facts.load()},
        "programs": [{"name": p.name, "figures": p.figures} for p in programs],
    }


# ----------------------------------------------------------------------------------------------------------- command line


def update_readme():
    """Between the two markers of README.md stands what the newest results say."""
    result = report.newest(RESULTS) or sys.exit("footprint: no results yet; run tests/bench/footprint first")
    readme = TOP / "README.md"
    parts = readme.read_text().split(MARK)
    if len(parts) != 3:
        sys.exit(f"footprint: README.md does not have the marker {MARK} twice")
    parts[1] = f"\n{report.table(result)}\n\n{report.conditions(result)}\n"
    readme.write_text(MARK.join(parts))


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/footprint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", default=os.environ.get("AMPULE_BIN", str(TOP / "build" / "bin")) + "/ampule-agent", metavar="PATH", help="our agent (default %(default)s; a release build is what should be measured)")
    parser.add_argument("--peers", nargs="+", default=[], metavar="PATH", help="further vault- or bao-like programs")
    parser.add_argument("--alone", action="store_true", help="without any peer")
    parser.add_argument("--seconds", type=int, default=120, metavar="N", help="length of the idle measurement (default 120)")
    parser.add_argument("--runs", type=int, default=15, metavar="N", help="init runs of each program (default 15)")
    parser.add_argument("--crowd", type=int, default=100, metavar="N", help="agents at once (default 100)")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="only these measurements")
    parser.add_argument("--image", metavar="FILE", help="archive of our image, for its size")
    parser.add_argument("--peer-image", metavar="FILE", help="archive of the first peer's image")
    parser.add_argument("--seed", type=int, help="of the secrets' values (default: chosen and printed)")
    parser.add_argument("--dry", action="store_true", help="print the table, write no results")
    parser.add_argument("--readme", action="store_true", help="measure nothing, write the newest results into README.md")
    return parser.parse_args()


def main():
    options = arguments()
    if options.readme:
        update_readme()
        return
    if os.geteuid() != 0:
        sys.exit("footprint: needs root, because the agent's memory can be looked at by nobody else")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    result = run(options)
    print(report.markdown(result))
    if not options.dry:
        print(f"written: {report.write(result, RESULTS).relative_to(TOP)}.md and .json", file=sys.stderr)


if __name__ == "__main__":
    main()
