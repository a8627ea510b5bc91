"""The injector, installed by the real helm into a real API server, its replicas run as processes of this machine with the rights of its account."""

import json
import pathlib
import subprocess
import threading

from . import chart, spaces, wait
from .agent import program
from .apiserver import ApiError
from .pods import ACCOUNT
from .process import Process, free_port

ASK = {"vault.hashicorp.com/agent-inject": "true", "vault.hashicorp.com/role": "app"}
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class Replica:
    """One pod of the Deployment, as a process: the Deployment's arguments and variables, an account's token, and a loopback port."""

    def __init__(self, installed, number, **more):
        self.installed, self.port = installed, free_port()
        folder = installed.folder / f"replica-{number}"
        account = folder / "account"
        account.mkdir(parents=True)
        api = installed.apiserver
        # The token is read again by the injector before it ends.
        (account / "token").write_text(api.token(installed.namespace, installed.account))
        (account / "ca.crt").write_text(api.ca_pem)
        (account / "namespace").write_text(installed.namespace)
        container = installed.deployment["spec"]["template"]["spec"]["containers"][0]
        fields = {"metadata.namespace": installed.namespace, "metadata.name": f"{installed.account}-{number}"}
        env = {v["name"]: v["value"] if "value" in v else fields[v["valueFrom"]["fieldRef"]["fieldPath"]] for v in container["env"]}
        env |= {"AGENT_INJECT_LISTEN": f"127.0.0.1:{self.port}", "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port), **more}
        argv = [installed.program, *container["args"]]
        self.process = Process([*spaces.with_root(folder, {ACCOUNT: account, **installed.mounts}), *argv], env=env, cwd=folder)


class Installed:
    """A release in a namespace of its own. `mounts` are folders of its replicas (path: folder). `route` lets the API server reach a replica, as the Service would where there are nodes."""

    def __init__(self, apiserver, folder, namespace, *sets, values=None, release="ampule", chart_folder=chart.CHART, binary=None):
        self.apiserver, self.folder, self.namespace, self.release = apiserver, pathlib.Path(folder), namespace, release
        self.folder.mkdir(parents=True, exist_ok=True)
        self.program = binary or program("ampule-injector")
        self.replicas, self.mounts = [], {}
        self._helm("install", chart_folder, sets, values)
        name = f"{release}-agent-injector"
        self.account, self.service, self.webhook = name, f"{name}-svc", f"{WEBHOOKS}/{name}-cfg"
        self.apiserver.wait_account(namespace, name)

    def _helm(self, verb, chart_folder, sets, values):
        path = self.folder / "values.json"
        path.write_text(json.dumps(values or {}))
        words = [word for one in sets for word in ("--set", one)]
        self.apiserver.helm(verb, self.release, chart_folder, "--namespace", self.namespace, "--create-namespace", "--values", path, *words)

    def upgrade(self, *sets, values=None, chart_folder=chart.CHART):
        self._helm("upgrade", chart_folder, sets, values)

    @property
    def deployment(self):
        return self.apiserver.api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.account}")

    def configuration(self):
        return self.apiserver.api.get(self.webhook)

    def certificates(self):
        return self.apiserver.api.get(f"/api/v1/namespaces/{self.namespace}/secrets/{self.account}-certs")

    def start(self, **more):
        """One more replica; `more` are variables that it has besides."""
        replica = Replica(self, len(self.replicas), **more)
        self.replicas.append(replica)
        return replica

    def route(self, replica):
        """Points the Service at a process: by name at this machine, where only the port is another."""
        spec = {"type": "ExternalName", "externalName": "localhost", "selector": None, "clusterIP": None, "clusterIPs": None, "ports": None}
        self.apiserver.api.merge(f"/api/v1/namespaces/{self.namespace}/services/{self.service}", {"spec": spec})
        self.apiserver.api.request("PATCH", self.webhook, [
            {"op": "add", "path": "/webhooks/0/clientConfig/service/port", "value": replica.port},
        ], "application/json-patch+json")  # fmt: skip

    def ready(self, namespace="default"):
        """Waits until a pod that asks for injection is answered by an injector that the API server trusts."""
        def answered():
            try:
                return self.dry_run(namespace, {"vault.hashicorp.com/agent-inject": "true", "vault.hashicorp.com/role": "none"})["metadata"]["annotations"].get(
                    "vault.hashicorp.com/agent-inject-status")
            except ApiError:
                return None

        said = lambda: "\n".join(r.process.log for r in self.replicas)  # noqa: E731
        wait.until(answered, lambda: f"the webhook to be called; the injector said:\n{said()}")

    def dry_run(self, namespace, annotations, **spec):
        """What the API server makes of a pod, without keeping it."""
        pod = {"metadata": {"generateName": "try-", "annotations": annotations}, "spec": {"containers": [{"name": "app", "image": "app"}], **spec}}
        return self.apiserver.api.post(self.apiserver.api.pods(namespace) + "?dryRun=All", pod)

    def stop(self):
        # One that ends by itself first waits for Services to forget it.
        for replica in self.replicas:
            replica.process.kill()
        self.apiserver.helm("uninstall", self.release, "--namespace", self.namespace, "--ignore-not-found")


def original():
    """HashiCorp's own injector; found or built by tests/servers/real-injector."""
    script = chart.TOP / "tests" / "servers" / "real-injector"
    return subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class Original(Installed):
    """vault-k8s as its chart installs it, for release `vault`: names, webhook, rights and variables are those of that chart."""

    def __init__(self, apiserver, folder, namespace, **settings):
        self.apiserver, self.folder, self.namespace, self.program = apiserver, pathlib.Path(folder), namespace, original()
        self.account, self.service = "vault-agent-injector", "vault-agent-injector-svc"
        self.webhook, self.replicas, self.mounts = f"{WEBHOOKS}/vault-agent-injector-cfg", [], {}
        hosts = f"{self.service},{self.service}.{namespace},{self.service}.{namespace}.svc"
        env = {"AGENT_INJECT_LOG_LEVEL": "info", "AGENT_INJECT_TLS_AUTO": "vault-agent-injector-cfg", "AGENT_INJECT_TLS_AUTO_HOSTS": hosts,
               "NAMESPACE": namespace, **settings}  # fmt: skip
        container = {"args": ["agent-inject", "2>&1"], "env": [{"name": name, "value": value} for name, value in env.items()]}
        self._deployment = {"spec": {"template": {"spec": {"containers": [container]}}}}
        self._objects()

    @property
    def deployment(self):
        return self._deployment

    def _objects(self):
        api, rbac = self.apiserver.api, "/apis/rbac.authorization.k8s.io/v1"
        self.apiserver.account(self.namespace, self.account)
        rule = {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"], "verbs": ["get", "list", "watch", "patch"]}
        subject = {"kind": "ServiceAccount", "name": self.account, "namespace": self.namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{self.account}-clusterrole"}
        api.post(f"{rbac}/clusterroles", {"metadata": {"name": role["name"]}, "rules": [rule]})
        api.post(f"{rbac}/clusterrolebindings", {"metadata": {"name": f"{self.account}-binding"}, "roleRef": role, "subjects": [subject]})
        api.post(f"/api/v1/namespaces/{self.namespace}/services", {"metadata": {"name": self.service}, "spec": {"ports": [{"port": 443}]}})
        api.post(WEBHOOKS, {"metadata": {"name": "vault-agent-injector-cfg"}, "webhooks": [{
            "name": "vault.hashicorp.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore", "matchPolicy": "Exact",
            "clientConfig": {"service": {"name": self.service, "namespace": self.namespace, "path": "/mutate"}, "caBundle": ""},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}],
        }]})  # fmt: skip

    def stop(self):
        for replica in self.replicas:
            replica.process.kill()
        self.apiserver.api.delete(self.webhook)
        for kind, suffix in (("clusterroles", "clusterrole"), ("clusterrolebindings", "binding")):
            self.apiserver.api.delete(f"/apis/rbac.authorization.k8s.io/v1/{kind}/{self.account}-{suffix}")


class Load(threading.Thread):
    """Pods that ask, one after the other, until it is stopped; what went wrong is kept."""

    def __init__(self, installed):
        super().__init__(daemon=True)
        self._installed, self._ended = installed, threading.Event()
        self.answered, self.failed = 0, []
        self.start()

    def run(self):
        while not self._ended.is_set():
            try:
                self._installed.dry_run(self._installed.apps, ASK)
                self.answered += 1
            except (ApiError, OSError) as e:
                self.failed.append(e)

    def more(self, count=10):
        wanted = self.answered + count
        wait.until(lambda: self.answered >= wanted or self.failed, "more answers")

    def stop(self):
        self._ended.set()
        self.join()
        return self.failed
