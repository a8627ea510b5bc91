"""Every template of templates/, copied as it is, from a real server."""

import json
import re
import subprocess

import pytest
from support import wait
from support.agent import TOP, block

TEMPLATES = sorted((TOP / "templates").glob("*.ctmpl"))
SHIPPED = TOP / "tests" / "vectors" / "shipped"
PEM = "-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n"
KEY = "-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----"


def values(name):
    return json.loads((SHIPPED / f"{name}.json").read_text().replace("$HERE", str(SHIPPED)))


def expected(name):
    return (SHIPPED / f"{name}.expected").read_bytes()


@pytest.fixture
def estate(own_site, postgres):
    """Engines at the paths that the templates name."""
    vault = own_site.vault
    vault.enable_secrets("secret", "kv", options={"version": "2"})
    postgres.enable(vault, "database")
    vault.enable_secrets("pki", "pki")
    vault.write("pki/root/generate/internal", common_name="root")
    vault.write("pki/roles/app", allow_any_name=True, max_ttl="48h")
    for kind in ("host", "user"):
        vault.enable_secrets(f"ssh-{kind}", "ssh")
        vault.write(f"ssh-{kind}/config/ca", generate_signing_key=True, key_type="ed25519")
    vault.write("ssh-host/roles/host", key_type="ca", allow_host_certificates=True, allowed_domains="example.com", allow_subdomains=True)
    vault.write("ssh-user/roles/user", key_type="ca", allow_user_certificates=True, allowed_users="root")
    wait.until(lambda: vault.request("POST", "secret/data/ready", {"data": {}}, expect=(200, 400)).get("data"), "the KV engine")
    return own_site


def fill(site, name):
    """The values of the template's own test, as far as a key-value engine has them."""
    for path, reply in values(name).get("reads", {}).items():
        if path.startswith("secret/"):
            data = reply["data"].get("data", reply["data"])
            site.vault.write(path if "/data/" in path else path.replace("secret/", "secret/data/"), data=data)


def rendered(site, agent, folder, template):
    """What the agent writes for it, in init mode."""
    fill(site, template.stem)
    out = folder / template.stem
    source = folder / template.name
    source.write_text(template.read_text().replace("/vault/secrets/", f"{folder}/"))
    one = agent(site.config(site.login(), block("template", source=source, destination=out), exit_after_auth=True), env=values(template.stem).get("env", {}))
    assert one.wait_exit() == 0, one.log
    return out.read_bytes()


def test_all_templates_render_from_a_real_server(estate, postgres, agent, tmp_path):
    got = {template.stem: rendered(estate, agent, tmp_path, template) for template in TEMPLATES}
    made = {"database-url", "pgpass", "my-cnf", "spring", "tls-pem", "tls-files", "ssh-host", "ssh-user"}
    for name in sorted(set(got) - made):
        assert got[name] == expected(name), name
    text = {name: got[name].decode() for name in made}
    user, password = re.fullmatch(r"postgresql://([^:]+):([^@]+)@db:5432/app\n", text["database-url"]).groups()
    assert postgres.sql("SELECT 1", user, password) == "1"
    assert re.fullmatch(r"db:\*:\*:v-[^:]+:[^:]+\n", text["pgpass"])
    assert re.fullmatch(r'\[client\]\nhost=db\nuser="v-[^"]+"\npassword="[^"]+"\n', text["my-cnf"])
    assert re.fullmatch(r'spring:\n  datasource:\n    url: "jdbc:postgresql://db/app"\n    username: "v-[^"]+"\n    password: "[^"]+"\napp:\n'
                        r"  api-key: 'k: #1'\n  retries: 3\n", text["spring"])
    assert re.fullmatch(f"({PEM})+{KEY}\n", text["tls-pem"])
    assert re.fullmatch(f"({PEM})+", text["tls-files"])
    assert re.fullmatch(r"ssh-ed25519-cert-v01@openssh.com \S+\n", text["ssh-host"])
    assert re.fullmatch(r"ssh-ed25519-cert-v01@openssh.com \S+\n", text["ssh-user"])
    assert re.fullmatch(f"{KEY}\n?", (tmp_path / "tls.key").read_text())


def test_a_pem_of_certificate_and_key_belongs_together(estate, agent, tmp_path):
    template = next(t for t in TEMPLATES if t.stem == "tls-pem")
    rendered(estate, agent, tmp_path, template)
    keys = [subprocess.run(["openssl", *args, "-in", tmp_path / "tls-pem"], capture_output=True, text=True, check=True).stdout
            for args in (["x509", "-noout", "-pubkey"], ["pkey", "-pubout"])]
    assert keys[0] == keys[1] != ""


def test_values_that_a_shell_would_run_are_only_read(estate, agent, tmp_path):
    template = next(t for t in TEMPLATES if t.stem == "shell")
    rendered(estate, agent, tmp_path, template)
    done = subprocess.run(["sh", "-c", f'. "{tmp_path}/shell"; printf %s "$DB_PASS_WORD"'], capture_output=True, text=True, check=True)
    assert done.stdout == values("shell")["reads"]["secret/data/app"]["data"]["data"]["db.pass-word"]
