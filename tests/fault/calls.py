"""The unit tests, with their library calls failing: for each program and name some of the calls, spread over all, once and from then on.

No crash in our code. A check of the test that fails is what is to be expected; out of memory is one line and abort() by design.
"""

import argparse
import collections
import concurrent.futures
import datetime
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "bench")]

import facts  # noqa: E402
from support import calls  # noqa: E402

RESULTS = HERE.parent / "bench" / "results"
UNIT = HERE.parent.parent / "build" / "normal" / "unit"
# For these it makes no sense.
LEFT_OUT = {"test_os_race": "it races another process for seconds, and the call that fails is another one each time"}


def spread(count, most, rng):
    """`most` of the numbers 1 to count: the first, the last, the others drawn."""
    if count <= most:
        return range(1, count + 1)
    return sorted({1, count, *rng.sample(range(2, count), most - 2)}) if most > 1 else [rng.randint(1, count)]


def left_out(program):
    return LEFT_OUT.get(program)


def points(program, known, most, seed):
    rng = random.Random(f"{seed} {program}")
    return [calls.Call(program, name, n, onwards) for name, count in sorted(known.items()) for n in spread(count, most, rng) for onwards in (False, True)]


def all_points(unit, programs, most, seed, pool):
    found = []
    for program, known in zip(programs, pool.map(lambda name: calls.counts(unit / name), programs)):
        if not known:
            print(f"{program}: fails by itself, and is left out")
        found += points(program, known, most, seed)
    return found


def markdown(record):
    m = record["machine"]
    words = sorted({word for went in record["names"].values() for word in went}, key=lambda w: (w != "passed", w))
    lines = [
        "# Library calls that fail, over the unit tests", "",
        f"Measured {record['when']} at commit {record['commit']}: {m['cores']} × {m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; seed {record['seed']}. "
        f"{record['programs']} programs of the normal build; of each name at most {record['most']} calls a program (the first, the last, others drawn), each once and from then on: "
        f"{record['points']} runs. Calls of our code and of the libraries that are linked into it fail; those of the C library's own code do not.", "",
        f"| | {' | '.join(words)} |", "|---|" + "--:|" * len(words),
        *(f"| {name} | {' | '.join(str(went.get(word, 0)) for word in words)} |" for name, went in record["names"].items()), "",
        "*failed, by a check*: the test saw an error where it wanted none, as it should. *gives up, and says so*: `mem_alloc()` and its kin (out of memory) and libcrypto's random "
        "numbers end the program by design, with a line. *waits*: the test's own loop had nothing more to wait for, and was ended. "
        "*the test itself crashed*: on an answer that it did not look at. *a library crashed*: below.",
    ]
    if record["crashes"]:
        lines += ["", "| crash | where, innermost first | runs | such as |", "|---|---|--:|---|", *(f"| {word} | {where} | {n} | {call} |" for word, where, n, call in record["crashes"])]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", type=pathlib.Path, default=UNIT, help="folder of the programs")
    parser.add_argument("--only", nargs="*", default=[], help="floors or programs, as in os or os_draft")
    parser.add_argument("--most", type=int, default=4, help="calls of a name for each program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    programs = sorted(p.name for p in options.unit.glob("test_*") if not left_out(p.name) and (not options.only or any(p.name.startswith(f"test_{name}") for name in options.only)))
    names, crashes, commit = collections.defaultdict(collections.Counter), collections.defaultdict(list), facts.commit()
    try:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            wanted = all_points(options.unit, programs, options.most, options.seed, pool)
            for done, (call, (word, where)) in enumerate(zip(wanted, pool.map(lambda c: calls.fail(options.unit, c), wanted)), 1):
                names[call.name][word] += 1
                if "crashed" in word:
                    crashes[word, where].append(str(call))
                if word in ("crashed", "waits") or done % 500 == 0:
                    print(f"{done}/{len(wanted)} {call}: {word} {where}", flush=True)
    finally:
        calls.clean()
    record = {"when": datetime.date.today().isoformat(), "commit": commit, "machine": facts.machine(), "seed": options.seed, "programs": len(programs), "most": options.most,
              "points": len(wanted), "names": {name: dict(went) for name, went in sorted(names.items())},
              "crashes": [(word, where, len(which), which[0]) for (word, where), which in sorted(crashes.items())]}
    base = options.results / f"torture-calls-{record['when']}"
    base.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    base.with_suffix(".md").write_text(markdown(record))
    ours = sum(len(which) for (word, _), which in crashes.items() if word == "crashed")
    print(f"{base}.md: {len(wanted)} runs, {ours} crashes in our code")
    return 1 if ours else 0


if __name__ == "__main__":
    sys.exit(main())
