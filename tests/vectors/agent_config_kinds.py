"""Configurations of every kind that the rows of agent-configs.jsonl are not: every key with values of every type, in HCL and in JSON,
contradictions between keys, several files and folders, odd spellings, variables and flags.

agent-config-kinds.jsonl holds what Vault Agent and OpenBao Agent say to each. To ask them again:

    python3 tests/vectors/agent_config_kinds.py /path/to/vault /path/to/bao >tests/vectors/agent-config-kinds.jsonl
"""
import concurrent.futures
import copy
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

BASE = {
    "vault": {"address": "http://127.0.0.1:1"},
    "auto_auth": {
        "method": {"type": "approle", "config": {"role_id_file_path": "/nowhere/r"}},
        "sink": {"type": "file", "config": {"path": "/tmp/kinds-sink"}},
    },
    "template": {"contents": "x", "destination": "/tmp/kinds-out"},
}
SUPERVISED = {
    "vault": BASE["vault"],
    "auto_auth": {"method": BASE["auto_auth"]["method"]},
    "env_template": {"NAME": {"contents": "x"}},
    "exec": {"command": ["/bin/true"]},
}
VALUES = {
    "word": "x", "empty": "", "time": "5m", "digits": "12", "yes": "true", "one": 1, "large": 4000000000, "huge": 10 ** 20, "negative": -1, "zero": 0,
    "fraction": 0.5, "true": True, "list": [], "words": ["a", "b"], "numbers": [1], "map": {}, "pairs": {"a": "b"}, "maps": [{"a": "b"}, {"c": "d"}],
    "null": None,
}
KEYS = {
    "": ["exit_after_auth", "pid_file", "log_level", "log_format", "log_file", "log_rotate_duration", "log_rotate_bytes", "log_rotate_max_files",
         "cluster_name", "disable_idle_connections", "disable_keep_alives", "disable_mlock", "vault", "auto_auth", "template", "template_config",
         "env_template", "exec"],
    "vault": ["address", "ca_cert", "ca_path", "client_cert", "client_key", "tls_skip_verify", "tls_server_name", "namespace", "retry"],
    "vault.retry": ["num_retries"],
    "auto_auth": ["method", "sink", "sinks", "enable_reauth_on_new_credentials"],
    "auto_auth.method": ["type", "mount_path", "namespace", "wrap_ttl", "min_backoff", "max_backoff", "exit_on_err", "config"],
    "auto_auth.sink": ["type", "wrap_ttl", "dh_type", "dh_path", "derive_key", "aad", "aad_env_var", "config"],
    "auto_auth.sink.config": ["path", "mode", "uid", "gid", "owner", "group"],
    "template": ["source", "contents", "destination", "create_dest_dirs", "command", "command_timeout", "exec", "error_on_missing_key", "error_fatal",
                 "perms", "user", "uid", "group", "gid", "backup", "left_delimiter", "right_delimiter", "sandbox_path", "function_denylist",
                 "function_blacklist", "wait"],
    "template.exec": ["command", "timeout", "enabled", "kill_signal", "kill_timeout", "reload_signal", "splay", "no_such"],
    "template.wait": ["min", "max", "no_such"],
    "template_config": ["exit_on_retry_failure", "static_secret_render_interval", "max_connections_per_host", "lease_renewal_threshold"],
    "env_template.NAME": ["source", "contents", "error_on_missing_key", "error_fatal", "left_delimiter", "right_delimiter", "function_denylist", "backup",
                          "command", "destination", "exec", "perms", "user", "wait", "sandbox_path", "no_such"],
    "exec": ["command", "restart_on_secret_changes", "restart_stop_signal", "child_process_stdout", "child_process_stderr", "no_such"],
}


# ------------------------------------------------------------------------------------------------------------ writing


def spell(value):
    """A value of HCL."""
    if isinstance(value, dict):
        return "{ " + " ".join(f"{k} = {spell(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(spell(v) for v in value) + "]"
    return json.dumps(value)


def block(name, value, indent=""):
    if not isinstance(value, dict):
        return f"{indent}{name} = {spell(value)}\n"
    if name == "env_template":
        return "".join(block(f'env_template "{label}"', body, indent) for label, body in value.items())
    return f"{indent}{name} {{\n" + "".join(block(k, v, indent + "  ") for k, v in value.items()) + f"{indent}}}\n"


def hcl(tree):
    return "".join(block(k, v) for k, v in tree.items())


BLOCKS = {"vault", "retry", "auto_auth", "method", "sink", "template", "template_config", "exec", "wait"}


def wrapped(tree):
    """Each block in a list of its own: the originals take the members of a bare object for blocks."""
    if not isinstance(tree, dict):
        return tree
    tree = {name: wrapped(value) for name, value in tree.items()}
    return {name: [value] if name in BLOCKS and isinstance(value, dict) else value for name, value in tree.items()}


WRITERS = {"hcl": hcl, "json": lambda tree: json.dumps(wrapped(tree))}


def changed(tree, path, value):
    """A copy with another value at the path; what leads there is made."""
    tree = copy.deepcopy(tree)
    at = tree
    *folders, last = path.split(".")
    for name in folders:
        at = at.setdefault(name, {})
    at[last] = value
    return tree


def without(tree, path):
    tree = copy.deepcopy(tree)
    at = tree
    *folders, last = path.split(".")
    for name in folders:
        at = at[name]
    del at[last]
    return tree


# -------------------------------------------------------------------------------------------------------------- kinds


def values():
    """Every key with six values of other types, others for each key, in HCL or JSON."""
    rng = random.Random(12)
    for folder, keys in KEYS.items():
        base = SUPERVISED if folder.startswith(("env_template", "exec")) else BASE
        for key in keys:
            path = f"{folder}.{key}".lstrip(".")
            start = SUPERVISED if path in ("env_template", "exec") else base
            for name in sorted(rng.sample(list(VALUES), 6)):
                form = "json" if name == "null" else rng.choice(["hcl", "json"])
                yield f"{path}={name}.{form}", {f"a.{form}": WRITERS[form](changed(start, path, VALUES[name]))}


def lacking():
    """What must be there is not."""
    for path in ["vault", "auto_auth", "auto_auth.method", "auto_auth.method.type", "auto_auth.method.config", "auto_auth.sink", "auto_auth.sink.type",
                 "auto_auth.sink.config", "template", "template.contents", "template.destination"]:
        for form, write in WRITERS.items():
            yield f"without {path}.{form}", {f"a.{form}": write(without(BASE, path))}
    for path in ["env_template", "exec", "exec.command", "env_template.NAME.contents", "env_template.NAME"]:
        for form, write in WRITERS.items():
            yield f"supervised without {path}.{form}", {f"a.{form}": write(without(SUPERVISED, path))}
    yield "without sink and template.hcl", {"a.hcl": hcl(without(without(BASE, "template"), "auto_auth.sink"))}
    yield "nothing.hcl", {"a.hcl": ""}
    yield "nothing.json", {"a.json": "{}"}


def contradictions():
    auth = "auto_auth.method."
    sink = "auto_auth.sink."
    pairs = {
        "source and contents": {"template.source": "/nowhere/t"},
        "neither": {"template.contents": ""},
        "wrapping twice": {auth + "wrap_ttl": "5m", sink + "wrap_ttl": "5m"},
        "wrapping with one sink": {auth + "wrap_ttl": "5m"},
        "wrapping with two sinks": {auth + "wrap_ttl": "5m", "auto_auth.sink": [BASE["auto_auth"]["sink"], BASE["auto_auth"]["sink"]]},
        "wrapping without a sink": {auth + "wrap_ttl": "5m", "auto_auth.sink": []},
        "two methods": {"auto_auth.method": [BASE["auto_auth"]["method"]] * 2},
        "dh_type alone": {sink + "dh_type": "curve25519"},
        "dh_path alone": {sink + "dh_path": "/nowhere/k"},
        "dh both": {sink + "dh_type": "curve25519", sink + "dh_path": "/nowhere/k"},
        "dh of another kind": {sink + "dh_type": "x", sink + "dh_path": "/nowhere/k"},
        "aad without dh": {sink + "aad": "a"},
        "derive_key without dh": {sink + "derive_key": True},
        "aad of a variable without dh": {sink + "aad_env_var": "KINDS_AAD"},
        "back-offs equal": {auth + "min_backoff": "5s", auth + "max_backoff": "5s"},
        "back-offs the wrong way round": {auth + "min_backoff": "5m", auth + "max_backoff": "5s"},
        "wait the wrong way round": {"template.wait": {"min": "5s", "max": "1s"}},
        "wait as a text the wrong way round": {"template.wait": "5s:1s"},
        "wait of nothing": {"template.wait": ":"},
        "half a certificate": {"vault.client_cert": "/nowhere/c"},
        "user twice": {"template.user": "root", "template.uid": 0},
        "command twice": {"template.command": "a", "template.exec": {"command": "b"}},
        "an unknown method": {auth + "type": "nope"},
        "an unknown sink": {sink + "type": "nope"},
        "a method in capitals": {auth + "type": "AppRole"},
        "keys in capitals": {"Vault": {"Address": "http://127.0.0.1:1"}, "EXIT_AFTER_AUTH": True},
        "a threshold above one": {"template_config.lease_renewal_threshold": 1.5},
        "a threshold of one": {"template_config.lease_renewal_threshold": 1},
        "no connections": {"template_config.max_connections_per_host": 0},
        "a negative interval": {"template_config.static_secret_render_interval": "-1s"},
        "two templates": {"template": [BASE["template"], BASE["template"]]},
        "two vaults": {"vault": [BASE["vault"], BASE["vault"]]},
        "a short list of systems": {"disable_idle_connections": ["auto-auth", "templating", "caching", "proxying"]},
        "systems in capitals": {"disable_keep_alives": ["Auto-Auth"]},
        "a level with blanks": {"log_level": " Info "},
        "a log file with a pattern": {"log_file": "/tmp/kinds*/a.log"},
        "a log file": {"log_file": "kinds.log", "log_rotate_max_files": -1},
        "retries in words": {"vault.retry": {"num_retries": "5"}},
        "unix": {"vault.address": "unix:///nowhere/s"},
    }
    for name, settings in pairs.items():
        for form, write in WRITERS.items():
            tree = BASE
            for path, value in settings.items():
                tree = changed(tree, path, value)
            if form == "hcl" and any(isinstance(v, list) and v and isinstance(v[0], dict) for v in settings.values()):
                continue  # a list of blocks is JSON's
            yield f"{name}.{form}", {f"a.{form}": write(tree)}
    supervised = {
        "with a template": {"template": BASE["template"]},
        "an unknown restart": {"exec.restart_on_secret_changes": "sometimes"},
        "never": {"exec.restart_on_secret_changes": "never"},
        "a short signal": {"exec.restart_stop_signal": "TERM"},
        "a small signal": {"exec.restart_stop_signal": "sigusr1"},
        "an odd name": {"env_template": {"a b=c": {"contents": "x"}}},
        "an empty name": {"env_template": {"": {"contents": "x"}}},
        "two names": {"env_template": {"A": {"contents": "x"}, "B": {"contents": "y"}}},
        "both texts": {"env_template": {"A": {"contents": "x", "source": "/nowhere"}}},
        "no command": {"exec.command": []},
        "an empty command": {"exec.command": [""]},
    }
    for name, settings in supervised.items():
        for form, write in WRITERS.items():
            tree = SUPERVISED
            for path, value in settings.items():
                tree = changed(tree, path, value)
            yield f"supervised {name}.{form}", {f"a.{form}": write(tree)}


def merges():
    """Two files, and a folder of them."""
    auth, rest = {"auto_auth": BASE["auto_auth"]}, without(BASE, "auto_auth")
    pairs = {
        "halves": (auth, rest),
        "halves in two formats": (rest, auth),
        "sink replaced with its method": (BASE, {"auto_auth": without(BASE["auto_auth"], "sink")}),
        "auto_auth without a method replaces": (BASE, {"auto_auth": {"sink": BASE["auto_auth"]["sink"]}}),
        "vault replaced whole": (changed(BASE, "vault.client_cert", "/nowhere/c"), {"vault": {"address": "http://127.0.0.1:2"}}),
        "two templates": (BASE, {"template": {"contents": "y", "destination": "/tmp/kinds-other"}}),
        "a bad template second": (BASE, {"template": {"no_such": 1}}),
        "exit in the first": (changed(BASE, "exit_after_auth", True), {"exit_after_auth": False}),
        "a wrong level replaced": (changed(BASE, "log_level", "loud"), {"log_level": "info"}),
        "a level replaced by a wrong one": (changed(BASE, "log_level", "info"), {"log_level": "loud"}),
        "a wrong format replaced": (changed(BASE, "log_format", "xml"), {"log_format": "json"}),
        "exec in another file": (without(SUPERVISED, "exec"), {"exec": SUPERVISED["exec"]}),
        "exec replaced": (SUPERVISED, {"exec": {"command": ["/bin/false"]}}),
        "exec replaced by a bad one": (SUPERVISED, {"exec": {}}),
        "env_template twice": (SUPERVISED, {"env_template": SUPERVISED["env_template"]}),
        "env_template added": (SUPERVISED, {"env_template": {"OTHER": {"contents": "y"}}}),
        "an empty second": (BASE, {}),
        "an empty first": ({}, BASE),
        "wrapping in one, sinks in the other": (changed(BASE, "auto_auth.method.wrap_ttl", "5m"), {"auto_auth": BASE["auto_auth"]}),
    }
    for name, (first, second) in pairs.items():
        yield f"merge {name}", {"1.hcl": hcl(first), "2.json": WRITERS["json"](second)}
    yield "folder of two", {"d/1.hcl": hcl(auth), "d/2.json": WRITERS["json"](rest)}
    yield "folder with others", {"d/1.hcl": hcl(BASE), "d/notes.txt": "{{", "d/2.hcl~": "{{", "d/.#3.hcl": "{{", "d/#4.hcl#": "{{"}
    yield "folder with a bad one", {"d/1.hcl": hcl(BASE), "d/2.hcl": "vault {"}
    yield "folder in a folder", {"d/1.hcl": hcl(BASE), "d/e/2.hcl": "vault {"}
    yield "folder of nothing", {"d/notes.txt": ""}


def spellings():
    good = hcl(BASE)
    texts = {
        "comments": "# a\n// b\n/* c */\n" + good, "open comment": good + "/* c", "crlf": good.replace("\n", "\r\n"), "bom": "\ufeff" + good,
        "blanks": "\n\n\t " + good, "one line": re.sub(r"\s*\n\s*", " ", good), "commas": good.replace('contents = "x"\n', 'contents = "x",\n'),
        "open string": good + 'pid_file = "a', "open block": good + "vault2 {", "closed too often": good + "}", "no value": good + "pid_file =\n",
        "single quotes": good + "pid_file = 'a'\n", "bad escape": good + 'pid_file = "\\d"\n', "line in a string": good + 'pid_file = "a\nb"\n',
        "heredoc": good.replace('contents = "x"', "contents = <<EOT\nx\nEOT"), "indented heredoc": good.replace('contents = "x"', "contents = <<-EOT\n    x\n    EOT"),
        "open heredoc": good.replace('contents = "x"', "contents = <<EOT\nx\n"), "quoted heredoc": good.replace('contents = "x"', 'contents = <<"EOT"\nx\nEOT'),
        "octal": good + "log_rotate_bytes = 0644\n", "hex": good + "log_rotate_bytes = 0x1f\n", "exponent": good + "log_rotate_bytes = 1e3\n",
        "new octal": good + "log_rotate_bytes = 0o17\n", "plus": good + "log_rotate_bytes = +5\n", "bare word": good + "pid_file = word\n",
        "capital truth": good + "exit_after_auth = True\n", "key in quotes": good + '"pid_file" = "/tmp/kinds-pid"\n', "key twice": good + 'pid_file = "a"\npid_file = "b"\n',
        "colon": good + 'pid_file: "a"\n', "dotted key": good + 'a.b = 1\n', "interpolation": good + 'pid_file = "${a}"\n', "nul": good + "\0",
        "latin1": good + 'pid_file = "\udce4"\n', "block as list": good.replace("template {", "template = [{").replace('"/tmp/kinds-out"\n}', '"/tmp/kinds-out"\n}]'),
        "block with equals": good.replace("vault {", "vault = {"), "label": good.replace("vault {", 'vault "a" {'),
        "method by label": hcl(without(BASE, "auto_auth.method.type")).replace("method {", 'method "approle" {'),
        "method by two labels": hcl(without(BASE, "auto_auth.method.type")).replace("method {", 'method "approle" "b" {'),
        "sink by label": hcl(without(BASE, "auto_auth.sink.type")).replace("sink {", 'sink "file" {'),
        "sinks": good.replace("  sink {", "  sinks { sink {").replace('    }\n  }\n}\ntemplate', '    }\n  } }\n}\ntemplate'),
    }
    for name, text in texts.items():
        yield f"spelled {name}.hcl", {"a.hcl": text}
    whole = WRITERS["json"](BASE)
    jsons = {
        "trailing comma": whole[:-1] + ",}", "comment": whole + "# a", "behind": whole + "{}", "open": whole[:-1], "slash": whole[:-1] + ', "pid_file": "a\\/b"}',
        "unicode": whole[:-1] + ', "pid_file": "\\u00e4"}', "null stanza": whole[:-1] + ', "exec": null}', "bare objects": json.dumps(BASE),
        "key twice": whole[:-1] + ', "vault": {"address": "http://127.0.0.1:2"}}', "list on top": f"[{whole}]", "a word": '"x"', "empty list": whole[:-1] + ', "template_config": []}',
        "newline in a string": whole[:-1] + ', "pid_file": "a\nb"}', "blanks before": "\n \t" + whole, "labels as keys": json.dumps(changed(BASE, "auto_auth", {
            "method": {"approle": {"config": {"role_id_file_path": "/nowhere/r"}}}, "sink": {"file": {"config": {"path": "/tmp/kinds-sink"}}}})),
    }
    for name, text in jsons.items():
        yield f"spelled {name}.json", {"a.json": text}


def told():
    """Flags and variables beside a good file: (id, files, arguments, variables)."""
    rows = {
        "a level": (["-log-level=debug"], {}), "a wrong level": (["-log-level=loud"], {}), "two dashes": (["--log-level", "debug"], {}),
        "an unknown flag": (["-no-such"], {}), "a flag without value": (["-log-level"], {}), "bytes in words": (["-log-rotate-bytes=many"], {}),
        "a wrong duration": (["-log-rotate-duration=soon"], {}), "a log file": (["-log-file=kinds.log", "-log-rotate-max-files", "3"], {}),
        "a switch with a value": (["-exit-after-auth=false"], {}), "a switch with nonsense": (["-exit-after-auth=maybe"], {}),
        "a switch and a word": (["-exit-after-auth", "true"], {}), "wrapping": (["-wrap-ttl=5m"], {}), "a header": (["-header=a=b"], {}),
        "a header without value": (["-header=a"], {}), "the address": (["-address=http://127.0.0.1:3"], {}), "namespaces": (["-ns=a", "-namespace=b"], {}),
        "hidden": (["-combine-logs", "-disable-gated-logs"], {}), "skipping": (["-tls-skip-verify"], {}), "behind dashes": (["--"], {}),
        "a level of the environment": ([], {"VAULT_LOG_LEVEL": "debug", "BAO_LOG_LEVEL": "debug"}),
        "a wrong level of the environment": ([], {"VAULT_LOG_LEVEL": "loud", "BAO_LOG_LEVEL": "loud"}),
        "a format of the environment": ([], {"VAULT_LOG_FORMAT": "json", "BAO_LOG_FORMAT": "json"}),
        "a wrong format of the environment": ([], {"VAULT_LOG_FORMAT": "xml", "BAO_LOG_FORMAT": "xml"}),
        "a flag over a wrong level": (["-log-level=info"], {"VAULT_LOG_LEVEL": "loud", "BAO_LOG_LEVEL": "loud"}),
        "systems of the environment": ([], {"VAULT_AGENT_DISABLE_IDLE_CONNECTIONS": "Auto-Auth, templating", "BAO_AGENT_DISABLE_IDLE_CONNECTIONS": "Auto-Auth, templating"}),
        "wrong systems of the environment": ([], {"VAULT_AGENT_DISABLE_KEEP_ALIVES": "x", "BAO_AGENT_DISABLE_KEEP_ALIVES": "x"}),
        "aad of a variable": ([], {"KINDS_AAD": "a"}),
    }
    for name, (arguments, variables) in rows.items():
        tree = changed(BASE, "auto_auth.sink.aad_env_var", "KINDS_AAD") if "KINDS_AAD" in variables else BASE
        yield f"told {name}", {"a.hcl": hcl(tree)}, arguments, variables


def all_kinds():
    """(id, {name: text}, arguments, variables), the same at each call."""
    yield from told()
    for kind in (merges, contradictions, lacking, spellings, values):
        for name, files in kind():
            yield name, files, [], {}


# -------------------------------------------------------------------------------------------------------------- asking


def verify(program, files, arguments, variables, folder):
    """What `agent -test-verify-only` says to these files, as a finished process."""
    for name, text in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    tops = dict.fromkeys(name.partition("/")[0] for name in files)
    command = [program, "agent", *[f"-config={name}" for name in tops], "-test-verify-only", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", env={**clean, **variables}, timeout=120, check=False)


def judged(case, programs):
    name, files, arguments, variables = case
    row = {"id": name}
    for vendor, program in programs.items():
        with tempfile.TemporaryDirectory() as folder:
            row[vendor] = verify(program, files, arguments, variables, folder).returncode == 0
    return row


def main():
    programs = {"vault": sys.argv[1], "bao": sys.argv[2]}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for row in pool.map(lambda case: judged(case, programs), all_kinds()):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
