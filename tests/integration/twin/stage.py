"""Where scenarios play: what the server holds for all of them, and an agent in a folder of its own with a counting proxy before the server."""

import collections
import concurrent.futures
import contextlib
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import tempfile
import threading
import urllib.parse

from support import canary, wait
from support.agent import program
from support.directory import Directory
from support.metadata import Signer
from support.process import Process
from support.proxy import Proxy
from support.server import binary
from support.site import Kv, unique

from .scenario import Observation, request_line

SECONDS = 60  # for an event, on a machine that does much else
PLACE = re.compile(r"@([A-Z][A-Z0-9_]*)@")


class Socket:
    """The server's plain side: a local socket, whose bytes go to it by TLS."""

    def __init__(self, site, path):
        self.site, self.listener = site, socket.socket(socket.AF_UNIX)
        self.tls = ssl.create_default_context(cafile=str(site.ca_file))
        self.listener.bind(str(path))
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        url = urllib.parse.urlsplit(self.site.address)
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = self.tls.wrap_socket(socket.create_connection((url.hostname, url.port)), server_hostname=url.hostname)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


class World:
    """What the server holds, made when a scenario first names it. Nothing here is changed by a scenario."""

    def __init__(self, site, authority, cluster, postgres, folder):
        self.site, self.vault, self.authority, self.cluster, self.folder = site, site.vault, authority, cluster, folder
        self._postgres = postgres
        self.running = []

    @functools.cached_property
    def policy(self):
        rules = {**self.site.EVERYTHING, f"{self.kv}/data/forbidden": ["deny"], "sys/wrapping/wrap": ["update"]}
        return self.vault.put_policy(unique("twin"), rules)

    @functools.cached_property
    def approle(self):
        mount = self.vault.enable_auth(unique("approle"), "approle")
        self.vault.write(f"auth/{mount}/role/app", token_policies=[self.policy], bind_secret_id=False, token_bound_cidrs=["127.0.0.0/8"])
        return mount

    @functools.cached_property
    def role_id(self):
        return self.vault.read(f"auth/{self.approle}/role/app/role-id")["data"]["role_id"]

    @functools.cached_property
    def kv(self):
        """KV version 2: app, app/nested, one with three versions, one deleted, one destroyed."""
        kv = Kv(self.vault, 2)
        kv.put("app", user="alice", port=5432, on=True, list=["a", "b"], map={"k": "v"}, text="line\nline\n", canary="x")
        kv.put("app/nested", user="nested", canary="x")
        for user in ("one", "two", "three"):
            kv.put("versions", user=user, canary="x")
        for name, action in (("deleted", "delete"), ("destroyed", "destroy")):
            kv.put(name, user="gone", canary="x")
            self.vault.request("PUT", f"{kv.mount}/{action}/{name}", {"versions": [1]})
        kv.put("forbidden", user="nobody", canary="x")
        for number in range(15):
            kv.put(f"many/{number}", user=f"user{number}", canary="x")
        return kv.mount

    @functools.cached_property
    def kv1(self):
        kv = Kv(self.vault, 1)
        kv.put("app", user="alice", port=5432, canary="x")
        kv.put("app/nested", user="nested", canary="x")
        kv.put("short", user="alice", ttl="2s", canary="x")
        return kv.mount

    @functools.cached_property
    def pki(self):
        mount = self.vault.enable_secrets(unique("pki"), "pki")
        self.vault.write(f"{mount}/root/generate/internal", common_name="twin", key_type="ec", key_bits=256, ttl="100h")
        self.vault.write(f"{mount}/roles/app", allow_any_name=True, key_type="ec", key_bits=256, max_ttl="50h")
        return mount

    @functools.cached_property
    def transit(self):
        mount = self.vault.enable_secrets(unique("transit"), "transit")
        self.vault.write(f"{mount}/keys/app", type="aes256-gcm96", derived=True, convergent_encryption=True)
        self.vault.write(f"{mount}/keys/mac", type="hmac", key_size=32)
        return mount

    @functools.cached_property
    def jwt_signer(self):
        return Signer()

    @functools.cached_property
    def jwt(self):
        mount = self.vault.enable_auth(unique("jwt"), "jwt")
        self.vault.write(f"auth/{mount}/config", jwt_validation_pubkeys=[self.jwt_signer.public])
        self.vault.write(f"auth/{mount}/role/app", role_type="jwt", user_claim="sub", bound_audiences=["vault"], token_policies=[self.policy])
        return mount

    @functools.cached_property
    def kubernetes_login(self):
        return self.site.login()

    @functools.cached_property
    def cert(self):
        mount = self.vault.enable_auth(unique("cert"), "cert")
        self.vault.write(f"auth/{mount}/certs/app", certificate=self.authority.pem, token_policies=[self.policy])
        return mount

    @functools.cached_property
    def client(self):
        return self.authority.issue(unique("client"))

    @functools.cached_property
    def ldap(self):
        mount = self.vault.enable_auth(unique("ldap"), "ldap")
        self.directory.enable(self.vault, mount, [self.policy])
        return mount

    @functools.cached_property
    def directory(self):
        """A directory server with anna in it."""
        one = Directory(self.folder / "slapd")
        self.running.append(one.process)
        return one

    @functools.cached_property
    def socket(self):
        path = pathlib.Path(tempfile.mkdtemp(prefix="ampule-twin-")) / "socket"  # such names are short
        self.plain = Socket(self.site, path)
        return path

    def close(self):
        if "socket" in self.__dict__:
            self.plain.listener.close()
            shutil.rmtree(self.socket.parent)
        for process in self.running:
            process.stop()

    @functools.cached_property
    def database(self):
        """A mount with dynamic credentials: app, and short with leases that are renewed at once."""
        postgres = self._postgres()
        mount = unique("database")
        postgres.enable(self.vault, mount)
        role = self.vault.read(f"{mount}/roles/app")["data"]
        same = {key: role[key] for key in ("db_name", "creation_statements", "revocation_statements")}
        self.vault.write(f"{mount}/roles/short", default_ttl="9s", max_ttl="1h", **same)
        self.vault.write(f"{mount}/roles/brief", default_ttl="3s", max_ttl="3s", **same)
        name = unique("static")
        postgres.sql(f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'first'")
        self.vault.write(f"{mount}/static-roles/fixed", db_name="main", username=name, rotation_period="24h")
        return mount


class Twin:
    """One of the two. Scenarios' functions get it: they prepare its folder, wait for its events and note what they saw."""

    def __init__(self, world, scenario, ours, folder):
        self.world, self.scenario, self.ours = world, scenario, ours
        self.dir, self.out = folder, folder / "out"
        self.out.mkdir(parents=True)
        self.proxy = Proxy(world.site.address, world.site.ca_file, world.authority)
        self.process, self.code, self.facts = None, None, {}
        self.texts = {}  # what a scenario adds to what its texts may name
        self.names = []  # what is only called so here, and what to read instead
        self.write("../role-id", world.role_id)

    # What texts name

    def _place(self, match):
        name = match[1].lower()
        if name in self.texts:
            return self.texts[name]
        value = getattr(self, f"at_{name}", None) or getattr(self.world, name)
        return str(value() if callable(value) else value)

    def fill(self, text):
        return PLACE.sub(self._place, text)

    def at_dir(self):
        return self.dir

    def at_out(self):
        return self.out

    def at_address(self):
        return self.proxy.address

    def at_direct(self):
        return self.world.site.address

    def at_root(self):
        return self.world.vault.token

    def at_strict(self):
        return self.world.site.server.strict_address

    def at_client_cert(self):
        return self.world.client[0]

    def at_client_key(self):
        return self.world.client[1]

    def at_ca(self):
        return self.world.site.ca_file

    @functools.cached_property
    def own_secret(self):
        name = unique("own")
        self.names.append((name, "OWN"))
        self._put(name, user="alice")
        return name

    def _put(self, name, **data):
        self.world.vault.write(f"{self.world.kv}/data/{name}", data={"canary": "x", **data})

    def at_own(self):
        """The path of a secret that is this twin's alone."""
        return f"{self.world.kv}/data/{self.own_secret}"

    def change(self, **data):
        self._put(self.own_secret, **data)

    def own(self, word):
        """A name of this run alone, for things at the server."""
        name = unique(word)
        self.names.append((name, word.upper()))
        return name

    # Files

    def path(self, name):
        return pathlib.Path(os.path.normpath(self.out / name))

    def write(self, name, text, mode=None, owner=None):
        """A file, named from the folder of what the agent writes."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.fill(text))
        if mode is not None:
            path.chmod(mode)
        if owner is not None:
            os.chown(path, *owner)
        return path

    # The agent

    def start(self):
        self.write("../agent.hcl", self.scenario.text())
        env = {name: self.fill(text) for name, text in self.scenario.env.items()}
        command = [program("ampule-agent") if self.ours else binary(), "agent", *map(self.fill, self.scenario.args)]
        shell = ["sh", "-c", f'umask {self.scenario.umask:04o}; exec "$@"', "sh"]
        self.process = Process([*shell, *command], env=env, cwd=self.dir)

    def said(self):
        return f"{'ours' if self.ours else 'the original'} said:\n{self.process.log[-6000:]}\n"

    def signal(self, number):
        self.process.signal(number)

    def ended(self, seconds=SECONDS):
        self.code = self.process.wait_exit(seconds)
        return self.code

    def file(self, name="file", content=None, contains=None, differs_from=None, seconds=SECONDS):
        """Waits for a file; its text."""

        def fits():
            got = wait.read(self.path(name))
            if got is None or content not in (None, got) or (contains is not None and contains not in got):
                if not self.process.running and wait.read(self.path(name)) == got:
                    raise wait.TimedOut(f"it ended before {name} was {content or contains or 'there'}; {self.said()}")
                return None
            return got != differs_from and (got,)

        return wait.until(fits, lambda: f"{name} is {wait.read(self.path(name))!r}; {self.said()}", seconds)[0]

    def until(self, condition, what, seconds=SECONDS):
        return wait.until(condition, lambda: f"{what}; {self.said()}", seconds)

    def requested(self, path, count=1, method=None):
        """Waits until that many requests were made."""
        self.until(lambda: self.proxy.count(method, path) >= count, f"{path} to be requested")

    def note(self, name, value):
        self.facts[name] = value if isinstance(value, str) else json.dumps(value)

    def stop(self):
        if self.process and self.process.running:
            self.signal(self.scenario.stop or signal.SIGTERM)
            try:
                self.ended()
            except wait.TimedOut:
                self.note("end", "only by SIGKILL")
                self.process.kill()
        elif self.process:
            self.ended()

    # What it did

    def observation(self):
        aspects = {"exit": str(self.code), **{f"({name})": value for name, value in self.facts.items()}}
        for path in sorted(self.out.rglob("*")):
            if not self.ours and re.fullmatch(r"\d{6,}", path.name):
                continue  # half a file of an original that was ended while it wrote
            aspects[str(path.relative_to(self.out))] = self.shape(path)
        # What an agent may do or leave out at its very end is no work that was asked for.
        lines = (request_line(r.method, r.path, self.general()) for r in self.proxy.requests)
        return Observation(aspects, collections.Counter(lines))

    def general(self):
        world = self.world
        made = [(world.__dict__[name], name.upper()) for name in ("approle", "kv", "kv1", "pki", "transit", "database", "jwt", "ldap", "cert") if name in world.__dict__]
        return [*self.names, *made]

    def shape(self, path):
        """Kind, mode, owner and bytes, without what differs between any two runs."""
        now = path.lstat()
        who = f"{stat.filemode(now.st_mode)} {now.st_uid}:{now.st_gid}"
        if stat.S_ISLNK(now.st_mode):
            return f"{who} to {os.readlink(path).replace(str(self.dir), 'DIR')}"
        return f"{who} {self.plain(path.read_bytes())}" if stat.S_ISREG(now.st_mode) else who

    def plain(self, data):
        text = data.decode("utf-8", "backslashreplace").replace(str(self.dir), "DIR").replace(self.proxy.address, "ADDRESS")
        for own, general in self.general():
            text = text.replace(own, general)
        text = canary.TOKENS.sub("TOKEN", text)
        return repr(text) if len(text) < 1000 else f"{len(data)} bytes {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def observe(world, scenario, ours, folder):
    """Plays it with one of the two."""
    twin = Twin(world, scenario, ours, folder)
    try:
        if scenario.before:
            scenario.before(twin)
        twin.start()
        try:
            (scenario.play or Twin.ended)(twin)
        except wait.TimedOut as e:
            twin.note("waited in vain", str(e).split("; ")[0])
        twin.stop()
        return twin, twin.observation()
    finally:
        if twin.process and twin.process.running:
            twin.process.kill()
        twin.proxy.close()


def observe_both(world, scenario, folder):
    """[(twin, observation)] of ours and of the original, beside each other."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(observe, world, scenario, ours, folder / ("ours" if ours else "peer")) for ours in (True, False)]
        return [each.result() for each in running]
