"""F54 to F65: who the pod is, its clock, its life."""

import os
import signal

from support import wait
from support.clock import WallClock

from .scene import fault

DAY = 24 * 3600


# ------------------------------------------------------------------------------------------------------ the account's token


@fault("F54", "the account's token is exchanged", kind="lasts")
def rotated(scene):
    scene.login = scene.site.login(token_ttl="20s", token_max_ttl="20s")
    scene.login.method = {}
    scene.up()
    old, new = scene.login.token, scene.site.cluster.token()
    scene.login.volume.write(token=new)
    scene.site.cluster.revoke(old)
    yield
    wait.until(lambda: scene.proxy.logins(new), "a login with the new token")


def proof(text, says, content):
    @fault("F55", text, says=says)
    def no_token(scene):
        scene.login.volume.write(**content)
        scene.begin()
        scene.start()
        yield
        scene.login.volume.write(token=scene.site.cluster.token())


proof("the account's token is not there", "no such file", {"other": ""})
proof("the account's token is empty", "empty", {"token": ""})
proof("the account's token has a NUL", "NUL", {"token": "\0"})
proof("the account's token has 1 MiB", "larger", {"token": "x" * (1 << 20)})


@fault("F56", "the account's token has expired", says="expired")
def expired(scene):
    scene.login.volume.write(token=scene.site.expired_token())
    scene.begin()
    scene.start()
    yield
    scene.login.volume.write(token=scene.site.cluster.token())


# -------------------------------------------------------------------------------------------------------------------- clocks

STATIC = "Go's programs are not linked with a library whose clock could be another"


def jumps(number, text, seconds):
    @fault(number, text, kind="lasts", peer=STATIC)
    def jump(scene):
        clock = WallClock(scene.folder)
        scene.login = scene.site.login(token_ttl="40s", token_max_ttl="1h")
        scene.login.method = {}
        scene.up(env=clock.env)
        clock.jump(seconds)
        yield


jumps("F57", "the pod's clock is an hour ahead", 3600)
jumps("F57", "the pod's clock is two hours behind: certificates are not valid yet", -3000)
jumps("F59", "the wall clock jumps a day ahead", DAY)


@fault("F59", "the wall clock jumps a month back", peer=STATIC, says="not valid before.*clock", counts="connections")
def back(scene):
    clock = WallClock(scene.folder)
    scene.up(env=clock.env)
    clock.jump(-30 * DAY)
    scene.proxy.reset_all()
    yield
    clock.jump(0)


@fault("F58", "it stands still for longer than its token lives", kind="ends")
def still(scene):
    scene.login = scene.site.login(token_ttl="3s", token_max_ttl="3s")
    scene.login.method = {}
    scene.up()
    scene.program.pause()
    wait.never(lambda: False, "", 6)
    scene.begin()
    scene.program.resume()
    yield


# ---------------------------------------------------------------------------------------------------------------- the end


@fault("F60", "SIGTERM while files are written", kind="stays", exits=0)
def term(scene):
    scene.blocks = []
    for n in range(20):
        scene.beside('{{ with secret "%s" }}{{ range $i, $c := loop 20000 }}{{ end }}{{ .Data.data.user }}{{ end }}' % scene.secret)
        scene.outputs[-1] = scene.volume / f"other{n}"
        scene.blocks[-1] = scene.blocks[-1].replace("volume/other", f"volume/other{n}")
    scene.start()
    wait.until(lambda: any(scene.volume.iterdir()), "the first file")
    scene.begin()
    scene.program.signal(signal.SIGTERM)
    scene.program.wait_exit(20)
    yield
    strays = [name for name in os.listdir(scene.volume) if name != "user" and not name.startswith("other")]
    assert not scene.ours or not strays, strays


@fault("F65", "the sidecar alone is restarted", kind="lasts", counts=None)
def restarted(scene):
    """Equal bytes: nobody is told."""
    ran = scene.folder / "ran"
    scene.template = {"command": f"echo x >>{ran}"}
    scene.up()
    wait.until(lambda: wait.read(ran), "the command")
    scene.program.kill()
    before = wait.read(ran)
    scene.again()
    scene.program.wait_log("renewed|authentication successful")
    wait.never(lambda: wait.read(ran) != before, "the command again, for equal bytes", 3)
    scene.begin()
    yield
