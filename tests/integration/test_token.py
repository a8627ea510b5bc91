"""The agent's own token: renewed, replaced, taken away."""

import os

from support import wait
from support.agent import block, template

USER = '{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}'
SOON = block("template_config", static_secret_render_interval="1s")


def test_a_rotated_service_account_token_is_used_at_the_next_login(site, cluster, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    login = site.login(token_ttl="2s", token_max_ttl="4s")
    agent(site.config(login, template(USER % path, tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")
    rotated = cluster.token()
    login.volume.write(token=rotated)
    wait.until(lambda: rotated in cluster.reviews, "a login with the new token", 30)


def test_reaching_the_end_of_a_token_does_not_write_the_file_again(site, cluster, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    login = site.login(token_ttl="2s", token_max_ttl="4s")
    first = (login.volume / "token").read_text()
    agent(site.config(login, template(USER % path, tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")
    before = os.stat(tmp_path / "user")
    wait.until(lambda: cluster.reviews.count(first) >= 3, "the third login", 40)
    after = os.stat(tmp_path / "user")
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_token_revoked_behind_the_agents_back_is_replaced(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    login = site.login(token_ttl="4s")
    sink = block("sink", "file", body=block("config", path=tmp_path / "token"))
    login_block = login.block(body=sink)
    login.block = lambda: login_block
    agent(site.config(login, template(USER % path, tmp_path / "user"), SOON))
    wait.for_file(tmp_path / "user", "alice")
    token = wait.until(lambda: wait.read(tmp_path / "token"), "the token file")
    site.vault.write("auth/token/revoke", token=token)
    wait.for_file(tmp_path / "token", differs_from=token, seconds=40)
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")
