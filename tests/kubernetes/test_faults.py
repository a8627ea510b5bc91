"""What goes wrong with certificates on a real API server: age, nonsense, other hands on the same objects; pods are answered all the while."""

import json
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from support.injector import Load
from support.release import Pair
from support.wait import until


def aged(begin, end, leaf=(-1, 29)):
    """A ring whose CA lives from `begin` to `end` days from now."""

    def make(one):
        ca = Pair(begin, end)
        server = Pair(*leaf, issuer=ca, names=one.hosts)
        return {"ca_crt": ca.cert, "ca_key": ca.key, "tls_crt": server.cert, "tls_key": server.key}

    return make


def test_a_ca_that_grows_old_is_followed_by_another_and_no_pod_fails(install):
    one = install(replicas=2, ring=aged(-300, 65))
    old = one.ring()
    until(lambda: "next-ca.crt" in one.ring(), "a next CA")
    until(lambda: one.bundle() == old["ca.crt"] + one.ring()["next-ca.crt"], "both to be published")
    assert one.ring()["tls.crt"] == old["tls.crt"]
    pods = Load(one)
    pods.more()
    # A day later: one that was made two days ago takes its place.
    older = Pair(-2, 363)
    one.set_ring(next__ca_crt=older.cert, next__ca_key=older.key)
    until(lambda: one.ring()["ca.crt"] == older.cert, lambda: "the next CA to take over; " + "\n".join(r.process.log for r in one.replicas))
    pods.more(30)
    assert pods.stop() == []
    ring = one.ring()
    assert ring["old-ca.crt"] == old["ca.crt"] and "next-ca.crt" not in ring and ring["tls.crt"] != old["tls.crt"]
    assert one.bundle() == old["ca.crt"] + older.cert


def test_a_certificate_that_grows_old_is_renewed_under_load(install):
    one = install(replicas=2)
    pods = Load(one)
    pods.more()
    ring = one.ring()
    ca = x509.load_pem_x509_certificate(ring["ca.crt"].encode())
    issuer = Pair(-1, 1)
    issuer.subject, issuer.private = ca.subject, serialization.load_pem_private_key(ring["ca.key"].encode(), None)
    server = Pair(-25, 5, issuer=issuer, names=one.hosts)
    one.set_ring(tls_crt=server.cert, tls_key=server.key)
    until(lambda: one.ring()["tls.crt"] not in (server.cert, ring["tls.crt"]), "a new certificate")
    pods.more(20)
    assert pods.stop() == []
    assert one.ring()["ca.crt"] == ring["ca.crt"]


def test_certificates_that_ended_while_nobody_ran_are_made_anew(install):
    one = install(ring=aged(-400, -35, leaf=(-40, -10)))
    assert "old-ca.crt" not in one.ring()
    assert one.bundle().endswith(one.ring()["ca.crt"])


@pytest.mark.parametrize("field", ["tls_crt", "tls_key", "ca_crt", "ca_key"])
def test_nonsense_in_the_secret_is_replaced_by_what_was_there(install, field):
    one = install()
    right = one.ring()
    one.set_ring(**{field: "nonsense"})
    until(lambda: one.ring() == right, "the Secret to be put right")
    one.ready()


def test_the_ca_of_another_injector_stays_beside_ours(install):
    one = install()
    ours, theirs = one.bundle(), Pair(-1, 3650)
    one.set_bundle(theirs.cert)
    until(lambda: one.bundle() == theirs.cert + ours, "both to be there")
    one.ready()


def test_who_keeps_resetting_the_bundle_is_answered_with_growing_pauses(install):
    one = install()
    right = one.bundle()
    for _ in range(6):
        one.set_bundle("")
        until(lambda: one.bundle() == right, "the bundle to be put right")
    repairs = one.replicas[0].process.log.count("caBundle is put right")
    # Without pauses these resets alone would have been thousands.
    ended = threading.Event()

    def reset():
        while not ended.is_set():
            one.set_bundle("")

    thread = threading.Thread(target=reset)
    thread.start()
    try:
        until(lambda: one.replicas[0].process.log.count("caBundle is put right") > repairs, "one more repair")
    finally:
        ended.set()
        thread.join()
    assert one.replicas[0].process.log.count("caBundle is put right") < repairs + 10
    until(lambda: one.bundle() == right, "the last word")
    one.ready()


def test_a_configuration_that_is_made_again_gets_its_bundle(install):
    one = install()
    right, kept = one.bundle(), one.configuration()
    one.apiserver.api.delete(one.webhook)
    kept["webhooks"][0]["clientConfig"].pop("caBundle")
    kept["metadata"] = {"name": kept["metadata"]["name"]}
    one.apiserver.api.post(one.webhook.rsplit("/", 1)[0], json.loads(json.dumps(kept)))
    until(lambda: one.bundle() == right, "the bundle to be put right")
    one.ready()
