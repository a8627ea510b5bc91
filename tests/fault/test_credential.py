"""Leases in trouble: not renewable, renewal forbidden, lost; the database gone. One new credential, never a storm; the file is kept until then."""

import re
import subprocess
import time

import pytest
from support import wait
from support.agent import original, template
from support.rendering import SOON
from support.site import unique

ours = pytest.mark.skipif(original(), reason="the original storms, or gives up")
CREDENTIAL = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}'
RENEWALS = "^/v1/sys/leases/renew$"


class Credential:
    """An agent that keeps a database credential in a file."""

    def __init__(self, site, agent, postgres, folder, proxy, login=None, **role):
        self.path = postgres.enable(site.vault, unique("db"), **role)
        self.file, self._proxy = folder / "credential", proxy
        self.login = login or site.login()
        self.agent = agent(site.config(self.login, template(CREDENTIAL % self.path, self.file), SOON, via=proxy))
        self.first = wait.for_file(self.file, contains=" ")

    def reads(self):
        return self._proxy.count("GET", f"^/v1/{self.path}$")

    def replaced(self):
        return wait.for_file(self.file, contains=" ", differs_from=self.first)

    def near_the_end(self, seconds):
        """Each credential was used for so long before the next one was asked for: one after the other, however late this is looked at."""
        times = [r.at for r in list(self._proxy.requests) if r.method == "GET" and re.search(f"^/v1/{self.path}$", r.path)]
        gaps = [later - earlier for earlier, later in zip(times, times[1:])]
        assert gaps and min(gaps) > seconds, gaps

    def kept(self):
        assert wait.read(self.file) == self.first
        assert self.agent.running, self.agent.log


@ours
def test_a_forbidden_renewal_leads_to_one_new_credential_near_the_end(site, agent, postgres, tmp_path, proxy):
    login = site.login()
    rules = {"*": ["create", "read", "update", "list"], "sys/leases/renew": ["deny"]}
    site.vault.put_policy(login.policy, rules)
    one = Credential(site, agent, postgres, tmp_path, proxy, login, default_ttl="8s", max_ttl="60s")
    one.agent.wait_log(one.path + ".*may not be renewed")
    one.replaced()
    one.near_the_end(5)
    assert proxy.count(path=RENEWALS) <= 2 * (one.reads() - 1)
    assert proxy.logins() == 1


@ours
@pytest.mark.parametrize("status", [500, 503])
def test_failing_renewals_lead_to_one_new_credential_near_the_end(site, agent, postgres, tmp_path, proxy, status):
    one = Credential(site, agent, postgres, tmp_path, proxy, default_ttl="8s", max_ttl="60s")
    rule = proxy.error(status, path=RENEWALS)
    one.replaced()
    one.near_the_end(5)
    assert 1 <= rule.hits <= 8 * (one.reads() - 1)


@ours
def test_a_lease_revoked_behind_the_agents_back_is_replaced(site, agent, postgres, tmp_path, proxy):
    one = Credential(site, agent, postgres, tmp_path, proxy, default_ttl="12s", max_ttl="60s")
    site.vault.request("PUT", f"sys/leases/revoke-prefix/{one.path}", {})
    one.agent.wait_log(one.path + ".*does not know its lease any more")
    one.replaced()
    assert one.reads() == 2


@ours
def test_a_database_that_is_gone_keeps_the_file_and_costs_no_storm(site, agent, own_postgres, tmp_path, proxy):
    one = Credential(site, agent, own_postgres, tmp_path, proxy, default_ttl="6s", max_ttl="60s")
    own_postgres.stop()
    proxy.clear()
    wait.until(lambda: any(r.status >= 400 for r in proxy.requests), "a renewal or a read that fails")
    one.kept()
    wait.never(lambda: len(proxy.requests) > 25, "more than 25 requests in 8 s", 8)
    one.kept()
    one.agent.wait_log(one.path + ".*(500|400)")
    own_postgres.start()
    name, password = one.replaced().split(" ")
    assert own_postgres.sql("SELECT current_user", name, password) == name


@ours
def test_a_database_that_is_gone_at_the_start_is_waited_for(site, agent, own_postgres, tmp_path):
    path = own_postgres.enable(site.vault, unique("db"))
    own_postgres.stop()
    one = agent(site.config(site.login(), template(CREDENTIAL % path, tmp_path / "credential")))
    one.wait_log(path + ".*500")
    own_postgres.start()
    wait.for_file(tmp_path / "credential", contains=" ", seconds=60)


@ours
def test_a_new_token_replaces_what_was_leased_under_the_old_one_before_that_dies(site, agent, postgres, tmp_path, proxy):
    """A lease ends with the token that it was read with, whatever its own TTL says."""
    one = Credential(site, agent, postgres, tmp_path, proxy, site.login(token_ttl="20s", token_max_ttl="20s"), default_ttl="1h", max_ttl="2h")
    second = one.replaced()
    reads, logins = ([r for r in list(proxy.requests) if re.search(path, r.path)] for path in (f"^/v1/{one.path}$", "/login$"))
    assert reads[1].at < logins[0].at + 20, "the old token was over before the new credential was asked for"
    for credential, until in ((one.first, logins[0].at + 20), (second, logins[1].at + 20)):
        name, password = credential.split(" ")
        try:
            assert postgres.sql("SELECT current_user", name, password) == name
        except subprocess.CalledProcessError:
            assert time.monotonic() > until, f"{name} is gone already"
    assert len(reads) == len(logins) == 2


@ours
def test_a_token_revoked_behind_the_agents_back_costs_one_login_and_one_new_credential(site, agent, postgres, tmp_path, proxy):
    login = site.login(token_ttl="6s")
    login.sink(tmp_path / "token")
    one = Credential(site, agent, postgres, tmp_path, proxy, login, default_ttl="1h", max_ttl="2h")
    token = wait.until(lambda: wait.read(tmp_path / "token"), "the token")
    site.vault.write("auth/token/revoke", token=token)
    one.replaced()
    wait.never(lambda: proxy.logins() > 2 or one.reads() > 2, "another login or credential", 2)
