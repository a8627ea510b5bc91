"""`ampule login -method=oidc`: a real OpenID provider, a real browser, a real server."""

import os
import pathlib
import re
import subprocess
import urllib.parse

import pytest
from support import browser as browsers
from support import canary, wait
from support.browser import Browser
from support.person import Person, original, original_openbao, ours
from support.process import free_port
from support.provider import Provider, sent_back
from support.server import Server, openbao
from support.site import unique

pytestmark = pytest.mark.timeout(600)  # the first test of a worker starts a server or two, the provider and the browser


@pytest.fixture(scope="session")
def provider():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if not browsers.program():
        pytest.skip("no chromium: tests/run integration installs chromium-headless-shell")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.stop()


class Mount:
    """An oidc mount whose people come from the provider."""

    def __init__(self, vault, provider, client="command", path=None, **config):
        self.vault, self.path = vault, vault.enable_auth(path or unique("oidc"), "oidc")
        self.policy = vault.put_policy(unique("policy"), {"*": ["read"]})
        vault.write(f"auth/{self.path}/config", oidc_discovery_url=provider.issuer, oidc_client_id=client, oidc_client_secret=provider.secret,
                    default_role="app", **config)
        self.role()

    def role(self, name="app", **settings):
        settings = {"allowed_redirect_uris": ["http://localhost:8250/oidc/callback", "http://127.0.0.1:8250/oidc/callback"], **settings}
        self.vault.write(f"auth/{self.path}/role/{name}", role_type="oidc", user_claim="sub", token_policies=[self.policy], **settings)

    def accepts(self, token):
        found = self.vault.with_token(token).read("auth/token/lookup-self")["data"]
        return self.policy in found["policies"] and found["display_name"].endswith("-anna")


@pytest.fixture
def mount(site, provider):
    return Mount(site.vault, provider)


class Login(Person):
    """A login that waits for somebody at the provider. `opened` is what its browser was started with."""

    def __init__(self, command, server, mount, *arguments, home, env=None):
        home.mkdir(parents=True)
        (home / "browser").write_text(f'#!/bin/sh\necho noise; echo noise >&2\necho "$1" >{home}/new && mv {home}/new {home}/opened\n')
        (home / "browser").chmod(0o755)
        flags = [one for one in arguments if one.startswith("-")]
        super().__init__(command(), "-method=oidc", f"-path={mount.path}", *flags, *[one for one in arguments if one not in flags], home=home,
                         env={"VAULT_ADDR": server.address, "VAULT_CACERT": str(server.ca_file), "BROWSER": str(home / "browser"),
                              **{name: value.replace("{home}", str(home)) for name, value in (env or {}).items()}})

    @property
    def opened(self):
        return wait.for_file(self.home / "opened").strip()

    @property
    def shown(self):
        """The address, as it is printed."""
        return self.wait_log("^    http")[0].strip()

    @property
    def token(self):
        return canary.keep((self.home / ".vault-token").read_text())


@pytest.fixture
def log_in(site, mount, tmp_path):
    """log_in(…): at a port of its own."""
    logins = []

    def start(*arguments, command=ours, server=site, at=mount, **env):
        port = [] if any(one.startswith(("port=", "callbackmode=")) for one in arguments) else [f"port={free_port()}"]
        logins.append(Login(command, server, at, *arguments, *port, home=tmp_path / unique("home"), env=env))
        return logins[-1]

    yield start
    for one in logins:
        one.stop()


def changed(url, **params):
    """The address with other parameters; None leaves one out."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query)) | params
    return parts._replace(query=urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})).geturl()


# --------------------------------------------------------------------------------------------------------- a real browser


@pytest.mark.parametrize("command", [ours, original], ids=["ours", "original"])
def test_a_browser_logs_in(log_in, mount, browser, command):
    one, page = log_in("role=app", command=command), browser.page()
    page.goes_to(one.opened)
    page.logs_in()
    assert one.wait_exit(60) == 0, one.log
    assert mount.accepts(one.token)
    if command is ours:
        page.shows("Logged in")
        assert one.token not in page.evaluate("document.documentElement.outerHTML") + page.url + "".join(one.err)
        assert "noise" not in one.log


def test_a_browser_posts_its_answer(site, provider, log_in, browser):
    mount = Mount(site.vault, provider, oidc_response_mode="form_post", oidc_response_types=["code"])
    one, page = log_in(at=mount), browser.page()
    page.goes_to(one.opened)
    page.logs_in()
    assert one.wait_exit(60) == 0, one.log
    page.shows("Logged in")
    assert mount.accepts(one.token)


def test_a_browser_is_told_why_a_login_fails(log_in, mount, browser):
    mount.role(bound_claims={"sub": "<b>somebody else</b>"})
    one, page = log_in(), browser.page()
    page.goes_to(one.opened)
    page.logs_in()
    assert one.wait_exit(60) == 2
    page.shows("Not logged in")
    assert "claim" in page.text and "claim" in one.log and page.evaluate("document.querySelectorAll('b').length") == 0
    assert not (one.home / ".vault-token").exists()


def test_a_person_who_refuses_is_told(log_in, provider):
    one = log_in()
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(one.opened).query)["state"][0]
    back = urllib.parse.parse_qs(urllib.parse.urlsplit(one.opened).query)["redirect_uri"][0]
    status, page = sent_back({}, f"{back}?state={state}&error=access_denied&error_description=%3Cscript%3Eno%1b")
    assert status == 400 and "access_denied" in page and "<script>" not in page
    assert one.wait_exit() == 2 and "the provider refused: access_denied: <script>no?" in one.log


# ------------------------------------------------------------------------------------------------------------ the listener


def test_only_the_callback_of_this_login_counts(log_in, provider, mount):
    one = log_in("-no-browser")
    good = provider.log_in(one.shown)
    assert sent_back({}, changed(good, state="other"))[0] == 400
    assert sent_back({}, changed(good, state=None))[0] == 400
    assert sent_back({}, changed(good, code=None))[0] == 400
    assert sent_back({}, good.replace("/oidc/callback", "/other"))[0] == 404
    assert sent_back({"headers": {"Host": "rebound.example.com"}}, good)[0] == 421
    assert sent_back({"method": "PUT"}, good)[0] == 405
    assert sent_back({"headers": {"Content-Type": "application/json"}}, (good, {"a": "b"}))[0] == 415
    assert one.running
    assert sent_back({}, good)[0] == 200
    assert one.wait_exit() == 0, one.log
    assert mount.accepts(one.token)


def test_it_listens_at_loopback_alone(log_in):
    port = free_port()
    one = log_in("-no-browser", f"port={port}")
    assert one.shown
    rows = [line.split() for name in ("tcp", "tcp6") for line in pathlib.Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    assert [row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"] == [f"0100007F:{port:04X}"]


def test_a_port_that_is_taken_is_said_before_the_server_is_asked(log_in):
    port = free_port()
    first = log_in("-no-browser", f"port={port}")
    assert first.shown
    second = log_in("-no-browser", f"port={port}")
    assert second.wait_exit() == 2 and "port=0" in second.log


def test_any_free_port_is_taken(log_in, provider, mount):
    one = log_in("-no-browser", "port=0", "callbackhost=127.0.0.1")
    assert sent_back({}, provider.log_in(one.shown))[0] == 200
    assert one.wait_exit() == 0, one.log
    assert mount.accepts(one.token)


# ------------------------------------------------------------------------------------------------------ a browser elsewhere


def test_the_address_is_pasted(log_in, provider, mount):
    one = log_in("skip_browser=true")
    good = provider.log_in(one.shown)
    one.says("nonsense")
    one.wait_log("no address that a provider sends a browser to")
    one.says(changed(good, state="other"))
    one.wait_log("belongs to another login")
    one.says(f"  '{good}'")
    assert one.wait_exit() == 0, one.log
    assert mount.accepts(one.token) and not (one.home / "opened").exists()


def test_the_address_is_drawn_where_that_can_be_done(log_in, provider, mount, tmp_path):
    """By a program that is told it by a pipe; without one the login goes on."""
    log_in("skip_browser=true", "show_qr=true", PATH=str(tmp_path)).wait_log("No QR code is drawn: qrencode is not installed here")
    drawer = tmp_path / "qrencode"
    drawer.write_text("#!/bin/sh\n/bin/echo \"drawn: $(/bin/cat)\"\n")
    drawer.chmod(0o755)
    one = log_in("skip_browser=true", "show_qr=true", PATH=str(tmp_path))
    one.wait_log(re.escape(f"drawn: {one.shown}"))
    one.says(provider.log_in(one.shown))
    assert one.wait_exit() == 0, one.log
    assert mount.accepts(one.token)


def test_the_address_is_piped(site, mount, provider, tmp_path):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "VAULT_ADDR": site.address, "VAULT_CACERT": str(site.ca_file)}
    with subprocess.Popen([*ours(), "-method=oidc", f"-path={mount.path}", "-no-browser", "-token-only", "port=0"], env=env, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        url = next(line for line in run.stderr if line.startswith("    http")).strip()
        token, _ = run.communicate(provider.log_in(url), timeout=60)
    assert run.returncode == 0 and mount.accepts(canary.keep(token))


def test_a_refusal_is_pasted(log_in):
    one = log_in("-no-browser")
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(one.shown).query)["state"][0]
    one.says(f"?error=access_denied&state={state}")
    assert one.wait_exit() == 2 and "the provider refused: access_denied" in one.log


# ------------------------------------------------------------------------------------------------------------------- ends


def test_without_a_display_the_link_is_shown(log_in):
    one = log_in(BROWSER="")
    assert one.shown.startswith("http")
    one.wait_log("no display")
    one.interrupts()
    assert one.wait_exit() == 2 and "interrupted" in one.log


def test_without_a_browser_it_may_give_up(log_in):
    one = log_in("abort_on_error=true", BROWSER="/nowhere/browser")
    assert one.wait_exit() == 2 and "no browser can be opened" in one.log


def test_browsers_are_tried_in_their_order(log_in):
    one = log_in(BROWSER="/nowhere/browser::{home}/browser  %s --new:{home}/other")
    assert one.opened == one.shown


@pytest.mark.parametrize("command", [ours, original], ids=["ours", "original"])
def test_an_interrupt_ends_it(log_in, command):
    one = log_in("skip_browser=true", command=command)
    assert one.shown
    one.wait_log("Waiting for")
    one.interrupts()
    assert one.wait_exit() == 2 and "nterrupted" in one.log


def test_nobody_comes(log_in):
    one = log_in("timeout=1s")
    assert one.opened and one.wait_exit() == 2 and "nobody logged in" in one.log


@pytest.mark.parametrize("arguments", [["role=nobody"], ["callbackhost=elsewhere"]])
def test_a_role_or_an_address_that_is_not_allowed_is_said(log_in, arguments):
    one = log_in("-no-browser", *arguments)
    assert one.wait_exit() == 2
    assert "role" in one.log and one.argv[2] == "-method=oidc" and "oidc" in one.log


@pytest.mark.parametrize("argument", ["port=x", "skip_browser=x", "callbackmode=x", "callbackmethod=ftp", "timeout=x", "listenaddress=example.com"])
def test_a_wrong_setting_is_refused(log_in, argument):
    one = log_in("-no-browser", argument)
    assert one.wait_exit() == 2 and argument.split("=")[0] in one.log


def test_modes_of_openbao_are_refused_by_a_server_without_them(log_in, dialect_is_vault):
    for mode in ("direct", "device"):
        one = log_in("-no-browser", f"callbackmode={mode}")
        assert one.wait_exit() == 2, one.log


@pytest.fixture
def dialect_is_vault(site):
    version = site.vault.request("GET", "sys/seal-status")["version"]
    if version.startswith("2."):
        pytest.skip("this server is OpenBao")


# ---------------------------------------------------------------------------------------------------------------- OpenBao


class OpenBao:
    """OpenBao's own modes: nothing comes back to the command, which asks the server again and again."""

    def __init__(self, folder, authority):
        self.server = Server(folder, authority, program=openbao())
        redirect = f"{self.server.address}/v1/auth/direct/oidc/callback"
        self.provider = Provider([redirect])
        self.device = Mount(self.server.vault, self.provider)
        self.device.role(callback_mode="device", poll_interval=1)
        self.direct = Mount(self.server.vault, self.provider, client="server", path="direct")
        self.direct.role(callback_mode="direct", poll_interval=1, allowed_redirect_uris=[redirect])

    def stop(self):
        self.provider.stop()
        self.server.stop()


@pytest.fixture(scope="session")
def bao(tmp_path_factory, authority):
    bao = OpenBao(tmp_path_factory.mktemp("openbao"), authority)
    yield bao
    bao.stop()


@pytest.mark.parametrize("command, mode", [(ours, ["callbackmode=device"]), (ours, []), (original_openbao, ["callbackmode=device"])],
                         ids=["ours", "ours by itself", "original"])
def test_a_device_logs_in(bao, log_in, browser, command, mode):
    one, page = log_in("port=0", "skip_browser=true", *mode, server=bao.server, at=bao.device, command=command), browser.page()
    page.goes_to(one.shown)
    page.submits("document.querySelector('input[name=confirm]')")
    page.logs_in()
    assert one.wait_exit(60) == 0, one.log
    assert bao.device.accepts(one.token)


@pytest.mark.parametrize("command", [ours, original_openbao], ids=["ours", "original"])
def test_a_browser_goes_to_the_server(bao, log_in, browser, command):
    one = log_in("callbackmode=direct", server=bao.server, at=bao.direct, command=command, BAO_ADDR=bao.server.address)
    page = browser.page()
    page.goes_to(one.opened)
    page.logs_in()
    page.waits_for("document.querySelector('#confirm-button')")
    page.evaluate("document.querySelector('#confirm-button').click()")
    assert one.wait_exit(60) == 0, one.log
    assert bao.direct.accepts(one.token)


def test_a_role_that_wants_direct_mode_says_so(bao, log_in):
    bao.direct.role("other", callback_mode="direct", allowed_redirect_uris=["http://localhost:8250/oidc/callback"])
    one = log_in("-no-browser", "role=other", server=bao.server, at=bao.direct)
    assert one.wait_exit() == 2 and "callbackmode=direct" in one.log


@pytest.mark.parametrize("mode", ["device", "direct"])
def test_nobody_comes_to_the_server(bao, log_in, mode):
    one = log_in("-no-browser", "timeout=1s", f"callbackmode={mode}", server=bao.server, at=getattr(bao, mode))
    assert one.wait_exit() == 2 and "nobody logged in" in one.log


def test_an_interrupt_ends_the_questions(bao, log_in):
    one = log_in("-no-browser", "callbackmode=device", server=bao.server, at=bao.device)
    assert one.shown
    one.wait_log("Waiting for")
    one.interrupts()
    assert one.wait_exit() == 2 and "interrupted" in one.log
