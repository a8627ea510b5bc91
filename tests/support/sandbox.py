"""`ampule-sandbox`, in the place of a real server and of the cluster that makes tokens for it."""

import pathlib
import subprocess

from . import canary
from .agent import program
from .process import Process
from .vault import Vault


class Sandbox:
    """The same face as Server has; its data are in memory only."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        seed = self.folder / "seed.yaml"
        seed.write_text("{}\n")
        self.process = Process([program("ampule-sandbox"), "serve", "--dir", self.folder, "--listen", "127.0.0.1:0", "--config", seed])
        self.process.wait_log("VAULT_ADDR=")
        self.address, self.ca_file = self._read("address"), self.folder / "ca.pem"
        self.vault = Vault(self.address, self.ca_file, self._read("root-token"))

    def _read(self, name):
        return (self.folder / name).read_text().strip()

    def seal(self):
        self.vault.request("PUT", "sys/seal", {})

    def unseal(self):
        self.vault.request("PUT", "sys/unseal", {"key": self._read("unseal-key")})

    def stop(self):
        self.process.stop()


class SandboxCluster:
    """The cluster that the sandbox plays."""

    def __init__(self, sandbox):
        self._folder = sandbox.folder

    def token(self, namespace="default", name="app", audience=None, ttl=None):
        argv = [program("ampule-sandbox"), "token", "--dir", str(self._folder), "--namespace", namespace, "--service-account", name]
        argv += ["--audience", audience] if audience else []
        argv += ["--ttl", f"{ttl}s"] if ttl is not None else []
        return canary.keep(subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip())

    def enable(self, vault, path):
        vault.enable_auth(path, "kubernetes")
        vault.write(f"auth/{path}/config", kubernetes_host="https://kubernetes.default.svc")
        return path


