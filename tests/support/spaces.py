"""Namespaces of the kernel: other names, networks and limits for one process, without a change to the machine. Most need root."""

import ctypes
import os
import random
import socket
import struct
import subprocess
import threading

from . import wait

ROOT = os.geteuid() == 0
CLONE_NEWNET = 0x40000000


def with_resolver(folder, *servers, lines=("options timeout:1 attempts:2",), hosts=None):
    """A command prefix: what follows asks these name servers, with these lines more of resolv.conf, and has this text for /etc/hosts."""
    conf = folder / "resolv.conf"
    conf.write_text("".join(f"nameserver {s}\n" for s in servers) + "".join(f"{line}\n" for line in lines))
    script = f'mount --bind "{conf}" /etc/resolv.conf'
    if hosts is not None:
        (folder / "hosts").write_text(hosts)
        script += f' && mount --bind "{folder}/hosts" /etc/hosts'
    return ["unshare", "-m", "sh", "-c", script + ' && exec "$@"', "sh"]


def without_inotify():
    """A command prefix: a user namespace in which nobody gets an inotify instance."""
    return ["unshare", "-U", "-r", "sh", "-c", 'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"', "sh"]


def with_small_volume(folder, size):
    """A command prefix: `folder` is a tmpfs of that many bytes that nobody else sees, and that goes with the process."""
    return ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={size} ampule-test "{folder}" && exec "$@"', "sh"]


def with_read_only(folder):
    return ["unshare", "-m", "sh", "-c", f'mount --bind "{folder}" "{folder}" && mount -o remount,bind,ro "{folder}" && exec "$@"', "sh"]


def with_root(folder, binds, user=None):
    """A command prefix: the machine's files with these (path: folder or file) over them, for this process alone, and as uid:gid `user`."""
    top = folder / "root"
    top.mkdir(exist_ok=True)
    lines = [
        f'mount -t tmpfs ampule-test "{top}" && mkdir "{top}/up" "{top}/work" "{top}/all"',
        f'mount -t overlay ampule-test -o lowerdir=/,upperdir="{top}/up",workdir="{top}/work" "{top}/all"',
        f'mount --rbind /proc "{top}/all/proc" && mount --rbind /dev "{top}/all/dev" && mount -t tmpfs ampule-test "{top}/all/run"',
    ]
    # /var/run is a link that would lead out again.
    for path, source in sorted((os.path.realpath(path), source) for path, source in binds.items()):
        make = f'touch "{top}/all{path}"' if os.path.isfile(source) else f'mkdir -p "{top}/all{path}"'
        lines += [f'{make} && mount --bind "{source}" "{top}/all{path}"']
    uid, _, gid = (user or "").partition(":")
    become = f"setpriv --reuid {uid} --regid {gid} --clear-groups --inh-caps=-all " if user else ""
    return ["unshare", "-m", "sh", "-ec", "\n".join([*lines, f'exec chroot "{top}/all" {become}"$@"']), "sh"]


def enter(pid, *command):
    """Runs a command where that process's mounts are."""
    return subprocess.run(["nsenter", f"--mount=/proc/{pid}/ns/mnt", *command], check=True, capture_output=True, text=True).stdout


class NameServer:
    """Answers questions over UDP on a loopback address of its own: `records` (name: IPv4 address), `services` (name: port and host), else `code`."""

    SERVFAIL, NXDOMAIN = 2, 3

    def __init__(self):
        self.records, self.services, self.code, self.questions = {}, {}, None, []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Port 53 is fixed, the address is not: somewhere in 127/8 it is free.
        wait.until(self._bind, "a free loopback address")
        threading.Thread(target=self._serve, daemon=True).start()

    def _bind(self):
        self.address = "127.%d.%d.%d" % tuple(random.randint(2, 250) for _ in range(3))
        try:
            self._socket.bind((self.address, 53))
        except OSError:
            return False
        return True

    def close(self):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                packet, client = self._socket.recvfrom(4096)
                self._socket.sendto(self._answer(packet), client)
            except OSError:
                return

    def _answer(self, packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1 : at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        name, question = ".".join(labels).lower(), packet[12 : at + 5]
        kind = struct.unpack("!H", packet[at + 1 : at + 3])[0]
        self.questions.append(name)
        known = name in self.records or name in self.services
        code = self.code if self.code is not None else 0 if known else self.NXDOMAIN
        data = self._data(name, kind) if code == 0 else b""
        head = packet[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if data else 0, 0, 0)
        return head + question + (b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(data)) + data if data else b"")

    def _data(self, name, kind):
        """What a record of that kind holds, b"" for none."""
        if kind == 1 and name in self.records:
            return socket.inet_aton(self.records[name])
        if kind == 33 and name in self.services:
            port, host = self.services[name]
            return struct.pack("!HHH", 1, 1, port) + b"".join(bytes([len(part)]) + part.encode() for part in host.split(".")) + b"\0"
        return b""


def socket_in(pid):
    """A TCP socket in the network of that process, whoever asks for it."""
    made = []

    def run():
        with open(f"/proc/{pid}/ns/net", "rb") as space:
            if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET) == 0:
                made.append(socket.socket())

    # setns() moves the calling thread only; this one ends with it.
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return made[0]


class Machine:
    """Network, mounts and processes apart from this machine's, on the same files. What runs in it ends with it.

    `within` is a command prefix. `address` is one that only what is in it can reach, and that is not loopback.
    """

    address = "10.200.0.1"

    def __init__(self):
        # The first process of the namespace: when it ends the kernel ends all others.
        script = "mount --make-rshared / && ip link set lo up && ip addr add $0/32 dev lo && echo ready && exec cat"
        argv = ["unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-ec", script, self.address]
        self._holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self._holder.stdout.readline() != b"ready\n":
            raise OSError(f"no namespaces: {self._holder.stderr.read().decode()}")
        with open(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children", encoding="ascii") as f:
            self.pid = int(f.read().split()[0])
        self.within = ["nsenter", f"--target={self.pid}", "--net", "--mount", "--pid"]

    def socket(self):
        return socket_in(self.pid)

    def run(self, *argv, text=None):
        """What a command in it prints."""
        done = subprocess.run([*self.within, *map(str, argv)], input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"{' '.join(map(str, argv))}: {done.stderr}")
        return done.stdout

    def close(self):
        self._holder.stdin.close()
        self._holder.wait()
        self._holder.stdout.close()
        self._holder.stderr.close()


class Cable:
    """Two networks with one cable between them, which can be cut: packets are lost then, and nobody is told.

    `near` is a command prefix for the one end; `listen` makes sockets at the other, whose address is `far_address`.
    """

    near_address, far_address = "10.99.0.1", "10.99.0.2"

    def __init__(self):
        self._holders = []
        self._near, self._far = self._network(), self._network()
        self._ip(self._near, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self._far))
        for pid, name, address in ((self._near, "near", self.near_address), (self._far, "far", self.far_address)):
            self._ip(pid, "addr", "add", f"{address}/24", "dev", name)
            self._ip(pid, "link", "set", name, "up")
            self._ip(pid, "link", "set", "lo", "up")

    @property
    def near(self):
        return ["nsenter", f"--net=/proc/{self._near}/ns/net"]

    def _network(self):
        """The pid of a process in a network namespace of its own, which is there by then."""
        holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._holders.append(holder)
        holder.stdout.readline()
        return holder.pid

    @staticmethod
    def _ip(pid, *args):
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *args], check=True, capture_output=True)

    def cut(self):
        self._ip(self._far, "link", "set", "far", "down")

    def mend(self):
        self._ip(self._far, "link", "set", "far", "up")

    def listen(self):
        """A TCP socket of the far network."""
        return socket_in(self._far)

    def close(self):
        for holder in self._holders:
            holder.stdin.close()
            holder.stdout.close()
            holder.wait()
