"""An OpenID provider: npm's oidc-provider with its own pages, and somebody who logs in there without a browser."""

import html
import http.cookiejar
import json
import pathlib
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from . import canary

TOP = pathlib.Path(__file__).resolve().parent.parent


class Stop(urllib.request.HTTPRedirectHandler):
    """Redirects are for the caller."""

    def redirect_request(self, *_):
        return None


class Provider:
    """`redirects` of a server; the command's own, on any port of loopback, are allowed always."""

    def __init__(self, redirects=()):
        folder = subprocess.run([TOP / "servers" / "real-provider"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.secret = canary.secret()
        device = "urn:ietf:params:oauth:grant-type:device_code"
        local = [f"http://{host}/oidc/callback" for host in ("localhost", "127.0.0.1")]
        clients = [{"client_id": "command", "application_type": "native", "redirect_uris": local, "grant_types": ["authorization_code", device]}]
        if redirects:
            clients.append({"client_id": "server", "redirect_uris": list(redirects)})
        for one in clients:
            one["client_secret"] = self.secret
        self.process = subprocess.Popen(["node", f"{folder}/provider.js", json.dumps({"clients": clients})],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer, "the provider does not start"

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def log_in(self, url, person="anna"):
        """What a browser does until it is sent away from the provider: the address, or the form that it is to post."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), Stop())
        body = None
        for _ in range(20):
            try:
                with opener.open(urllib.request.Request(url, data=body), timeout=60) as answer:
                    page, went = answer.read().decode(), None
            except urllib.error.HTTPError as answer:
                page, went = answer.read().decode(), answer.headers.get("Location")
                assert went, f"{url}: {answer.code}: {page}"
            if went:
                url, body = urllib.parse.urljoin(url, went), None
            else:
                url, fields = self._form(url, page, person)
                if not url.startswith(self.issuer):
                    return url, fields
                body = urllib.parse.urlencode(fields).encode()
            if not url.startswith(self.issuer):
                return url
        raise AssertionError(f"the provider never ends: {url}")

    @staticmethod
    def _form(url, page, person):
        action = re.search(r'<form[^>]* action="([^"]*)"', page)
        assert action, page
        fields = {}
        for field in re.findall(r"<input[^>]*>", page):
            name, value = re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)
            if name:
                fields[name[1]] = html.unescape(value[1]) if value else person
        return urllib.parse.urljoin(url, html.unescape(action[1])), fields


def sent_back(wanted, url):
    """What the command's listener answers to a browser that was sent there: status and page. A tuple is a form."""
    url, fields = url if isinstance(url, tuple) else (url, None)
    request = urllib.request.Request(url, data=urllib.parse.urlencode(fields).encode() if fields else None, **wanted)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
