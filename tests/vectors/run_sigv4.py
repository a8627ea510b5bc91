#!/usr/bin/env python3
"""Signatures of AWS: botocore is asked again about every row of sigv4/cases.jsonl. Ampule's own answers: tests/unit/identity/test_sigv4.c.

usage: run_sigv4.py BIN_DIR
"""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
KEY, SECRET, MOMENT = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z"


def canonical_query(query):
    """botocore takes a URL's query as it is; the rule is to decode and encode it once."""
    from urllib.parse import quote, unquote

    pairs = [part.partition("=") for part in query.split("&") if part]
    return "&".join("=".join(quote(unquote(text), safe="-_.~") for text in (name, value)) for name, value in sorted((quote(unquote(n), safe="-_.~"), v) for n, _, v in pairs))


def signature(row):
    """By botocore's own steps; the moment is the row's, and the path is normalised unless the row keeps it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.compat import HTTPHeaders
    from botocore.credentials import Credentials

    class Auth(SigV4Auth):
        def _normalize_url_path(self, path):
            from urllib.parse import quote

            return quote(path, safe="/~") if row.get("as_it_is") else super()._normalize_url_path(path)

    headers = HTTPHeaders()
    for name, value in row["headers"]:
        headers.add_header(name, " ".join(value.split()))
    host = dict((name.lower(), value) for name, value in row["headers"])["host"].strip()
    request = AWSRequest(method=row["method"], url=f"https://{host}{row['path']}?{canonical_query(row['query'])}".rstrip("?"), data=row["body"].encode(), headers={})
    request.headers = headers
    request.context["timestamp"] = MOMENT
    headers["X-Amz-Date"] = MOMENT
    if row.get("token"):
        headers["X-Amz-Security-Token"] = row["token"]
    auth = Auth(Credentials(KEY, SECRET, row.get("token")), row.get("service", "service"), row.get("region", "us-east-1"))
    canonical = auth.canonical_request(request)
    return canonical, auth.signature(auth.string_to_sign(request, canonical), request)


def main():
    passed = failed = 0
    for line in (HERE / "sigv4/cases.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        canonical, found = signature(row)
        if (canonical, found) == (row["canonical"], row["signature"]):
            passed += 1
            continue
        failed += 1
        print(f"FAIL {row['id']}\n{canonical}\nnot\n{row['canonical']}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    if "AMPULE_CLOUDS" not in os.environ:
        python = HERE.parent / "support/python"
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:]], env=os.environ | {"REQUIREMENTS": "clouds.txt", "AMPULE_CLOUDS": "1"}, check=False).returncode)
    sys.exit(main())
