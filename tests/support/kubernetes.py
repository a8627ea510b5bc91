"""The part of Kubernetes that logins need: service-account tokens and the API that reviews them."""

import base64
import http.server
import json
import os
import pathlib
import ssl
import threading
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import canary

ISSUER = "https://kubernetes.default.svc.cluster.local"


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Cluster:
    """Makes tokens shaped like kubelet's projected ones and answers TokenReview requests about them, over TLS."""

    def __init__(self, authority):
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._known, self.reviews = {}, []
        self.ca_pem = authority.pem
        cert, key = authority.issue("kube-apiserver")
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self._httpd.socket = context.wrap_socket(self._httpd.socket, server_side=True, do_handshake_on_connect=False)
        self._httpd.daemon_threads = True
        self.host = f"https://127.0.0.1:{self._httpd.server_address[1]}"
        self.reviewer = self.token("kube-system", "reviewer")
        threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self._httpd.shutdown()
        self._httpd.server_close()

    @property
    def public_key_pem(self):
        """For jwt logins that check signatures themselves."""
        public = self._key.public_key()
        return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, namespace="default", name="app", audience="https://kubernetes.default.svc", ttl=3600):
        """A signed token; a negative `ttl` makes one that is over."""
        now = int(time.time())
        uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace}/{name}"))
        claims = {
            "aud": [audience],
            "exp": now + ttl,
            "iat": now - 1,
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": namespace,
                "pod": {"name": f"{name}-0", "uid": str(uuid.uuid4())},
                "serviceaccount": {"name": name, "uid": uid},
            },
            "nbf": now - 1,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        head = {"alg": "RS256", "kid": "test", "typ": "JWT"}
        signed = f"{_encode(json.dumps(head).encode())}.{_encode(json.dumps(claims).encode())}"
        token = f"{signed}.{_encode(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
        self._known[canary.keep(token)] = claims
        return token

    def revoke(self, token):
        """As when the pod is deleted: the signature stays good, the review refuses."""
        self._known.pop(token, None)

    def review(self, token, audiences):
        claims = self._known.get(token)
        if claims is None or claims["exp"] <= time.time():
            return {"authenticated": False, "error": "token is expired or not known"}
        if audiences and not set(audiences) & set(claims["aud"]):
            return {"authenticated": False, "error": "token audiences are not the target audiences"}
        account = claims["kubernetes.io"]["serviceaccount"]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{claims['kubernetes.io']['namespace']}", "system:authenticated"]
        user = {"username": claims["sub"], "uid": account["uid"], "groups": groups}
        return {"authenticated": True, "user": user, "audiences": claims["aud"]}

    def _handler(cluster):  # noqa: N805  (the inner class needs the name self)
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or every login waits 40 ms for an acknowledgement

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path != "/apis/authentication.k8s.io/v1/tokenreviews":
                    return self.answer(404, {"kind": "Status", "code": 404})
                cluster.reviews.append(body["spec"]["token"])
                status = cluster.review(body["spec"]["token"], body["spec"].get("audiences"))
                self.answer(201, {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status})

            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        return Handler

    def enable(self, vault, path):
        """Mounts and configures Kubernetes logins that are reviewed here."""
        vault.enable_auth(path, "kubernetes")
        config = {"kubernetes_host": self.host, "kubernetes_ca_cert": self.ca_pem, "token_reviewer_jwt": self.reviewer}
        vault.write(f"auth/{path}/config", disable_local_ca_jwt=True, **config)
        return path


class ProjectedVolume:
    """A folder that changes as kubelet changes one: a new hidden folder, then one swap of the `..data` link."""

    def __init__(self, folder, **files):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._turn = 0
        self.write(**files)

    def write(self, **files):
        """Names use `_` for `.`: `write(token=…, ca_crt=…)`."""
        self._turn += 1
        new = self.folder / f"..{self._turn:04d}"
        new.mkdir()
        for name, content in files.items():
            name = name.replace("_", ".")
            (new / name).write_text(content)
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        old = os.readlink(self.folder / "..data") if self._turn > 1 else None
        (self.folder / "..data_tmp").symlink_to(new.name)
        os.rename(self.folder / "..data_tmp", self.folder / "..data")
        if old:
            for f in (self.folder / old).iterdir():
                f.unlink()
            (self.folder / old).rmdir()

    def __truediv__(self, name):
        return self.folder / name
