"""From a service-account token to a file, and on when the secret changes."""

import pytest
from support import wait
from support.agent import template
from support.rendering import SOON, user
from support.site import unique

pytestmark = pytest.mark.every_system
both_servers = pytest.mark.both_servers


@both_servers
def test_a_service_account_token_becomes_a_file_with_a_kv2_secret(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    agent(site.config(site.login(), template(user(path), tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")


@both_servers
def test_a_kv1_secret_is_rendered(site, agent, tmp_path):
    path = site.kv1().put("app", user="alice")
    contents = '{{ with secret "%s" }}{{ .Data.user }}{{ end }}' % path
    agent(site.config(site.login(), template(contents, tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")


@both_servers
def test_an_older_version_is_rendered_when_asked_for(site, agent, tmp_path):
    kv = site.kv2()
    kv.put("app", user="alice")
    path = kv.put("app", user="bob")
    agent(site.config(site.login(), template(user(path + "?version=1"), tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")


@both_servers
def test_a_listing_is_rendered(site, agent, tmp_path):
    kv = site.kv2()
    for name in ("b", "a", "c/d"):
        kv.put(name, user="alice")
    contents = '{{ range secrets "%s/metadata/" }}{{ . }} {{ end }}' % kv.mount
    agent(site.config(site.login(), template(contents, tmp_path / "names")))
    wait.for_file(tmp_path / "names", "a b c/ ")


@both_servers
def test_a_changed_kv2_secret_is_followed(rendering):
    rendering().follows("bob")


@both_servers
def test_an_unchanged_secret_is_not_written_again(rendering, proxy):
    one = rendering(via=proxy)
    before = one.file.stat()
    proxy.clear()
    wait.until(lambda: proxy.count("GET", "/data/app$") >= 3, "three more reads")
    after = one.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@both_servers
def test_the_token_lands_in_a_file_sink(site, agent, tmp_path):
    login = site.login()
    login.sink(tmp_path / "token")
    agent(site.config(login))
    token = wait.until(lambda: wait.read(tmp_path / "token"), "the token file")
    assert login.policy in site.vault.with_token(token).read("auth/token/lookup-self")["data"]["policies"]


def test_a_postgresql_credential_works(site, postgres, agent, tmp_path):
    path = postgres.enable(site.vault, unique("db-first"))
    contents = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}' % path
    agent(site.config(site.login(), template(contents, tmp_path / "credential")))
    name, password = wait.for_file(tmp_path / "credential", contains=" ").split(" ")
    assert postgres.sql("SELECT current_user", name, password) == name


@both_servers
def test_a_setting_of_the_environment_is_used_when_the_file_has_none(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    config = "\n".join([site.login().block(), template(user(path), tmp_path / "user"), SOON])
    agent(config, env={"VAULT_ADDR": site.address, "VAULT_CACERT": str(site.ca_file)})
    wait.for_file(tmp_path / "user", "alice")


@both_servers
def test_certificates_in_the_environment_take_the_place_of_their_file(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    config = "\n".join([site.login().block(), template(user(path), tmp_path / "user"), SOON])
    agent(config, env={"VAULT_ADDR": site.address, "VAULT_CACERT_BYTES": site.ca_file.read_text()})
    wait.for_file(tmp_path / "user", "alice")
