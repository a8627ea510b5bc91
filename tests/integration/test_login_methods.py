"""Ways to log in beside the service-account token: approle with wrapped secret ids, userpass, ldap, a JWT that is replaced."""

import pytest
from support import canary, wait
from support.logins import Login, logged_in, policies
from support.metadata import Signer
from support.site import unique


# ------------------------------------------------------------------------------------------------------------- approle


class Approle:
    def __init__(self, site, folder):
        self.site, self.mount = site, site.vault.enable_auth(unique("approle"), "approle")
        self.policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
        for name in ("app", "other"):
            site.vault.write(f"auth/{self.mount}/role/{name}", token_policies=[self.policy])
        self.secret_file, role_file = folder / "ids" / "secret", folder / "ids" / "role"
        self.secret_file.parent.mkdir()
        role_file.write_text(site.vault.read(f"auth/{self.mount}/role/app/role-id")["data"]["role_id"])
        self.path = f"auth/{self.mount}/role/app/secret-id"
        self.login = Login("approle", self.mount, role_id_file_path=role_file, secret_id_file_path=self.secret_file,
                           secret_id_response_wrapping_path=self.path)

    def wrap(self, name="app"):
        path = f"auth/{self.mount}/role/{name}/secret-id"
        answer = self.site.vault.request("POST", path, {}, X_Vault_Wrap_TTL="5m")
        self.secret_file.write_text(canary.keep(answer["wrap_info"]["token"]))


@pytest.fixture
def approle(site, tmp_path):
    return Approle(site, tmp_path)


def test_a_wrapped_secret_id_is_unwrapped(site, start, tmp_path, approle):
    approle.wrap()
    logged_in(site, start, tmp_path, approle.login, approle.policy)
    wait.until(lambda: not approle.secret_file.exists(), "the file to be removed")


def test_a_wrapped_secret_id_of_another_path_is_not_used(site, agent, tmp_path, approle):
    approle.wrap("other")
    approle.login.sink(tmp_path / "sink")
    one = agent(site.config(approle.login))
    one.wait_log("SECURITY: the wrapping token was made by .*/role/other/secret-id")
    assert not (tmp_path / "sink").exists() and approle.secret_file.exists()
    approle.wrap()
    assert approle.policy in policies(site, wait.until(lambda: wait.read(tmp_path / "sink"), lambda: one.log))


def test_a_wrapped_secret_id_that_somebody_else_took_is_said(site, agent, tmp_path, approle):
    approle.wrap()
    site.vault.with_token(approle.secret_file.read_text()).write("sys/wrapping/unwrap")
    approle.login.sink(tmp_path / "sink")
    one = agent(site.config(approle.login))
    one.wait_log("wrapped secret id: SECURITY: the wrapping token is not valid any more")
    approle.wrap()
    assert approle.policy in policies(site, wait.until(lambda: wait.read(tmp_path / "sink"), lambda: one.log))


def test_a_wrapped_secret_id_serves_every_login_though_its_file_stays(site, agent, tmp_path, approle):
    site.vault.write(f"auth/{approle.mount}/role/app", token_policies=[approle.policy], token_ttl="8s", token_max_ttl="8s")
    approle.login.options["remove_secret_id_file_after_reading"] = False
    approle.wrap()
    logged_in(site, agent, tmp_path, approle.login, approle.policy)
    first = (tmp_path / "sink").read_text()
    wait.for_file(tmp_path / "sink", differs_from=first)
    assert approle.secret_file.exists()


# --------------------------------------------------------------------------------------------------- name and password


def test_a_name_and_a_password_log_in(site, agent, tmp_path):
    mount = site.vault.enable_auth(unique("userpass"), "userpass")
    policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
    password = tmp_path / "files" / "password"
    password.parent.mkdir()
    password.write_text(canary.secret())
    site.vault.write(f"auth/{mount}/users/anna", password=password.read_text(), token_policies=[policy])
    one = logged_in(site, agent, tmp_path, Login("userpass", mount, username="anna", password_file_path=password), policy)
    wait.until(lambda: not password.exists(), "the file to be removed")
    assert one.shown() == {}


def test_another_password_is_a_new_login(site, agent, tmp_path):
    mount = site.vault.enable_auth(unique("userpass"), "userpass")
    policies_of = [site.vault.put_policy(unique("policy"), site.EVERYTHING) for _ in range(2)]
    password = tmp_path / "files" / "password"
    password.parent.mkdir()
    password.write_text("one")
    site.vault.write(f"auth/{mount}/users/anna", password="one", token_policies=[policies_of[0]])
    login = Login("userpass", mount, username="anna", password_file_path=password, password_read_period="1s")
    login.more["enable_reauth_on_new_credentials"] = True
    logged_in(site, agent, tmp_path, login, policies_of[0])
    site.vault.write(f"auth/{mount}/users/anna", password="two", token_policies=[policies_of[1]])
    first = (tmp_path / "sink").read_text()
    password.write_text("two")
    assert policies_of[1] in policies(site, wait.for_file(tmp_path / "sink", differs_from=first))


def test_a_directory_knows_the_password(site, start, tmp_path, directory):
    mount = site.vault.enable_auth(unique("ldap"), "ldap")
    policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
    directory.enable(site.vault, mount, [policy])
    password = tmp_path / "files" / "password"
    password.parent.mkdir()
    password.write_text(directory.password)
    logged_in(site, start, tmp_path, Login("ldap", mount, username="anna", password_file_path=password), policy)
    wait.until(lambda: not password.exists(), "the file to be removed")


# ----------------------------------------------------------------------------------------------------------------- jwt


def test_another_jwt_is_a_new_login(site, agent, tmp_path):
    signer, mount = Signer(), site.vault.enable_auth(unique("jwt"), "jwt")
    policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
    site.vault.write(f"auth/{mount}/config", jwt_validation_pubkeys=[signer.public])
    site.vault.write(f"auth/{mount}/role/app", role_type="jwt", user_claim="sub", bound_audiences=["vault"], token_policies=[policy])
    file = tmp_path / "files" / "jwt"
    file.parent.mkdir()
    file.write_text(signer.jwt(sub="one", aud="vault"))
    login = Login("jwt", mount, path=file, role="app", jwt_read_period="1s")
    login.more["enable_reauth_on_new_credentials"] = True
    logged_in(site, agent, tmp_path, login, policy)
    wait.until(lambda: not file.exists(), "the file to be removed")
    first = (tmp_path / "sink").read_text()
    file.write_text(signer.jwt(sub="two", aud="vault"))
    second = wait.for_file(tmp_path / "sink", differs_from=first)
    assert site.vault.with_token(second).read("auth/token/lookup-self")["data"]["display_name"].endswith("-two")
