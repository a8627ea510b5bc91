"""F66 to F83: files, templates, commands."""

import json
import pathlib

from support import cgroup, spaces, wait
from support.agent import block, template
from support.rendering import user
from support.site import unique

from .scene import fault


def inside(scene, folder):
    """The scene's file as the program sees it, whose mounts are its own."""
    wait.until(lambda: f" {folder} " in scene.program.proc("mountinfo"), "the mount")
    scene.file = pathlib.Path(f"/proc/{scene.program.pid}/root{scene.file}")


# --------------------------------------------------------------------------------------------------------------- the volume


@fault("F66", "the volume is full", root=True, says="no space left.*needed")
def full(scene):
    scene.start(within=spaces.with_small_volume(scene.volume, "64k"))
    inside(scene, scene.volume)
    scene.expect(scene.first)
    filler = scene.file.with_name("filler")
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 1024)
        except OSError:
            pass
    scene.outputs.append(filler)
    scene.kv.put("app", user=scene.change() * 400)
    yield
    filler.unlink()


@fault("F67", "the volume counts as memory, of which there is little", root=True, kind="lasts", counts=None)
def memory(scene):
    if not cgroup.available():
        scene.group = None
        scene.up()
    else:
        group = cgroup.MemoryGroup(24 << 20 if scene.ours else 400 << 20)
        scene.closing(lambda: wait.until(lambda: closed(group), "the group to be empty"))
        scene.up(within=group.within)
        scene.group = group
    yield
    assert not scene.group or not scene.group.killed(), "it was killed for its memory"


def closed(group):
    try:
        group.close()
    except OSError:
        return False
    return True


@fault("F68", "the volume becomes read-only", root=True, says="read-only")
def read_only(scene):
    scene.start(within=spaces.with_small_volume(scene.volume, "1m"))
    inside(scene, scene.volume)
    scene.expect(scene.first)
    spaces.enter(scene.program.pid, "mount", "-o", "remount,ro", scene.volume)
    scene.begin()
    scene.change()
    yield
    spaces.enter(scene.program.pid, "mount", "-o", "remount,rw", scene.volume)


@fault("F68", "an owner that may not be given", root=True, says="(?i)not permitted|owner|chown", kind="stays")
def owner(scene):
    scene.volume.chmod(0o777)
    scene.template = {"user": "65534", "group": "65534"}
    scene.begin()
    scene.start(within=["setpriv", "--inh-caps=-all", "--bounding-set=-chown", "--"])
    yield


@fault("F69", "the destination is a folder", says="is a directory")
def folder(scene):
    scene.file.mkdir()
    scene.begin()
    scene.start()
    yield
    scene.file.rmdir()


@fault("F70", "the destination is a dangling link", kind="lasts", counts=None)
def dangling(scene):
    scene.file.symlink_to(scene.folder / "nowhere")
    scene.up()
    yield


@fault("F70", "the destination is a link to another file system", kind="lasts", counts=None)
def link(scene):
    scene.file.symlink_to("/dev/shm/" + unique("ampule-test"))
    scene.up()
    yield


@fault("F71", "the destination is a mount of one file (subPath)", root=True, kind="stays", says="(?i)mount|busy")
def mount(scene):
    scene.file.write_text("")
    source = scene.folder / "source"
    source.write_text("")
    scene.begin()
    scene.start(within=["unshare", "-m", "sh", "-c", f'mount --bind "{source}" "{scene.file}" && exec "$@"', "sh"])
    yield


@fault("F72", "the folder is removed and made again", kind="lasts", counts=None)
def again(scene):
    scene.file = scene.volume / "sub" / "user"
    scene.file.parent.mkdir()
    scene.up()
    scene.file.parent.rename(scene.folder / "token-removed")
    scene.file.parent.mkdir(exist_ok=True)  # it may have been faster
    yield


@fault("F73", "two templates for one file", kind="stays", counts=None, says="last one wins")
def twice(scene):
    """As in the original; and it is said."""
    scene.blocks.append(template("other", scene.file))
    scene.start()
    scene.expect("other")
    yield


@fault("F74", "another process writes the file", kind="lasts", counts=None)
def meddled(scene):
    scene.up()
    scene.file.write_text("meddled")
    yield


# ------------------------------------------------------------------------------------------------------------- the template


@fault("F75", "a template that does not parse beside a good one", kind="lasts", counts=None, says="missing value for with")
def unparsable(scene):
    scene.beside("{{ with }}")
    scene.up()
    yield


@fault("F76", "a template fails after it had worked", says="no entry for key")
def lost_key(scene):
    scene.template = {"error_on_missing_key": True}
    scene.up()
    scene.kv.put("app", other="x")
    yield


@fault("F77", "the same again", kind="stays", counts=None)
def same(scene):
    ran = scene.folder / "ran"
    scene.template = {"command": f"echo x >>{ran}"}
    scene.up()
    wait.until(lambda: wait.read(ran), "the command")
    before = (scene.file.stat().st_mtime_ns, wait.read(ran))
    scene.kv.put("app", user=scene.first)
    yield
    assert (scene.file.stat().st_mtime_ns, wait.read(ran)) == before, "equal bytes were written, or their command was run"


def command(text, says, what, **pairs):
    @fault("F78", f"a command that {text}", kind="lasts", counts=None, says=says)
    def failing(scene):
        scene.template = {"body": block("exec", command=what, **pairs)}
        scene.up()
        yield


command("fails", "(?i)exit|status", ["false"])
command("hangs and ignores SIGTERM", "(?i)killed|timeout|30 s|longer", ["sh", "-c", 'trap "" TERM; while :; do sleep 1; done'], timeout="2s")
command("is not there", "(?i)no such|not found|no-such", ["/no-such-command"])
command("prints 100 MB", "", ["sh", "-c", "head -c 100000000 /dev/zero"])
command("leaves a child behind", "", ["sh", "-c", "sleep 5 & exit 0"])


@fault("F80", "thirty templates change at once", kind="lasts", counts=None)
def many(scene):
    ran = scene.folder / "ran"
    told = {"command": f"echo x >>{ran}"}
    for n in range(30):
        file = scene.volume / f"other{n}"
        scene.blocks.append(template(user(scene.secret), file, **told))
        scene.outputs.append(file)
    scene.up()
    yield
    wait.until(lambda: all(wait.read(file) == scene.now for file in scene.outputs), "all thirty")


@fault("F81", "one dynamic secret in three templates", kind="lasts", counts=None)
def shared(scene):
    path = scene.postgres.enable(scene.site.vault, unique("db"))
    for n in range(3):
        file = scene.volume / f"other{n}"
        scene.blocks.append(template('{{ with secret "%s" }}{{ .Data.username }}{{ end }}' % path, file))
        scene.outputs.append(file)
    scene.up()
    names = [wait.for_file(file) for file in scene.outputs]
    yield
    assert len(set(names)) == 1 and scene.proxy.count("GET", f"/{path}$") == 1, "more than one credential"


@fault("F82", "a certificate for a minute", kind="lasts", counts="/issue/")
def brief(scene):
    """A floor between issues, however short they live."""
    vault, mount = scene.site.vault, unique("pki")
    vault.enable_secrets(mount, "pki")
    vault.write(f"{mount}/root/generate/internal", common_name="example.net", ttl="10h")
    vault.write(f"{mount}/roles/app", allowed_domains="example.net", allow_subdomains=True, ttl="60s", not_before_duration="0s")
    scene.beside('{{ with pkiCert "%s/issue/app" "common_name=a.example.net" }}{{ .Cert }}{{ .Key }}{{ end }}' % mount)
    scene.up()
    yield


@fault("F82", "a certificate that is over already", kind="lasts", counts="/issue/")
def over(scene):
    vault, mount = scene.site.vault, unique("pki")
    vault.enable_secrets(mount, "pki")
    vault.write(f"{mount}/root/generate/internal", common_name="example.net", ttl="10h")
    vault.write(f"{mount}/roles/app", allowed_domains="example.net", allow_subdomains=True, ttl="20s", not_before_duration="0s")
    old = vault.write(f"{mount}/issue/app", common_name="a.example.net", ttl="1s")
    scene.proxy.answer(200, json.dumps(old), path="/issue/")
    scene.beside('{{ with pkiCert "%s/issue/app" "common_name=a.example.net" }}{{ .Cert }}{{ end }}' % mount)
    scene.up()
    yield


@fault("F83", "an output without end", kind="lasts", counts=None, peer="it would take the machine's memory")
def endless(scene):
    scene.beside('{{ range loop 100000000 }}{{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" }}{{ end }}')
    scene.up()
    yield
    assert int(scene.program.proc_status("VmHWM").split()[0]) < 100 << 10, "more than 100 MiB"


@fault("F79", "the process to be signalled is not there", kind="lasts", counts=None, peer="the original has no such setting", says="(?i)no-such-process")
def nobody(scene):
    scene.template = {"body": block("notify", process="no-such-process", signal="HUP")}
    scene.up()
    yield
