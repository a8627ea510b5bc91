"""A child process with its output collected, ended by its own handle only."""

import os
import random
import re
import signal
import socket
import subprocess
import threading

from . import wait


_taken = []  # sockets whose names say which ports are ours, as long as this process lives


def free_port():
    """A free port that the kernel gives to nobody by itself, and no other run of the tests either: whoever is told of it may listen there later, and again."""
    least = int(open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii").read().split()[0])

    def free():
        port = random.randrange(10000, least)
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0ampule-test-port-{port}")
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            return None
        _taken.append(mark)
        return port

    return wait.until(free, "a free port")


class Process:
    def __init__(self, argv, env=None, cwd=None, user=None, stdin=subprocess.DEVNULL, preexec_fn=None):
        environment = {"PATH": os.environ["PATH"], "HOME": str(cwd or "/nonexistent"), "LC_ALL": "C.UTF-8", **(env or {})}
        extra = {"user": user, "group": user, "extra_groups": []} if user else {}
        self.argv = [str(a) for a in argv]
        self.out, self.err = [], []
        self.popen = subprocess.Popen(
            self.argv, env=environment, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=preexec_fn, **extra
        )
        self._readers = [self._collect(self.popen.stdout, self.out), self._collect(self.popen.stderr, self.err)]

    @staticmethod
    def _collect(stream, lines):
        def run():
            for line in stream:
                lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    @property
    def pid(self):
        return self.popen.pid

    @property
    def log(self):
        """Everything said so far, on both streams."""
        return "\n".join(self.out + self.err)

    @property
    def running(self):
        return self.popen.poll() is None

    def wait_log(self, pattern, count=1, seconds=wait.DEADLINE):
        """Waits until `pattern` (a regular expression) has matched `count` lines; returns those lines. A bare number would match times and ports."""
        assert re.search("[A-Za-z]", pattern), f"{pattern!r} has no word"

        def found():
            ended = not self.running and not any(r.is_alive() for r in self._readers)  # asked first: then nothing more comes
            hits = [line for line in self.out + self.err if re.search(pattern, line)]
            if len(hits) < count and ended:
                raise AssertionError(f"{self.argv[0]} ended with {self.popen.returncode} before it said {pattern!r}:\n{self.log}")
            return hits if len(hits) >= count else None

        return wait.until(found, lambda: f"{self.argv[0]} to say {pattern!r}; it said:\n{self.log}\n", seconds)

    def wait_exit(self, seconds=wait.DEADLINE):
        """The exit code; negative for a signal. All output has been read by then."""
        try:
            code = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise wait.TimedOut(f"{self.argv[0]} still runs after {seconds:g} s; it said:\n{self.log}") from None
        for reader in self._readers:
            reader.join(10)  # whoever still has the other end may keep it
        return code

    def signal(self, number):
        self.popen.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self, seconds=30.0):
        """SIGTERM; SIGKILL for who does not listen. The exit code."""
        if self.running:
            self.resume()
            self.signal(signal.SIGTERM)
            try:
                return self.wait_exit(seconds)
            except wait.TimedOut:
                self.kill()
        return self.wait_exit()

    def kill(self):
        if self.running:
            self.popen.kill()
        return self.wait_exit()
