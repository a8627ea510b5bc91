"""Keys and certificates that templates make: what sprig would have made, byte for byte but for what is random, and valid."""
import base64
import datetime
import json
import os
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from support import gotemplate

BIN = os.environ.get("AMPULE_BIN", "build/bin")
EACH = re.compile(r"-----BEGIN ([A-Z ]+)-----\n.*?-----END \1-----\n", re.S)


@pytest.fixture(scope="session")
def oracle():
    binary = gotemplate.build()
    if not binary:
        pytest.skip("the oracle cannot be built here")
    return binary


def ours(template):
    (text, why), = gotemplate.ask_ours(BIN, [{"template": template, "data": "null", "flags": ""}])
    assert text is not None, why
    return text


def theirs(oracle, template):
    (text, why), = gotemplate.ask_oracle(oracle, [{"template": template, "data": "null", "flags": ""}])
    assert text is not None, why
    return text


def pem(key):
    eight = isinstance(key, ed25519.Ed25519PrivateKey)
    form = serialization.PrivateFormat.PKCS8 if eight else serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def eight(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p224": ec.generate_private_key(ec.SECP224R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def fields(cert):
    """All but what is random: the serial number, the times, the signature."""
    return {
        "version": cert.version,
        "algorithm": cert.signature_algorithm_oid.dotted_string,
        "issuer": cert.issuer.public_bytes(),
        "subject": cert.subject.public_bytes(),
        "days": cert.not_valid_after_utc - cert.not_valid_before_utc,
        "key": cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        "extensions": [(e.oid.dotted_string, e.critical, e.value.public_bytes()) for e in cert.extensions],
    }


def parts(text):
    """Certificate fields and key text of a `{{.Cert}}{{.Key}}`."""
    assert text.startswith("=-----BEGIN CERTIFICATE-----"), text
    blocks = [m.group(0) for m in EACH.finditer(text[1:])]
    assert "".join(blocks) == text[1:]
    return x509.load_pem_x509_certificate(blocks[0].encode()), blocks[1]


def both_pem(expression):
    return "{{$c := " + expression + "}}{{$c.Cert}}{{$c.Key}}"


NAMES = ["ca", "", "my ca", "a*b", "a&b", "ünïcode", "a'b()+,-./:=?", "x" * 64]


@pytest.mark.parametrize("kind", KEYS)
def test_an_authority_with_a_given_key_has_the_originals_fields(oracle, kind):
    for name in NAMES if kind in ("rsa", "p256") else NAMES[:2]:
        template = both_pem(f"sprig_genCAWithKey {json.dumps(name, ensure_ascii=False)} 365 {json.dumps(pem(KEYS[kind]))}")
        got, got_key = parts(ours(template))
        want, want_key = parts(theirs(oracle, template))
        assert fields(got) == fields(want)
        assert got_key == want_key


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_in_pkcs8_is_written_as_the_original_writes_it(oracle, kind):
    template = both_pem(f'sprig_genCAWithKey "ca" 1 {json.dumps(eight(KEYS[kind]))}')
    assert parts(ours(template))[1] == parts(theirs(oracle, template))[1]


REQUESTS = [
    ('nil', 'nil', 10),
    ('(sprig_list)', '(sprig_list)', 0),
    ('(sprig_list "1.2.3.4" "::1" "::ffff:9.8.7.6" "2001:DB8::0:1")', '(sprig_list "a.example" "*.b")', 3650),
    ('nil', '(sprig_list "" "one")', -1),
    ('(sprig_list "10.0.0.1")', 'nil', 20000),
    ('nil', '(sprig_list ' + " ".join(f'"host-{n}.example.com"' for n in range(200)) + ")", 106751),
]


@pytest.mark.parametrize("request_number", range(len(REQUESTS)))
@pytest.mark.parametrize("name", ["leaf", ""])
def test_a_self_signed_certificate_has_the_originals_fields(oracle, request_number, name):
    addresses, hosts, days = REQUESTS[request_number]
    template = both_pem(f'sprig_genSelfSignedCertWithKey "{name}" {addresses} {hosts} {days} {json.dumps(pem(KEYS["p256"]))}')
    got, want = parts(ours(template))[0], parts(theirs(oracle, template))[0]
    assert fields(got) == fields(want)
    if name:
        got.verify_directly_issued_by(got)


@pytest.mark.parametrize("ca", KEYS)
@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
def test_a_signed_certificate_has_the_originals_fields_and_verifies(oracle, ca, kind):
    authority = parts(theirs(oracle, both_pem(f'sprig_genCAWithKey "the ca" 365 {json.dumps(pem(KEYS[ca]))}')))
    blocks = [authority[0].public_bytes(serialization.Encoding.PEM).decode(), authority[1]]
    custom = " ".join(json.dumps(base64.b64encode(block.encode()).decode()) for block in blocks)
    for name in ("leaf", "the ca"):
        template = both_pem(f'sprig_genSignedCertWithKey "{name}" (sprig_list "1.2.3.4") (sprig_list "a.example") 30 '
                            f"(sprig_buildCustomCert {custom}) {json.dumps(pem(KEYS[kind]))}")
        got, want = parts(ours(template))[0], parts(theirs(oracle, template))[0]
        assert fields(got) == fields(want)
        got.verify_directly_issued_by(authority[0])


def test_a_foreign_authority_is_named_as_its_certificate_names_it(oracle):
    key = KEYS["p384"]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Org & Söhne"),
                      x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
    now = datetime.datetime.now(datetime.timezone.utc)
    for with_id in (True, False):
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
                   .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)))
        if with_id:
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        root = builder.sign(key, hashes.SHA384())
        custom = " ".join(json.dumps(base64.b64encode(block).decode())
                          for block in (root.public_bytes(serialization.Encoding.PEM), eight(key).encode()))
        template = both_pem(f'sprig_genSignedCertWithKey "leaf" nil nil 30 (sprig_buildCustomCert {custom}) {json.dumps(pem(KEYS["rsa"]))}')
        got, want = parts(ours(template))[0], parts(theirs(oracle, template))[0]
        assert fields(got) == fields(want)
        got.verify_directly_issued_by(root)


def test_a_foreign_key_does_not_sign_for_an_authority(oracle):
    authority = parts(ours(both_pem(f'sprig_genCAWithKey "ca" 365 {json.dumps(pem(KEYS["p256"]))}')))[0]
    custom = " ".join(json.dumps(base64.b64encode(block).decode())
                      for block in (authority.public_bytes(serialization.Encoding.PEM), pem(KEYS["p384"]).encode()))
    template = f'{{{{$ca := sprig_buildCustomCert {custom}}}}}{{{{sprig_genSignedCert "leaf" nil nil 30 $ca}}}}'
    assert ours(template) == theirs(oracle, template)
    assert "doesn't match parent's PublicKey" in ours(template)


def test_new_keys_and_authorities_sign_what_they_should():
    text = ours('{{$ca := sprig_genCA "ca" 365}}{{$leaf := sprig_genSignedCert "leaf" (sprig_list "127.0.0.1") (sprig_list "localhost") 30 $ca}}'
                '{{$ca.Cert}}{{$ca.Key}}{{$leaf.Cert}}{{$leaf.Key}}')
    ca, ca_key, leaf, leaf_key = [m.group(0).encode() for m in EACH.finditer(text[1:])]
    ca, leaf = x509.load_pem_x509_certificate(ca), x509.load_pem_x509_certificate(leaf)
    leaf.verify_directly_issued_by(ca)
    for cert, key in ((ca, ca_key), (leaf, leaf_key)):
        private = serialization.load_pem_private_key(key, None)
        assert private.public_key() == cert.public_key()
        assert private.key_size == 2048
        assert 0 <= cert.serial_number < 2**128
    assert ca.serial_number != leaf.serial_number


def test_a_new_self_signed_certificate_has_a_key_of_its_own():
    cert, key = parts(ours(both_pem('sprig_genSelfSignedCert "self" nil (sprig_list "self.example") 5')))
    assert serialization.load_pem_private_key(key.encode(), None).public_key() == cert.public_key()
    cert.verify_directly_issued_by(cert)


@pytest.mark.parametrize("kind,label,check", [
    ("rsa", "RSA PRIVATE KEY", lambda key: key.key_size == 4096),
    ("", "RSA PRIVATE KEY", lambda key: key.key_size == 4096),
    ("ecdsa", "EC PRIVATE KEY", lambda key: key.curve.name == "secp256r1"),
    ("ed25519", "PRIVATE KEY", lambda key: isinstance(key, ed25519.Ed25519PrivateKey)),
])
def test_a_new_private_key_is_of_the_form_that_go_writes(kind, label, check):
    text = ours(f'{{{{sprig_genPrivateKey "{kind}"}}}}')[1:]
    key = serialization.load_pem_private_key(text.encode(), None)
    assert EACH.fullmatch(text).group(1) == label
    assert check(key)
    assert text == pem(key)
