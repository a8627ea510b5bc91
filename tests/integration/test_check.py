"""`ampule check` and the agent agree: what one refuses the other refuses, in the same words and with file and line."""

import re
import subprocess

import pytest
from support.agent import Agent, program

AUTH = 'auto_auth { method "token_file" { config = { token_file_path = "TOKEN" } } }'
TEMPLATE = 'template { destination = "OUT" contents = "x" }'
VAULT = 'vault { address = "http://127.0.0.1:1" }'

# What is wrong, the configuration, and words of the refusal.
REFUSED = {
    "user name and password": (f'vault {{ address = "http://user:hunter2@127.0.0.1:1" }}\n{AUTH}\n{TEMPLATE}', "user name or password"),
    "a port too high": (f'vault {{ address = "http://127.0.0.1:99999" }}\n{AUTH}\n{TEMPLATE}', "99999.*not a URL"),
    "a query": (f'vault {{ address = "http://127.0.0.1:1/?a=b" }}\n{AUTH}\n{TEMPLATE}', r'must end before "\?"'),
    "another scheme": (f'vault {{ address = "ftp://127.0.0.1:1" }}\n{AUTH}\n{TEMPLATE}', "scheme"),
    "no scheme": (f'vault {{ address = "127.0.0.1:8200" }}\n{AUTH}\n{TEMPLATE}', "scheme is missing"),
    "no host": (f'vault {{ address = "http://" }}\n{AUTH}\n{TEMPLATE}', "vault: address"),
    "a socket's relative path": (f'vault {{ address = "unix://run/x" }}\n{AUTH}\n{TEMPLATE}', "absolute path"),
    "a blank in the namespace": (f'vault {{ address = "http://127.0.0.1:1" namespace = "a b" }}\n{AUTH}\n{TEMPLATE}', "vault.namespace: .*blank"),
    "a line break in the mount": (
        f'{VAULT}\nauto_auth {{ method "kubernetes" {{ mount_path = "auth/a\\nb" config = {{ role = "r" }} }} }}\n{TEMPLATE}',
        "mount_path: .*blank"),
    "an empty option": (f'{VAULT}\nauto_auth {{ method "kubernetes" {{ config = {{ role = "" }} }} }}\n{TEMPLATE}', "role: is missing"),
    "an option of another type": (
        f'{VAULT}\nauto_auth {{ method "kubernetes" {{ config = {{ role = ["r"] }} }} }}\n{TEMPLATE}', "role: must be a string"),
    "a flag that is none": (
        f'{VAULT}\nauto_auth {{ method "jwt" {{ config = {{ path = "TOKEN" role = "r" remove_jwt_after_reading = "maybe" }} }} }}\n{TEMPLATE}',
        "remove_jwt_after_reading: must be true or false"),
    "a period of nothing": (
        f'{VAULT}\nauto_auth {{ method "jwt" {{ config = {{ path = "TOKEN" role = "r" jwt_read_period = "0s" }} }} }}\n{TEMPLATE}',
        "jwt_read_period: must be a duration above zero"),
    "a back-off above its maximum": (
        f'{VAULT}\nauto_auth {{ method "token_file" {{ min_backoff = "10m" config = {{ token_file_path = "TOKEN" }} }} }}\n{TEMPLATE}',
        "min_backoff"),
    "a maximum below the usual back-off": (
        f'{VAULT}\nauto_auth {{ method "token_file" {{ max_backoff = "1s" config = {{ token_file_path = "TOKEN" }} }} }}\n{TEMPLATE}',
        "max_backoff"),
    "half a client certificate": (f'vault {{ address = "https://127.0.0.1:1" client_cert = "CERT" }}\n{AUTH}\n{TEMPLATE}', "given together"),
    "a CA file without a certificate": (f'vault {{ address = "https://127.0.0.1:1" ca_cert = "TOKEN" }}\n{AUTH}\n{TEMPLATE}', "TOKEN"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_agent_refuses_check_refuses_with_file_and_line(tmp_path, authority, what):
    text, words = REFUSED[what]
    (tmp_path / "token").write_text("none")
    cert, _ = authority.issue("someone")
    for name, path in {"TOKEN": tmp_path / "token", "OUT": tmp_path / "out", "CERT": cert}.items():
        text, words = text.replace(f'"{name}"', f'"{path}"'), words.replace(name, str(path))
    agent = Agent(tmp_path / "agent", text)
    try:
        assert agent.wait_exit() == 1, agent.log
        said = subprocess.run([program("ampule"), "check", f"-config={agent.config}"], capture_output=True, text=True, check=False)
        assert said.returncode == 1, said.stdout
        lines = [line for line in said.stdout.splitlines() if re.search(words, line)]
        assert lines and all(re.match(re.escape(str(agent.config)) + r":\d+:\d+: error: ", line) for line in lines), said.stdout
        assert re.search(words, agent.log), agent.log
        assert "hunter2" not in agent.log + said.stdout
    finally:
        agent.stop()


def test_files_that_are_not_here_are_only_warned_of(tmp_path):
    config = tmp_path / "a.hcl"
    config.write_text(f'vault {{ address = "https://127.0.0.1:1" ca_cert = "/elsewhere/ca.pem" }}\n{AUTH}\n{TEMPLATE}'.replace("OUT", str(tmp_path / "out")))
    said = subprocess.run([program("ampule"), "check", f"-config={config}"], capture_output=True, text=True, check=False)
    assert said.returncode == 0 and re.search(r"a\.hcl:1:\d+: warning: vault: .*/elsewhere/ca\.pem", said.stdout), said.stdout


@pytest.mark.parametrize("name, written, bits, words", [
    ("a.json", "640", 0o200, r"640 is a decimal number.*0200.*\"0640\""),
    ("a.json", "416", 0o640, None),
    ("a.json", '"4755"', 0o755, "of 4755 only 0755 has an effect"),
    ("a.yaml", "600", 0o130, r"600 is a decimal number.*0130"),
    ("a.yaml", "0600", 0o600, None),
    ("a.yaml", "384", 0o600, None),
    ("a.hcl", "0777", 0o777, None),
    ("a.hcl", "644", 0o204, r"644 is a decimal number.*0204"),
    ("a.hcl", '"1777"', 0o777, "of 1777 only 0777 has an effect"),
])
def test_permission_bits_are_those_of_the_original_and_odd_ones_are_warned_of(site, agent, tmp_path, name, written, bits, words):
    """Bits above 0777 never reach chmod there, and a number of JSON or YAML is decimal."""
    out = tmp_path / "out"
    text = {
        "a.json": '{"auto_auth":{"method":[{"type":"token_file","config":{"token_file_path":"%s"}}]},"vault":{"address":"%s","ca_cert":"%s"},'
                  '"exit_after_auth":true,"template":[{"contents":"x","destination":"%s","perms":%s}]}',
        "a.yaml": "auto_auth: {method: [{type: token_file, config: {token_file_path: '%s'}}]}\nvault: {address: '%s', ca_cert: '%s'}\n"
                  "exit_after_auth: true\ntemplate: [{contents: x, destination: '%s', perms: %s}]\n",
        "a.hcl": 'auto_auth { method "token_file" { config = { token_file_path = "%s" } } }\nvault { address = "%s" ca_cert = "%s" }\n'
                 'exit_after_auth = true\ntemplate { contents = "x" destination = "%s" perms = %s }\n',
    }[name]
    token = tmp_path / "token"
    token.write_text(site.vault.token)
    config = tmp_path / name
    config.write_text(text % (token, site.address, site.ca_file, out, written))
    one = agent("", f"-config={config}")
    assert one.wait_exit() == 0, one.log
    assert out.stat().st_mode & 0o7777 == bits
    assert bool(re.search(words or r"decimal|effect", one.log)) == bool(words), one.log
