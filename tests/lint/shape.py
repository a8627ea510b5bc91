#!/usr/bin/env python3
"""The shape of the tree in figures: files and lines a floor, arrows between floors, circles of nouns, basenames that stand
twice, lengths of functions. `tests/lint/shape [FOLDER]`: of this tree, or of another checkout."""

import collections
import glob
import os
import re
import sys

LENGTHS = (10, 20, 30, 40, 60, 80)


def noun(path):
    return os.path.splitext(path)[0]


def includes(path):
    with open(path, encoding="utf-8") as f:
        return {noun(name) for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([\w./-]+)"', f.read(), re.M)}


def graph(agent):
    """noun -> nouns that its files include, of all floors."""
    seen = collections.defaultdict(set)
    for path in sorted(glob.glob(f"{agent}/*/*.[ch]")):
        name = noun(os.path.relpath(path, agent))
        seen[name] |= includes(path) - {name}
    return seen


def circles(seen):
    """The sets of nouns that reach each other (Tarjan, without recursion)."""
    index, low, stack, found = {}, {}, [], []
    for root in sorted(seen):
        work = [(root, iter(sorted(seen[root])))] if root not in index else []
        if work:
            index[root] = low[root] = len(index)
            stack.append(root)
        while work:
            at, rest = work[-1]
            following = next((n for n in rest if n in seen and (n not in index or n in stack)), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == index[at]:
                    member = stack[stack.index(at):]
                    del stack[stack.index(at):]
                    if len(member) > 1:
                        found.append(sorted(member))
            elif following in index:
                low[at] = min(low[at], index[following])
            else:
                index[following] = low[following] = len(index)
                stack.append(following)
                work.append((following, iter(sorted(seen[following]))))
    return sorted(found)


def homes(seen):
    """basename -> the floors where a noun has it."""
    found = collections.defaultdict(list)
    for name in seen:
        found[os.path.basename(name)].append(os.path.dirname(name))
    return found


def lengths(path):
    """Lines between the braces of each function of a formatted file."""
    start = None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("{") or re.match(r"[A-Za-z_].*\)\s*\{$", line):
                start = number
            elif line.startswith("}") and start:
                yield number - start - 1
                start = None


def main(top):
    agent = os.path.join(top, "agent")
    seen = graph(agent)
    floors = sorted({n.split("/")[0] for n in seen})
    print("| floor | nouns | files | lines |\n|---|---|---|---|")
    total = [0, 0, 0]
    for floor in floors:
        paths = glob.glob(f"{agent}/{floor}/*.[ch]")
        row = [sum(n.startswith(floor + "/") for n in seen), len(paths), sum(sum(1 for _ in open(p, encoding="utf-8")) for p in paths)]
        total = [a + b for a, b in zip(total, row)]
        print(f"| {floor} | {row[0]} | {row[1]} | {row[2]} |")
    print(f"| all | {total[0]} | {total[1]} | {total[2]} |\n")

    arrows = collections.Counter((a.split("/")[0], b.split("/")[0]) for a, bs in seen.items() for b in bs)
    crossing = {pair: n for pair, n in arrows.items() if pair[0] != pair[1]}
    print(f"arrows between floors: {len(crossing)} pairs, {sum(crossing.values())} includes; within floors: {sum(arrows.values()) - sum(crossing.values())}")
    for floor in floors:
        print(f"  {floor}: " + (" ".join(f"{b} {n}" for (a, b), n in sorted(crossing.items()) if a == floor) or "-"))

    rings = circles(seen)
    print(f"circles: {len(rings)}")
    for ring in rings:
        print("  " + " ".join(ring))

    twice = {base: at for base, at in homes(seen).items() if len(at) > 1}
    print(f"basenames on more than one floor: {len(twice)}")
    for base, at in sorted(twice.items()):
        print(f"  {base}: {' '.join(sorted(at))}")

    all_lengths = [n for path in glob.glob(f"{agent}/*/*.c") for n in lengths(path)]
    print(f"functions: {len(all_lengths)}, median {sorted(all_lengths)[len(all_lengths) // 2]} lines; over " +
          ", ".join(f"{most}: {sum(n > most for n in all_lengths)}" for most in LENGTHS))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
