"""Commands that people publish for their templates, in the image agent-compat, beside an application whose processes it sees."""

import pytest
from support import wait

pytestmark = pytest.mark.timeout(1800)  # the first test builds the images

# A process of the name app; counts its SIGHUPs.
APP = r"""
cat >/tmp/app.sh <<'END'
n=0
trap 'n=$((n + 1)); echo hup $n' HUP
trap 'exit 7' TERM
echo ready
while :; do sleep 1 & wait $!; done
END
cp /bin/busybox /tmp/app
exec -a busybox /tmp/app sh /tmp/app.sh
"""
HUP = [
    "kill -HUP $(pidof app)",
    "/bin/sh -c 'kill -HUP $(pidof app) 2>/dev/null || true'",
    "/bin/sh -c 'pkill -HUP app || true'",
    "pkill -HUP app",
    "/usr/bin/pkill -HUP -x app",
    "pkill -SIGHUP -f '/tmp/app[.]sh'",
    "pgrep -x app | xargs kill -HUP",
    "kill -HUP $(pgrep app)",
    "killall -HUP app",
    "kill -s HUP $(ps -o pid,comm | awk '$2 == \"app\" { print $1 }')",
    "ps aux | grep '[/]tmp/app.sh' | awk '{print $1}' | xargs kill -HUP",
    "sh -c 'cd /tmp && pgrep -x app > app.pid && kill -SIGHUP $(cat app.pid)'",
    "date && id && pkill -1 app",
]
FILES = {
    "chmod 0640 file && stat -c %a file": "640",
    "mkdir -p a/b && cp file a/b/x && mv a/b/x a/y && cat a/y": "user=alice",
    "ln -s file link && readlink link && rm link": "file",
    "sed -i s/alice/bob/ copy && cat copy": "user=bob",
    "test -s file && [ -f file ] && true || false; echo $?": "0",
    "source ./file && echo $user": "alice",
    "head -n 1 file | cut -d= -f2 | tr a-z A-Z": "ALICE",
    "printf '%s' x | base64": "eA==",
    "sha256sum file | wc -l": "1",
    "env | grep -c ^HOME=": "1",
    "chown $(id -u):$(id -g) file && echo done": "done",
    "touch -d @0 file && date -u -r file +%Y": "1970",
    "printf '#!/usr/bin/env sh\\necho script\\n' > script && chmod +x script && ./script": "script",
}


@pytest.fixture
def app(images, container):
    one = container("ampule/agent-compat", "-c", APP, entrypoint="/bin/sh")
    wait.until(lambda: "ready" in one.log, lambda: f"the application; it said {one.log}")
    return one


def test_an_application_is_told_in_every_published_way(engine, app, container):
    beside = container("ampule/agent-compat", "3600", entrypoint="/bin/sleep", options=[f"--pid=container:{app.name}"])
    wait.until(lambda: engine.run("/usr/bin/docker", "exec", beside.name, "pidof", "app", check=False).returncode == 0, "the other container")
    for count, command in enumerate(HUP, 1):
        beside.exec("/bin/sh", "-c", command)
        app.wait_log(rf"^hup {count}$")
    assert app.stop() == 7


def test_files_are_changed_in_every_published_way(engine, images):
    lines = [f"echo user=alice > file; cp file copy; {line}" for line in FILES]
    said = engine.call("run", "--rm", "--network=none", "--workdir=/tmp", "--entrypoint=/bin/sh", "ampule/agent-compat", "-c",
                       "\n".join(f"( {line} ) 2>&1 | tail -n 1" for line in lines))  # fmt: skip
    assert dict(zip(FILES, said.splitlines(), strict=True)) == FILES


def test_an_application_is_told_over_http(container, images):
    """By the name localhost, which /etc/hosts has; over http alone: this wget would not look at certificates."""
    line = "printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok' | nc -l -p 18080 -s 127.0.0.1"
    script = f"({line} >/tmp/asked) & until wget -q -O- --post-data= http://localhost:18080/actuator/refresh; do :; done; wait; cat /tmp/asked"
    one = container("ampule/agent-compat", "-c", script, entrypoint="/bin/sh", network="none")
    assert one.wait_exit(180) == 0 and "ok" in one.log and "POST /actuator/refresh" in one.log, one.log
    refused = container("ampule/agent-compat", "-q", "-O-", "https://localhost/", entrypoint="/bin/wget", network="none")
    assert refused.wait_exit(180) != 0 and "not an http or ftp url" in refused.log.lower()
