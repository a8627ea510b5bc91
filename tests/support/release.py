"""A release of the chart that only looks at one namespace, and its certificates: what tests read of them, change, and make by hand."""

import base64
import datetime
import http.client
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import wait
from .injector import Installed
from .site import unique


class Pair:
    """A certificate from `begin` to `end` days from now, with its key; without an issuer it is a CA."""

    def __init__(self, begin, end, issuer=None, names=()):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server" if issuer else f"CA {unique('ca')}")])
        builder = x509.CertificateBuilder(issuer.subject if issuer else self.subject, self.subject, self.private.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + datetime.timedelta(days=begin)).not_valid_after(now + datetime.timedelta(days=end))
        builder = builder.add_extension(x509.BasicConstraints(not issuer, None), True)
        if issuer:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        self.cert = builder.sign((issuer or self).private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
        self.key = self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


class Release(Installed):
    """`apps` is the namespace; pods that ask are refused there while no injector answers."""

    def __init__(self, apiserver, folder, **injector):
        name = unique("ampule")
        self.apps = apiserver.namespace(unique("apps"), injector=name)
        webhook = {"failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {"injector": name}}}
        self.values = {"global": {"externalVaultAddr": "https://127.0.0.1:1"}, "injector": {"webhook": webhook, **injector}}
        super().__init__(apiserver, folder / name, name, values=self.values, release=name)
        self.secret = f"/api/v1/namespaces/{self.namespace}/secrets/{self.account}-certs"

    def started(self, replicas):
        """With so many replicas at once, the first of them called."""
        started = [self.start() for _ in range(replicas)]
        self.route(started[0])
        self.ready(self.apps)
        return self

    def ready(self, namespace=None):
        super().ready(namespace or self.apps)

    @property
    def hosts(self):
        """The names of the Service."""
        return [self.service, f"{self.service}.{self.namespace}", f"{self.service}.{self.namespace}.svc"]

    def bundle(self):
        return base64.b64decode(self.configuration()["webhooks"][0]["clientConfig"].get("caBundle", "")).decode()

    def set_bundle(self, text):
        encoded = base64.b64encode(text.encode()).decode()
        self.apiserver.api.request("PATCH", self.webhook, [{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": encoded}],
                                   "application/json-patch+json")  # fmt: skip

    def ring(self):
        return {key: base64.b64decode(value).decode() for key, value in (self.certificates().get("data") or {}).items()}

    def set_ring(self, **fields):
        """`ca_crt` is the field ca.crt; None removes one."""
        data = {name.replace("__", "-").replace("_", "."): text and base64.b64encode(text.encode()).decode() for name, text in fields.items()}
        self.apiserver.api.merge(self.secret, {"data": data})

    # -------------------------------------------------------------------------------------- asking a replica as the API server does

    def connect(self, replica, bundle=None):
        """A connection to that replica by the Service's name, for those who trust the published CAs."""
        context = ssl.create_default_context(cadata=bundle or self.bundle())
        connection = http.client.HTTPSConnection("127.0.0.1", replica.port, timeout=60)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", replica.port), 60), server_hostname=self.hosts[-1])
        return connection

    def certificate(self, replica):
        """The one that it serves."""
        return ssl.get_server_certificate(("127.0.0.1", replica.port))

    def all_trusted(self):
        """Waits until every replica holds certificates: from then on none makes others of its own."""
        wait.until(lambda: all(self.trusts(replica) for replica in self.replicas), "every replica to be trusted")

    def trusts(self, replica):
        """Whether that replica is ready and has a certificate that the API server takes."""
        try:
            connection = self.connect(replica)
        except (OSError, ssl.SSLError):
            return False
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 204
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
