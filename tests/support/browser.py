"""A real browser without a window: Debian's chromium, driven by its own protocol through a pipe."""

import itertools
import json
import os
import shutil
import subprocess

from . import wait


def program():
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


class Browser:
    """Certificates are not its business here. Pages are asked again and again until they are as wanted."""

    def __init__(self, folder):
        down, up = os.pipe(), os.pipe()
        arguments = ["--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
                     "--ignore-certificate-errors", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", "--disable-background-networking", "--headless", "--no-sandbox", "about:blank"]
        # The protocol's descriptors have fixed numbers.
        self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{down[0]} 4>&{up[1]}', "bash", program(), *arguments], cwd=folder,
                                        env={"PATH": os.environ["PATH"], "HOME": str(folder)}, pass_fds=(down[0], up[1]),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down[0])
        os.close(up[1])
        self._to, self._from = os.fdopen(down[1], "wb", 0), os.fdopen(up[0], "rb")
        self._numbers = itertools.count(1)
        self._rest = b""

    def _read(self):
        while b"\0" not in self._rest:
            piece = os.read(self._from.fileno(), 65536)
            assert piece, "the browser ended"
            self._rest += piece
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, session=None, **params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        self._to.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            pass  # events
        return answer.get("result"), answer.get("error")

    def page(self):
        """A page with cookies of its own."""
        return Page(self)

    def stop(self):
        self._to.close()  # which ends it
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._from.close()


class Page:
    def __init__(self, browser):
        self.browser = browser
        context = browser.ask("Target.createBrowserContext")[0]["browserContextId"]
        target = browser.ask("Target.createTarget", url="about:blank", browserContextId=context)[0]["targetId"]
        self.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)[0]["sessionId"]

    def goes_to(self, url):
        self.browser.ask("Page.navigate", self.session, url=url)

    def evaluate(self, script):
        """None while one page gives way to another."""
        result, error = self.browser.ask("Runtime.evaluate", self.session, expression=script, returnByValue=True)
        return None if error or "exceptionDetails" in result else result["result"].get("value")

    @property
    def text(self):
        return self.evaluate("document.body && document.body.innerText") or ""

    @property
    def url(self):
        return self.evaluate("location.href")

    def waits_for(self, script, seconds=60.0):
        return wait.until(lambda: self.evaluate(f"document.readyState !== 'loading' && !!({script})"), lambda: f"{script} at {self.url}:\n{self.text}\n", seconds)

    def shows(self, text):
        return wait.until(lambda: text in self.text, lambda: f"{text!r} at {self.url}:\n{self.text}\n", 60.0)

    def submits(self, script):
        """The form of what the script finds, once it is there."""
        self.waits_for(script)
        self.evaluate(f"({script}).form.submit(); true")

    def logs_in(self, person="anna"):
        """At the provider: its login page, then its consent page."""
        self.waits_for("document.querySelector('input[name=login]')")
        self.evaluate(f"document.querySelector('input[name=login]').value = {json.dumps(person)};"
                      "document.querySelector('input[name=password]').value = 'any'; true")
        self.submits("document.querySelector('input[name=login]')")
        self.submits("document.querySelector('input[name=prompt][value=consent]')")
