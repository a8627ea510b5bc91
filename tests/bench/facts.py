"""The facts that belong to every figure: which machine, which sources, how busy it was."""

import os
import pathlib
import platform
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def first_match(path, key):
    lines = (line.partition(":") for line in pathlib.Path(path).read_text().splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "unknown")


def machine():
    system = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return {
        "cpu": first_match("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gib": round(int(first_match("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)),
        "kernel": platform.release().split("-")[0],
        "system": system["PRETTY_NAME"].strip('"'),
    }


def commit():
    said = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def load():
    return round(os.getloadavg()[0], 2)
