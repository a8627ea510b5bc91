"""What clouds serve their machines: small doubles of metadata services and token endpoints, one handler a path, every request kept."""

import base64
import datetime
import http.server
import json
import ssl
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        self.form = dict(urllib.parse.parse_qsl(body.decode("latin-1")))


class Double:
    """`tls`: certificate and key. `on("GET", "/path", answer)`: `answer(request)` is a status and a body (text, or what becomes JSON)."""

    def __init__(self, tls=None):
        self.requests, self.answers = [], {}
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                double.requests.append(request)
                answer = double.answers.get((self.command, self.path.partition("?")[0]))
                status, said, *headers = answer(request) if answer else (404, "<html>not here</html>")
                data = said.encode() if isinstance(said, str) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Content-Type", "text/plain" if isinstance(said, str) else "application/json")
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.address = f"{'https' if tls else 'http'}://{self.host}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def on(self, method, path, answer):
        self.answers[method, path] = answer if callable(answer) else lambda request: (200, answer)
        return self

    def asked(self, path):
        return [request for request in self.requests if request.path.partition("?")[0] == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def ec2(double, keys, document=None):
    """EC2's metadata service, version 2: without a session's token there is nothing."""
    sessions = set()

    def session(request):
        if not request.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
            return 400, "no life"
        sessions.add(f"session-{len(sessions)}==")
        return 200, f"session-{len(sessions) - 1}=="

    def guarded(said):
        return lambda request: (200, said) if request.headers.get("X-aws-ec2-metadata-token") in sessions else (401, "<html>no session</html>")

    double.on("PUT", "/latest/api/token", session)
    double.on("GET", "/latest/meta-data/iam/security-credentials/", guarded("machine-role"))
    double.on("GET", "/latest/meta-data/iam/security-credentials/machine-role", guarded({"Code": "Success", "Type": "AWS-HMAC", **json_keys(keys)}))
    if document:
        double.on("GET", "/latest/dynamic/instance-identity/document", guarded(document[0]))
        double.on("GET", "/latest/dynamic/instance-identity/signature", guarded(document[1]))
    return double


def json_keys(keys):
    """Keys as containers and machines are given them."""
    names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey", "AWS_SESSION_TOKEN": "Token"}
    return {names[name]: value for name, value in keys.items()} | {"Expiration": "2099-01-01T00:00:00Z"}


class Signer:
    """A cloud's key: RSA, and a certificate of itself."""

    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "signer")])
        begin = datetime.datetime(2026, 1, 1)
        cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key()).serial_number(1)
        cert = cert.not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36500)).sign(self.key, hashes.SHA256())
        self.cert = cert.public_bytes(serialization.Encoding.PEM).decode()
        self.public = self.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.private = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    def sign(self, data):
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def jwt(self, kid="k1", **claims):
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT", "kid": kid}, {"iat": int(time.time()), "exp": int(time.time()) + 600} | claims)]
        text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        return (text + b"." + base64.urlsafe_b64encode(self.sign(text)).rstrip(b"=")).decode()


ACCOUNT = "app@project.iam.gserviceaccount.com"


def google(double, signer):
    """Google Cloud: metadata of a machine that is ACCOUNT, STS, IAM that signs for ACCOUNT, and the keys that a server asks for."""
    place, account = "/computeMetadata/v1/instance/service-accounts/default", f"/v1/projects/-/serviceAccounts/{ACCOUNT}"
    token = "ya29.access-token-of-the-account"

    def machine(answer):
        flavor = {"Metadata-Flavor": "Google"}
        return lambda r: (200, answer(r), flavor) if r.headers.get("Metadata-Flavor") == "Google" else (403, "<html>no flavor</html>")

    def acting(wanted, answer):
        return lambda r: (200, answer(r)) if r.headers.get("Authorization") == f"Bearer {wanted}" else (401, {"error": {"status": "UNAUTHENTICATED"}})

    compute = {"compute_engine": {"project_id": "project", "zone": "z", "instance_id": "1", "instance_name": "vm", "project_number": 1, "instance_creation_timestamp": 1}}
    double.on("GET", f"{place}/email", machine(lambda r: ACCOUNT))
    double.on("GET", f"{place}/", machine(lambda r: {"email": ACCOUNT, "scopes": [], "aliases": ["default"]}))
    double.on("GET", f"{place}/token", machine(lambda r: {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
    double.on("GET", f"{place}/identity", machine(lambda r: signer.jwt(aud=r.query["audience"], sub=ACCOUNT, email=ACCOUNT, google=compute)))
    double.on("POST", "/sts", lambda r: (200, {"access_token": "federated", "expires_in": "3599", "token_type": "Bearer", "issued_token_type": "x"}))
    double.on("POST", f"{account}:generateAccessToken", acting("federated", lambda r: {"accessToken": token, "expireTime": "2099-01-01T00:00:00Z"}))
    double.on("POST", f"{account}:signJwt", acting(token, lambda r: {"keyId": "k1", "signedJwt": signer.jwt(**json.loads(json.loads(r.body)["payload"]))}))
    double.on("POST", "/token", {"access_token": "of-the-server", "expires_in": 3599, "token_type": "Bearer"})
    double.on("GET", account, {"name": f"projects/project/serviceAccounts/{ACCOUNT}", "email": ACCOUNT, "uniqueId": "117", "projectId": "project"})
    double.on("GET", f"/service_accounts/v1/metadata/x509/{ACCOUNT}", {"k1": signer.cert})
    double.on("GET", "/oauth2/v1/certs", {"other": signer.cert})
    return double


def azure(double, signer):
    """Azure: metadata of a machine with a managed identity, and a tenant that knows a secret and a federated token."""

    def token(r, resource):
        return {"access_token": signer.jwt(aud=resource, sub="identity"), "expires_in": "3599", "expires_on": str(int(time.time()) + 3599), "resource": resource, "token_type": "Bearer"}

    def machine(answer):
        return lambda r: (200, answer(r)) if r.headers.get("Metadata") == "true" else (400, {"error": "bad_request_102"})

    def tenant(r):
        known = r.form.get("client_secret") == "secret-of-the-client" or r.form.get("client_assertion") == "eyJ.federated.token"
        refused = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.", "error_codes": [7000215]}
        return (200, {**token(r, r.form["scope"].removesuffix("/.default")), "expires_in": 3599}) if known else (401, refused)

    double.on("GET", "/metadata/identity/oauth2/token", machine(lambda r: token(r, r.query["resource"])))
    double.on("GET", "/metadata/instance", machine(lambda r: {"compute": {"name": "vm-1", "resourceGroupName": "rg", "subscriptionId": "sub", "vmScaleSetName": ""}}))
    double.on("POST", "/tenant/oauth2/v2.0/token", tenant)
    oidc = {"token_endpoint": f"{double.address}/tenant/oauth2/v2.0/token", "authorization_endpoint": f"{double.address}/authorize", "issuer": f"{double.address}/tenant/v2.0"}
    double.on("GET", "/tenant/v2.0/.well-known/openid-configuration", oidc)
    return double
