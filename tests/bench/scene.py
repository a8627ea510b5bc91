"""Where the programs are measured: one real server, secrets, and configuration files that every program reads as they are."""

import json
import pathlib
import random

from support import agent
from support.certs import Authority
from support.kubernetes import Cluster
from support.server import Server
from support.site import Site, unique


class Scene:
    def __init__(self, folder, seed):
        self.folder = pathlib.Path(folder)
        authority = Authority(self.folder / "ca")
        self.authority = authority
        self._cluster = Cluster(authority)
        self.server = Server(self.folder / "server", authority)
        self.site = Site(self.server, self._cluster, self.folder)
        self._random = random.Random(seed)
        self.login = self.site.login(token_ttl="1h")
        self._kv, self.secrets = self.site.kv2(), []
        self.fill(20)
        self._audit = self.folder / "audit.log"
        self.server.vault.request("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": str(self._audit)}})

    def fill(self, count):
        """So many secrets at least."""
        for i in range(len(self.secrets), count):
            self.secrets.append(self._kv.put(f"app-{i}", user=self._word(8), password=self._word(24)))

    def close(self):
        self.server.stop()
        self._cluster.close()

    def _word(self, length):
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))

    def config(self, count, via=None, once=False):
        """(configuration file, files that will be rendered) in a new folder: `count` secrets, each in its file; `once` makes it end then."""
        folder = self.folder / unique("run")
        folder.mkdir()
        files = [folder / "out" / f"secret-{i}" for i in range(count)]
        (folder / "out").mkdir()
        blocks = [
            agent.template('{{ with secret "%s" }}{{ .Data.data.user }}:{{ .Data.data.password }}{{ end }}' % path, file)
            for path, file in zip(self.secrets, files)
        ]
        config = folder / "agent.hcl"
        config.write_text(self.site.config(self.login, *blocks, via=via, **({"exit_after_auth": True} if once else {})))
        return config, files

    def requests(self):
        """How many requests the server has audited so far (sys/health is never among them)."""
        with self._audit.open() as f:
            return sum(json.loads(line)["type"] == "request" for line in f)
