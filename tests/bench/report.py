"""Figures as a table with ratios, for people (Markdown) and programs (JSON)."""

import json

# key, what it is, how it is written
ROWS = [
    ("file", "program file", "size"),
    ("image", "image archive", "size"),
    ("idle.rss", "resident, idle", "size"),
    ("idle.pss", "proportional (PSS), idle", "size"),
    ("idle.private_dirty", "private and written, idle", "size"),
    ("idle.rss_anon", "anonymous (RssAnon), idle", "size"),
    ("idle.peak", "resident at most", "size"),
    ("idle.threads", "threads", "count"),
    ("idle.cpu", "CPU, idle, a minute", "time"),
    ("idle.switches", "wake-ups, idle, a minute", "count"),
    ("init.file.min", "start to file, least", "time"),
    ("init.file.median", "start to file, median", "time"),
    ("init.exit.median", "start to exit, median", "time"),
    ("init.cpu.min", "CPU of an init run, least", "time"),
    ("init.cpu.median", "CPU of an init run, median", "time"),
    ("first.1.connections", "1 secret: TCP connections", "count"),
    ("first.1.handshakes", "1 secret: TLS handshakes", "count"),
    ("first.1.requests", "1 secret: requests", "count"),
    ("first.20.connections", "20 secrets: TCP connections", "count"),
    ("first.20.handshakes", "20 secrets: TLS handshakes", "count"),
    ("first.20.requests", "20 secrets: requests", "count"),
    ("first.1.h2_connections", "1 secret, HTTP/2 offered: TCP connections", "count"),
    ("first.20.h2_connections", "20 secrets, HTTP/2 offered: TCP connections", "count"),
    ("crowd.pss", "{crowd} agents at once: memory", "size"),
    ("crowd.seconds", "{crowd} agents at once: until all have their file", "time"),
    ("crowd.requests", "{crowd} agents at once: requests at the server", "count"),
]

UNITS = {"size": [(1 << 20, "MiB"), (1 << 10, "KiB")], "time": [(1, "s"), (1e-3, "ms")]}


def written(value, kind):
    if value is None:
        return "–"
    for unit, name in UNITS.get(kind, []):
        if value >= unit:
            return f"{value / unit:,.{0 if value / unit >= 100 else 1 if value / unit >= 10 else 2}f} {name}"
    return "0" if not value else f"{value:.3g}" if kind == "count" and value % 1 else f"{value:,.0f}" if kind == "count" else f"{value * 1e3:.2g} ms"


def ratio(ours, theirs):
    if ours is None or theirs is None:
        return ""
    if not ours:
        return "" if not theirs else "none to some"
    times = theirs / ours
    return f"{times:,.0f}×" if times >= 10 else f"{times:.1f}×"


def look_up(figures, key):
    """A dotted key. The keys of inner tables have no dots, so that `first.1.requests` is three steps."""
    for part in key.split("."):
        figures = figures.get(part) if isinstance(figures, dict) else None
    return figures


def table(result):
    ours, *peers = result["programs"]
    head = ["", ours["name"], *(cell for peer in peers for cell in (peer["name"], "ratio"))]
    lines = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 1)}"]
    for key, title, kind in ROWS:
        value = look_up(ours["figures"], key)
        theirs = [look_up(peer["figures"], key) for peer in peers]
        if value is None and not any(t is not None for t in theirs):
            continue
        cells = [title.format(crowd=result["crowd"]), written(value, kind)]
        for other in theirs:
            cells += [written(other, kind), ratio(value, other)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def conditions(result):
    m = result["machine"]
    return (
        f"Measured {result['when']} at commit {result['commit']}: {m['cores']} × {m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; "
        f"load {m['load_before']} before and {m['load_after']} after; {result['server']} over TLS on loopback, Kubernetes login, KV version 2, "
        f"the same configuration file for every program, in turns. Idle figures are those after {result['seconds']} s at rest with three rendered secrets; "
        f"times are of {result['runs']} runs each. Seed {result['seed']}."
    )


def markdown(result):
    return f"# Footprint\n\n{conditions(result)}\n\n{table(result)}\n"


def write(result, folder):
    folder.mkdir(exist_ok=True)
    base = folder / f"footprint-{result['when'][:10]}"
    base.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    base.with_suffix(".md").write_text(markdown(result))
    return base


def newest(folder):
    found = sorted(folder.glob("footprint-*.json"))
    return json.loads(found[-1].read_text()) if found else None
