"""Logins by Kerberos, with a real KDC, a real directory and a real server, beside the original."""

import base64
import os
import pathlib
import shutil
import subprocess

import pytest
from support import agent as agents
from support import wait
from support.agent import template
from support.kerberos import REALM, Realm
from support.logins import Login, about, logged_in
from support.rendering import user
from support.site import unique

SERVICE = "HTTP/vault.example.org"


class Kerberos:
    """A realm with the server's service in it, and the person whom the directory knows."""

    def __init__(self, folder, directory):
        self.realm, self.directory = Realm(folder / "realm"), directory
        self.service, self.keytab = self.realm.principal(SERVICE), self.realm.principal("anna")

    def login(self, site, **more):
        mount = site.vault.enable_auth(unique("kerberos"), "kerberos", config={"passthrough_request_headers": ["Authorization"], "allowed_response_headers": ["www-authenticate"]})
        policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
        site.vault.write(f"auth/{mount}/config", keytab=base64.b64encode(self.service.read_bytes()).decode(), service_account=SERVICE)
        site.vault.write(f"auth/{mount}/config/ldap", url=self.directory.url, userdn="dc=example,dc=org", userattr="uid", groupdn="dc=example,dc=org",
                         token_policies=[policy])
        options = {"username": "anna", "service": SERVICE, "realm": REALM, "keytab_path": self.keytab, "krb5conf_path": self.realm.config}
        login = Login("kerberos", mount, **{**options, **more})
        login.policy = policy
        return login


@pytest.fixture(scope="module")
def kerberos(tmp_path_factory, directory):
    one = Kerberos(tmp_path_factory.mktemp("kerberos"), directory)
    yield one
    one.realm.stop()


@pytest.fixture(autouse=True)
def beside(tmp_path_factory, monkeypatch):
    """A static release has no program that loads a library; it may stand beside that of another build."""
    ours = pathlib.Path(agents.program("ampule-agent"))
    if not ours.with_name("ampule-kerberos").exists():
        folder = tmp_path_factory.mktemp("bin")
        shutil.copy(ours, folder)
        shutil.copy(agents.TOP / "build" / "normal" / "bin" / "ampule-kerberos", folder)
        monkeypatch.setenv("AMPULE_BIN", str(folder))


@pytest.mark.parametrize("fast", [False, True])
def test_a_ticket_logs_in(real_site, start, tmp_path, kerberos, fast):
    login = kerberos.login(real_site, disable_fast_negotiation=fast)
    logged_in(real_site, start, tmp_path, login, login.policy)
    assert about(real_site, wait.read(tmp_path / "sink"))["meta"] == {"user": "anna", "domain": REALM}


def test_each_login_has_a_ticket_of_its_own(real_site, agent, tmp_path, kerberos):
    """The server takes none twice; confinement takes away what a library would need."""
    login = kerberos.login(real_site)
    real_site.vault.write(f"sys/auth/{login.mount}/tune", default_lease_ttl="3s", max_lease_ttl="3s")  # what the method itself says of it counts for nothing
    path = real_site.kv2().put("app", user="alice")
    login.sink(tmp_path / "sink")
    one = agent(real_site.config(login, template(user(path), tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")
    one.wait_log("authentication successful", count=3)


def test_a_keytab_may_come_later(real_site, start, tmp_path, kerberos):
    keytab = tmp_path / "keys" / "keytab"
    keytab.parent.mkdir()
    login = kerberos.login(real_site, keytab_path=keytab)
    login.sink(tmp_path / "sink")
    one = start(real_site.config(login))
    one.wait_log("keytab")
    shutil.copy(kerberos.keytab, keytab)
    wait.until(lambda: wait.read(tmp_path / "sink"), lambda: one.log)


WRONG = {
    "another user": ({"username": "bert"}, r'keytab .*anna.keytab: holds no key of bert@EXAMPLE.ORG'),
    "another service": ({"service": "HTTP/elsewhere"}, "HTTP/elsewhere@EXAMPLE.ORG not found in Kerberos database"),
    "no keytab": ({"keytab_path": "/nowhere/keytab"}, "keytab /nowhere/keytab: No such file or directory"),
    "no KDC": ({"realm": "ELSEWHERE.ORG"}, "holds no key of anna@ELSEWHERE.ORG"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_the_library_says_is_told(real_site, agent, tmp_path, kerberos, what):
    options, text = WRONG[what]
    login = kerberos.login(real_site, **options)
    login.sink(tmp_path / "sink")
    agent(real_site.config(login)).wait_log(text)


def test_a_refusal_names_what_to_look_at(real_site, agent, tmp_path, kerberos):
    login = kerberos.login(real_site)
    real_site.vault.write(f"auth/{login.mount}/config", keytab=base64.b64encode(kerberos.keytab.read_bytes()).decode(), service_account="anna")
    login.sink(tmp_path / "sink")
    one = agent(real_site.config(login))
    one.wait_log(f'username "anna", service "{SERVICE}": does auth/{login.mount}/config hold the keytab of that service')


def test_without_its_program_there_is_a_way_out(real_site, tmp_path, kerberos):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(agents.program("ampule-agent"), alone / "ampule-agent")
    login = kerberos.login(real_site)
    login.sink(tmp_path / "sink")
    (tmp_path / "agent.hcl").write_text(real_site.config(login))
    done = subprocess.run([alone / "ampule-agent", "agent", f"-config={tmp_path}/agent.hcl"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f'auto_auth.method "kerberos": ampule-kerberos is neither in {alone} nor in /usr/libexec/ampule' in done.stderr and "--target ampule-kerberos" in done.stderr


def test_without_the_library_there_is_a_way_out(kerberos, tmp_path):
    """The program itself, where the loader finds none."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    library = next(pathlib.Path("/usr/lib").glob("*/libgssapi_krb5.so.2"))
    within = ["unshare", "--mount", "sh", "-c", f'mount --bind /dev/null "$(readlink -f {library})" && exec "$@"', "sh"]
    program = pathlib.Path(agents.program("ampule-agent")).with_name("ampule-kerberos")
    done = subprocess.run([*within, program, kerberos.keytab, f"anna@{REALM}", f"{SERVICE}@"], env=os.environ | kerberos.realm.env,
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "install libgssapi_krb5.so.2 (libgssapi-krb5-2 in Debian" in done.stdout
