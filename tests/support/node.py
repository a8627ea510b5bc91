"""A real node for a real API server: containerd, runc, CNI, kubelet, scheduler and proxy, in namespaces of their own, so that this machine stays as it was."""

import glob
import json
import os
import pathlib
import shutil
import subprocess

from . import images, wait
from .apiserver import ApiServer, programs
from .certs import Authority
from .proxy import Wire
from .spaces import ROOT, Machine

NAME = "node1"
TOOLS = ("containerd", "runc", "iptables", "ip", "nsenter", "ctr")
# What the kubelet sets for the whole machine; here it writes into copies.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys")
IMAGES = ("agent", "agent-compat", "injector")

CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "/run/containerd-test"
oom_score = 0
[grpc]
  address = "/run/containerd-test.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
"""

NETWORK = {"cniVersion": "0.4.0", "name": "pods", "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True,
     "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "firewall", "backend": "iptables"},
]}  # fmt: skip

KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "address": Machine.address, "port": 10250,
    "healthzPort": 0, "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}}, "authorization": {"mode": "Webhook"},
    "rotateCertificates": False, "cgroupDriver": "cgroupfs", "failCgroupV1": False, "failSwapOn": False, "oomScoreAdj": 0,
    "containerRuntimeEndpoint": "unix:///run/containerd-test.sock", "maxPods": 100, "registerNode": True, "serializeImagePulls": False,
    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"}, "syncFrequency": "10s",
    "clusterDNS": ["10.96.0.10"], "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
}  # fmt: skip


def why_not():
    """What keeps a node from running here, or None."""
    if not ROOT:
        return "a node needs root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)] + [p for p in ("/usr/lib/cni/bridge", "/bin/busybox") if not os.path.exists(p)]
    if missing:
        return f"missing: {' '.join(missing)} (Debian: containerd runc containernetworking-plugins busybox-static iptables)"
    if not images.static("ampule-injector").exists():
        return "the release build is missing (AMPULE_STATIC_BIN)"
    try:
        machine = Machine()
    except (OSError, subprocess.CalledProcessError) as e:
        return str(e)
    try:
        # Bridges, filters and cgroups are what kernels without them refuse.
        machine.run("ip", "link", "add", "probe", "type", "bridge")
        machine.run("iptables", "-w", "-t", "nat", "-S")
        group = next(iter(_groups("ampule-probe")))
        machine.run("sh", "-ec", f"mkdir -p {group} && rmdir {group}")
    except (OSError, StopIteration) as e:
        return f"this kernel refuses a node: {e}"
    finally:
        machine.close()
    return None


def _groups(name):
    """The control group of that name in every hierarchy."""
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return [f"/sys/fs/cgroup/{name}"]
    return [f"{path}/{name}" for path in glob.glob("/sys/fs/cgroup/*") if os.path.isdir(path) and not os.path.islink(path)]


class Node:
    """API server and node, ready for pods; `relay(address)` is how pods reach a server of this machine."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.machine = Machine()
        self.group = f"ampule-test-{os.getpid()}"
        self._relays = []
        self._own_files()
        self.apiserver = ApiServer(self.folder / "api", Authority(self.folder / "ca", "kubernetes"), self.machine)
        self.api = self.apiserver.api
        self._start_containerd()
        self._import_images()
        self._start_kubelet()
        self._start_others()
        wait.until(self._ready, lambda: f"the node to be ready; the kubelet said:\n{self.kubelet.log[-3000:]}", 180)

    def _own_files(self):
        copies = self.folder / "sysctl"
        copies.mkdir(parents=True)
        # Addresses of Services are nobody's; packets to them get another address on their way out, if there is a way.
        route = f"ip route add 10.96.0.0/16 dev lo src {Machine.address}"
        lines = ["mount -t tmpfs ampule-test /run", route, f"mkdir -p {' '.join(_groups(self.group))}"]
        for name in SYSCTLS:
            copy = copies / name.replace("/", "-")
            lines.append(f'cat "/proc/sys/{name}" >"{copy}" && mount --bind "{copy}" "/proc/sys/{name}"')
        self.machine.run("sh", "-ec", "\n".join(lines))

    def _start_containerd(self):
        (self.folder / "cni").mkdir()
        (self.folder / "cni" / "10-pods.conflist").write_text(json.dumps(NETWORK))
        config = self.folder / "containerd.toml"
        config.write_text(CONTAINERD.format(folder=self.folder, snapshotter="overlayfs"))
        self.containerd = self.apiserver.run("containerd", "--config", config)
        wait.until(lambda: self._ctr_answers(), lambda: f"containerd to answer; it said:\n{self.containerd.log[-2000:]}")

    def _ctr_answers(self):
        try:
            return self.ctr("version")
        except OSError:
            return None

    def ctr(self, *args):
        return self.machine.run("ctr", "-a", "/run/containerd-test.sock", "-n", "k8s.io", *args)

    def _import_images(self):
        version = "0.1.0"
        names = {"pause": "localhost/pause:1", "app": "localhost/app:1", **{kind: f"docker.io/ampule/{kind}:{version}" for kind in IMAGES}}
        for kind, name in names.items():
            self.ctr("images", "import", images.write(kind, name, self.folder / f"{kind}.tar"))

    def _start_kubelet(self):
        cert, key = self.apiserver.authority.issue("kubelet", [NAME, Machine.address, "127.0.0.1"])
        config = json.loads(json.dumps(KUBELET))
        config |= {"tlsCertFile": str(cert), "tlsPrivateKeyFile": str(key), "cgroupRoot": f"/{self.group}", "podLogsDir": str(self.folder / "logs")}
        config["authentication"]["x509"] = {"clientCAFile": str(self.apiserver.ca_file)}
        config["resolvConf"] = str(self.folder / "resolv.conf")
        (self.folder / "resolv.conf").write_text("nameserver 127.0.0.53\n")
        path = self.folder / "kubelet.json"
        path.write_text(json.dumps(config))
        kubeconfig = self.apiserver.write_kubeconfig(f"system:node:{NAME}", "system:nodes", self.apiserver.inner)
        self.kubelet = self.apiserver.run(programs() / "kubelet", config=path, kubeconfig=kubeconfig, hostname_override=NAME,
                                          node_ip=Machine.address, root_dir=self.folder / "kubelet", cert_dir=self.folder / "kubelet-pki")  # fmt: skip

    def _start_others(self):
        def kubeconfig(name):
            return self.apiserver.write_kubeconfig(f"system:{name}", server=self.apiserver.inner)

        self.apiserver.run(programs() / "kube-scheduler", kubeconfig=kubeconfig("kube-scheduler"), secure_port=0, leader_elect="false")
        self.apiserver.run(programs() / "kube-proxy", kubeconfig=kubeconfig("kube-proxy"), hostname_override=NAME, proxy_mode="iptables",
                           cluster_cidr="10.244.0.0/16", conntrack_max_per_core=0, conntrack_tcp_timeout_established=0,
                           conntrack_tcp_timeout_close_wait=0, bind_address=Machine.address)  # fmt: skip

    def _ready(self):
        if not self.kubelet.running:
            raise AssertionError(f"the kubelet ended:\n{self.kubelet.log[-3000:]}")
        node = self.api.find(f"/api/v1/nodes/{NAME}") or {}
        conditions = node.get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    # --------------------------------------------------------------------------------------------------------------- using

    def relay(self, address):
        relay = Wire(address, self.machine.socket, self.machine.address)
        self._relays.append(relay)
        return relay.address

    def kubectl(self, *args, **pairs):
        return self.apiserver.kubectl(*args, **pairs)

    def logs(self, namespace, pod, container):
        return self.kubectl("-n", namespace, "logs", pod, "-c", container)

    def read(self, namespace, pod, container, path):
        """A file as that container sees it; "" while there is none."""
        done = self.kubectl("-n", namespace, "exec", pod, "-c", container, "--", "cat", path, check=False)
        return done.stdout if done.returncode == 0 else ""

    def wait_pod(self, namespace, name, condition, what, seconds=180):
        """Waits until `condition(pod)` is true; says what became of the pod if it is not."""
        path = self.api.pods(namespace, name)

        def said():
            pod = self.api.find(path) or {}
            status = {key: pod.get("status", {}).get(key) for key in ("phase", "conditions", "initContainerStatuses", "containerStatuses")}
            logs = self.kubectl("-n", namespace, "logs", name, "--all-containers", "--prefix", check=False)
            return f"pod {namespace}/{name} to {what}: {json.dumps(status)[:3000]}\n{logs.stdout[-3000:]}{logs.stderr[-500:]}"

        return wait.until(lambda: (lambda pod: pod if pod and condition(pod) else None)(self.api.find(path)), said, seconds)

    def ready(self, namespace, name, seconds=180):
        def is_ready(pod):
            return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))

        return self.wait_pod(namespace, name, is_ready, "be ready", seconds)

    def finished(self, namespace, name, seconds=180):
        pod = self.wait_pod(namespace, name, lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"), "finish", seconds)
        return pod["status"]["phase"]

    def stop(self):
        for relay in self._relays:
            relay.close()
        # With its first process all others of the machine end: containers, shims, whatever they left.
        self.machine.close()
        self.apiserver.stop()
        for group in _groups(self.group):
            for path, _, _ in os.walk(group, topdown=False):
                wait.until(lambda: _removed(path), f"{path} to be empty")  # noqa: B023


def _removed(path):
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
