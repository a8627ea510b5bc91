"""In what the servers differ that Ampule is tested against: one row a version, measured against ampule-sandbox, which speaks as Vault 1.19.

A version that has no row of its own speaks as the newest older one of the same product.
"""

import dataclasses
import re
import subprocess

from .server import binary


@dataclasses.dataclass(frozen=True)
class Dialect:
    adds: frozenset = frozenset()  # keys that only this server has
    lacks: frozenset = frozenset()  # keys that it does not have
    values: frozenset = frozenset()  # keys that have other values
    words: tuple = ()  # (its words, the sandbox's)
    warns: tuple = ()  # warnings that only it gives
    statuses: tuple = ()  # (method and path, its status, the sandbox's)

    def same_words(self, real, sandbox):
        return any(re.fullmatch(a, real, re.S) and re.fullmatch(b, sandbox, re.S) for a, b in self.words)

    def same_status(self, request, real, sandbox):
        return real == sandbox or any(re.fullmatch(r, request) and (a, b) == (real, sandbox) for r, a, b in self.statuses)

    def only_warns(self, real, sandbox):
        """What only this server warns of."""
        return sandbox is None and isinstance(real, list) and all(any(re.fullmatch(w, text) for w in self.warns) for text in real)


def keys(text):
    return frozenset(text.split())


DIALECTS = {
    ("Vault", 1, 19): Dialect(),
    ("OpenBao", 2, 6): Dialect(
        adds=keys(
            "token_strictly_bind_ip token_policies_template_claims oidc_disable_confirmation oauth2_metadata callback_mode current_metadata_version "
            "allow_slashes_in_identity_templates allow_wildcards_in_identity_templates cas_required metadata_cas_required modified version path commit_date"
        ),
        lacks=keys(
            "mount_type enterprise echo_duration_ms replication_primary_canary_age_ms performance_standby clock_skew_ms "
            "use_annotations_as_alias_metadata build_date"
        ),
        values=keys("max_lease_ttl default_lease_ttl"),
        words=(
            (r"failed to decode JSON input: .*", r"error parsing JSON"),
            (r"permission denied", r"2 errors occurred:.*permission denied.*invalid token.*"),
            (r"missing role_id", r"failed to determine alias name from login request"),
            (r"Invalid path for a versioned K/V secrets engine.*", r"Invalid path for a versioned K/V secrets engine.*"),
            (r'Field validation failed: error converting input for field "(\w+)".*', r'Field validation failed: error converting input \w+ for field "(\w+)".*'),
        ),
        warns=(r'TTL of "\w+" exceeded the effective max_ttl of "\w+"; TTL value is capped accordingly',),
        statuses=((r"LIST kv[^/]*/data/", 405, 404), (r"GET kv[^/]*/data/\?list=true", 405, 404)),
    ),
}


def choose(said):
    """The dialect of a server whose `version` command says this: "Vault v1.19.0 (…", "OpenBao v2.6.2 (…"."""
    product, major, minor = re.match(r"(Vault|OpenBao) v(\d+)\.(\d+)", said).groups()
    version = (product, int(major), int(minor))
    known = [v for v in DIALECTS if v[0] == product]
    return DIALECTS[max((v for v in known if v <= version), default=min(known))]


def spoken():
    """The dialect of the server that the tests run against."""
    return choose(subprocess.run([binary(), "version"], stdout=subprocess.PIPE, text=True, check=True).stdout)
