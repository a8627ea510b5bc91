"""A real Kubernetes API server with its etcd and controllers on free loopback ports: a cluster without a node."""

import base64
import functools
import http.client
import json
import os
import pathlib
import secrets
import ssl
import subprocess
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import canary, wait
from .process import Process, free_port
from .proxy import Wire
from .spaces import Machine

ISSUER = "https://kubernetes.default.svc.cluster.local"
ADMIN = "system:masters"


@functools.lru_cache(None)
def programs():
    """The folder of Kubernetes' programs and of helm; found or built by tests/servers/real-kubernetes."""
    script = pathlib.Path(__file__).resolve().parent.parent / "servers" / "real-kubernetes"
    return pathlib.Path(subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


class ApiError(Exception):
    def __init__(self, method, path, status, body):
        super().__init__(f"{method} {path}: {status} {body.get('message', body)}")
        self.status, self.body, self.message = status, body, body.get("message", "")


class Api:
    """The API's JSON, as the holder of a client certificate or of a token. `warnings` are those of the last answer."""

    def __init__(self, address, ca_file, certificate=None, token=None):
        self._url = urllib.parse.urlsplit(address)
        self._token, self.warnings = token, []
        self._tls = ssl.create_default_context(cafile=str(ca_file))
        if certificate:
            self._tls.load_cert_chain(*certificate)

    def request(self, method, path, body=None, kind="application/json"):
        """The decoded answer; ApiError for what is not 2xx."""
        connection = http.client.HTTPSConnection(self._url.hostname, self._url.port, timeout=60, context=self._tls)
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        self.warnings = [value.split('"', 1)[1].rstrip('"') for value in answer.headers.get_all("Warning", [])]
        decoded = json.loads(text) if text[:1] == "{" else {"message": text}
        if answer.status >= 300:
            raise ApiError(method, path, answer.status, decoded)
        return decoded

    def get(self, path):
        return self.request("GET", path)

    def find(self, path):
        """The object, or None when there is none."""
        try:
            return self.get(path)
        except ApiError as e:
            if e.status != 404:
                raise
            return None

    def post(self, path, body):
        return self.request("POST", path, body)

    def merge(self, path, body):
        return self.request("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path, **options):
        return self.request("DELETE", path, options or None)

    def pods(self, namespace, name=None):
        return f"/api/v1/namespaces/{namespace}/pods" + (f"/{name}" if name else "")


class ApiServer:
    """Started when made; `stop` ends what was started. With a `machine` (spaces.Machine) all of it runs there, and `host` is a relay to it."""

    def __init__(self, folder, authority, machine=None):
        self.folder, self.authority = pathlib.Path(folder), authority
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.bind, self._within = (machine.address, machine.within) if machine else ("127.0.0.1", [])
        self.inner = self.host = f"https://{self.bind}:{self.port}"
        self._relay = Wire(self.inner, connect=machine.socket) if machine else None
        if machine:
            self.host = self._relay.address
        self.ca_file, self.ca_pem = authority.file, authority.pem
        self.processes = []
        self._keys()
        self.kubeconfig = self.write_kubeconfig("admin", organization=ADMIN)
        self.api = Api(self.host, self.ca_file, certificate=authority.issue("admin", organization=ADMIN))
        self._start_etcd()
        self._start_api()
        self._start_controllers()

    # ------------------------------------------------------------------------------------------------------------ starting

    def _keys(self):
        """The pair that signs service-account tokens."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (self.folder / "sa.key").write_bytes(pem)
        (self.folder / "sa.pub").write_bytes(public)
        self.public_key_pem = public.decode()

    def write_kubeconfig(self, name, organization=None, server=None):
        certificate, key = self.authority.issue(name, organization=organization)
        encoded = {what: base64.b64encode(pathlib.Path(f).read_bytes()).decode() for what, f in
                   (("ca", self.ca_file), ("cert", certificate), ("key", key))}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": server or self.host, "certificate-authority-data": encoded["ca"]}}],
            "users": [{"name": "test", "user": {"client-certificate-data": encoded["cert"], "client-key-data": encoded["key"]}}],
        }  # fmt: skip
        path = self.folder / f"{name.replace(':', '-')}.kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def run(self, program, *args, **settings):
        """Starts a program; `a_b=c` is the option --a-b=c."""
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        process = Process([*self._within, program, *args, *options], cwd=self.folder, env={"GOGC": "40"})
        self.processes.append(process)
        return process

    def _start_etcd(self):
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._etcd = client
        self.run("etcd", name="test", data_dir=self.folder / "etcd", listen_client_urls=client, advertise_client_urls=client,
                 listen_peer_urls=peer, initial_advertise_peer_urls=peer, initial_cluster=f"test={peer}", log_level="warn",
                 unsafe_no_fsync="true")  # fmt: skip

    def _start_api(self):
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", "127.0.0.1", "10.96.0.1", self.bind]
        cert, key = self.authority.issue("kube-apiserver", names)
        client_cert, client_key = self.authority.issue("kube-apiserver-kubelet-client", organization=ADMIN)
        self.process = self.run(
            programs() / "kube-apiserver", bind_address=self.bind, advertise_address=Machine.address, secure_port=self.port,
            endpoint_reconciler_type="none" if self.bind == "127.0.0.1" else "master-count", etcd_servers=self._etcd,
            service_cluster_ip_range="10.96.0.0/16", allow_privileged="true", authorization_mode="Node,RBAC",
            client_ca_file=self.ca_file, tls_cert_file=cert, tls_private_key_file=key, kubelet_client_certificate=client_cert,
            kubelet_client_key=client_key, kubelet_certificate_authority=self.ca_file, kubelet_preferred_address_types="InternalIP",
            service_account_issuer=ISSUER, service_account_signing_key_file=self.folder / "sa.key",
            service_account_key_file=self.folder / "sa.pub", enable_admission_plugins="NodeRestriction", profiling="false",
        )  # fmt: skip
        wait.until(self._ready, lambda: f"the API server to be ready; it said:\n{self.process.log[-3000:]}", 180)

    def _ready(self):
        if not self.process.running:
            raise AssertionError(f"the API server ended:\n{self.process.log[-3000:]}")
        try:
            return self.api.request("GET", "/readyz")["message"] == "ok"
        except (OSError, ApiError, http.client.HTTPException):
            return False

    def _start_controllers(self):
        config = self.write_kubeconfig("system:kube-controller-manager", server=self.inner)
        key = self.folder / "sa.key"
        process = self.run(
            programs() / "kube-controller-manager", kubeconfig=config, secure_port=0, leader_elect="false", root_ca_file=self.ca_file,
            service_account_private_key_file=key, use_service_account_credentials="true", allocate_node_cidrs="true",
            cluster_cidr="10.244.0.0/16", service_cluster_ip_range="10.96.0.0/16",
        )  # fmt: skip
        seen = lambda: self.api.find("/api/v1/namespaces/default/serviceaccounts/default")  # noqa: E731
        wait.until(seen, lambda: f"the first service account; the controllers said:\n{process.log[-2000:]}", 180)

    def stop(self):
        for process in reversed(self.processes):
            process.stop(20)
        if self._relay:
            self._relay.close()

    # --------------------------------------------------------------------------------------------------------------- using

    @property
    def environment(self):
        """For programs that read a kubeconfig; helm's own files stay here too."""
        own = {f"HELM_{kind}_HOME": str(self.folder / f"helm-{kind.lower()}") for kind in ("CACHE", "CONFIG", "DATA")}
        return {"PATH": f"{programs()}:{os.environ['PATH']}", "HOME": str(self.folder), "KUBECONFIG": str(self.kubeconfig), **own}

    def tool(self, program, *args, text=None, check=True):
        """Runs kubectl or helm; what it printed, or with check=False the whole result."""
        argv = [programs() / program, *map(str, args)]
        done = subprocess.run(argv, input=text, env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{program} {' '.join(map(str, args))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout if check else done

    def kubectl(self, *args, **pairs):
        return self.tool("kubectl", *args, **pairs)

    def helm(self, *args, **pairs):
        return self.tool("helm", *args, **pairs)

    def namespace(self, name, **labels):
        """A new namespace that already has its service account and its CA."""
        self.api.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        self.wait_account(name, "default")
        wait.until(lambda: self.api.find(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt"), f"the CA in {name}")
        return name

    def apps(self, site, word="apps", **labels):
        """A new namespace whose pods can trust that server: its CA is in the Secret `server-ca`."""
        name = self.namespace(f"{word}-{secrets.token_hex(4)}", **labels)
        secret = {"metadata": {"name": "server-ca"}, "stringData": {"ca.crt": pathlib.Path(site.ca_file).read_text()}}
        self.api.post(f"/api/v1/namespaces/{name}/secrets", secret)
        return name

    def wait_account(self, namespace, name):
        wait.until(lambda: self.api.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"), f"account {namespace}/{name}")

    def account(self, namespace, name):
        """Makes the service account unless it is there."""
        if not self.api.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"):
            self.api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        return name

    # ------------------------------------------------------------------------------------- what a Site asks of its cluster

    def token(self, namespace="default", name="app", audience=None, ttl=3600, pod=None):
        """What kubelet would project for an account (and a pod): signed by this API server."""
        self.account(namespace, name)
        spec = {"expirationSeconds": max(ttl, 600), **({"audiences": [audience]} if audience else {})}
        if pod:
            spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": pod}
        answer = self.api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", {"spec": spec})
        return canary.keep(answer["status"]["token"])

    def enable(self, vault, path):
        """Mounts Kubernetes logins that this API server reviews, for a reviewer who may do nothing else."""
        self.account("kube-system", "reviewer")
        if not self.api.find("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ampule-reviewer"):
            self.api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
                "metadata": {"name": "ampule-reviewer"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
                "subjects": [{"kind": "ServiceAccount", "name": "reviewer", "namespace": "kube-system"}],
            })  # fmt: skip
        vault.enable_auth(path, "kubernetes")
        config = {"kubernetes_host": self.host, "kubernetes_ca_cert": self.ca_pem, "token_reviewer_jwt": self.token("kube-system", "reviewer")}
        vault.write(f"auth/{path}/config", disable_local_ca_jwt=True, **config)
        return path
