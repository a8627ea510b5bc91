"""The injector's certificates on a real API server, with the rights that the chart gives: made, shared, put right, kept; and its end."""

import json

import pytest

from support.apiserver import Api, ApiError
from support.injector import WEBHOOKS, Load
from support.wait import until


def test_replicas_that_start_at_once_on_an_empty_secret_agree(install):
    one = install(replicas=3)
    one.all_trusted()
    assert one.ring()["ca.crt"].strip() in one.bundle()
    for replica in one.replicas:
        one.route(replica)
        one.ready()


def test_a_reset_bundle_is_put_right(install):
    one = install()
    right = one.bundle()
    one.apiserver.api.request("PATCH", one.webhook, [{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}], "application/json-patch+json")
    until(lambda: one.bundle() == right, "the bundle to be put right")
    one.ready()


def test_an_emptied_secret_gets_its_certificates_back(install):
    one = install(replicas=2)
    one.all_trusted()
    right = one.ring()
    one.apiserver.api.merge(one.secret, {"data": None})
    until(lambda: one.ring() == right, "the Secret to be filled again")
    one.all_trusted()


def test_a_deleted_secret_is_made_again_with_the_same_certificates(install):
    one = install(replicas=2)
    one.all_trusted()
    right = one.ring()
    pods = Load(one)
    one.apiserver.api.delete(one.secret)
    until(lambda: one.apiserver.api.find(one.secret), "the Secret to be there again")
    assert one.ring() == right
    pods.more()
    assert pods.stop() == []


def test_a_replica_that_starts_later_uses_what_is_there(install):
    one = install()
    right = one.ring()
    later = one.start()
    until(lambda: one.trusts(later), "the later replica to be trusted")
    assert one.ring() == right


def test_settings_of_the_original_with_a_leader_mean_its_secret(install):
    one = install()
    other = one.start(AMPULE_INJECT_TLS_SECRET="", AGENT_INJECT_USE_LEADER_ELECTOR="true")
    other.process.wait_log(f"namespaces/{one.namespace}/secrets/vault-injector-certs: status 403")


def test_an_upgrade_of_the_chart_keeps_certificates_and_bundle(install):
    one = install()
    before = one.ring(), one.bundle()
    one.upgrade("injector.logLevel=debug", values=one.values)
    assert (one.ring(), one.bundle()) == before


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
        ("GET", "/api/v1/namespaces/default/secrets", None), ("DELETE", one.secret, None),
    ]  # fmt: skip
    for method, path, body in refused:
        with pytest.raises(ApiError) as caught:
            mine.request(method, path, body)
        assert caught.value.status == 403, (method, path)
    assert mine.get(one.secret)
    api.api.delete(f"{WEBHOOKS}/{one.release}-other")


def test_without_the_api_server_reviews_are_still_answered(install):
    one = install()
    (replica,) = one.replicas
    published = one.bundle()
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "namespace": "x", "operation": "CREATE",
              "object": {"metadata": {"annotations": {}}, "spec": {"containers": []}}}}  # fmt: skip
    one.apiserver.process.pause()
    try:
        connection = one.connect(replica, published)
        connection.request("POST", "/mutate", json.dumps(review), {"Content-Type": "application/json"})
        assert json.loads(connection.getresponse().read())["response"]["allowed"]
    finally:
        one.apiserver.process.resume()
    one.ready()


def test_no_request_fails_while_a_replica_ends(install):
    one = install(replicas=2, shutdownGrace="20s")  # until then the API server must know where the other is
    first, second = one.replicas
    until(lambda: one.trusts(second), "the second replica to be trusted")
    load = Load(one)
    load.more()
    first.process.signal(15)
    until(lambda: not one.trusts(first), "the first replica to be no longer ready")
    # Services learn of it after a while; until then it must go on.
    load.more()
    one.route(second)
    assert first.process.wait_exit() == 0
    load.more()
    assert load.stop() == []


def test_no_request_fails_while_a_certificate_is_exchanged(install):
    one = install(replicas=2)
    one.all_trusted()
    load = Load(one)
    load.more()
    before = one.ring()["tls.crt"]
    # One whose Service has another name as well finds that name missing in the certificate.
    hosts = f"{one.hosts[-1]},other.{one.namespace}.svc"
    one.start(AGENT_INJECT_TLS_AUTO_HOSTS=hosts)
    until(lambda: one.ring().get("tls.crt", before) != before or load.failed, "another certificate")
    load.more(20)
    assert load.stop() == []
