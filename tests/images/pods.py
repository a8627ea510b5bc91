"""Pods as HashiCorp's injector makes them (containers.json, recorded from it), run by a Docker engine as kubelet would run them."""

import base64
import json
import os
import pathlib

from support.kubernetes import ProjectedVolume

RECORDED = json.loads((pathlib.Path(__file__).parent / "containers.json").read_text())
ADDRESS = "https://vault.default.svc:8200"  # what the recording calls the server
FIELDS = {"metadata.namespace": "default", "status.hostIP": "127.0.0.1", "status.podIP": "127.0.0.1"}
CA = "/vault/tls/ca.crt"


def folder(path, mode=0o777):
    """An emptyDir: everybody may write."""
    path.mkdir(parents=True, exist_ok=True)
    os.chmod(path, mode)
    return path


class Pod:
    """The two containers of a recording, for a login at a site and a secret there. Volumes are folders below `tmp_path`."""

    def __init__(self, mode, site, container, tmp_path, path):
        self.site, self.container, self.path, self.login = site, container, path, site.login()
        self.recorded = json.loads(json.dumps(RECORDED[mode]).replace(ADDRESS, site.address))
        self.file = tmp_path / "vault-secrets" / "db"
        self.home = tmp_path / "home-sidecar"
        self.volumes = {name: folder(tmp_path / name) for name in ("home-init", "home-sidecar", "vault-secrets")}
        token = ProjectedVolume(tmp_path / "service-account", token=self.login.token)
        self.volumes["kube-api-access-x7k2p"] = token.folder
        self.volumes["vault-tls-secrets"] = ProjectedVolume(tmp_path / "tls", ca_crt=site.ca_file.read_text()).folder
        configs = {f"config{end}_hcl": json.dumps(self.adapted(which)) for end, which in (("-init", "init"), ("", "sidecar"))}
        self.volumes["vault-config"] = ProjectedVolume(tmp_path / "configs", **configs).folder

    def adapted(self, which):
        """The recorded configuration, with this login and secret, the site's authority, and a short interval."""
        [recorded] = [e["value"]["decoded"] for e in RECORDED["generated"][which]["env"] if e["name"] == "VAULT_CONFIG"]
        config = json.loads(json.dumps(recorded).replace("database/creds/app-readonly", self.path))
        config["auto_auth"]["method"]["mount_path"] = f"auth/{self.login.mount}"
        config["auto_auth"]["method"]["config"]["role"] = self.login.role
        config["vault"] = {"address": self.site.address, "ca_cert": CA}
        config["template_config"]["static_secret_render_interval"] = "1s"
        return config

    def _env(self, which, entry):
        if entry["name"] == "VAULT_CONFIG":
            return base64.b64encode(json.dumps(self.adapted(which)).encode()).decode()
        return entry["value"] if "value" in entry else FIELDS[entry["valueFrom"]["fieldRef"]["fieldPath"]]

    def start(self, which, image="ampule/agent-compat"):
        """Starts the container `init` or `sidecar`."""
        spec = self.recorded[which]
        mounts = [*spec["volumeMounts"], {"name": "vault-tls-secrets", "readOnly": True, "mountPath": "/vault/tls"}]
        volumes = {self.volumes[m["name"]]: m["mountPath"] + (":ro" if m.get("readOnly") else "") for m in mounts}
        security = spec["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
        options = ["--read-only", "--security-opt=no-new-privileges", f"--user={security['runAsUser']}:{security['runAsGroup']}"]
        options += [f"--cap-drop={capability}" for capability in security["capabilities"]["drop"]]
        env = {e["name"]: self._env(which, e) for e in spec["env"]}
        entry, *rest = spec["command"] + spec["args"]
        return self.container(image, *rest, entrypoint=entry, volumes=volumes, env=env, options=options)

    def pre_stop(self):
        """The sidecar's hook, with the authority that the annotation `ca-cert` adds to it."""
        shell, flag, line = self.recorded["sidecar"]["lifecycle"]["preStop"]["exec"]["command"]
        return shell, flag, line.replace(" -self", f" -ca-cert={CA} -self")
