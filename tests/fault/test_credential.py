"""Leases in trouble: not renewable, renewal forbidden, lost; the database gone. One new credential, never a storm; the file is kept until then."""

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

    def replaced(self, seconds=wait.DEADLINE):
        return wait.for_file(self.file, contains=" ", differs_from=self.first, seconds=seconds)

    def kept(self):
        assert wait.read(self.file) == self.first
        assert self.agent.running, self.agent.log


@ours
def test_a_forbidden_renewal_leads_to_one_new_credential_near_the_end(site, agent, postgres, tmp_path, proxy):
    login = site.login()
    rules = {"*": ["create", "read", "update", "list"], "sys/leases/renew": ["deny"]}
    site.vault.put_policy(login.policy, rules)
    one = Credential(site, agent, postgres, tmp_path, proxy, login, default_ttl="8s", max_ttl="60s")
    start = proxy.requests[0].at
    one.agent.wait_log(one.path + ".*may not be renewed")
    one.replaced()
    assert one.reads() == 2
    assert [r.at for r in proxy.requests if r.path.endswith(one.path)][-1] - start > 5
    assert proxy.count(path=RENEWALS) <= 2
    assert proxy.logins() == 1


@ours
@pytest.mark.parametrize("status", [500, 503])
def test_failing_renewals_lead_to_one_new_credential_near_the_end(site, agent, postgres, tmp_path, proxy, status):
    one = Credential(site, agent, postgres, tmp_path, proxy, default_ttl="8s", max_ttl="60s")
    rule = proxy.error(status, path=RENEWALS)
    one.replaced()
    assert one.reads() == 2
    assert 1 <= rule.hits <= 8


@ours
def test_a_lease_revoked_behind_the_agents_back_is_replaced(site, agent, postgres, tmp_path, proxy):
    one = Credential(site, agent, postgres, tmp_path, proxy, default_ttl="6s", max_ttl="60s")
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
    name, password = one.replaced(60).split(" ")
    assert own_postgres.sql("SELECT current_user", name, password) == name


@ours
def test_a_database_that_is_gone_at_the_start_is_waited_for(site, agent, own_postgres, tmp_path):
    path = own_postgres.enable(site.vault, unique("db"))
    own_postgres.stop()
    one = agent(site.config(site.login(), template(CREDENTIAL % path, tmp_path / "credential")))
    one.wait_log(path + ".*500")
    own_postgres.start()
    wait.for_file(tmp_path / "credential", contains=" ")


@ours
def test_a_new_token_replaces_what_was_leased_under_the_old_one_before_that_dies(site, agent, postgres, tmp_path, proxy):
    """A lease ends with the token that it was read with, whatever its own TTL says."""
    one = Credential(site, agent, postgres, tmp_path, proxy, site.login(token_ttl="20s", token_max_ttl="20s"), default_ttl="1h", max_ttl="2h")
    second = one.replaced()
    for credential in (one.first, second):
        name, password = credential.split(" ")
        assert postgres.sql("SELECT current_user", name, password) == name
    assert (one.reads(), proxy.logins()) == (2, 2)


@ours
def test_a_token_revoked_behind_the_agents_back_costs_one_login_and_one_new_credential(site, agent, postgres, tmp_path, proxy):
    login = site.login(token_ttl="6s")
    login.sink(tmp_path / "token")
    one = Credential(site, agent, postgres, tmp_path, proxy, login, default_ttl="1h", max_ttl="2h")
    token = wait.until(lambda: wait.read(tmp_path / "token"), "the token")
    site.vault.write("auth/token/revoke", token=token)
    one.replaced()
    wait.never(lambda: proxy.logins() > 2 or one.reads() > 2, "another login or credential", 2)
