"""Ordinary life of files while the agent is confined: renamed over, removed and made again, linked, named from here.

Everything that an agent opens lies in a tree of its own here, so that no rule for one of them covers another.
"""

import os
import pathlib
import shutil

import pytest
from support import canary, spaces, wait
from support.agent import Agent, Login, block, original, template
from support.certs import Authority
from support.proxy import Proxy, Tunnel
from support.rendering import SOON, Rendering, user
from support.site import unique

pytestmark = [pytest.mark.both_servers, pytest.mark.skipif(original(), reason="the original is not confined")]
needs_root = pytest.mark.skipif(not spaces.ROOT, reason="needs root for a file system of its own")


@pytest.fixture
def tree(folders):
    """tree() makes a folder two levels down, far from any other."""

    def make():
        folder = folders(dir="/var/tmp") / "of" / "its-own"
        folder.mkdir(parents=True)
        return folder

    return make


def put(file, content):
    """In place of what is there, in one step."""
    new = file.with_name(file.name + ".new")
    new.write_text(content)
    new.rename(file)


def again(folder, **files):
    """The folder and the one above are removed and made again, with these files (`_` for `.`)."""
    wait.removed(folder.parent)
    folder.mkdir(parents=True, exist_ok=True)  # an agent that writes there may have been faster
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)


# ----------------------------------------------------------------------------------------------------------- authorities


def renamed(folder, content):
    put(folder / "ca.pem", content)


def made_again(folder, content):
    again(folder, ca_pem=content)


def linked_elsewhere(folder, content):
    """A link that changes to what another part of the tree holds."""
    beside = folder.parent / "beside"
    beside.mkdir()
    (beside / "ca.pem").write_text(content)
    (folder / "link").symlink_to("../beside/ca.pem")
    (folder / "link").rename(folder / "ca.pem")


@pytest.mark.parametrize("change", [renamed, made_again, linked_elsewhere])
@pytest.mark.parametrize("setting", ["ca_cert", "ca_path", "VAULT_CACERT", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_authority_that_comes_later_is_believed(site, agent, tmp_path, tree, setting, change):
    folder, login = tree(), site.login()
    (folder / "ca.pem").write_text(Authority(tmp_path / "other", "another CA").pem)
    place = folder if setting in ("ca_path", "SSL_CERT_DIR") else folder / "ca.pem"
    in_file = {"ca_cert": "", setting: place} if setting.startswith("ca_") else {"ca_cert": ""}
    path = site.kv2().put("app", user="alice")
    env = {} if setting.startswith("ca_") else {setting: str(place)}
    one = agent(site.config(login, template(user(path), tmp_path / "user"), vault=in_file), env=env)
    one.wait_log("unknown authority")
    change(folder, site.ca_file.read_text())
    wait.for_file(tmp_path / "user", "alice")


@pytest.mark.parametrize("change", ["renamed", "made again"])
def test_a_client_certificate_that_is_exchanged_is_shown_at_the_next_connection(real_site, agent, tmp_path, tree, authority, change):
    """Certificate and key lie in trees of their own and come one after the other: between the two they do not belong together."""
    certs, keys, strict = tree(), tree(), real_site.server.strict_address
    stranger, ours = Authority(tmp_path / "other", "another CA").issue("client"), authority.issue(f"client-{tmp_path.name}")
    shutil.copy(stranger[0], certs / "client.pem")
    shutil.copy(stranger[1], keys / "client.key")
    path = real_site.kv2().put("app", user="alice")
    own = {"address": strict, "client_cert": certs / "client.pem", "client_key": keys / "client.key"}
    one = agent(real_site.config(real_site.login(), template(user(path), tmp_path / "user"), vault=own))
    one.wait_log("client certificate")
    if change == "renamed":
        put(certs / "client.pem", ours[0].read_text())
        one.wait_log("what was read before stays in use")
        put(keys / "client.key", ours[1].read_text())
    else:
        again(certs, client_pem=ours[0].read_text())
        again(keys, client_key=ours[1].read_text())
    wait.for_file(tmp_path / "user", "alice")


def test_links_of_an_authority_folder_lead_to_other_trees(site, agent, tmp_path, tree):
    folder, kept = tree(), tree()
    shutil.copy(site.ca_file, kept / "ours.crt")
    (folder / "ours.pem").symlink_to(kept / "ours.crt")
    path = site.kv2().put("app", user="alice")
    agent(site.config(site.login(), template(user(path), tmp_path / "user"), vault={"ca_cert": "", "ca_path": folder}))
    wait.for_file(tmp_path / "user", "alice")


# ----------------------------------------------------------------------------------------------------------- credentials


def short(site):
    """Logins that end soon, so that the next one reads its file again."""
    login = site.login(token_ttl="2s", token_max_ttl="3s")
    return login


@pytest.mark.parametrize("change", ["renamed", "made again"])
def test_a_credential_that_is_exchanged_is_read_at_the_next_login(site, agent, tmp_path, tree, change):
    folder, login = tree(), short(site)
    (folder / "token").write_text("")
    login.volume = folder
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(login, template(user(path), tmp_path / "user")))
    one.wait_log("is empty")
    if change == "renamed":
        put(folder / "token", login.token)
    else:
        again(folder, token=login.token)
    wait.for_file(tmp_path / "user", "alice")


def test_a_credential_behind_a_link_into_another_tree(site, agent, tmp_path, tree):
    folder, kept, login = tree(), tree(), short(site)
    (kept / "token").write_text(login.token)
    (folder / "token").symlink_to(kept / "token")
    login.volume = folder
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(login, template(user(path), tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")
    one.wait_log("authentication successful", count=3)


class AppRole(Login):
    """A role of its own mount, with its two halves in files."""

    def __init__(self, site, role_id_file, secret_id_file, **options):
        super().__init__(unique("approle"), "app", None)
        self.files = {"role_id_file_path": role_id_file, "secret_id_file_path": secret_id_file, **options}
        self._vault, self._role = site.vault, f"auth/{self.mount}/role/app"
        site.vault.enable_auth(self.mount, "approle")
        site.vault.write(self._role, token_policies=[site.login().policy], token_ttl="2s", token_max_ttl="3s")
        self.role_id = site.vault.read(f"{self._role}/role-id")["data"]["role_id"]

    def secret_id(self):
        return canary.keep(self._vault.write(f"{self._role}/secret-id")["data"]["secret_id"])

    def block(self):
        method = block("method", "approle", mount_path=f"auth/{self.mount}", body=block("config", **self.files), **self.method)
        return block("auto_auth", body=method)


@pytest.mark.parametrize("change", ["renamed", "made again"])
@pytest.mark.parametrize("removed", [True, False])
def test_both_halves_of_an_approle_are_read_at_the_next_login(site, agent, tmp_path, tree, removed, change):
    """The secret id goes when it is read, and whoever delivers it brings another."""
    roles, ids = tree(), tree()
    login = AppRole(site, roles / "role", ids / "id", remove_secret_id_file_after_reading=removed)

    def bring(role_id):
        if change == "renamed":
            put(roles / "role", role_id)
            put(ids / "id", login.secret_id())
        else:
            again(roles, role=role_id)
            again(ids, id=login.secret_id())

    bring("not-a-role")
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(login, template(user(path), tmp_path / "user")))
    one.wait_log("error authenticating")
    bring(login.role_id)
    wait.for_file(tmp_path / "user", "alice")
    for turn in (2, 3):
        if removed:
            wait.until(lambda: not (ids / "id").exists(), "the secret id to be removed")
        bring(login.role_id)
        one.wait_log("authentication successful", count=turn)


# ----------------------------------------------------------------------------------------------------------- destinations


def test_files_come_back_after_their_folders_were_made_again(site, agent, tree):
    out, sunk, login = tree(), tree(), short(site)
    login.sink(sunk / "token")
    one = Rendering(site, agent, out, login=login).expect()
    first = wait.until(lambda: wait.read(sunk / "token"), "the sink")
    again(out)
    again(sunk)
    one.follows("bob")
    wait.for_file(sunk / "token", differs_from=first)


def test_a_destination_behind_a_link_into_another_tree(site, agent, tmp_path, tree):
    link, out = tree() / "link", tree()
    link.symlink_to(out)
    path = site.kv2().put("app", user="alice")
    agent(site.config(site.login(), template(user(path), link / "user")))
    wait.for_file(out / "user", "alice")


@needs_root
def test_what_stays_closed_is_said_to_be_so(site, agent, folders):
    """Directly in a folder where anything lies there is no room above: root does not leave it to itself."""
    out = folders(dir="/var/tmp")
    one = Rendering(site, agent, out).expect()
    wait.removed(out)
    out.mkdir()
    one.change("bob")
    line = one.agent.wait_log(r"template\[0\].*Landlock")[0]
    assert f'"{out}/user"' in line and "uid" not in line


# -------------------------------------------------------------------------------------------------------------- templates


def test_a_template_behind_a_link_into_another_tree(site, agent, tmp_path, tree):
    folder, kept = tree(), tree()
    path = site.kv2().put("app", user="alice")
    (kept / "user.ctmpl").write_text(user(path))
    (folder / "user.ctmpl").symlink_to(kept / "user.ctmpl")
    agent(site.config(site.login(), block("template", source=folder / "user.ctmpl", destination=tmp_path / "user")))
    wait.for_file(tmp_path / "user", "alice")


def test_a_source_that_comes_later_is_read(site, agent, tmp_path, tree):
    folder = tree()
    path = site.kv2().put("app", user="alice")
    one = agent(site.config(site.login(), block("template", source=folder / "user.ctmpl", destination=tmp_path / "user")))
    one.wait_log("no such file")
    again(folder, user_ctmpl=user(path))
    wait.for_file(tmp_path / "user", "alice")


def test_a_file_of_a_template_is_followed_through_a_swap_of_links(site, agent, tmp_path, tree):
    """As kubelet does, in a sandbox of its own."""
    folder = tree()
    for turn in ("one", "two"):
        (folder / turn).mkdir()
        (folder / turn / "word").write_text(turn)
    (folder / "..data").symlink_to("one")
    (folder / "word").symlink_to("..data/word")
    reads = template('{{ file "%s/word" }}' % folder, tmp_path / "word", sandbox_path=folder)
    agent(site.config(site.login(), reads))
    wait.for_file(tmp_path / "word", "one")
    (folder / "new").symlink_to("two")
    (folder / "new").rename(folder / "..data")
    wait.for_file(tmp_path / "word", "two")


def test_an_application_whose_pid_file_was_made_again_is_signalled(site, agent, tmp_path, tree):
    run = tree()
    told = block("notify", signal="CONT", pid_file=run / "pid")
    one = Rendering(site, agent, tmp_path, template={"body": told}).expect()
    again(run, pid=str(os.getpid()))
    one.follows("bob")
    one.agent.wait_log("application signalled")


# ------------------------------------------------------------------------------------------------------- names and ports


@needs_root
@pytest.mark.parametrize("file", ["hosts", "resolv.conf"])
def test_names_are_looked_up_after_their_files_were_replaced(site, agent, tmp_path, tree, authority, file):
    etc, names = tree(), spaces.NameServer()
    names.records["vault.ampule.test"] = "127.0.0.1"
    proxy = Proxy(site.address, site.ca_file, authority, names=("vault.ampule.test",))
    lines = {"hosts": "127.0.0.1 vault.ampule.test\n", "resolv.conf": f"nameserver {names.address}\noptions timeout:1\n"}
    for name in lines:
        (etc / name).write_text("nameserver 127.0.0.9\n" if name == "resolv.conf" else "")
    within = ["unshare", "-m", "sh", "-c", f'mount --bind "{etc}" /etc && exec "$@"', "sh"]
    try:
        login, path = site.login(), site.kv2().put("app", user="alice")
        address = {"address": f"https://vault.ampule.test:{proxy.port}"}
        one = agent(site.config(login, template(user(path), tmp_path / "user"), via=proxy, vault=address), within=within)
        one.wait_log("does not resolve")
        put(etc / file, lines[file])
        wait.for_file(tmp_path / "user", "alice")
    finally:
        proxy.close()
        names.close()


def test_a_redirect_to_another_port_is_followed(site, agent, tmp_path, proxy, authority):
    """The active node's, wherever it listens."""
    active = Proxy(site.address, site.ca_file, authority)
    try:
        path = site.kv2().put("app", user="alice")
        proxy.answer(307, path=f"/v1/{path}", Location=f"{active.address}/v1/{path}")
        agent(site.config(site.login(), template(user(path), tmp_path / "user"), via=proxy))
        wait.for_file(tmp_path / "user", "alice")
        assert active.count("GET", f"/v1/{path}") == 1
    finally:
        active.close()


@pytest.mark.parametrize("setting", ["VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY", "HTTPS_PROXY", "https_proxy"])
def test_a_proxy_leads_to_the_server(site, agent, tmp_path, setting):
    """The server's name is the proxy's business: nobody here knows it. Only the proxy's own port and name are needed, also after it was gone."""
    tunnel = Tunnel(site.address)
    try:
        away = {"address": "https://vault.ampule.test:8200", "tls_server_name": "localhost"}
        one = Rendering(site, agent, tmp_path, vault=away, env={setting: tunnel.address}).expect()
        tunnel.refuse()
        one.agent.wait_log("connection refused by the proxy")
        tunnel.listen()
        one.follows()
        assert set(tunnel.wanted) == {"vault.ampule.test:8200"}
    finally:
        tunnel.close()


# -------------------------------------------------------------------------------------------------------------- from here


def test_every_path_may_be_relative_and_go_up(site, tmp_path, request):
    here, up = tmp_path / "here", tmp_path / "up"
    here.mkdir()
    up.mkdir()
    login = site.login(token_ttl="2s", token_max_ttl="3s")
    (here / "jwt").write_text(login.token)
    login.volume = pathlib.PurePath("../here")
    (here / "token").write_text(login.token)
    login.sink("../up/sunk")
    shutil.copy(site.ca_file, here / "ca.pem")
    path = site.kv2().put("app", user="alice")
    (up / "user.ctmpl").write_text(user(path))
    (here / "word").write_text("word")
    (here / "box").mkdir()
    (here / "box" / "inside").write_text("inside")
    blocks = [
        SOON,
        block("template", source="../up/user.ctmpl", destination="user", body=block("notify", signal="CONT", pid_file="app.pid")),
        template('{{ file "word" }} {{ file "../here/word" }}', "../up/words"),
        template('{{ file "box/inside" }}', "./made/by/us/inside", sandbox_path="box"),
        template('{{ "beside" | writeToFile "../up/beside" "" "" "0644" }}', "beside.done"),
    ]
    (here / "app.pid").write_text(str(os.getpid()))
    config = site.config(login, *blocks, vault={"ca_cert": "ca.pem"}, pid_file="agent.pid")
    one = Agent(here, config)
    request.addfinalizer(one.stop)
    wait.for_file(here / "user", "alice")
    wait.for_file(up / "words", "word word")
    wait.for_file(here / "made" / "by" / "us" / "inside", "inside")
    wait.for_file(up / "beside", "beside")
    one.wait_log("application signalled")
    assert (here / "agent.pid").read_text() == str(one.pid)
    first = wait.until(lambda: wait.read(up / "sunk"), "the sink")
    # Once more after the start, when all is confined: another login, another value, another file.
    put(here / "word", "other")
    wait.for_file(up / "words", "other other")
    wait.until(lambda: wait.read(up / "sunk") != first, "the next token")
    one.stop()
    assert not (here / "agent.pid").exists()
    assert not one.shown()
