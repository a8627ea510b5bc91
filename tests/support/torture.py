"""Kills an agent at random instants, again and again, and looks at what it leaves on disk."""

import os
import random
import subprocess

from .agent import block, template
from .rendering import user

LINES = 8000
STRAY = ".ampule-"


class Torture:
    """Two files that change together, of about 130 KB each, rendered by one agent after the other, none of which lives long."""

    def __init__(self, site, start, folder):
        self._start = start
        self.kv = site.kv2()
        self.folder = folder / "volume"
        self.folder.mkdir()
        self.path = self.kv.path("app")
        self._names = ("first", "second")
        files = [template(user(self.path), self.folder / name) for name in self._names]
        settings = block("template_config", static_secret_render_interval="1s")
        self._config = site.config(site.login(), *files, settings)
        self._last = site.config(site.login(), *files, exit_after_auth=True)
        self._written = [None]
        self.torn, self.killed_in_time = [], 0
        self._longest = 0.2

    def change(self):
        """A new version; each line of it names it."""
        version = f"version-{len(self._written):06d}"
        self.kv.put("app", user=f"{version}\n" * LINES)
        self._written.append(version)

    def kill(self):
        """One more life; returns the agent, dead."""
        self.change()
        one = self._start(self._config)
        try:
            one.popen.wait(random.uniform(0, self._longest))
        except subprocess.TimeoutExpired:
            pass
        one.kill()
        # Lives are to end in the middle, so about half of them before the new files are there.
        finished = self._version("first") == self._written[-1] == self._version("second")
        self.killed_in_time += not finished
        self._longest *= 0.9 if finished else 1.1
        self.check()
        return one

    def _version(self, name):
        """The version that a file holds as a whole, None when it is not there, "torn" for anything else."""
        try:
            text = (self.folder / name).read_text()
        except FileNotFoundError:
            return None
        version = text.partition("\n")[0]
        return version if version in self._written and text == f"{version}\n" * LINES else "torn"

    def check(self):
        self.torn += [(name, len(self._written)) for name in self._names if self._version(name) == "torn"]

    def strays(self):
        return [name for name in os.listdir(self.folder) if name.startswith(STRAY)]

    def finish(self):
        """One agent that may live, to its end."""
        self.change()
        one = self._start(self._last)
        code = one.wait_exit()
        assert code == 0, one.log
        assert [self._version(name) for name in self._names] == [self._written[-1]] * 2
