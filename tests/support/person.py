"""Somebody at a terminal who logs in, with `ampule login` or with the original's command."""

import fcntl
import os
import pty
import termios

from . import agent, wait
from .process import Process
from .server import binary, openbao


def ours():
    return [agent.program("ampule"), "login"]


def original():
    return [binary(), "login"]


def original_openbao():
    return [openbao(), "login"]


class Person(Process):
    """command(…) in a home of its own, with a terminal as its standard input, which shows whether what is typed is seen."""

    def __init__(self, command, *arguments, home, env=None):
        self.master, slave = pty.openpty()
        home.mkdir(parents=True, exist_ok=True)
        self.home = home

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        super().__init__([*command, *arguments], env={"HOME": str(home), **(env or {})}, cwd=home, stdin=slave, preexec_fn=take_terminal)
        os.close(slave)

    def _echo(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def types(self, text):
        """Once it is asked for something unseen."""
        wait.until(lambda: not self._echo() or not self.running, lambda: f"a question for something unseen; it said:\n{self.log}")
        assert self.running, self.log
        os.write(self.master, text.encode() + b"\n")

    def says(self, text):
        os.write(self.master, text.encode() + b"\n")

    def interrupts(self):
        os.write(self.master, b"\x03")

    @property
    def screen(self):
        """What the terminal itself has shown: the echo of what was typed. Once the program has ended."""
        shown = b""
        os.set_blocking(self.master, False)
        try:
            while piece := os.read(self.master, 4096):
                shown += piece
        except OSError:
            pass
        return shown.decode()

    def stop(self, seconds=30.0):
        code = super().stop(seconds)
        os.close(self.master)
        return code
