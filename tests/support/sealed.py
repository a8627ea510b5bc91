"""Sealed tokens opened by another's cryptography."""

import base64
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def raw(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def unsealed(key, text, derive_key=False, aad=""):
    """The token, for who has the key."""
    sealed = {name: base64.b64decode(value) for name, value in json.loads(text).items()}
    theirs, ours = sealed["curve25519_public_key"], raw(key.public_key())
    secret = key.exchange(X25519PublicKey.from_public_bytes(theirs))
    if derive_key:
        low, high = sorted((theirs, ours))
        secret = HKDF(hashes.SHA256(), 32, low, high).derive(secret)
    return AESGCM(secret).decrypt(sealed["nonce"], sealed["encrypted_payload"], aad.encode()).decode()
