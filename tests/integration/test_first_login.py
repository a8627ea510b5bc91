"""From a service-account token to a file, and on when the secret changes."""

from support import wait
from support.agent import block, template

USER = '{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}'


def test_a_service_account_token_becomes_a_file_with_a_kv2_secret(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    agent(site.config(site.login(), template(USER % path, tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")


def test_a_kv1_secret_is_rendered(site, agent, tmp_path):
    path = site.kv1().put("app", user="alice")
    contents = '{{ with secret "%s" }}{{ .Data.user }}{{ end }}' % path
    agent(site.config(site.login(), template(contents, tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")


def test_a_changed_kv2_secret_is_followed(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    config = site.config(
        site.login(), template(USER % path, tmp_path / "user"), block("template_config", static_secret_render_interval="1s")
    )
    agent(config)
    wait.for_file(tmp_path / "user", "alice")
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")


def test_init_mode_ends_with_0_when_every_file_is_there(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice", shell="zsh")
    files = [template(USER % path, tmp_path / "user"), template((USER % path).replace("user", "shell"), tmp_path / "shell")]
    one = agent(site.config(site.login(), *files, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert [(tmp_path / "user").read_text(), (tmp_path / "shell").read_text()] == ["alice", "zsh"]


def test_the_token_lands_in_a_file_sink(site, agent, tmp_path):
    login = site.login()
    sink = block("sink", "file", body=block("config", path=tmp_path / "token"))
    login_block = login.block(body=sink)
    login.block = lambda: login_block
    agent(site.config(login))
    token = wait.until(lambda: wait.read(tmp_path / "token"), "the token file")
    assert login.policy in site.vault.with_token(token).read("auth/token/lookup-self")["data"]["policies"]


def test_a_postgresql_credential_works(site, postgres, agent, tmp_path):
    path = postgres.enable(site.vault, "db-first")
    contents = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}' % path
    agent(site.config(site.login(), template(contents, tmp_path / "credential")))
    user, password = wait.for_file(tmp_path / "credential", contains=" ").split(" ")
    assert postgres.sql("SELECT current_user", user, password) == user


def test_sigterm_ends_the_agent_and_leaves_the_file(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(site.login(), template(USER % path, tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")
    assert one.stop() == 0, one.log
    assert (tmp_path / "user").read_text() == "alice"
