"""Certificates from elsewhere on a real API server: mounted files, exchanged as a kubelet does, and their CA published."""

import pytest

from support.injector import Load
from support.kubernetes import ProjectedVolume
from support.release import Pair
from support.wait import until

CERTS = {"secretName": "mine", "caName": "ca.crt"}


class Mounted:
    """What is in the mounted Secret: a certificate of a CA of its own."""

    def __init__(self, folder):
        self._folder = folder
        self.ca = Pair(-1, 365)

    def mount(self, release):
        self._names = release.hosts
        self.server = self._server()
        self._volume = ProjectedVolume(self._folder, **self._files())
        return {"/etc/webhook/certs": self._folder}

    def _server(self):
        return Pair(-1, 90, issuer=self.ca, names=self._names)

    def _files(self, **other):
        return {"tls_crt": self.server.cert, "tls_key": self.server.key, "ca_crt": self.ca.cert, **other}

    def renew(self, ca=False):
        self.ca = Pair(-1, 365) if ca else self.ca
        self.server = self._server()
        self._volume.write(**self._files())

    def spoil(self, **files):
        self._volume.write(**self._files(**files))


@pytest.fixture
def mounted(tmp_path):
    return Mounted(tmp_path / "certs")


@pytest.fixture
def one(install, mounted):
    return install(mounts=mounted.mount, certs=CERTS)


def test_the_ca_is_published_and_put_right(one, mounted):
    assert one.bundle() == mounted.ca.cert
    one.set_bundle("")
    until(lambda: one.bundle() == mounted.ca.cert, "the bundle to be put right")
    one.ready()


def test_a_renewed_certificate_is_served_without_a_failed_pod(one, mounted):
    pods = Load(one)
    pods.more()
    mounted.renew()
    until(lambda: one.certificate(one.replicas[0]) == mounted.server.cert, "the new certificate to be served")
    pods.more(20)
    assert pods.stop() == []


def test_another_ca_is_published_before_its_certificate_is_served(one, mounted):
    old = mounted.ca.cert
    pods = Load(one)
    pods.more()
    mounted.renew(ca=True)
    until(lambda: mounted.ca.cert in one.bundle(), "the new CA to be published")
    assert one.bundle() == old + mounted.ca.cert
    until(lambda: one.certificate(one.replicas[0]) == mounted.server.cert, "the new certificate to be served")
    pods.more(20)
    assert pods.stop() == []


@pytest.mark.parametrize("broken", [{"tls_crt": "nonsense"}, {"tls_key": Pair(-1, 1).key}, {"ca_crt": ""}], ids=["certificate", "another's key", "no CA"])
def test_what_cannot_be_served_leaves_the_old_one(one, mounted, broken):
    right = mounted.server.cert
    mounted.spoil(**broken)
    one.replicas[0].process.wait_log("certificate not taken over")
    assert one.certificate(one.replicas[0]) == right
    one.ready()
    mounted.renew()
    until(lambda: one.certificate(one.replicas[0]) == mounted.server.cert, "the next certificate to be served")


def test_a_mounted_certificate_needs_nothing_of_the_api_server(install, mounted):
    """Who publishes its CA is somebody else."""
    one = install(replicas=0, mounts=mounted.mount, certs={"secretName": "mine"})
    one.set_bundle(mounted.ca.cert)
    one.started(1)
    assert "caBundle" not in one.replicas[0].process.log
