"""deploy/completion.bash in a real bash: what it offers is what the programs take."""

import os
import pathlib
import subprocess

import pytest
from support.agent import program

FILE = pathlib.Path(__file__).resolve().parent.parent.parent / "deploy" / "completion.bash"
# The functions that bash itself calls when somebody presses TAB; compopt works only there.
SCRIPT = 'source "$1"; shift; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ampule; printf "%s\\n" "${COMPREPLY[@]}"'


@pytest.mark.parametrize("words, offered", [
    (["ampule-agent", "-log-f"], {"-log-format=", "-log-file="}),
    (["ampule-agent", "agent", "-exit"], {"-exit-after-auth"}),
    (["ampule-agent", "generate-config", "-pa"], {"-path="}),
    (["ampule-agent", "token", "revoke", "-se"], {"-self"}),
    (["ampule-agent", "pr"], {"probe"}),
    (["ampule-agent", "exec", "-vari"], {"-variable="}),
    (["ampule", "conf"], {"configuration"}),
    (["ampule", "check", "-str"], {"-strict"}),
    (["ampule-agent", "-config", "=", "/etc/passw"], {"/etc/passwd"}),
    (["ampule-agent", "-no-such"], {""}),
])
def test_words_are_completed(words, offered):
    environment = {**os.environ, "PATH": f"{pathlib.Path(program('ampule')).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", SCRIPT, "bash", FILE, *words], env=environment, capture_output=True, text=True, check=True)
    assert offered <= set(done.stdout.split("\n")) and (offered == {""} or done.stdout.strip()), done.stdout
