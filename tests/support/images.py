"""Container images without a registry or a builder: one layer each, as an archive that `ctr images import` takes."""

import hashlib
import io
import json
import os
import pathlib
import tarfile

from .agent import TOP

BUSYBOX = pathlib.Path("/bin/busybox")
SHELL = "sh cat chmod cut echo false grep head httpd id kill ls mkdir mount nc pidof printf ps rm sleep stat test touch true wc base64".split()
# As in the shell's own manner: ends when told to, and collects what others leave behind.
PAUSE = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done"]
USERS = "root:x:0:0:root:/root:/bin/sh\nvault:x:100:1000::/home/vault:/bin/sh\napp:x:1000:1000::/:/bin/sh\n"


def static(name):
    """A program of the release build, which runs in an empty image."""
    return pathlib.Path(os.environ.get("AMPULE_STATIC_BIN") or TOP / "build" / "static" / "bin") / name


def shell(*names):
    return {"/bin/busybox": BUSYBOX, **{f"/bin/{name}": "busybox" for name in names}}


def tree(kind):
    """What an image holds: path to a file, or to the text of a link."""
    agent = {"/bin/ampule-agent": static("ampule-agent"), "/bin/vault": "ampule-agent", "/bin/bao": "ampule-agent"}
    return {
        "pause": shell("sh", "sleep"),
        "app": shell(*SHELL),
        "agent": {"/bin/ampule-agent": static("ampule-agent")},
        "agent-compat": {**agent, **shell("sh", "echo", "base64", "cat", "touch", "sleep", "kill", "pidof", "ls")},
        "injector": {"/bin/ampule-injector": static("ampule-injector")},
    }[kind]


ENTRY = {"pause": PAUSE, "app": ["/bin/sh"], "agent": ["/bin/ampule-agent"], "agent-compat": ["/bin/vault"], "injector": ["/bin/ampule-injector"]}


def _member(archive, name, data=b"", link=None, mode=0o755, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name.lstrip("/"))
    info.mode, info.size, info.linkname = mode, len(data), link or ""
    info.type = tarfile.SYMTYPE if link else kind
    archive.addfile(info, io.BytesIO(data))


def _layer(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("home", 0o755), ("home/vault", 0o777)):
            _member(archive, folder, mode=mode, kind=tarfile.DIRTYPE)
        _member(archive, "etc/passwd", USERS.encode(), mode=0o644)
        _member(archive, "etc/group", b"root:x:0:\nvault:x:1000:\n", mode=0o644)
        for path, source in files.items():
            _member(archive, path, link=source) if isinstance(source, str) else _member(archive, path, source.read_bytes())
    return out.getvalue()


def write(kind, name, path):
    """Writes the image `kind` under that name into an archive."""
    layer = _layer(tree(kind))
    digest = hashlib.sha256(layer).hexdigest()
    user = "0:0" if kind in ("app", "pause") else "100:1000"
    settings = {"Entrypoint": ENTRY[kind], "Env": ["PATH=/bin", "HOME=/home/vault"], "WorkingDir": "/", "User": user}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": settings,
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()  # fmt: skip
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        for member, data in ((config_name, config), (f"{digest}/layer.tar", layer), ("manifest.json", manifest)):
            _member(archive, member, data, mode=0o644)
    return path
