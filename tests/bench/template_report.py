"""Figures of the template engines as tables with ratios, for people (Markdown) and programs (JSON)."""

import json

OURS = "Ampule"
MODES = {"execute": "Parsed once: one execution", "whole": "Parsed anew: parsing and one execution"}


def nanoseconds(value):
    if value >= 1e6:
        return f"{value / 1e6:,.2f} ms"
    return f"{value:,.0f} ns"


def kibibytes(value):
    return f"{value / 1024:,.1f} MiB" if value >= 1024 else f"{value:,.0f} KiB"


def ratio(ours, theirs):
    return f"{theirs / ours:.1f}×" if ours else "–"


def rows_of(result, mode, key, written):
    """One line a shape: ours, then each peer and how many times ours that is."""
    peers = [name for name in result["engines"] if name != OURS]
    head = ["", OURS, *(cell for peer in peers for cell in (peer, "ratio"))]
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'--:|' * (len(head) - 1)}"
    for row in result["shapes"]:
        figures = row["figures"][mode]
        ours = figures[OURS][key]
        cells = [row["title"], written(ours)]
        for peer in peers:
            cells += [written(figures[peer][key]), ratio(ours, figures[peer][key])] if peer in figures else ["–", ""]
        yield f"| {' | '.join(cells)} |"


def section(result, title, mode, key, written):
    return "\n".join([f"## {title}", "", *rows_of(result, mode, key, written), ""])


def table(result):
    parts = [section(result, title, mode, "ns", nanoseconds) for mode, title in MODES.items()]
    parts.append(section(result, "Resident memory at most, the whole process", "whole", "peak_kib", kibibytes))
    parts.append(section(result, "Bytes allocated by one execution", "execute", "bytes", lambda value: f"{value:,.0f}"))
    parts.append(section(result, "Allocations of parsing and one execution", "whole", "allocations", lambda value: f"{value:,.0f}"))
    return "\n".join(parts)


def conditions(result):
    m = result["machine"]
    return (
        f"Measured {result['when']} at commit {result['commit']}: {m['cores']} × {m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; "
        f"load {m['load_before']} before and {m['load_after']} after. {result['turns']} turns of at least {result['milliseconds']} ms for each engine, "
        f"one after the other; the least processor time counts (all threads; medians and wall time are in the JSON beside this file). Seed {result['seed']}. Ours is built with `{result['build']}`."
    )


def write(result, folder):
    folder.mkdir(exist_ok=True)
    base = folder / f"templates-{result['when'][:10]}"
    base.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    base.with_suffix(".md").write_text(f"# Templates\n\n{conditions(result)}\n\n{table(result)}")
    return base
