"""A PostgreSQL server of its own on a free loopback port, out of Debian's packages."""

import glob
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile

from . import wait
from .process import Process, free_port

CREATE = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; GRANT pg_read_all_data TO \"{{name}}\";"
DROP = 'DROP OWNED BY "{{name}}"; DROP ROLE IF EXISTS "{{name}}";'


def _program(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}")) or [p for p in [shutil.which(name)] if p]
    if not found:
        raise RuntimeError(f"PostgreSQL's {name} is missing (Debian: apt-get install postgresql)")
    return found[-1]


class Postgres:
    """Started when made; `close` ends it and removes its files. It refuses to run as root, so it then runs as `postgres`."""

    def __init__(self):
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ampule-pg-"))
        self.password = secrets.token_hex(12)
        self.port = free_port()
        self.process = None
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        if self.user:
            for path in (self.folder, password_file):
                shutil.chown(path, self.user, self.user)
        self._run("initdb", "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password_file}", "-N", "-D", self.folder / "data")
        self.start()

    def _run(self, program, *args):
        extra = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        done = subprocess.run([_program(program), *args], capture_output=True, text=True, check=False, cwd=self.folder, **extra)
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")

    def start(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "max_connections": 200,
        }
        options = [f"-c{key}={value}" for key, value in settings.items()]
        self.process = Process([_program("postgres"), "-D", self.folder / "data", *options], cwd=self.folder, user=self.user)
        wait.until(self._answers, lambda: f"PostgreSQL to answer; it said:\n{self.process.log}")

    def _answers(self):
        try:
            return self.sql("SELECT 1") == "1"
        except subprocess.CalledProcessError:
            return False

    def sql(self, query, user="postgres", password=None):
        """What psql prints for the query, as that user; CalledProcessError if it is refused."""
        env = {**os.environ, "PGPASSWORD": password or self.password, "PGCONNECT_TIMEOUT": "5"}
        argv = [_program("psql"), "-XAtq", "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", "postgres", "-c", query]
        return subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout.strip()

    def url(self, url, query):
        """The same with what a connection string says."""
        return subprocess.run([_program("psql"), "-XAtq", url, "-c", query], check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for its clients.
        if self.process.running:
            self.process.signal(2)
        self.process.wait_exit()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    def enable(self, vault, path, role="app", default_ttl="1h", max_ttl="24h"):
        """Mounts a database engine with one role; returns the path that makes credentials."""
        vault.enable_secrets(path, "database")
        vault.write(
            f"{path}/config/main",
            plugin_name="postgresql-database-plugin",
            allowed_roles="*",
            connection_url="postgresql://{{username}}:{{password}}@127.0.0.1:%d/postgres?sslmode=disable" % self.port,
            username="postgres",
            password=self.password,
        )
        statements = {"creation_statements": [CREATE], "revocation_statements": [DROP]}
        vault.write(f"{path}/roles/{role}", db_name="main", default_ttl=default_ttl, max_ttl=max_ttl, **statements)
        return f"{path}/creds/{role}"
