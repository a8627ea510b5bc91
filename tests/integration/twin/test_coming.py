"""deploy/COMING-FROM-VAULT-AGENT.md: every claim names what executes it, and that is there, and says so."""

import pathlib
import re
import subprocess

import pytest
from support.agent import original, program

from . import differences
from .test_twin import FAMILIES

TESTS = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = TESTS.parent / "deploy" / "COMING-FROM-VAULT-AGENT.md"
AUTH = 'auto_auth {\n method "%s" {\n config { %s }\n }\n sink "file" { config { path = "/tmp/x" } }\n}\n'
GIVEN = AUTH % ("token_file", 'token_file_path = "/t"')
ABSENT = {
    "cache": GIVEN + 'cache { }\nlistener "tcp" { address = "127.0.0.1:0" tls_disable = true }\n',
    "telemetry": GIVEN + 'telemetry { disable_hostname = true }\n',
    "alicloud": AUTH % ("alicloud", 'role = "x" region = "y"'),
    "cf": AUTH % ("cf", 'role = "x"'),
    "oci": AUTH % ("oci", 'role = "x" type = "apikey"'),
}


def claims():
    """(section, what, [who shows it])."""
    section = ""
    for line in PAGE.read_text().splitlines():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        if line.startswith("| ") and line != "| what | shown by |":
            what, shown = line.strip("| ").split(" | ")
            yield section, what, shown.split("; ")


def other():
    return {row.scenario for row in differences.BETTER} | {row.witness for row in differences.SAVED}


def test_every_claim_is_executed():
    names = {scenario.name for rows in FAMILIES.values() for scenario in rows}
    wrong = []
    for section, what, shown in claims():
        for one in shown:
            kind, _, name = one.partition(": ")
            if kind == "twin":
                # Whether there is a difference is what the section says.
                fits = name in names and (section in ("Better", "Otherwise")) == (name in other())
            else:
                found = [path.read_text() for path in TESTS.rglob(f"{kind}.py")]
                fits = any(re.search(rf"^def {re.escape(name)}\(" if name else r"^def test_", text, re.M) for text in found)
            if not fits:
                wrong.append(f"{section}: {what}: {one}")
    assert not wrong, "\n".join(wrong)
    assert {section for section, _, _ in claims()} == {"The same", "Better", "Otherwise", "Not there"}


def test_every_difference_that_is_meant_is_told():
    told = {one.removeprefix("twin: ") for _, _, shown in claims() for one in shown}
    reasons = {row.because for row in differences.BETTER}
    untold = reasons - {row.because for row in differences.BETTER if row.scenario in told}
    assert untold <= SMALL, untold


# What nobody who comes needs to know.
SMALL = {
    "a path means what it says before the folder is made",
    "a mode may be written as in a template",
    "a mode that holds more than a mode is refused, as by OpenBao",
    "what a program starts can be ended with it",
    "signals that mean nothing to the agent are for its program",
}


@pytest.mark.skipif(original(), reason="it is there in the original")
@pytest.mark.parametrize("name", ABSENT)
def test_what_is_not_there_is_refused_by_its_name(name, tmp_path):
    (tmp_path / "agent.hcl").write_text(ABSENT[name])
    done = subprocess.run([program("ampule"), "check", "-strict", f"-config={tmp_path}/agent.hcl"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and (f"{name} is not supported" in said or re.search(f"{name}: .*nothing is (kept|measured)", said)), said
