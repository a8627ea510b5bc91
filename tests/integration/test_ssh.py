"""Certificates of OpenSSH that stay fresh: a server's SSH engine signs, a real sshd and a real ssh believe."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest
from support import wait
from support.agent import TOP, block
from support.process import Process, free_port
from support.site import unique

SECONDS = 30  # how long a certificate lasts


def key(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def shown(certificate):
    """(serial, until when) in ssh-keygen's words."""
    said = subprocess.run(["ssh-keygen", "-L", "-f", certificate], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Serial: (\d+)\s+Valid: from \S+ to (\S+)", said)
    return found and (found[1], time.mktime(time.strptime(found[2], "%Y-%m-%dT%H:%M:%S")))


class Engines:
    """Two authorities, for hosts and for users, as their makers advise."""

    def __init__(self, site, folder):
        self.site, self.files = site, {}
        for kind, role in (("host", {"allow_host_certificates": True, "allowed_domains": "*", "allow_bare_domains": True, "allow_subdomains": True}),
                           ("user", {"allow_user_certificates": True, "allowed_users": "root", "default_user": "root", "default_extensions": {"permit-pty": ""}})):
            mount = site.vault.enable_secrets(unique(f"ssh-{kind}"), "ssh")
            public = site.vault.write(f"{mount}/config/ca", generate_signing_key=True, key_type="ed25519")["data"]["public_key"]
            site.vault.write(f"{mount}/roles/{kind}", key_type="ca", ttl=f"{SECONDS}s", max_ttl="1h", algorithm_signer="default", **role)
            self.files[kind] = folder / f"{kind}-ca.pub"
            self.files[kind].write_text(public)
            setattr(self, kind, mount)

    def template(self, kind, text, destination, **more):
        """One of templates/, with the paths of this test."""
        text = text.replace(f"ssh-{kind}/", f"{getattr(self, kind)}/")
        return block("template", contents=text, destination=destination, perms="0644", **more)


@pytest.fixture
def engines(real_site, tmp_path):
    return Engines(real_site, tmp_path)


class Sshd:
    """On a free loopback port, with nothing but certificates."""

    def __init__(self, folder, host_key, host_certificate, users):
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # OpenSSH's own
        self.port, self.config = free_port(), folder / "sshd_config"
        self.config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nHostCertificate {host_certificate}\nTrustedUserCAKeys {users}\n"
            f"PidFile {folder}/pid\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAuthorizedKeysFile none\nPermitRootLogin yes\n")
        self.process = Process([shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(self.config)], cwd=folder)
        self.process.wait_log("Server listening")


@pytest.fixture
def sshd(tmp_path):
    if not pathlib.Path("/usr/sbin/sshd").exists():
        pytest.fail("sshd is not installed: tests/run integration installs it")
    running = []

    def start(*arguments):
        running.append(Sshd(tmp_path, *arguments))
        return running[-1]

    yield start
    for one in running:
        one.process.stop()


def log_in(port, identity, hosts):
    """What a login prints; the host is known by its authority alone."""
    known = identity.with_name("known_hosts")
    known.write_text(f"@cert-authority * {hosts.read_text()}")
    options = {"UserKnownHostsFile": known, "GlobalKnownHostsFile": "/dev/null", "StrictHostKeyChecking": "yes", "IdentitiesOnly": "yes", "BatchMode": "yes",
               "HostKeyAlias": "host.example.com", "ConnectTimeout": 20}
    command = ["ssh", "-F", "none", "-i", identity, "-p", str(port), *[f"-o{name}={value}" for name, value in options.items()], "root@127.0.0.1", "echo here"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def test_certificates_of_host_and_user_are_signed_anew_before_they_end(real_site, agent, tmp_path, engines, sshd):
    host, user = key(tmp_path / "host" / "key"), key(tmp_path / "user" / "key")
    certificates = [one.with_name("key-cert.pub") for one in (host, user)]
    texts = [(TOP / "templates" / f"ssh-{kind}.ctmpl").read_text() for kind in ("host", "user")]
    reload = f"test ! -e {tmp_path}/pid || kill -HUP $(cat {tmp_path}/pid)"
    agent(real_site.config(real_site.login(), engines.template("host", texts[0], certificates[0], command=reload), engines.template("user", texts[1], certificates[1])),
          env={"SSH_HOST_KEY": f"{host}.pub", "SSH_USER_KEY": f"{user}.pub"})
    first = [wait.until(lambda file=file: shown(file), "a certificate") for file in certificates]
    one = sshd(host, certificates[0], engines.files["user"])
    done = log_in(one.port, user, engines.files["host"])
    assert done.stdout == "here\n", (done.stderr, one.process.log)
    second = [wait.until(lambda file=file, old=old: (now := shown(file)) and now[0] != old[0] and now, "another certificate", SECONDS + 20)
              for file, old in zip(certificates, first)]
    for file, old, new in zip(certificates, first, second):
        assert file.stat().st_mtime < old[1] < new[1], "signed anew before the old one ended"
    one.process.wait_log("Server listening", count=2)
    wait.until(lambda: time.time() > max(end for _, end in first), "the first certificates to end", SECONDS + 20)
    done = log_in(one.port, user, engines.files["host"])
    assert done.stdout == "here\n", (done.stderr, one.process.log)


def test_a_key_that_is_exchanged_is_signed_at_once(real_site, agent, tmp_path, engines):
    user = key(tmp_path / "user" / "key")
    certificate, text = user.with_name("key-cert.pub"), (TOP / "templates" / "ssh-user.ctmpl").read_text()
    agent(real_site.config(real_site.login(), engines.template("user", text, certificate)), env={"SSH_USER_KEY": f"{user}.pub"})
    wait.until(lambda: shown(certificate), "a certificate")
    other = key(tmp_path / "other" / "key").with_name("key.pub")
    other.replace(user.with_name("key.pub"))
    fingerprint = subprocess.run(["ssh-keygen", "-l", "-f", f"{user}.pub"], capture_output=True, text=True, check=True).stdout.split()[1]
    wait.until(lambda: fingerprint in subprocess.run(["ssh-keygen", "-L", "-f", certificate], capture_output=True, text=True, check=False).stdout, "the other key's")
