"""F36 to F53: names, connections, TLS, HTTP."""

import gzip
import socket

from support import spaces
from support.certs import Authority
from support.process import free_port
from support.proxy import Proxy, Tunnel

from .scene import fault

DATA = "/data/app"
SHORT = {"VAULT_CLIENT_TIMEOUT": "5s"}
NAME = "vault.ampule.test"


# -------------------------------------------------------------------------------------------------------------------- names


def named(scene):
    names = spaces.NameServer()
    scene.closing(names.close)
    names.records = {NAME: "127.0.0.1"}
    proxy = Proxy(scene.site.address, scene.site.ca_file, scene.authority, names=(NAME,))
    scene.closing(proxy.close)
    scene.proxy = proxy
    scene.vault = {"address": f"https://{NAME}:{proxy.port}"}
    scene.within = spaces.with_resolver(scene.folder, names.address)
    return names


for code, text in ((spaces.NameServer.NXDOMAIN, "NXDOMAIN"), (spaces.NameServer.SERVFAIL, "SERVFAIL")):

    @fault("F36", f"the name server says {text}", root=True, says="does not resolve", counts="connections")
    def unnamed(scene, code=code):
        names = named(scene)
        scene.up(within=scene.within)
        names.code = code
        scene.proxy.reset_all()
        yield
        names.code = None


@fault("F36", "the name server is silent from the start", root=True, says="does not resolve", counts="connections")
def silent_names(scene):
    names = named(scene)
    answer = names._answer
    names._answer = lambda packet: b""
    scene.begin()
    scene.start(within=scene.within)
    yield
    names._answer = answer


@fault("F36", "the name has another address", root=True, kind="lasts", counts=None)
def moved(scene):
    names = named(scene)
    scene.up(within=scene.within)
    other = Proxy(scene.site.address, scene.site.ca_file, scene.authority, names=(NAME,), host="127.0.0.2", port=scene.proxy.port)
    scene.closing(other.close)
    names.records = {NAME: "127.0.0.2"}
    scene.proxy.refuse()
    yield


# -------------------------------------------------------------------------------------------------------------- connections


@fault("F37", "connections are reset", says="was cut", counts="connections")
def reset(scene):
    scene.up()
    scene.proxy.reset_connections(True)
    yield
    scene.proxy.reset_connections(False)


@fault("F37", "connections are refused", says="connection refused", counts="connections")
def refused(scene):
    scene.up()
    scene.proxy.refuse()
    yield
    scene.proxy.listen()


@fault("F37", "connections are refused from the start", says="connection refused", counts="connections")
def refused_from_the_start(scene):
    scene.proxy.refuse()
    scene.begin()
    scene.start()
    yield
    scene.proxy.listen()


@fault("F37", "each answer ends in a reset", says="reset|lost|closed|connection")
def answers_reset(scene):
    scene.up()
    rule = scene.proxy.reset()
    yield
    rule.remove()


@fault("F38", "half-open: nothing passes, nobody is told", says="no (complete answer|connection) within", counts="connections")
def half_open(scene):
    scene.up(env=SHORT)
    scene.proxy.silence()
    yield
    scene.proxy.resume()


@fault("F39", "a byte a second", says="no complete answer within")
def slow(scene):
    scene.up(env=SHORT)
    rule = scene.proxy.trickle(b'{"data":{"data":{"user":"' + b"x" * 200 + b'"}}}', path=DATA)
    yield
    rule.remove()


# --------------------------------------------------------------------------------------------------------------------- HTTP

GOOD = b'{"data":{"data":{"user":"mallory"},"metadata":{"version":9}}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def chunk(body, size=None):
    return b"%x\r\n%s\r\n" % (len(body) if size is None else size, body)


RAW = {
    "F40": {
        "Content-Length is larger than the body": HEAD + b"Content-Length: 9999\r\n\r\n" + GOOD,
        "the end within a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"ff\r\n" + GOOD,
        "chunks without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(GOOD),
    },
    "F41": {
        "a negative chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + GOOD + b"\r\n0\r\n\r\n",
        "a chunk of 2^64": HEAD + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + GOOD + b"\r\n0\r\n\r\n",
        "a chunk size that is none": HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + GOOD + b"\r\n0\r\n\r\n",
    },
    "F42": {
        "two Content-Lengths": HEAD + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
        "no HTTP": b"\x00\x01 not HTTP at all\r\n\r\n",
    },
    "F43": {
        "a header of 1 MiB": HEAD + b"X-Long: " + b"x" * (1 << 20) + b"\r\nContent-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
        "100,000 headers": HEAD + b"X-Many: x\r\n" * 100000 + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD,
    },
    "F50": {"the end in the middle of a body without a length": HEAD + b"\r\n" + GOOD[:20]},
}


def raw(number, text, data):
    @fault(number, text)
    def bytes_that_are_no_answer(scene):
        scene.up()
        rule = scene.proxy.garbage(data, path=DATA)
        yield
        rule.remove()


for number, answers in RAW.items():
    for text, data in answers.items():
        raw(number, text, data)

BODIES = {
    "F43": {"a body of 20 MiB": b'{"data":{"x":"' + b"a" * (20 << 20) + b'"}}'},
    "F44": {
        "100,000 levels": b"[" * 100000 + b"]" * 100000,
        "NaN": b'{"data":{"data":{"user":NaN}}}',
        "half a document": b'{"data":{"data":{"user":"mal',
    },
    "F45": {"gzip that nobody asked for": gzip.compress(GOOD)},
}


def whole(number, text, body):
    @fault(number, text)
    def body_that_is_no_answer(scene):
        scene.up()
        rule = scene.proxy.answer(200, body, path=DATA)
        yield
        rule.remove()


for number, answers in BODIES.items():
    for text, body in answers.items():
        whole(number, text, body)


# ---------------------------------------------------------------------------------------------------------------------- TLS


def certificate(text, says, **pairs):
    @fault("F47", text, says=says, counts="connections")
    def refused_certificate(scene):
        good = scene.proxy.certificate
        scene.proxy.present(*scene.authority.issue(f"bad-{scene.proxy.port}", **pairs))
        scene.begin()
        scene.start()
        yield
        scene.proxy.present(*good)


certificate("a certificate that has expired", "expired", days=0)
certificate("a certificate for another name", "another.example.net", alternatives=("another.example.net",))


@fault("F47", "a certificate of an unknown authority", says="unknown authority", counts="connections")
def unknown_authority(scene):
    good = scene.proxy.certificate
    scene.proxy.present(*Authority(scene.folder / "other-ca", "Another CA").issue("bad"))
    scene.begin()
    scene.start()
    yield
    scene.proxy.present(*good)


@fault("F48", "the server's authority is exchanged, and the file here follows", kind="ends", counts="connections", says="unknown authority|another CA")
def new_authority(scene):
    other = Authority(scene.folder / "new-ca", "The new CA")
    file = scene.folder / "ca.pem"
    file.write_bytes(scene.proxy.ca_file.read_bytes())
    scene.vault = {"ca_cert": file}
    scene.up()
    scene.proxy.present(*other.issue("new"))
    scene.proxy.reset_all()
    yield
    file.write_bytes(other.file.read_bytes())


@fault("F49", "a client certificate whose key is another's", kind="lasts", counts="connections")
def half_a_pair(scene):
    cert, key = scene.authority.issue(f"client-{scene.proxy.port}")
    pair = [scene.folder / "client.crt", scene.folder / "client.key"]
    pair[0].write_bytes(cert.read_bytes())
    pair[1].write_bytes(key.read_bytes())
    scene.outputs.append(pair[1])
    scene.vault = {"client_cert": pair[0], "client_key": pair[1]}
    scene.up()
    pair[0].write_bytes(scene.authority.issue(f"second-{scene.proxy.port}")[0].read_bytes())
    scene.proxy.reset_all()
    yield


# -------------------------------------------------------------------------------------------------------------- in between


@fault("F51", "the proxy on the way is down", says="proxy|refused", counts="connections")
def proxy_down(scene):
    tunnel = Tunnel(scene.proxy.address, port=free_port())
    scene.closing(tunnel.close)
    scene.up(env={"VAULT_HTTP_PROXY": tunnel.address})
    tunnel.refuse()
    yield
    tunnel.listen()


@fault("F52", "a server with IPv6 only", kind="lasts", counts=None)
def version_6(scene):
    other = Proxy(scene.site.address, scene.site.ca_file, scene.authority, names=("::1",), host="::1", listen=lambda: socket.socket(socket.AF_INET6))
    scene.closing(other.close)
    other.address = f"https://[::1]:{other.port}"
    scene.proxy = other
    scene.up()
    yield


@fault("F53", "idle connections are closed", kind="lasts", counts="connections")
def idle(scene):
    scene.up()
    scene.proxy.reset_all()
    yield


