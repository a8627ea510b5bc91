"""Hand-over: the init agent of a pod leaves its token and leases to the sidecar, in memory."""

import json
import os

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import SOON, user
from support.site import unique

pytestmark = pytest.mark.skipif(original(), reason="only Ampule hands over")
both_servers = pytest.mark.both_servers
CREDENTIAL = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}'


@pytest.fixture
def memory(folders):
    """A folder on a tmpfs, as an emptyDir with medium: Memory."""
    return folders("ampule-handover-", "/dev/shm")


class Pod:
    """An init agent and a sidecar with the same configuration."""

    def __init__(self, site, agent, folder, login, *blocks, via=None, **pairs):
        self._start, self._folder = agent, folder
        self._config = lambda **top: site.config(login, *blocks, block("ampule", handover=folder), via=via, **top)
        self.pairs = pairs

    def init(self):
        one = self._start(self._config(exit_after_auth=True), **self.pairs)
        assert one.wait_exit() == 0, one.log
        self.path = next(self._folder.iterdir(), None)
        return one

    def sidecar(self, said="token taken over"):
        one = self._start(self._config(), **self.pairs)
        one.wait_log(said)
        return one


@pytest.fixture
def pod(site, agent, memory, proxy, tmp_path):
    """pod(): one that renders a KV secret through the counting proxy."""

    def make(login=None, interval=SOON, handover=None, **pairs):
        kv = site.kv2()
        path = kv.put("app", user="alice")
        one = Pod(site, agent, handover or memory, login or site.login(), template(user(path), tmp_path / "user"), interval, via=proxy, **pairs)
        one.kv = kv
        return one

    return make


@both_servers
def test_a_pod_logs_in_once_and_reads_once(pod, proxy, tmp_path):
    one = pod(interval="")
    one.init()
    sidecar = one.sidecar()
    sidecar.wait_log("answers=1")
    wait.until(lambda: proxy.count("GET", "^/v1/auth/token/lookup-self$") == 1, "the token to be looked up")
    sidecar.wait_log("received: ")
    assert proxy.logins() == 1
    assert proxy.count("GET", "/data/app$") == 1
    assert wait.read(tmp_path / "user") == "alice"


@both_servers
def test_a_sidecar_that_took_over_follows_changes_and_renews(site, pod, proxy, tmp_path):
    one = pod(login=site.login(token_ttl="9s"))
    one.init()
    one.sidecar()
    one.kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")
    wait.until(lambda: proxy.count("PUT", "^/v1/auth/token/renew-self$") >= 2, "two renewals")
    assert proxy.logins() == 1


def test_a_pod_has_one_database_credential_and_it_is_kept_alive(site, postgres, agent, memory, proxy, tmp_path):
    path = postgres.enable(site.vault, unique("db"), default_ttl="9s", max_ttl="10m")
    one = Pod(site, agent, memory, site.login(), template(CREDENTIAL % path, tmp_path / "credential"), via=proxy)
    one.init()
    credential = wait.read(tmp_path / "credential")
    one.sidecar()
    wait.until(lambda: proxy.count("PUT", "^/v1/sys/leases/renew$") >= 3, "three renewals")
    assert wait.read(tmp_path / "credential") == credential
    name, password = credential.split(" ")
    assert postgres.sql("SELECT current_user", name, password) == name
    assert proxy.logins() == 1 and proxy.count("GET", f"^/v1/{path}$") == 1
    assert len(site.vault.list(f"sys/leases/lookup/{path}")) == 1


@both_servers
def test_the_file_is_for_our_uid_alone_and_gone_when_it_was_taken(pod):
    one = pod()
    one.init()
    state = os.stat(one.path)
    assert (state.st_mode & 0o7777, state.st_uid, state.st_nlink) == (0o600, os.geteuid(), 1)
    one.sidecar()
    assert not one.path.exists() and list(one.path.parent.iterdir()) == []


@both_servers
def test_taken_bytes_are_overwritten(pod):
    one = pod()
    one.init()
    with open(one.path, "rb") as kept:
        assert b"alice" in kept.read()
        one.sidecar()
        kept.seek(0)
        assert kept.read() == b""


@both_servers
def test_a_second_start_of_the_sidecar_logs_in(pod, proxy, tmp_path):
    one = pod()
    one.init()
    one.sidecar().stop()
    one.sidecar("authentication successful")
    assert proxy.logins() == 2
    one.kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")


@both_servers
def test_a_revoked_token_is_not_used_and_nothing_that_came_with_it(site, pod, proxy, tmp_path):
    one = pod()
    one.init()
    site.vault.write("auth/token/revoke", token=json.loads(one.path.read_text())["token"]["value"])
    one.kv.put("app", user="bob")
    one.sidecar("not valid any more: logging in").wait_log("authentication successful")
    wait.for_file(tmp_path / "user", "bob")
    assert proxy.logins() == 2


def test_while_the_server_is_away_the_sidecar_starts_with_what_it_took(site, agent, memory, wire, tmp_path):
    kv = site.kv2()
    one = Pod(site, agent, memory, site.login(), template(user(kv.put("app", user="alice")), tmp_path / "user"), SOON, via=wire)
    one.init()
    (tmp_path / "user").unlink()
    wire.refuse()
    one.sidecar()
    wait.for_file(tmp_path / "user", "alice")
    wire.listen()
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")


def edited(one, change):
    text = json.loads(one.path.read_text())
    change(text)
    one.path.write_text(json.dumps(text))



REFUSALS = {
    "another boot": (lambda one: edited(one, lambda text: text.update(boot="x")), "from before the machine's last start"),
    "another login": (lambda one: edited(one, lambda text: text.update(identity="x")), "another server or login"),
    "another version": (lambda one: edited(one, lambda text: text.update(format=2)), "another version"),
    "from the future": (lambda one: edited(one, lambda text: text.update(written=2**60)), "makes no sense"),
    "an ended token": (lambda one: edited(one, lambda text: text["token"]["lease"].update(ttl=1)), "its token has ended"),
    "not json": (lambda one: one.path.write_text("{"), "not taken over, logging in"),
    "empty": (lambda one: one.path.write_text(""), "not taken over, logging in"),
    "readable by others": (lambda one: one.path.chmod(0o640), "may be read or written by others"),
    "another name": (lambda one: os.link(one.path, str(one.path) + "-2"), "one name"),
    "nothing": (lambda one: one.path.unlink(), "nothing was left for us"),
}


@both_servers
@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_odd_is_refused_and_a_login_follows(pod, proxy, tmp_path, case):
    spoil, words = REFUSALS[case]
    one = pod()
    one.init()
    spoil(one)
    one.sidecar(words).wait_log("authentication successful")
    one.kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")
    assert proxy.logins() == 2


@both_servers
def test_a_link_is_not_followed(pod, memory, tmp_path):
    one = pod()
    one.init()
    (memory / "real").write_bytes(one.path.read_bytes())
    (memory / "real").chmod(0o600)
    one.path.unlink()
    one.path.symlink_to(memory / "real")
    one.sidecar("not taken over, logging in").wait_log("authentication successful")
    assert (memory / "real").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another uid: needs root")
@both_servers
def test_a_file_of_another_uid_is_refused_and_left_alone(pod):
    one = pod()
    one.init()
    os.chown(one.path, 65534, 65534)
    one.sidecar("belongs to uid 65534").wait_log("authentication successful")
    assert one.path.exists()


@both_servers
def test_a_folder_on_a_disk_is_refused(pod, agent, tmp_path):
    (tmp_path / "folder").mkdir()
    one = pod(handover=tmp_path / "folder")
    assert "is not on a tmpfs" in one.init().log
    assert one.path is None
    one.sidecar("is not on a tmpfs").wait_log("authentication successful")


@both_servers
def test_two_logins_of_a_pod_share_the_folder(site, pod, proxy):
    pods = [pod(), pod()]
    for one in pods:
        one.init()
    for one in pods:
        one.sidecar()
    assert proxy.logins() == 2


@both_servers
def test_a_failed_init_leaves_nothing(site, agent, memory, tmp_path):
    strict = block("template_config", exit_on_retry_failure=True)
    parts = [template("{{ with }}", tmp_path / "user"), strict, block("ampule", handover=memory)]
    one = agent(site.config(site.login(), *parts, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert list(memory.iterdir()) == []


def test_listings_writes_and_certificates_are_handed_over(site, agent, memory, proxy, tmp_path):
    kv = site.kv2()
    for name in ("a", "b"):
        kv.put(name, user="alice")
    pki = site.vault.enable_secrets(unique("pki"), "pki")
    site.vault.write(f"{pki}/root/generate/internal", common_name="root")
    site.vault.write(f"{pki}/roles/app", allow_any_name=True, max_ttl="1h")
    lists = template('{{ range secrets "%s/metadata" }}{{ . }} {{ end }}' % kv.mount, tmp_path / "list")
    cert = '{{ with %s "%s/issue/app" "common_name=app.test" }}{{ .Data.%s }}{{ end }}'
    written = template(cert % ("secret", pki, "serial_number"), tmp_path / "serial")
    # The key goes elsewhere, so the rendered file alone would not bring it back.
    beside = '{{ with pkiCert "%s/issue/app" "common_name=app.test" }}{{ .Cert }}{{ .Key | writeToFile "%s/key" "" "" "0600" }}{{ end }}'
    one = Pod(site, agent, memory, site.login(), lists, written, template(beside % (pki, tmp_path), tmp_path / "cert"), via=proxy)
    one.init()
    names = ("list", "serial", "cert", "key")
    before = {name: wait.read(tmp_path / name) for name in names}
    assert before["list"] == "a b " and "PRIVATE KEY" in before["key"]
    for name in names:
        (tmp_path / name).unlink()
    one.sidecar()
    for name in names:
        wait.for_file(tmp_path / name, before[name])
    assert proxy.count("PUT", "/issue/app$") == 2
