"""A server that is ready for agents: Kubernetes logins on, and helpers that give every test names of its own."""

import base64
import json
import secrets
import time

from . import agent, canary, wait
from .kubernetes import ProjectedVolume
from .vault import VaultError


def unique(word):
    return f"{word}-{secrets.token_hex(4)}"


def expiry(token):
    """When a token ends, in its own words."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]


class Kv:
    """A key-value mount. `path` is what templates name."""

    def __init__(self, vault, version):
        self.vault, self.version = vault, version
        self.mount = vault.enable_secrets(unique("kv"), "kv", options={"version": str(version)})

    def path(self, name):
        return f"{self.mount}/data/{name}" if self.version == 2 else f"{self.mount}/{name}"

    def put(self, name, **data):
        """Every secret also has a value that tests look for where it must not be."""
        data.setdefault("canary", canary.secret())
        for value in data.values():
            canary.keep(value)

        def written():
            try:
                return self.vault.write(self.path(name), **({"data": data} if self.version == 2 else data)) is not None
            except VaultError as e:
                # A new version 2 mount refuses writes while it sets itself up.
                if e.status != 400 or "pgrading" not in e.body:
                    raise
                return False

        wait.until(written, f"{self.path(name)} to be written")
        return self.path(name)


class Site:
    EVERYTHING = {"*": ["create", "read", "update", "delete", "list"]}

    def __init__(self, server, cluster, folder):
        """`server` has address, ca_file and vault; `cluster` makes the tokens that its logins accept."""
        self.server, self.cluster, self.folder = server, cluster, folder
        self.vault, self.address, self.ca_file = server.vault, server.address, server.ca_file
        self.mount = cluster.enable(self.vault, "kubernetes")

    def kv1(self):
        return Kv(self.vault, 1)

    def kv2(self):
        return Kv(self.vault, 2)

    def login(self, rules=None, name="app", namespace="default", audience=None, **role):
        """A role with a policy of these rules (default: may do all but administer), and a token volume for it."""
        policy = self.vault.put_policy(unique("policy"), rules or self.EVERYTHING)
        role_name = unique("role")
        bound = {"bound_service_account_names": name, "bound_service_account_namespaces": namespace}
        if audience:
            bound["audience"] = audience
        self.vault.write(f"auth/{self.mount}/role/{role_name}", token_policies=[policy], **bound, **role)
        token = self.cluster.token(namespace, name, **({"audience": audience} if audience else {}))
        login = agent.Login(self.mount, role_name, ProjectedVolume(self.folder / unique("token"), token=token))
        login.policy = policy
        login.token = token
        return login

    def named_role(self, name, namespace, account=None, rules=None):
        """A role of exactly that name, as annotations have it, for an account (default: of the same name) of one namespace."""
        policy = self.vault.put_policy(unique("policy"), rules or self.EVERYTHING)
        bound = {"bound_service_account_names": account or name, "bound_service_account_namespaces": namespace}
        self.vault.write(f"auth/{self.mount}/role/{name}", token_policies=[policy], **bound)
        return name

    def config(self, login, *blocks, via=None, vault=None, **top):
        """A configuration file: server (or the relay before it), login, the blocks (templates and others), and top-level settings."""
        settings = {"address": (via or self).address, "ca_cert": getattr(via, "ca_file", None) or self.ca_file, **(vault or {})}
        return "\n".join([agent.assignments(top), agent.block("vault", **settings), login.block(), *blocks])

    def role_of(self, name):
        """A role's settings, to write them under another name."""
        known = self.vault.read(f"auth/{self.mount}/role/{name}")["data"]
        return {key: value for key, value in known.items() if key.startswith(("bound_", "token_")) and value}

    def expired_token(self):
        """A service-account token that was good until a moment ago."""
        token = self.cluster.token(ttl=1)
        wait.until(lambda: expiry(token) < time.time(), "the token to expire")
        return token
