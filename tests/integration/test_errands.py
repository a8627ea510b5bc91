"""`ampule-agent quit`, `reload` and `status`, and what an agent does at its end."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest
from support import wait
from support.agent import block, original, program, template
from support.rendering import user
from support.site import unique
from support.vault import VaultError

pytestmark = pytest.mark.skipif(original(), reason="only Ampule has them")
TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LEASED = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}'
REVOKES = block("ampule", revoke_on_exit=True)


def tell(*args):
    """Exit status, and what it said."""
    done = subprocess.run([program("ampule-agent"), *map(str, args)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_quit_ends_it_as_a_signal_does_and_waits(rendering):
    one = rendering().expect().agent
    assert tell("quit", f"-pid={one.pid}") == (0, "")
    assert one.wait_exit() == 0
    one.wait_log("Terminated: shutting down")
    assert tell("quit", f"-pid={one.pid}")[0] == 1


def test_a_pid_file_names_it_and_waiting_has_an_end(rendering, tmp_path):
    pid_file = tmp_path / "pid"
    one = rendering(top={"pid_file": pid_file}).expect().agent
    one.pause()
    status, said = tell("quit", f"-pid-file={pid_file}", "-wait=200ms")
    assert status == 1 and "still runs" in said
    one.signal(signal.SIGCONT)
    # Its parent is slow to reap it: a zombie has ended.
    assert tell("quit", f"-pid={one.pid}", "-wait=30s")[0] in (0, 1)
    assert one.wait_exit() == 0
    assert tell("quit", f"-pid-file={pid_file}")[0] == 1


def test_reload_and_status_are_told(rendering):
    one = rendering().expect()
    assert tell("reload", f"-pid={one.agent.pid}") == (0, "")
    one.agent.wait_log("configuration reloaded: nothing has changed")
    assert tell("status", f"-pid={one.agent.pid}") == (0, "")
    wanted = (
        r"agent.status: token: good: left=\d+s ttl=\d+s renewable=true",
        rf"agent.status: template\[0\]: rendered: destination={one.file} secrets=1 rendered=\d+s ago",
        r"agent.status: vault.read\(.*app\): held: next=\d+s",
        "agent.status: everything was done once",
        r"agent.status: server: requests=\d+ connections=\d+",
    )

    def told():
        """At one moment or another: while it is read, a secret is not held."""
        tell("status", f"-pid={one.agent.pid}")
        return all(re.search(line, one.agent.log) for line in wanted)

    wait.until(told, lambda: f"{wanted} in\n{one.agent.log}")


def test_a_service_manager_is_told_and_programs_are_not_the_service(site, agent, tmp_path):
    manager, path, seen = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), str(tmp_path / "notify"), tmp_path / "seen"
    manager.bind(path)
    manager.settimeout(30)
    config = site.config(site.login(), template(user(site.kv2().put("app", user="alice")), tmp_path / "user", command=f"env > {seen}.new && mv {seen}.new {seen}"))
    one = agent(config, env={**os.environ, "NOTIFY_SOCKET": path})
    assert manager.recv(100) == b"READY=1\n"
    assert "NOTIFY_SOCKET" not in wait.for_file(seen) and "PATH" in wait.read(seen)
    assert tell("reload", f"-pid={one.pid}")[0] == 0
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+\n", manager.recv(100))
    assert manager.recv(100) == b"READY=1\n"
    assert tell("quit", f"-pid={one.pid}")[0] == 0
    assert manager.recv(100) == b"STOPPING=1\n"
    assert one.wait_exit() == 0
    manager.close()


def test_the_unit_is_one_that_systemd_takes():
    """Where it is installed; elsewhere the names of its settings are at least each there once."""
    unit = TOP / "deploy" / "systemd" / "ampule-agent.service"
    settings = [line.partition("=")[0] for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
    assert len(set(settings)) == len(settings)
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
        assert not [line for line in done.stderr.splitlines() if "ampule-agent.service" in line and ": Command " not in line], done.stderr


def test_status_names_what_fails(site, agent, tmp_path):
    path = site.kv2().path("never")
    one = agent(site.config(site.login(), template(user(path), tmp_path / "user")))
    one.wait_log(f"{path}.*404")
    one.signal(signal.SIGUSR1)
    one.wait_log(r"agent.status: template\[0\]: waits for its secrets")
    one.wait_log(rf"agent.status: vault.read\({path}\): .* error=.*404")
    one.wait_log("agent.status: not everything was done yet: .*404")


@pytest.mark.parametrize("args", [["quit", "-nonsense"], ["quit", "-pid=x"], ["reload", "-wait=1s"], ["status", "-pid=1", "-pid-file=x"]])
def test_a_wrong_command_line_is_told_apart(args):
    assert tell(*args)[0] == 2


def test_help_names_the_ways_to_find_it():
    for name in ("quit", "reload", "status"):
        status, said = tell(name, "-help")
        assert status == 0 and "-pid-file" in said and f"ampule-agent {name}" in said


def alive(site, token):
    try:
        return site.vault.write("auth/token/lookup", token=token) is not None
    except VaultError as e:
        assert e.status in (403, 404)
        return False


def roles(postgres, name):
    return postgres.sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{name}'")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_where_it_was_asked_for_the_token_and_its_leases_are_revoked(site, postgres, agent, tmp_path, number):
    path = postgres.enable(site.vault, unique("db"), default_ttl="1h", max_ttl="2h")
    login = site.login()
    sink = login.sink(tmp_path / "token")
    one = agent(site.config(login, template(LEASED % path, tmp_path / "leased"), REVOKES))
    name = wait.for_file(tmp_path / "leased", contains=" ").split(" ")[0]
    token = wait.for_file(sink, contains=".")
    assert roles(postgres, name) == "1" and alive(site, token)
    one.signal(number)
    assert one.wait_exit() == 0
    assert not alive(site, token)
    wait.until(lambda: roles(postgres, name) == "0", "the role to be gone")
    assert (tmp_path / "leased").exists()


def test_nothing_is_revoked_without_it_nor_in_init_mode(site, agent, tmp_path):
    login = site.login()
    sink = login.sink(tmp_path / "token")
    secret = site.kv2().put("app", user="alice")
    one = agent(site.config(login, template(user(secret), tmp_path / "user")))
    token = wait.for_file(sink, contains=".")
    assert tell("quit", f"-pid={one.pid}")[0] == 0 and one.wait_exit() == 0
    assert alive(site, token)
    one = agent(site.config(login, template(user(secret), tmp_path / "user"), REVOKES, exit_after_auth=True))
    assert one.wait_exit() == 0
    other = sink.read_text()
    assert other != token and alive(site, other)


def test_a_server_that_does_not_answer_does_not_keep_it(site, proxy, agent, tmp_path):
    login = site.login()
    secret = site.kv2().put("app", user="alice")
    one = agent(site.config(login, template(user(secret), tmp_path / "user"), REVOKES, via=proxy))
    wait.for_file(tmp_path / "user", "alice")
    proxy.hang("PUT", "/revoke-self$")
    one.signal(signal.SIGTERM)
    assert one.wait_exit() == 0
    one.wait_log("the token could not be revoked")
