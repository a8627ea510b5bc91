"""Programs that answer what the originals answer: small Go modules below tests/servers, built once."""
import os
import pathlib
import subprocess

SERVERS = pathlib.Path(__file__).parents[1] / "servers"


def cache():
    return pathlib.Path(os.environ.get("AMPULE_CACHE", "~/.cache/ampule")).expanduser()


def build(name):
    """The binary of tests/servers/NAME; None when there is no Go or the modules cannot be had (the reason on standard output)."""
    done = subprocess.run([SERVERS / "real-oracle", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"no oracle: {done.stderr.strip()[-400:]}")
        return None
    return pathlib.Path(done.stdout.strip())
