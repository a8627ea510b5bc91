"""The maximums of the programs, as agent/base/limits.h has them."""

import functools
import re

from .agent import TOP


@functools.lru_cache(None)
def _table():
    text = (TOP / "agent" / "base" / "limits.h").read_text(encoding="utf-8")
    table = {"KIB": lambda n: n << 10, "MIB": lambda n: n << 20}
    for name, value in re.findall(r"^#define (LIMIT_\w+) ([^/\n]+)", text, re.M):
        table[name] = eval(value, {}, table)  # sums and products of the names before
    return table


def limit(name):
    return _table()[name]
