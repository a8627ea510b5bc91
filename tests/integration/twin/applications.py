"""What the agent serves to applications: whose token goes on, what passes, what is refused."""

import json

from support.application import Application, listener
from support.agent import block

from .lifetime import SOON, OWN
from .scenario import Scenario, one, sink

SOCKET = listener("unix", address="@DIR@/agent.sock", tls_disable=True)
HASTY = {"request_id", "lease_id", "accessor", "id", "client_token", "creation_time", "created_time", "deletion_time", "expire_time", "issue_time", "ttl", "last_renewal", "last_renewal_time",
         "server_time_utc", "cluster_id", "lease_duration", "entity_id", "path", "meta", "policies", "identity_policies", "token_policies"}  # fmt: skip


def plain(value):
    """Without what differs from one request to the next."""
    if isinstance(value, dict):
        return {key: "…" if key in HASTY and member else plain(member) for key, member in sorted(value.items())}
    return [plain(member) for member in value] if isinstance(value, list) else value


def shape(answer):
    try:
        body = json.dumps(plain(json.loads(answer.body)))
    except ValueError:
        body = answer.body.decode("utf-8", "replace")
    kind = answer.headers.get("Content-Type") if answer.body else None
    return f"{answer.status} {kind} {body}"


def asks(*requests, token=True, address="@DIR@/agent.sock"):
    """Waits for the listener, and for the token where requests need it; then these (method, path, body, headers), and what became of each."""

    def play(twin):
        if token:
            twin.file("token")
        application = Application(f"unix://{twin.fill(address)}")
        twin.until(lambda: answers(application), "the listener to answer")
        for number, (method, path, *more) in enumerate(requests):
            body, headers = (*more, None, {})[0] if more else None, more[1] if len(more) > 1 else {}
            answer = application.ask(method, twin.fill(path), body, **{name: twin.fill(value) for name, value in headers.items()})
            twin.note(f"{number}: {method} {path}", twin.plain(shape(answer).encode()))

    return play


def follows(*requests):
    """The same when the file is there."""

    def play(twin):
        twin.file(content="alice")
        asks(*requests)(twin)

    return play


def answers(application):
    try:
        return application.ask("GET", "/v1/sys/seal-status", X_Vault_Request="true").status
    except OSError:
        return None


def proxy(**pairs):
    return SOCKET + block("api_proxy", **pairs)


def serves(name, *requests, blocks=proxy(use_auto_auth_token=True), **pairs):
    return Scenario(name, blocks, sink(), play=asks(*requests), ends=False, counted=False, **pairs)


READ = ("GET", "/v1/@KV@/data/app")
ROOT = {"X_Vault_Token": "@ROOT@"}

SCENARIOS = [
    serves("a read without a token where none is lent", READ, blocks=SOCKET),
    serves("a read with the client's token where none is lent", (*READ, None, ROOT), blocks=SOCKET),
    serves("a read with the agent's token", READ),
    serves("a read with the client's token in place of the agent's", (*READ, None, ROOT)),
    serves("a read with a wrong token in place of the agent's", (*READ, None, {"X_Vault_Token": "wrong"})),
    serves("a read with the agent's token by force", (*READ, None, {"X_Vault_Token": "wrong"}), blocks=proxy(use_auto_auth_token="force")),
    serves("an older version by a query", ("GET", "/v1/@KV@/data/versions?version=1")),
    serves("keys by LIST", ("LIST", "/v1/@KV@/metadata/")),
    serves("keys by a query", ("GET", "/v1/@KV@/metadata/?list=true")),
    serves("a write and what it changed", ("POST", "/v1/@OWN@", '{"data": {"user": "bob"}}'), ("GET", "/v1/@OWN@")),
    serves("a write by PUT", ("PUT", "/v1/@OWN@", '{"data": {"user": "carol"}}'), ("GET", "/v1/@OWN@")),
    serves("a patch", ("PATCH", "/v1/@OWN@", '{"data": {"more": "1"}}', {"Content_Type": "application/merge-patch+json"}), ("GET", "/v1/@OWN@")),
    serves("a removal", ("DELETE", "/v1/@OWN@"), ("GET", "/v1/@OWN@")),
    serves("a body that is no JSON", ("PUT", "/v1/@OWN@", "{no")),
    serves("a path that is not there", ("GET", "/v1/nowhere/at/all")),
    serves("a path that is forbidden", ("GET", "/v1/@KV@/data/forbidden")),
    serves("a path outside of the API", ("GET", "/nowhere")),
    serves("the server's health", ("GET", "/v1/sys/health"), ("HEAD", "/v1/sys/health")),
    serves("the agent's token is not told by lookup-self", ("GET", "/v1/auth/token/lookup-self")),
    serves("the agent's token is not told by renew-self", ("PUT", "/v1/auth/token/renew-self", "{}")),
    serves("the client's own token is told", ("GET", "/v1/auth/token/lookup-self", None, ROOT)),
    serves("a token that is made", ("POST", "/v1/auth/token/create", '{"ttl": "1h"}', ROOT)),
    serves("a wrapped answer", (*READ, None, {"X_Vault_Wrap_TTL": "60s"})),
    serves("a login of the client's own", ("PUT", "/v1/auth/@APPROLE@/login", '{"role_id": "@ROLE_ID@"}')),
    serves("something encrypted", ("PUT", "/v1/@TRANSIT@/encrypt/app", '{"plaintext": "eA==", "context": "eA=="}')),
    serves("a header of the client's own", (*READ, None, {"X_Mine": "1", "Accept": "application/json", "Accept_Encoding": "gzip"})),
    serves("another namespace than there is", (*READ, None, {"X_Vault_Namespace": "nowhere"})),
    serves("quit where it is not allowed", ("POST", "/agent/v1/quit")),
    serves("quit by another method", ("GET", "/agent/v1/quit"), blocks=listener("unix", address="@DIR@/agent.sock", tls_disable=True, body=block("agent_api", enable_quit=True)) + block("api_proxy", use_auto_auth_token=True)),
    serves("quit where it is allowed", ("POST", "/agent/v1/quit"), blocks=listener("unix", address="@DIR@/agent.sock", tls_disable=True, body=block("agent_api", enable_quit=True)) + block("api_proxy", use_auto_auth_token=True)),
    serves("a request without the header that is required", READ, (*READ, None, {"X_Vault_Request": "true"}), (*READ, None, {"X_Vault_Request": "yes"}),
           blocks=listener("unix", address="@DIR@/agent.sock", tls_disable=True, require_request_header=True) + block("api_proxy", use_auto_auth_token=True)),
    Scenario("a listener beside a template", SOON + one(OWN) + proxy(use_auto_auth_token=True), sink(), play=follows(READ), ends=False, counted=False),
    serves("two listeners", READ, blocks=listener("unix", address="@DIR@/other.sock", tls_disable=True) + proxy(use_auto_auth_token=True)),
]
