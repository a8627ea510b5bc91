"""Nothing is no answer: whatever stands between says 200 and holds no secret. Files stay, it is asked again, and init mode ends with what is right."""

import gzip
import json

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import SOON

pytestmark = [pytest.mark.both_servers, pytest.mark.skipif(original(), reason="the original renders some of them")]

NOTHINGS = {
    "no content": (204, b""),
    "an empty body": (200, b""),
    "white space": (200, b" \r\n"),
    "null": (200, b"null"),
    "an empty object": (200, b"{}"),
    "an empty list": (200, b"[]"),
    "data null": (200, b'{"request_id":"r","lease_id":"","data":null,"auth":null}'),
    "data a list": (200, b'{"data":[]}'),
    "data a text": (200, b'{"data":"x"}'),
    "a version without data": (200, b'{"data":{"data":null,"metadata":{"version":1}}}'),
    "plain text": (200, b"OK"),
    "a portal": (200, b"<!DOCTYPE html><html><body>Sign in to this network</body></html>"),
    "a portal's JSON": (200, b'{"status":"login required","url":"http://portal"}'),
    "half a body": (200, b'{"data":{"user":"al'),
    "compressed": (200, gzip.compress(b'{"data":{"data":{"user":"x"}}}')),
}


class Estate:
    """One file of each kind of request."""

    def __init__(self, site, folder):
        self.site, self.folder = site, folder
        self.two, self.one = site.kv2(), site.kv1()
        self.one.put("app", user="alice")
        self.change("alice")
        self.texts = {
            "kv2": '{{ with secret "%s/app" }}{{ .Data.data.user }}{{ end }}' % self.two.mount,
            "kv1": '{{ with secret "%s/app" }}{{ .Data.user }}{{ end }}' % self.one.mount,
            "list": '{{ range secrets "%s/metadata/" }}{{ . }}{{ end }}' % self.two.mount,
            "write": '{{ with secret "%s/made" "a=b" }}{{ if .Data.version }}made{{ end }}{{ end }}' % self.two.mount,
        }
        self.mounts = f"/({self.two.mount}|{self.one.mount})/"

    def change(self, user):
        """In version 2: what comes of version 1 says itself that it is good for 32 days."""
        self.user = user
        self.two.put("app", user=user)

    def config(self, proxy, **top):
        templates = [template(text, self.folder / name) for name, text in self.texts.items()]
        return self.site.config(self.site.login(), *templates, SOON, via=proxy, **top)

    def there(self):
        return {name: wait.read(self.folder / name) for name in self.texts}

    def right(self):
        got = self.there()
        return got["kv1"] == "alice" and got["kv2"] == self.user and (got["list"] or "").startswith("app") and got["write"] == "made"


@pytest.fixture
def estate(site, tmp_path):
    return Estate(site, tmp_path)


@pytest.mark.parametrize("name", NOTHINGS)
def test_init_mode_asks_again_after_nothing(agent, estate, proxy, name):
    status, body = NOTHINGS[name]
    for path in (estate.two.mount + "/data/app", estate.one.mount + "/app", estate.two.mount + "/metadata", estate.two.mount + "/data/made",
                 "/sys/internal/ui/mounts/" + estate.two.mount, "/login$"):
        proxy.answer(status, body, path=path, times=1)
    one = agent(estate.config(proxy, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert estate.right(), (estate.there(), one.log)


@pytest.mark.parametrize("name", NOTHINGS)
def test_nothing_keeps_the_files_and_is_asked_again(agent, estate, proxy, name):
    one = agent(estate.config(proxy))
    wait.until(estate.right, lambda: one.log)
    status, body = NOTHINGS[name]
    rule = proxy.answer(status, body, path=estate.mounts)
    one.wait_log(f"vault.read\\({estate.two.mount}/app\\).*attempt=2")
    one.wait_log(f"vault.list\\({estate.two.mount}/metadata\\).*attempt=2")
    assert estate.right(), estate.there()
    rule.remove()
    estate.change("bob")
    wait.until(estate.right, lambda: f"{estate.there()}\n{one.log}")


def test_an_answer_that_had_data_does_not_become_empty(agent, estate, proxy):
    one = agent(estate.config(proxy))
    wait.until(estate.right, lambda: one.log)
    proxy.answer(200, json.dumps({"request_id": "r", "data": {}}), path=estate.mounts)
    one.wait_log("holds nothing.*attempt=2", count=2)
    assert estate.right(), estate.there()


@pytest.mark.parametrize("name", NOTHINGS)
def test_a_renewal_that_says_nothing_keeps_the_token(site, agent, tmp_path, proxy, name):
    login = site.login(token_ttl="9s", token_max_ttl="1h")
    login.sink(tmp_path / "token")
    status, body = NOTHINGS[name]
    proxy.answer(status, body, path="renew-self", times=1)
    agent(site.config(login, via=proxy))
    token = wait.for_file(tmp_path / "token")
    wait.until(lambda: proxy.count("PUT", "renew-self") >= 2, "another renewal")
    assert (wait.read(tmp_path / "token"), proxy.logins()) == (token, 1)


@pytest.mark.parametrize("name", [*NOTHINGS, "data empty"])
def test_a_lookup_that_says_nothing_is_no_login(site, agent, tmp_path, proxy, name):
    token = site.vault.request("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"})["auth"]["client_token"]
    (tmp_path / "token").write_text(token)
    method = block("auto_auth", body=block("method", "token_file", body=block("config", token_file_path=tmp_path / "token"), max_backoff="2s") +
                   block("sink", "file", body=block("config", path=tmp_path / "sink")))
    status, body = NOTHINGS.get(name, (200, b'{"data":{}}'))
    proxy.answer(status, body, path="lookup-self", times=1)
    one = agent("\n".join([block("vault", address=proxy.address, ca_cert=proxy.ca_file), method, "exit_after_auth = true"]))
    assert one.wait_exit() == 0, one.log
    one.wait_log("error authenticating")
    assert wait.read(tmp_path / "sink") == token
    assert proxy.count("GET", "lookup-self") == 2
