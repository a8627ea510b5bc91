"""Programs that answer what the originals answer: small Go modules below tests/servers, built once."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

SERVERS = pathlib.Path(__file__).parents[1] / "servers"


def cache():
    return pathlib.Path(os.environ.get("AMPULE_CACHE", "~/.cache/ampule")).expanduser()


def build(name):
    """The binary of tests/servers/NAME; None when there is no Go or the modules cannot be had (the reason on standard output)."""
    source, digest = SERVERS / name, hashlib.sha256()
    for path in sorted(source.iterdir()):
        digest.update(path.read_bytes())
    binary = cache() / "oracles" / f"{name}-{digest.hexdigest()[:16]}"
    if binary.exists():
        return binary
    if not shutil.which("go"):
        print("no oracle: Go is missing")
        return None
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
        made = os.path.join(folder, name)
        done = subprocess.run(["go", "build", "-trimpath", "-buildvcs=false", "-o", made, "."], cwd=source, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"no oracle: {done.stderr.strip()[-400:]}")
            return None
        os.replace(made, binary)
    return binary
