"""A Kerberos realm: Debian's KDC on a free loopback port, with its principals and their keytabs."""

import os
import shutil
import subprocess

import pytest

from . import wait
from .process import Process, free_port

REALM = "EXAMPLE.ORG"


class Realm:
    def __init__(self, folder):
        for program in ("krb5kdc", "kadmin.local"):
            if not shutil.which(program):
                pytest.fail(f"{program} is not installed: tests/run integration installs it")
        folder.mkdir(parents=True)
        self.folder, self.port = folder, free_port()
        self.config = folder / "krb5.conf"
        self.config.write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n"
            f"[realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{self.port}\n }}\n")
        (folder / "kdc.conf").write_text(
            f"[realms]\n {REALM} = {{\n  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n  acl_file = {folder}/acl\n"
            f"  kdc_listen = 127.0.0.1:{self.port}\n  kdc_tcp_listen = 127.0.0.1:{self.port}\n  max_life = 1h\n  disable_pac = true\n }}\n[logging]\n kdc = STDERR\n")
        self.env = {"KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
        self.admin("-r", REALM, "-P", "of the test", "create", "-s", program="kdb5_util")
        self.process = Process(["krb5kdc", "-n", "-r", REALM, "-P", str(folder / "pid")], env=self.env, cwd=folder)
        wait.until(lambda: "commencing operation" in self.process.log, lambda: f"the KDC to begin:\n{self.process.log}")

    def admin(self, *arguments, program="kadmin.local"):
        subprocess.run([program, *arguments], env=os.environ | self.env, check=True, capture_output=True, timeout=60)

    def principal(self, name):
        """A new one with random keys, and its keytab."""
        keytab = self.folder / (name.replace("/", "-") + ".keytab")
        self.admin("-r", REALM, "-q", f"addprinc -randkey {name}")
        self.admin("-r", REALM, "-q", f"ktadd -k {keytab} {name}")
        return keytab

    def stop(self):
        self.process.stop()
