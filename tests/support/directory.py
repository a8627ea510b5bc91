"""Debian's slapd, with one person in it."""

import shutil
import subprocess

from . import canary, wait
from .process import Process, free_port


class Directory:
    PERSON = "uid=anna,dc=example,dc=org"

    def __init__(self, folder):
        if not shutil.which("slapd"):
            raise AssertionError("slapd is not installed: tests/run integration installs it")
        self.password = canary.secret()
        self.port, data = free_port(), folder / "data"
        data.mkdir(parents=True)
        hashed = subprocess.run(["slappasswd", "-s", self.password], capture_output=True, text=True, check=True).stdout.strip()
        (folder / "slapd.conf").write_text("\n".join([
            "include /etc/ldap/schema/core.schema", "include /etc/ldap/schema/cosine.schema", "include /etc/ldap/schema/inetorgperson.schema",
            f"pidfile {folder}/pid", "modulepath /usr/lib/ldap", "moduleload back_mdb", "database mdb", 'suffix "dc=example,dc=org"',
            f"directory {data}", ""]))
        (folder / "people.ldif").write_text(
            "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example\n\n"
            f"dn: {self.PERSON}\nobjectClass: inetOrgPerson\nuid: anna\ncn: anna\nsn: anna\nuserPassword: {hashed}\n")
        subprocess.run(["slapadd", "-f", folder / "slapd.conf", "-l", folder / "people.ldif"], check=True, capture_output=True)
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.process = Process(["slapd", "-d", "0", "-f", str(folder / "slapd.conf"), "-h", self.url], cwd=folder)
        wait.until(self.answers, lambda: self.process.log)

    def answers(self):
        return subprocess.run(["ldapwhoami", "-x", "-H", self.url], capture_output=True, check=False).returncode == 0

    def enable(self, vault, mount, policies):
        """The person may log in at this mount, with these policies."""
        vault.write(f"auth/{mount}/config", url=self.url, userdn="dc=example,dc=org", userattr="uid", groupdn="dc=example,dc=org")
        vault.write(f"auth/{mount}/users/anna", policies=policies)
