"""A real Vault or OpenBao on a free loopback port, with TLS, that can be sealed, stopped and started again."""

import os
import pathlib
import subprocess

from . import wait
from .process import Process, free_port
from .vault import Vault, VaultError

CONFIG = """\
storage "{storage}" {{ {options} }}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
}}
listener "tcp" {{
  address = "127.0.0.1:{strict_port}"
  cluster_address = "127.0.0.1:{strict_cluster_port}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
  tls_require_and_verify_client_cert = true
  tls_client_ca_file = "{ca}"
}}
disable_mlock = true
api_addr = "https://127.0.0.1:{port}"
log_level = "info"
raw_storage_endpoint = false
default_lease_ttl = "768h"
max_lease_ttl = "768h"
"""


def binary():
    """The server to test against; found or built by tests/servers/real-server."""
    script = pathlib.Path(__file__).resolve().parent.parent / "servers" / "real-server"
    return os.environ.get("AMPULE_SERVER") or subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def openbao():
    """OpenBao's server, whatever else is tested against."""
    script = pathlib.Path(__file__).resolve().parent.parent / "servers" / "real-server"
    return subprocess.run([script, "--openbao"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class Server:
    """Started and unsealed when made. `persistent` keeps the data over stop() and start(). At `strict_address` it wants the authority's clients."""

    def __init__(self, folder, authority, persistent=False, env=None, program=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, strict, strict_cluster = free_port(), free_port(), free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.strict_address = f"https://127.0.0.1:{strict}"
        self.ca_file = authority.file
        self.process, self.env, self.program = None, env, program or binary()
        cert, key = authority.issue(f"server-{self.port}")
        self._config = self.folder / "server.hcl"
        storage, options = ("file", f'path = "{self.folder}/data"') if persistent else ("inmem", "")
        ports = {"port": self.port, "strict_port": strict, "strict_cluster_port": strict_cluster}
        self._config.write_text(CONFIG.format(storage=storage, options=options, cert=cert, key=key, ca=self.ca_file, **ports))
        self.vault = Vault(self.address, self.ca_file)
        self.start()
        keys = self.vault.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self._unseal_key = keys["keys"][0]
        self.vault.token = keys["root_token"]
        self.unseal()

    def start(self):
        """Starts the process; a persistent server that was stopped comes up sealed."""
        self.process = Process([self.program, "server", f"-config={self._config}"], env=self.env, cwd=self.folder)
        wait.until(self._answers, lambda: f"the server to answer; it said:\n{self.process.log}")

    def _answers(self):
        if not self.process.running:
            raise AssertionError(f"the server ended:\n{self.process.log}")
        try:
            return self.vault.request("GET", "sys/seal-status")
        except (OSError, VaultError):
            return None

    def health(self):
        return self.vault.request("GET", "sys/health", expect=(200, 429, 472, 473, 501, 503))

    def unseal(self):
        self.vault.request("PUT", "sys/unseal", {"key": self._unseal_key})
        wait.until(self._active, "the server to become active")

    def _active(self):
        # Right after unsealing the server still mounts its engines, and refuses what it refuses while sealed.
        try:
            return self.health()["sealed"] is False and self.vault.read("sys/mounts")
        except VaultError:
            return None

    def seal(self):
        self.vault.request("PUT", "sys/seal", {})

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def restart(self):
        self.stop()
        self.start()
        self.unseal()
