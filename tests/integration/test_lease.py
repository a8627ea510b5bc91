"""Dynamic credentials: renewed as long as the server allows, replaced in time."""

import subprocess
import time

import pytest

from support import wait
from support.agent import original, template
from support.site import expiry, unique

CREDENTIAL = '{{ with secret "%s" }}{{ .Data.username }} {{ .Data.password }}{{ end }}'


def works(postgres, user, password):
    try:
        return postgres.sql("SELECT current_user", user, password) == user
    except subprocess.CalledProcessError:
        return False


def test_a_credential_outlives_its_first_ttl_because_it_is_renewed(site, postgres, agent, tmp_path, proxy):
    path = postgres.enable(site.vault, unique("db"), default_ttl="6s", max_ttl="10m")
    agent(site.config(site.login(), template(CREDENTIAL % path, tmp_path / "credential"), via=proxy))
    user, password = wait.for_file(tmp_path / "credential", contains=" ").split(" ")
    wait.until(lambda: proxy.count("PUT", "^/v1/sys/leases/renew$") >= 3, "three renewals")
    assert works(postgres, user, password)
    assert wait.read(tmp_path / "credential") == f"{user} {password}"
    assert proxy.count("GET", f"^/v1/{path}$") == 1


def test_a_credential_is_replaced_once_at_its_maximum_while_the_old_one_still_works(site, postgres, agent, tmp_path, proxy):
    path = postgres.enable(site.vault, unique("db"), default_ttl="10s", max_ttl="24s")
    agent(site.config(site.login(), template(CREDENTIAL % path, tmp_path / "credential"), via=proxy))
    old = wait.for_file(tmp_path / "credential", contains=" ")
    new = wait.for_file(tmp_path / "credential", contains=" ", differs_from=old)
    assert works(postgres, *old.split(" ")), "the old credential is gone already"
    assert works(postgres, *new.split(" "))
    assert proxy.count("GET", f"^/v1/{path}$") == 2


@pytest.mark.parametrize("ttl", ["2s"])
def test_a_credential_that_cannot_be_renewed_is_replaced_without_a_storm(site, postgres, agent, tmp_path, proxy, ttl):
    path = postgres.enable(site.vault, unique("db"), default_ttl=ttl, max_ttl=ttl)
    agent(site.config(site.login(), template(CREDENTIAL % path, tmp_path / "credential"), via=proxy))
    first = wait.for_file(tmp_path / "credential", contains=" ")
    wait.for_file(tmp_path / "credential", contains=" ", differs_from=first)
    start = proxy.requests[0].at
    window = [r for r in proxy.requests if r.at < start + 4]
    assert len(window) < 40, [str(r) for r in window]


@pytest.mark.skipif(original(), reason="the original shows an expired one for minutes")
def test_a_token_without_a_lease_is_read_again_before_its_own_ttl_is_over(site, agent, tmp_path):
    """One of identity/oidc."""
    vault = site.vault
    key, role = unique("key"), unique("role")
    vault.write(f"identity/oidc/key/{key}", allowed_client_ids="*", algorithm="ES256")
    vault.write(f"identity/oidc/role/{role}", key=key, ttl="6s")
    text = '{{ with secret "identity/oidc/token/%s" }}{{ .Data.token }}{{ end }}' % role
    agent(site.config(site.login(), template(text, tmp_path / "jwt")))
    seen = ""
    for _ in range(3):
        seen = wait.for_file(tmp_path / "jwt", differs_from=seen)
        assert expiry(seen) > time.time()
