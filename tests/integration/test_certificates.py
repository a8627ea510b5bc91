"""`pkiCert`: after whatever restart certificate and key match, and a call's certificate is its own."""

import os
import pathlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support import canary, wait
from support.agent import block, original, template
from support.site import unique

pytestmark = pytest.mark.skipif(original(), reason="the original empties keys and mixes up names")


class Pki:
    """A mount with a role that issues whatever is asked for, for a day; and templates that ask."""

    def __init__(self, site):
        self.site = site
        self.mount = site.vault.enable_secrets(unique("pki"), "pki")
        site.vault.write(f"{self.mount}/root/generate/internal", common_name="root", key_type="ec", ttl="100h")
        site.vault.write(f"{self.mount}/roles/app", allow_any_name=True, key_type="ec", max_ttl="24h")
        self.login = site.login()

    def issued(self):
        return len(self.site.vault.request("LIST", f"{self.mount}/certs")["data"]["keys"]) - 1

    def text(self, inner, name="a.test"):
        return '{{ with pkiCert "%s/issue/app" "common_name=%s" }}%s{{ end }}' % (self.mount, name, inner)

    def config(self, *templates, **top):
        return self.site.config(self.login, *templates, **top)


@pytest.fixture
def pki(site):
    return Pki(site)


@pytest.fixture
def once(agent, pki):
    """One run in init mode, as at each start of a pod."""

    def run(*templates):
        one = agent(pki.config(*templates, exit_after_auth=True))
        assert one.wait_exit() == 0, one.log

    return run


def certificates(path):
    return x509.load_pem_x509_certificates(path.read_bytes())


def match(certificate, key):
    return certificates(certificate)[0].public_key() == load_pem_private_key(key.read_bytes(), None).public_key()


def names(path):
    return [c.subject.rfc4514_string() for c in certificates(path)]


def key_aside(folder):
    return '{{ .Cert }}{{ .Key | writeToFile "%s/tls.key" "" "" "0600" }}' % folder


def test_a_key_in_a_file_beside_is_there_after_a_restart(once, pki, tmp_path):
    for _ in range(3):
        once(template(pki.text(key_aside(tmp_path)), tmp_path / "tls.crt"))
        assert match(tmp_path / "tls.crt", tmp_path / "tls.key")


def test_a_key_that_was_lost_is_there_again(once, pki, tmp_path):
    for _ in range(2):
        once(template(pki.text(key_aside(tmp_path)), tmp_path / "tls.crt"))
        assert match(tmp_path / "tls.crt", tmp_path / "tls.key")
        (tmp_path / "tls.key").unlink()


def test_certificate_and_key_in_two_templates_are_of_one_certificate(once, pki, tmp_path):
    for run in range(1, 4):
        once(template(pki.text("{{ .Cert }}"), tmp_path / "tls.crt"), template(pki.text("{{ .Key }}"), tmp_path / "tls.key"))
        assert match(tmp_path / "tls.crt", tmp_path / "tls.key")
        assert pki.issued() == run


def test_the_template_with_the_key_may_come_first(once, pki, tmp_path):
    for _ in range(2):
        once(template(pki.text("{{ .Key }}"), tmp_path / "tls.key"), template(pki.text("{{ .Cert }}"), tmp_path / "tls.crt"))
        assert match(tmp_path / "tls.crt", tmp_path / "tls.key")


def test_one_file_with_both_is_used_again(once, pki, tmp_path):
    both = template(pki.text("{{ .Cert }}{{ .Key }}"), tmp_path / "tls.pem")
    once(both)
    first = (tmp_path / "tls.pem").read_text()
    once(both)
    assert ((tmp_path / "tls.pem").read_text(), pki.issued()) == (first, 1)


def test_a_certificate_alone_is_used_again_where_nobody_asks_for_its_key(once, pki, tmp_path):
    alone = template(pki.text("{{ .Cert }}{{ .CA }}"), tmp_path / "tls.crt")
    once(alone)
    first = (tmp_path / "tls.crt").read_text()
    once(alone)
    assert ((tmp_path / "tls.crt").read_text(), pki.issued()) == (first, 1)


def test_a_file_whose_key_is_another_one_is_not_used(once, pki, tmp_path):
    both = template(pki.text("{{ .Cert }}{{ .Key }}"), tmp_path / "tls.pem")
    once(template(pki.text("{{ .Key }}", "b.test"), tmp_path / "other"))
    once(both)
    text = (tmp_path / "tls.pem").read_text()
    (tmp_path / "tls.pem").write_text(text[: text.index("-----BEGIN EC PRIVATE")] + (tmp_path / "other").read_text())
    once(both)
    assert match(tmp_path / "tls.pem", tmp_path / "tls.pem")


def test_two_names_are_two_certificates(once, pki, tmp_path):
    text = pki.text("{{ .Cert }}", "one.test") + pki.text("{{ .Cert }}", "two.test")
    for _ in range(2):
        once(template(text, tmp_path / "tls.pem"))
        assert names(tmp_path / "tls.pem") == ["CN=one.test", "CN=two.test"]


def test_another_name_in_the_configuration_is_another_certificate(once, pki, tmp_path):
    for name in ("one.test", "two.test"):
        once(template(pki.text("{{ .Cert }}{{ .Key }}", name), tmp_path / "tls.pem"))
        assert names(tmp_path / "tls.pem") == [f"CN={name}"]


def test_the_same_call_in_two_templates_is_one_certificate_that_is_rotated_in_both(agent, pki, tmp_path):
    text = '{{ with pkiCert "%s/issue/app" "common_name=a.test" "ttl=30s" }}%s{{ end }}'
    templates = [template(text % (pki.mount, inner), tmp_path / name) for inner, name in (("{{ .Cert }}", "tls.crt"), ("{{ .Key }}", "tls.key"))]
    # The server dates it half a minute back: 36 of 60 s are over in six.
    soon = block("template_config", lease_renewal_threshold=0.6)
    one = agent(pki.config(*templates, soon))
    first = wait.for_file(tmp_path / "tls.crt")
    wait.for_file(tmp_path / "tls.crt", differs_from=first)
    one.wait_log("rendered: template.1", count=2)
    # The next one may be on its way: one file is exchanged after the other.
    wait.until(lambda: match(tmp_path / "tls.crt", tmp_path / "tls.key"), "both of one certificate")


def test_a_key_that_is_asked_for_later_comes_with_its_certificate(agent, pki, tmp_path):
    """The certificate's file is there from before; only a secret's arrival makes the second template ask for the key."""
    kv = pki.site.kv2()
    alone = template(pki.text("{{ .Cert }}"), tmp_path / "tls.crt")
    one = agent(pki.config(alone))
    wait.for_file(tmp_path / "tls.crt")
    one.stop()
    late = template('{{ with secret "%s" }}%s{{ end }}' % (kv.path("go"), pki.text("{{ .Key }}")), tmp_path / "tls.key")
    agent(pki.config(alone, late))
    kv.put("go", user="x")
    wait.for_file(tmp_path / "tls.key", contains="PRIVATE KEY")
    wait.until(lambda: match(tmp_path / "tls.crt", tmp_path / "tls.key"), "the certificate that belongs to the key")


# ------------------------------------------------------------------------------------------- the example of the machine

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy" / "systemd" / "nginx.hcl"


def example(pki, folder, issue):
    """deploy/systemd/nginx.hcl, with what is otherwise here."""
    site, vault = pki.site, pki.site.vault
    mount, policy = vault.enable_auth(unique("approle"), "approle"), vault.put_policy(unique("policy"), site.EVERYTHING)
    vault.write(f"auth/{mount}/role/web", token_policies=[policy])
    (folder / "role-id").write_text(vault.read(f"auth/{mount}/role/web/role-id")["data"]["role_id"])
    (folder / "secret-id").write_text(canary.keep(vault.write(f"auth/{mount}/role/web/secret-id")["data"]["secret_id"]))
    text = EXAMPLE.read_text()
    for old, new in {
        'address = "https://vault.example.com:8200"': f'address = "{site.address}"\nca_cert = "{site.ca_file}"', 'method "approle" {': f'method "approle" {{\nmount_path = "auth/{mount}"',
        "/etc/ampule/": f"{folder}/", "/run/ampule/": f"{folder}/", "pki/issue/web": issue,
        '["systemctl", "reload", "nginx"]': f'"echo reloaded >>{folder}/told"',
    }.items():  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_example_of_the_machine_switches_certificate_key_and_authority_together(agent, pki, tmp_path):
    tls, seen = tmp_path / "tls", set()
    text = "exit_after_auth = true\n" + example(pki, tmp_path, f"{pki.mount}/issue/app")
    for runs in (1, 2):
        one = agent(text)
        assert one.wait_exit() == 0, one.log
        assert (wait.read(tmp_path / "told"), pki.issued()) == ("reloaded\n" * runs, runs)
        cert, ca = certificates(tls / "cert.pem"), certificates(tls / "ca.pem")
        assert match(tls / "cert.pem", tls / "key.pem") and cert[1:] == ca
        assert (tls / "key.pem").stat().st_mode & 0o777 == 0o600
        seen.add(os.readlink(tls / "..data"))
        assert sorted(os.listdir(tls)) == sorted(["..data", os.readlink(tls / "..data"), "ca.pem", "cert.pem", "key.pem"])
    assert len(seen) == 2


# ----------------------------------------------------------------------------------------------------------- in a group


def test_a_certificate_of_an_atomic_group_is_used_again(once, pki, tmp_path):
    group = block("ampule", body=block("atomic_group", "tls", folder=tmp_path / "tls"))
    for _ in range(2):
        once(template(pki.text("{{ .Cert }}{{ .Key }}"), tmp_path / "tls" / "tls.pem"), group)
        assert match(tmp_path / "tls" / "tls.pem", tmp_path / "tls" / "tls.pem")
    assert pki.issued() == 1
