"""The two template engines as functions: rows of templates in, answers out. The protocol is described in tests/servers/gotemplate/main.go."""
import json
import os
import subprocess
import tempfile

from support import oracle

NOW = "2024-01-02T03:04:05Z"


def build():
    """The oracle's binary, or None."""
    return oracle.build("gotemplate")


def functions(binary):
    """The oracle's functions: name to Go type."""
    out = subprocess.run([binary, "functions"], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in sorted(out.splitlines()))


def answer(line):
    """One answer as text: `=…`, `P!…`, `X!…`, or None and why there is none."""
    got = json.loads(line)
    if "hex" in got:
        return "hex:" + got["hex"], None
    return (got["got"], None) if "got" in got else (None, got.get("skip", "nothing"))


def write_rows(rows, file, store):
    file.write('{"template":"","store":%s}\n' % store.replace("\n", " "))
    for row in rows:
        file.write(json.dumps(row) + "\n")
    file.flush()
    file.seek(0)


def ask(command, rows, store):
    """Answers for all rows, in order. A program that dies answers the row it died of with None, and goes on behind it.

    `store` is JSON text, so that its numbers keep their spelling.
    """
    answers = []
    while len(answers) < len(rows):
        with tempfile.TemporaryFile("w+") as file:
            write_rows(rows[len(answers):], file, store)
            out = subprocess.run(command, stdin=file, capture_output=True, check=False)
        lines = out.stdout.decode("utf-8").split("\n")[1:-1]
        answers += [answer(line) for line in lines]
        if len(answers) < len(rows):
            answers.append((None, f"died with status {out.returncode}: {out.stderr.decode('utf-8', 'replace')[-300:]}"))
    return answers


def ask_ours(bin_dir, rows, store="{}"):
    return ask([os.path.join(bin_dir, "ampule"), "render", "--batch", "--now", NOW], rows, store)


def ask_oracle(binary, rows, store="{}"):
    return ask([str(binary)], rows, store)
