"""Secret values that nobody may see: what was registered here is looked for in all that a program says and shows."""

import base64
import re
import secrets

LEAST, MOST = 12, 256  # shorter values occur by chance; of longer ones the beginning tells
TOKENS = re.compile(r"\bhv[sb]\.[\w-]{20,}|\b[sb]\.[A-Za-z0-9]{24}\b|\beyJ[\w-]{16,}\.[\w-]{16,}")

_known = set()


def keep(value):
    """From now on this value is a secret (if it is long enough to be told from other text)."""
    if isinstance(value, str) and len(value) >= LEAST:
        _known.add(value[:MOST])
    return value


def secret(word="canary"):
    return keep(f"{word}-{secrets.token_hex(12)}")


def _forms(value):
    data = value.encode("utf-8", "surrogateescape")
    # Of base64 what does not depend on the bytes after it.
    return value, data.hex(), base64.b64encode(data)[: len(data) // 3 * 4].decode(), value[:24]


def leaks(text):
    """The secrets in a text, in any of their forms; tokens are known by their shape."""
    found = [value for value in list(_known) if any(form in text for form in _forms(value))]
    return found + TOKENS.findall(text)
