"""Logins by client certificates, at a real server, beside the original."""

import re
import shutil
import signal
import subprocess

import pytest
from support import agent as agents
from support import wait
from support.agent import original, template
from support.certs import Authority
from support.logins import Login, about, logged_in
from support.rendering import user
from support.site import unique
from support.vault import VaultError


class Certificates:
    """A server's certificate login that believes a CA of its own, and the files of an agent, which stand alone in a folder."""

    def __init__(self, site, folder, authority=None, **role):
        self.site, self.folder = site, folder / "of" / "its-own"
        self.authority = authority or Authority(folder / "ca", "the clients' CA")
        self.mount = site.vault.enable_auth(unique("cert"), "cert")
        self.policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
        site.vault.write(f"auth/{self.mount}/certs/web", certificate=self.authority.pem, token_policies=[self.policy], **role)
        self.folder.mkdir(parents=True)
        self.cert, self.key = self.folder / "client.pem", self.folder / "client.key"

    def issue(self, name):
        """The two texts."""
        return [file.read_text() for file in self.authority.issue(unique(name))]

    def put(self, name):
        cert, key = self.authority.issue(name)
        shutil.copy(cert, self.cert)
        shutil.copy(key, self.key)

    def login(self, **more):
        return Login("cert", self.mount, **{"ca_cert": self.site.ca_file, "client_cert": self.cert, "client_key": self.key, **more})


@pytest.fixture
def certificates(real_site, tmp_path):
    one = Certificates(real_site, tmp_path)
    one.put("first")
    return one


def name_in(site, file):
    """Whose certificate the token in a sink was given for."""
    token = wait.read(file)
    try:
        return about(site, token)["meta"]["common_name"] if token else None
    except VaultError:
        return None  # it was over before it was asked about


@pytest.mark.parametrize("name", ["web", None])
def test_a_login_shows_a_certificate_of_its_own(real_site, start, tmp_path, certificates, name):
    one = logged_in(real_site, start, tmp_path, certificates.login(**({"name": name} if name else {})), certificates.policy)
    assert name_in(real_site, tmp_path / "sink") == "first"


def test_a_login_shows_the_server_s_client_certificate(real_site, start, tmp_path, certificates):
    own = {"client_cert": certificates.cert, "client_key": certificates.key}
    logged_in(real_site, start, tmp_path, Login("cert", certificates.mount, name="web"), certificates.policy, **own)


def test_a_login_believes_whom_the_server_s_stanza_names(real_site, agent, tmp_path, certificates):
    login = certificates.login(name="web")
    del login.options["ca_cert"]  # the original needs it here, too
    one = logged_in(real_site, agent, tmp_path, login, certificates.policy)


def test_only_the_login_shows_its_certificate(real_site, start, tmp_path, authority):
    """At a port that wants to see one of everybody."""
    certificates = Certificates(real_site, tmp_path, authority)
    certificates.put(unique("client"))
    login = certificates.login(name="web")
    login.sink(tmp_path / "sink")
    path = real_site.kv2().put("app", user="alice")
    one = start(real_site.config(login, template(user(path), tmp_path / "user"), vault={"address": real_site.server.strict_address}))
    wait.until(lambda: wait.read(tmp_path / "sink"), lambda: one.log)
    one.wait_log("certificate required|wants a client certificate|connection was lost")
    assert not (tmp_path / "user").exists()


def test_a_token_is_renewed_with_the_certificate_of_its_login(real_site, agent, tmp_path):
    """The server renews it for that certificate alone."""
    certificates = Certificates(real_site, tmp_path, token_ttl="6s")
    certificates.put("first")
    one = logged_in(real_site, agent, tmp_path, certificates.login(), certificates.policy)
    first = (tmp_path / "sink").read_text()
    one.wait_log("renewed auth token", count=2)
    assert (tmp_path / "sink").read_text() == first


def test_a_token_that_another_certificate_may_not_renew_is_replaced(real_site, agent, tmp_path):
    certificates = Certificates(real_site, tmp_path, token_ttl="3s")
    certificates.put("first")
    one = logged_in(real_site, agent, tmp_path, certificates.login(), certificates.policy)
    certificates.authority = Authority(tmp_path / "other", "another CA")
    real_site.vault.write(f"auth/{certificates.mount}/certs/other", certificate=certificates.authority.pem, token_policies=[certificates.policy])
    certificates.put("second")
    wait.until(lambda: name_in(real_site, tmp_path / "sink") == "second", lambda: one.log)


@pytest.mark.parametrize("change", ["renamed", "made again"])
def test_another_certificate_is_a_new_login(real_site, start, tmp_path, certificates, change):
    login = certificates.login(reload=True, reload_period="1s")
    login.more["enable_reauth_on_new_credentials"] = True
    one = logged_in(real_site, start, tmp_path, login, certificates.policy)
    cert, key = certificates.authority.issue("second")
    if change == "renamed":
        for new, old in ((cert, certificates.cert), (key, certificates.key)):
            shutil.copy(new, old.with_suffix(".new"))
            old.with_suffix(".new").rename(old)
    else:
        certificates.folder.rename(certificates.folder.with_name("old"))
        certificates.folder.mkdir()
        certificates.put("second")
    wait.until(lambda: name_in(real_site, tmp_path / "sink") == "second", lambda: one.log)


@pytest.mark.skipif(original(), reason="of a new configuration the original takes its log level alone")
def test_a_login_believes_whom_a_reload_names(real_site, agent, tmp_path):
    """The client of the login is another one than that of the secrets: both go by the new files."""
    certificates = Certificates(real_site, tmp_path, token_ttl="3s")
    certificates.put("first")
    login = Login("cert", certificates.mount, client_cert=certificates.cert, client_key=certificates.key)
    other = Authority(tmp_path / "another", "another CA").file
    one = logged_in(real_site, agent, tmp_path, login, certificates.policy)

    def believes(file):
        one.config.write_text(real_site.config(login, vault={"ca_cert": file}))
        one.signal(signal.SIGHUP)

    believes(other)
    one.wait_log("agent.auth.*unknown authority", seconds=60)
    believes(real_site.ca_file)
    count = len(re.findall("renewed auth token|authentication successful", one.log))
    wait.until(lambda: len(re.findall("renewed auth token|authentication successful", one.log)) > count, lambda: one.log, 60)


def test_half_a_pair_keeps_the_whole_one(real_site, agent, tmp_path):
    """Logins come every eight seconds; a key that is not the certificate's is none."""
    certificates = Certificates(real_site, tmp_path, token_ttl="8s", token_max_ttl="8s")
    certificates.put("first")
    login = certificates.login(reload=True, reload_period="1s")
    login.more["enable_reauth_on_new_credentials"] = True
    one = logged_in(real_site, agent, tmp_path, login, certificates.policy)
    cert, key = certificates.authority.issue("second")
    shutil.copy(cert, certificates.cert)
    one.wait_log("do not belong together; what was read before stays in use")
    wait.for_file(tmp_path / "sink", differs_from=wait.read(tmp_path / "sink"))
    assert wait.until(lambda: name_in(real_site, tmp_path / "sink"), lambda: one.log) == "first"
    shutil.copy(key, certificates.key)
    one.wait_log("the TLS files are good again")
    wait.until(lambda: name_in(real_site, tmp_path / "sink") == "second", lambda: one.log)


def test_a_certificate_may_come_later(real_site, start, tmp_path, certificates):
    certificates.cert.unlink()
    login = certificates.login()
    login.sink(tmp_path / "sink")
    one = start(real_site.config(login))
    one.wait_log("client.pem")
    certificates.put("first")
    wait.until(lambda: name_in(real_site, tmp_path / "sink") == "first", lambda: one.log)


@pytest.mark.parametrize("name", ["web", None])
def test_a_refusal_names_what_to_look_at(real_site, agent, tmp_path, certificates, name):
    stranger = Authority(tmp_path / "other", "another CA").issue("stranger")
    shutil.copy(stranger[0], certificates.cert)
    shutil.copy(stranger[1], certificates.key)
    login = certificates.login(**({"name": name} if name else {}))
    login.sink(tmp_path / "sink")
    one = agent(real_site.config(login))
    one.wait_log(f'does auth/{certificates.mount}/certs/{name or "NAME"} hold the CA of the certificate, and do its allowed_. fit')
    one.wait_log(f'"{certificates.cert}"')


JUDGED = {
    "name": ({"name": 7}, "must be a string"),
    "reload": ({"reload": "true"}, "must be true or false"),
    "client_cert": ({"client_cert": True}, "must be a string"),
}


@pytest.mark.parametrize("what", JUDGED)
def test_what_the_original_refuses_is_refused(real_site, peer, tmp_path, certificates, what):
    options, text = JUDGED[what]
    login = certificates.login(**options)
    login.sink(tmp_path / "sink")
    config = tmp_path / "refused.hcl"
    config.write_text(real_site.config(login))
    done = subprocess.run([agents.program("ampule"), "check", f"-config={config}"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and f"auto_auth.method.config.{what}" in said and text in said, said
    assert peer(config.read_text()).wait_exit() == 1
