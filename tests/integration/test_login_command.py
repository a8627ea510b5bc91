"""`ampule login` beside `vault login`: methods token, userpass and ldap, second factors, and where the token is kept."""

import base64
import functools
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import time

import pytest
from support import canary, wait
from support.person import Person, original, ours
from support.process import free_port
from support.site import unique


@functools.lru_cache(None)
def openbao(program):
    return "OpenBao" in subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout


class Command:
    """`login` in a home of its own, without a terminal."""

    def __init__(self, argv, site, home):
        self.argv, self.home = argv(), home
        home.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "VAULT_ADDR": site.address, "VAULT_CACERT": str(site.ca_file)}

    def __call__(self, *arguments, stdin=None, **env):
        variables = {k: str(v) for k, v in {**self.env, **env}.items() if v is not None}
        given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run([*self.argv, *map(str, arguments)], env=variables, cwd=self.home, text=True, capture_output=True, timeout=120, check=False, **given)

    @property
    def file(self):
        return self.home / ".vault-token"

    @property
    def config(self):
        """What names a token helper."""
        return self.home / (".bao" if self.argv == original() and openbao(self.argv[0]) else ".vault")


@pytest.fixture
def login(site, tmp_path):
    return Command(ours, site, tmp_path / "home")


@pytest.fixture(params=["ours", "original"])
def either(request, site, tmp_path):
    return Command(ours if request.param == "ours" else original, site, tmp_path / "home")


@pytest.fixture
def both(site, tmp_path):
    return Command(ours, site, tmp_path / "ours"), Command(original, site, tmp_path / "original")


@pytest.fixture
def person(site, tmp_path):
    """person(ours, …): at a terminal."""
    people = []

    def sit_down(command, *arguments, **env):
        home = tmp_path / unique("home")
        people.append(Person(command(), *arguments, home=home, env={"VAULT_ADDR": site.address, "VAULT_CACERT": str(site.ca_file), **env}))
        return people[-1]

    yield sit_down
    for one in people:
        one.stop()


class User:
    def __init__(self, site):
        self.site, self.mount, self.name, self.password = site, site.vault.enable_auth(unique("userpass"), "userpass"), "anna", canary.secret()
        self.policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
        site.vault.write(f"auth/{self.mount}/users/anna", password=self.password, token_policies=[self.policy])

    def arguments(self, *flags):
        return ["-method=userpass", f"-path={self.mount}", *flags, "username=anna"]

    def accepts(self, token):
        return self.policy in self.site.vault.with_token(token).read("auth/token/lookup-self")["data"]["policies"]


@pytest.fixture
def user(site):
    return User(site)


def fields(table):
    """A table as the commands print it: name to value."""
    rows = [re.split(r"\s{2,}", line, maxsplit=1) for line in table.splitlines() if re.match(r"\S+\s{2,}\S", line)]
    return dict(rows)


# ------------------------------------------------------------------------------------------------------ name and password


def test_a_password_from_standard_input_logs_in(either, user):
    run = either(*user.arguments(), "password=-", stdin=user.password)
    assert run.returncode == 0, run.stderr
    assert user.accepts(either.file.read_text())
    assert stat.S_IMODE(either.file.stat().st_mode) == 0o600
    assert user.password not in run.stdout + run.stderr


def test_a_password_is_typed_unseen(person, user):
    for command in (ours, original):
        one = person(command, *user.arguments())
        one.types(user.password)
        assert one.wait_exit() == 0, one.log
        assert user.accepts((one.home / ".vault-token").read_text())
        assert user.password not in one.log + one.screen


def test_the_terminal_shows_again_what_is_typed_after_an_interrupt(person, user):
    one = person(ours, *user.arguments())
    wait.until(lambda: not one._echo(), lambda: one.log)
    one.interrupts()
    assert one.wait_exit() == 2
    assert "interrupted" in one.log and one._echo()
    assert not (one.home / ".vault-token").exists()


def test_a_signal_at_the_password_shows_again_what_is_typed(person, user):
    one = person(ours, *user.arguments())
    wait.until(lambda: not one._echo(), lambda: one.log)
    one.signal(signal.SIGTERM)
    assert one.wait_exit() == -signal.SIGTERM and one._echo()


def test_a_password_as_argument_is_warned_of(login, user):
    run = login(*user.arguments(), f"password={user.password}")
    assert run.returncode == 0 and "password=-" in run.stderr and "WARNING" in run.stderr
    assert user.password not in run.stderr


def test_an_argument_is_not_to_be_seen_once_it_was_read(person, user, site):
    """The server does not answer, so that the command stays long enough."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = person(ours, *user.arguments(), f"password={user.password}", VAULT_ADDR=f"http://127.0.0.1:{silent.getsockname()[1]}")
        one.wait_log("password=-")
        wait.until(lambda: user.password not in open(f"/proc/{one.pid}/cmdline", encoding="utf-8").read(), "the argument to be gone")
        assert one.running
    assert one.wait_exit() == 2 and user.password not in one.log


@pytest.mark.parametrize("argument, given", [("password=@{file}", "{password}\n"), ("@{file}", '{{"password": "{password}"}}')])
def test_a_password_from_a_file_logs_in(login, user, tmp_path, argument, given):
    (tmp_path / "given").write_text(given.format(password=user.password))
    run = login(*user.arguments(), argument.format(file=tmp_path / "given"))
    assert run.returncode == 0, run.stderr
    assert user.accepts(login.file.read_text())


def test_keys_and_values_from_standard_input_log_in(either, user):
    run = either("-method=userpass", f"-path={user.mount}", "-", stdin=json.dumps({"username": "anna", "password": user.password}))
    assert run.returncode == 0, run.stderr
    assert user.accepts(either.file.read_text())


def test_a_wrong_password_says_so_and_keeps_the_old_token(either, user):
    either.file.write_text("old")
    run = either(*user.arguments(), "password=-", stdin="wrong")
    assert run.returncode == 2 and "invalid username or password" in run.stderr and run.stdout == ""
    assert either.file.read_text() == "old"


def test_what_fails_names_the_mount_and_the_way_out(login, user, site):
    run = login("-method=userpass", "-path=nowhere/", "username=anna", "password=-", stdin="x")
    assert run.returncode == 2 and "auth/nowhere (userpass)" in run.stderr and site.address in run.stderr and "-path" in run.stderr
    run = login(*user.arguments(), "password=-", stdin="x", VAULT_ADDR=f"http://127.0.0.1:{free_port()}", VAULT_CLIENT_TIMEOUT="5s")
    assert run.returncode == 2 and "connection refused" in run.stderr
    run = login(*user.arguments(), "password=-", stdin="x", VAULT_CACERT=None)
    assert run.returncode == 2 and "certificate" in run.stderr


def test_nobody_to_ask_is_said(either, user):
    run = either(*user.arguments())
    assert run.returncode == 2
    if either.argv == ours():
        assert "password=-" in run.stderr


def test_a_directory_knows_the_password(either, site, directory):
    mount = site.vault.enable_auth(unique("ldap"), "ldap")
    policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
    directory.enable(site.vault, mount, [policy])
    run = either("-method=ldap", f"-path={mount}", "-token-only", LOGNAME="anna", VAULT_LDAP_PASSWORD=directory.password)
    assert run.returncode == 0, run.stderr
    assert policy in site.vault.with_token(run.stdout).read("auth/token/lookup-self")["data"]["policies"]
    assert not either.file.exists()


# ------------------------------------------------------------------------------------------------------------------ token


def new_token(site, **settings):
    return canary.keep(site.vault.write("auth/token/create", policies=["default"], ttl="1h", **settings)["auth"]["client_token"])


@pytest.mark.parametrize("arguments, stdin", [(["{token}"], None), (["token={token}"], None), (["-"], "{token}\n"), (["-method=token", "token=-"], " {token}\n")])
def test_a_token_is_looked_up_and_stored(either, site, arguments, stdin):
    token = new_token(site)
    run = either(*[one.format(token=token) for one in arguments], stdin=stdin and stdin.format(token=token))
    assert run.returncode == 0, run.stderr
    assert either.file.read_text() == token
    assert fields(run.stdout)["token_policies"] == '["default"]'


def test_a_token_is_typed_unseen(person, site):
    token = new_token(site)
    one = person(ours)
    one.types(token)
    assert one.wait_exit() == 0, one.log
    assert (one.home / ".vault-token").read_text() == token and token not in one.screen


def test_a_token_is_taken_without_a_look(either):
    run = either("-no-print", "token=whatever", "lookup=false", VAULT_ADDR="http://127.0.0.1:1")
    assert run.returncode == 0, run.stderr
    assert either.file.read_text() == "whatever" and run.stdout == ""


def test_a_token_that_is_none_is_refused(either):
    run = either("-", stdin="hvs.nonsense")
    assert run.returncode == 2 and not either.file.exists()
    assert "hvs.nonsense" not in run.stderr


# ----------------------------------------------------------------------------------------------------------- what is shown


def test_the_table_is_the_originals(both, user):
    shown = [fields(one(*user.arguments(), "password=-", stdin=user.password).stdout) for one in both]
    for one in shown:
        assert user.accepts(one.pop("token"))
        one.pop("token_accessor")
    assert shown[0] == shown[1] and shown[0]["token_meta_username"] == "anna" and shown[0]["token_duration"] == "768h"


def test_the_table_of_a_token_is_the_originals(both, site):
    token = new_token(site, meta={"one": "1", "two": "2"})
    shown = [fields(one("-no-store", "-", stdin=token).stdout) for one in both]
    for one in shown:
        one.pop("token_duration")  # a second may lie between
    assert shown[0] == shown[1] and shown[0]["token"] == token


@pytest.mark.parametrize("wrapped", [False, True])
def test_json_has_the_originals_members(both, user, wrapped):
    more = ["-no-store", "-wrap-ttl=1m"] if wrapped else []
    runs = [one(*user.arguments("-format=json", *more), "password=-", stdin=user.password) for one in both]
    assert [run.returncode for run in runs] == [0, 0], runs
    mine, theirs = (json.loads(run.stdout) for run in runs)

    def shape(value):
        return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else type(value)

    theirs.pop("mount_type", None)
    assert shape(mine) == shape(theirs)
    if not wrapped:
        assert mine["auth"]["policies"] == theirs["auth"]["policies"] == ["default", user.policy]


def test_yaml_is_the_originals(both, site):
    token = new_token(site, period="1h")
    mine, theirs = (re.sub(r"lease_duration: 3\d+", "", one("-no-store", "-format=yaml", "-", stdin=token).stdout) for one in both)
    assert mine == theirs and f"client_token: {token}" in mine


@pytest.mark.parametrize("field", ["token_policies", "token_renewable", "identity_policies", "token_duration", "nonsense"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_one_field_is_the_originals(both, user, field, form):
    runs = [one(*user.arguments(f"-field={field}", f"-format={form}"), "password=-", stdin=user.password) for one in both]
    assert (runs[0].returncode, runs[0].stdout) == (runs[1].returncode, runs[1].stdout)


@pytest.mark.parametrize("more, variables", [(["-format=nonsense"], {}), ([], {"VAULT_FORMAT": "nonsense"})])
def test_a_format_that_is_none_is_refused_before_the_login(login, user, more, variables):
    run = login(*user.arguments(*more), "password=-", stdin=user.password, **variables)
    assert run.returncode == 1 and "table, json or yaml" in run.stderr and not login.file.exists()


@pytest.mark.parametrize("arguments", [["-no-store", "-no-print"], ["-method=nonsense"], ["-nonsense"], ["-method"], ["-method=userpass", "nonsense"]])
def test_a_wrong_command_line_is_refused(either, arguments):
    run = either(*arguments, stdin="")
    assert run.returncode == 1 and run.stderr and run.stdout == ""


def test_only_the_token_is_printed_and_not_stored(either, user):
    run = either(*user.arguments("-token-only"), "password=-", stdin=user.password)
    assert run.returncode == 0 and user.accepts(run.stdout) and not either.file.exists()


def test_a_wrapped_answer_is_unwrapped(either, user):
    run = either(*user.arguments("-wrap-ttl=1m"), "password=-", stdin=user.password)
    assert run.returncode == 0, run.stderr
    assert user.accepts(either.file.read_text())


def test_a_wrapping_token_is_printed(either, user, site):
    run = either(*user.arguments("-wrap-ttl=1m", "-token-only"), "password=-", stdin=user.password)
    assert run.returncode == 0, run.stderr
    assert user.accepts(site.vault.with_token(run.stdout).write("sys/wrapping/unwrap")["auth"]["client_token"])


def test_a_variable_that_counts_before_the_token_is_told(either, user):
    run = either(*user.arguments(), "password=-", stdin=user.password, VAULT_TOKEN="other")
    assert run.returncode == 0 and "_TOKEN" in run.stderr
    assert user.accepts(either.file.read_text())


# --------------------------------------------------------------------------------------------------- where it is kept


def test_a_link_is_replaced_and_what_it_points_to_stays(either, site):
    (either.home / "elsewhere").write_text("theirs")
    either.file.symlink_to("elsewhere")
    token = new_token(site)
    assert either("-", stdin=token).returncode == 0
    assert (either.home / "elsewhere").read_text() == "theirs" and not either.file.is_symlink() and either.file.read_text() == token


def test_a_file_of_others_with_more_rights_becomes_ours(login, site):
    login.file.write_text("theirs")
    login.file.chmod(0o666)
    os.chown(login.file, 1234, 1234)
    token = new_token(site)
    assert login("-", stdin=token).returncode == 0
    now = login.file.stat()
    assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid, login.file.read_text()) == (0o600, os.getuid(), os.getgid(), token)


def test_a_folder_that_others_may_write_to_is_told(login, site):
    login.home.chmod(0o770)
    run = login("-", stdin=new_token(site))
    assert run.returncode == 0 and "Others may write" in run.stderr
    login.home.chmod(0o750)
    run = login("-", stdin=new_token(site))
    assert run.returncode == 0 and "Others may write" not in run.stderr


def test_a_token_that_cannot_be_stored_is_shown(login, site):
    token = new_token(site)
    run = login("-", stdin=token, HOME="/proc/nowhere")
    assert run.returncode == 2 and "not stored" in run.stderr and fields(run.stdout)["token"] == token
    assert run.stderr.count(token) == 0


@pytest.mark.parametrize("variable", ["VAULT_TOKEN_PATH", "BAO_TOKEN_PATH"])
def test_a_variable_names_another_file(login, site, variable):
    token = new_token(site)
    assert login("-", stdin=token, **{variable: login.home / "kept"}).returncode == 0
    assert (login.home / "kept").read_text() == token and not login.file.exists()


def test_without_a_home_nothing_is_asked(login, site):
    run = login("-", stdin=new_token(site), HOME=None)
    assert run.returncode == 2 and "HOME" in run.stderr


def helper(home, text):
    program = home / "helper"
    program.write_text(f"#!/bin/sh\n[ $1 = store ] || exit 0\n{text}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("named", ["", "VAULT_CONFIG_PATH"])
def test_a_program_keeps_the_token(either, site, named):
    program = helper(either.home, 'echo noise; cat > kept')
    (either.home / named if named else either.config).write_text(f'token_helper = "{program}"\n')
    token = new_token(site)
    run = either("-no-print", "-", stdin=token, **({named: either.home / named} if named else {}))
    assert run.returncode == 0 and run.stdout == "", run
    assert (either.home / "kept").read_text() == token and not either.file.exists()


def test_openbaos_file_names_a_program_too(login, site):
    (login.home / ".bao").write_text(f'token_helper = "{helper(login.home, "cat > kept")}"\n')
    token = new_token(site)
    assert login("-", stdin=token).returncode == 0
    assert (login.home / "kept").read_text() == token and not login.file.exists()


def test_a_program_that_fails_is_told(either, site):
    either.config.write_text(f'token_helper = "{helper(either.home, "exit 7")}"\n')
    token = new_token(site)
    run = either("-", stdin=token)
    assert run.returncode == 2 and fields(run.stdout)["token"] == token


@pytest.mark.parametrize("text", ["nonsense = 1", 'token_helper = "/nowhere/at/all"', "token_helper = ["])
def test_what_names_no_helper_is_refused(either, site, text):
    either.config.write_text(text)
    run = either("-", stdin=new_token(site))
    assert run.returncode in ([2] if either.argv == ours() else [1, 2]) and run.stderr  # OpenBao's looks after the login


# ---------------------------------------------------------------------------------------------------------- second factor


def passcode(url):
    """RFC 6238, of the URL that authenticators are shown."""
    secret = re.search(r"secret=([A-Z2-7]+)", url)[1]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place:place + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


class SecondFactor:
    """The user's logins want a passcode."""

    def __init__(self, site, user):
        vault = site.vault
        accessor = vault.read("sys/auth")["data"][f"{user.mount}/"]["accessor"]
        entity = vault.write("identity/entity", name=unique("entity"))["data"]["id"]
        vault.write("identity/entity-alias", name="anna", canonical_id=entity, mount_accessor=accessor)
        self.name = unique("totp")
        self.method = vault.write("identity/mfa/method/totp", method_name=self.name, issuer="ampule", period=30)["data"]["method_id"]
        self.url = vault.write("identity/mfa/method/totp/admin-generate", method_id=self.method, entity_id=entity)["data"]["url"]
        vault.write(f"identity/mfa/login-enforcement/{unique('enforcement')}", mfa_method_ids=[self.method], auth_method_accessors=[accessor])

    @property
    def code(self):
        return passcode(self.url)


@pytest.fixture
def factor(site, user):
    return SecondFactor(site, user)


def test_a_second_factor_is_asked_for(person, user, factor):
    one = person(ours, *user.arguments())
    one.types(user.password)
    wait.until(lambda: "asscode" in one.log or not one.running or one._echo(), lambda: one.log)
    one.types(factor.code)
    assert one.wait_exit() == 0, one.log
    assert user.accepts((one.home / ".vault-token").read_text())


@pytest.mark.parametrize("by", ["name", "method"])
def test_a_second_factor_is_given(login, user, factor, by):
    run = login(*user.arguments(), f"-mfa={getattr(factor, by)}:{factor.code}", "password=-", stdin=user.password)
    assert run.returncode == 0, run.stderr
    assert user.accepts(login.file.read_text())


def test_a_wrong_second_factor_is_refused(login, user, factor):
    run = login(*user.arguments(), f"-mfa={factor.name}:000000x", "password=-", stdin=user.password)
    assert run.returncode == 2 and "second factor" in run.stderr and not login.file.exists()


def test_a_second_factor_that_nobody_has_is_left_to_others(both, user, factor):
    shown = []
    for one in both:
        run = one(*user.arguments(), "password=-", stdin=user.password)
        assert run.returncode == 0 and "sys/mfa/validate" in run.stderr and not one.file.exists()
        shown.append(fields(run.stdout))
        assert re.fullmatch("[0-9a-f-]{36}", shown[-1].pop("mfa_request_id"))
    assert shown[0] == shown[1]
