"""The injector's certificates on a real API server, with the rights that the chart gives: made, shared, put right, kept; and its end."""

import base64
import http.client
import json
import socket
import ssl

import pytest

from support.apiserver import Api, ApiError
from support.injector import WEBHOOKS, Installed, Load
from support.site import unique
from support.wait import until

NOBODY = {"injector": {"webhook": {"failurePolicy": "Fail"}}, "global": {"externalVaultAddr": "https://127.0.0.1:1"}}


@pytest.fixture
def install(apiserver, tmp_path):
    """install(replicas=2): a release of its own, which only looks at one namespace."""
    made = []

    def install(replicas=1):
        name = unique("ampule")
        apps = apiserver.namespace(unique("apps"), injector=name)
        values = json.loads(json.dumps(NOBODY))
        values["injector"]["webhook"]["namespaceSelector"] = {"matchLabels": {"injector": name}}
        one = Installed(apiserver, tmp_path / name, name, values=values, release=name)
        one.apps, one.values = apps, values
        made.append(one)
        started = [one.start() for _ in range(replicas)]
        one.route(started[0])
        one.ready(apps)
        return one

    yield install
    for one in made:
        one.stop()


def bundle(installed):
    return base64.b64decode(installed.configuration()["webhooks"][0]["clientConfig"].get("caBundle", "")).decode()


def ring(installed):
    return {key: base64.b64decode(value).decode() for key, value in (installed.certificates().get("data") or {}).items()}


def trusts(installed, replica):
    """Whether who has the published CAs trusts that replica by the Service's name, as the API server asks it."""
    context = ssl.create_default_context(cadata=bundle(installed))
    connection = http.client.HTTPSConnection("127.0.0.1", replica.port, timeout=5, context=context)
    connection.connect = lambda: setattr(connection, "sock", _wrapped(context, replica.port, f"{installed.service}.{installed.namespace}.svc"))
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 204
    except (OSError, ssl.SSLError):
        return False
    finally:
        connection.close()


def _wrapped(context, port, name):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5), server_hostname=name)


def test_replicas_that_start_at_once_on_an_empty_secret_agree(install):
    one = install(replicas=3)
    until(lambda: all(trusts(one, replica) for replica in one.replicas), "every replica to be trusted")
    assert ring(one)["ca.crt"].strip() in bundle(one)
    for replica in one.replicas:
        one.route(replica)
        one.ready(one.apps)


def test_a_reset_bundle_is_put_right(install):
    one = install()
    right = bundle(one)
    one.apiserver.api.request("PATCH", one.webhook, [{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}], "application/json-patch+json")
    until(lambda: bundle(one) == right, "the bundle to be put right")
    one.ready(one.apps)


def test_an_emptied_secret_gets_its_certificates_back(install):
    one = install(replicas=2)
    right = ring(one)
    one.apiserver.api.merge(f"/api/v1/namespaces/{one.namespace}/secrets/{one.account}-certs", {"data": None})
    until(lambda: ring(one) == right, "the Secret to be filled again")
    until(lambda: all(trusts(one, replica) for replica in one.replicas), "every replica to be trusted")


def test_a_deleted_secret_is_made_again_with_the_same_certificates(install):
    one = install()
    right = ring(one)
    one.apiserver.api.delete(f"/api/v1/namespaces/{one.namespace}/secrets/{one.account}-certs")
    until(lambda: one.apiserver.api.find(f"/api/v1/namespaces/{one.namespace}/secrets/{one.account}-certs"), "the Secret to be there again")
    assert ring(one) == right


def test_a_replica_that_starts_later_uses_what_is_there(install):
    one = install()
    right = ring(one)
    later = one.start()
    until(lambda: trusts(one, later), "the later replica to be trusted")
    assert ring(one) == right


def test_an_upgrade_of_the_chart_keeps_certificates_and_bundle(install):
    one = install()
    before = ring(one), bundle(one)
    one.upgrade("injector.logLevel=debug", values=one.values)
    assert (ring(one), bundle(one)) == before


def test_the_account_may_do_nothing_else(install):
    one = install()
    api = one.apiserver
    mine = Api(api.host, api.ca_file, token=api.token(one.namespace, one.account))
    api.api.post(f"/api/v1/namespaces/{one.namespace}/secrets", {"metadata": {"name": "other"}})
    api.api.post(WEBHOOKS, {"metadata": {"name": f"{one.release}-other"}})
    here = f"/api/v1/namespaces/{one.namespace}"
    refused = [
        ("GET", f"{here}/secrets/other", None), ("GET", f"{here}/secrets", None), ("POST", f"{here}/secrets", {"metadata": {"name": "new"}}),
        ("GET", f"{here}/pods", None), ("GET", f"{WEBHOOKS}/{one.release}-other", None), ("GET", WEBHOOKS, None),
        ("GET", "/api/v1/namespaces/default/secrets", None), ("DELETE", f"{here}/secrets/{one.account}-certs", None),
    ]  # fmt: skip
    for method, path, body in refused:
        with pytest.raises(ApiError) as caught:
            mine.request(method, path, body)
        assert caught.value.status == 403, (method, path)
    assert mine.get(f"{here}/secrets/{one.account}-certs")
    api.api.delete(f"{WEBHOOKS}/{one.release}-other")


def test_without_the_api_server_reviews_are_still_answered(install):
    one = install()
    (replica,) = one.replicas
    published = bundle(one)
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "namespace": "x", "operation": "CREATE",
              "object": {"metadata": {"annotations": {}}, "spec": {"containers": []}}}}  # fmt: skip
    one.apiserver.process.pause()
    try:
        context = ssl.create_default_context(cadata=published)
        connection = http.client.HTTPSConnection("127.0.0.1", replica.port, timeout=5)
        connection.sock = _wrapped(context, replica.port, f"{one.service}.{one.namespace}.svc")
        connection.request("POST", "/mutate", json.dumps(review), {"Content-Type": "application/json"})
        assert json.loads(connection.getresponse().read())["response"]["allowed"]
    finally:
        one.apiserver.process.resume()
    one.ready(one.apps)


def test_no_request_fails_while_a_replica_ends(install):
    one = install(replicas=2)
    first, second = one.replicas
    until(lambda: trusts(one, second), "the second replica to be trusted")
    load = Load(one)
    load.more()
    first.process.signal(15)
    until(lambda: not trusts(one, first), "the first replica to be no longer ready")
    # Services learn of it after a while; until then it must go on.
    load.more()
    one.route(second)
    assert first.process.wait_exit() == 0
    load.more()
    assert load.stop() == []


def test_no_request_fails_while_a_certificate_is_exchanged(install):
    one = install(replicas=2)
    load = Load(one)
    load.more()
    before = ring(one)["tls.crt"]
    # One whose Service has another name as well finds that name missing in the certificate.
    hosts = f"{one.service}.{one.namespace}.svc,other.{one.namespace}.svc"
    one.start(AGENT_INJECT_TLS_AUTO_HOSTS=hosts)
    until(lambda: ring(one).get("tls.crt", before) != before or load.failed, "another certificate")
    load.more(20)
    assert load.stop() == []
