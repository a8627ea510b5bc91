"""What a kubelet does with a pod, done by hand: its volumes as folders, its containers as processes with their mounts, user and environment."""

import base64
import pathlib
import shutil

from . import spaces
from .agent import program
from .kubernetes import ProjectedVolume
from .process import Process

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class Pod:
    """A pod of that API server. Its containers find the machine's programs, and the agent under test where an image of it has it."""

    def __init__(self, apiserver, item, folder):
        self.apiserver, self.item, self.folder = apiserver, item, pathlib.Path(folder)
        self.namespace, self.name = item["metadata"]["namespace"], item["metadata"]["name"]
        self.folder.mkdir(parents=True)
        self.processes = {}
        self.volumes = {volume["name"]: self._volume(volume) for volume in item["spec"].get("volumes", [])}
        # The agent's own folder may be one that only root can enter.
        self._agent = self.folder / "ampule-agent"
        shutil.copy(program("ampule-agent"), self._agent)

    # ------------------------------------------------------------------------------------------------------------- volumes

    def _volume(self, volume):
        folder = self.folder / "volumes" / volume["name"]
        folder.mkdir(parents=True)
        folder.chmod(0o777)
        make = next((getattr(self, f"_fill_{kind}") for kind in ("projected", "secret", "configMap") if kind in volume), None)
        if make:
            make(folder, volume)
        return folder

    def _fill_projected(self, folder, volume):
        ProjectedVolume(folder, **{
            name.replace(".", "_"): text for source in volume["projected"]["sources"] for name, text in self._source(source)
        })  # fmt: skip

    def _source(self, source):
        if "serviceAccountToken" in source:
            asked = source["serviceAccountToken"]
            account = self.item["spec"].get("serviceAccountName", "default")
            yield asked["path"], self.apiserver.token(self.namespace, account, asked.get("audience"), pod=self.name)
        for item in source.get("configMap", {}).get("items", []):
            yield item["path"], self._data("configmaps", source["configMap"]["name"])[item["key"]]
        for item in source.get("downwardAPI", {}).get("items", []):
            yield item["path"], self.namespace

    def _data(self, kind, name):
        return self.apiserver.api.get(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}").get("data", {})

    def _fill_secret(self, folder, volume):
        for key, value in self._data("secrets", volume["secret"]["secretName"]).items():
            (folder / key).write_bytes(base64.b64decode(value))

    def _fill_configMap(self, folder, volume):
        for key, value in self._data("configmaps", volume["configMap"]["name"]).items():
            (folder / key).write_text(value)

    # ---------------------------------------------------------------------------------------------------------- containers

    def container(self, name):
        spec = self.item["spec"]
        return next(c for c in [*spec.get("initContainers", []), *spec["containers"]] if c["name"] == name)

    def _environment(self, container):
        fields = {"metadata.namespace": self.namespace, "metadata.name": self.name, "status.podIP": "127.0.0.1", "status.hostIP": "127.0.0.1"}
        out = {"HOME": "/home/vault"}
        for variable in container.get("env", []):
            field = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            out[variable["name"]] = fields[field] if field else variable.get("value", "")
        return out

    def start(self, name, argv=None):
        """Starts a container; `argv` stands for the command of an image that there is not."""
        container = self.container(name)
        context = {**self.item["spec"].get("securityContext", {}), **container.get("securityContext", {})}
        user = f"{context['runAsUser']}:{context.get('runAsGroup', 0)}" if context.get("runAsUser") else None
        binds = {mount["mountPath"]: self.volumes[mount["name"]] for mount in container.get("volumeMounts", [])}
        binds |= {"/bin/ampule-agent": self._agent, "/bin/vault": self._agent}
        home = self.folder / f"container-{name}"
        home.mkdir(exist_ok=True)
        command = argv or [*container.get("command", []), *container.get("args", [])]
        process = Process([*spaces.with_root(home, binds, user), *command], env=self._environment(container))
        self.processes[name] = process
        return process

    def file(self, volume, name):
        return self.volumes[volume] / name

    def stop(self):
        for process in self.processes.values():
            process.stop()
