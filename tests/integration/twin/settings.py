"""The file's forms, several files, flags, the environment, TLS."""

import json

from .files import both, folder
from .scenario import ROLE, Scenario, one

SERVER = 'vault {\naddress = "@ADDRESS@"\nca_cert = "@CA@"\n}\n'
LOGIN = "auto_auth {\n%s\n}\n" % ROLE
ENDS = "exit_after_auth = true\n"
ALL = SERVER + LOGIN + ENDS
CONFIG = "-config=@DIR@/agent.hcl"


def file(name, text):
    return lambda twin: twin.write(f"../{name}", text)


def as_json(**more):
    """The file as vault-k8s writes it."""
    method = {"type": "approle", "mount_path": "auth/@APPROLE@", "config": {"role_id_file_path": "@DIR@/role-id"}}
    sink = [{"type": "file", "config": {"path": "@OUT@/token"}}]
    whole = {"vault": {"address": "@ADDRESS@", "ca_cert": "@CA@"}, "auto_auth": {"method": method, "sink": sink}, "exit_after_auth": True}
    return json.dumps({**whole, **more})


def template(**pairs):
    return {"contents": "x", "destination": "@OUT@/file", **pairs}


def many(name, *texts, **more):
    """Several files, each given by a flag."""
    flags = tuple(f"-config=@DIR@/{n}.hcl" for n in range(len(texts)))
    return Scenario(name, whole="", args=flags, before=both(*(file(f"{n}.hcl", text) for n, text in enumerate(texts))), **more)


def whole(name, text, **more):
    return Scenario(name, whole=text, **more)


def refused(name, text, **more):
    return Scenario(name, whole=text, exit=1, **more)


def flags(name, *args, text=None, **more):
    return Scenario(name, one("x"), whole=text, args=args, **more)


ELSEWHERE = 'vault {\naddress = "https://127.0.0.1:1"\nca_cert = "@CA@"\n}\n'
UNTRUSTED = 'vault {\naddress = "@ADDRESS@"\n}\n'

FORMS = [
    whole("JSON", as_json(template=template()), shows={"file": "'x'"}),
    whole("JSON with lists", as_json(template=[template(), template(destination="@OUT@/more")]), shows={"more": "'x'"}),
    whole("JSON with lists everywhere", json.dumps({"vault": [{"address": "@ADDRESS@", "ca_cert": "@CA@"}], "exit_after_auth": True, "template": [template()],
          "auto_auth": [{"method": [{"type": "approle", "mount_path": "auth/@APPROLE@", "config": [{"role_id_file_path": "@DIR@/role-id"}]}]}]})),
    whole("JSON with a login alone", json.dumps({**json.loads(as_json(template=[template()])), "auto_auth": {"method": {"type": "approle", "mount_path": "auth/@APPROLE@",
          "config": {"role_id_file_path": "@DIR@/role-id"}}}})),
    whole("JSON with modes in octal words", as_json(template=template(perms="0600")), shows={"file": "-rw-------"}),
    whole("JSON with modes as numbers", as_json(template=template(perms=384)), shows={"file": "-rw-------"}),
    whole("JSON with delimiters and a command", as_json(template=template(contents="<< 1 >>", left_delimiter="<<", right_delimiter=">>", command="echo ran >@OUT@/ran")),
          shows={"ran": "ran"}),
    whole("JSON with an exec block", as_json(template=template(exec={"command": ["echo ran >@OUT@/ran"], "timeout": "5s"})), shows={"ran": "ran"}),
    whole("JSON with an exec block's clean environment", as_json(template=template(exec={"command": ["/usr/bin/env >@OUT@/ran"], "env": {"pristine": True, "custom": ["ONE=1"]}})),
          env={"KEPT": "kept"}, play=lambda twin: twin.ended()),
    whole("JSON with white space before it", "\n\t " + as_json(template=template())),
    whole("JSON with a trailing comma", as_json(template=template())[:-1] + ",}"),
    refused("JSON with a comment", "// x\n" + as_json(template=template())),
    refused("JSON that is cut off", as_json(template=template())[:-5]),
    whole("heredocs", ALL + 'template {\ncontents = <<EOT\n  a\n\tb\nEOT\ndestination = "@OUT@/file"\n}\ntemplate {\ncontents = <<-EOT\n    a\n      b\n    EOT\ndestination = "@OUT@/more"\n}\n',
          shows={"more": "a\\n  b\\n"}),
    whole("comments of all kinds", "# one\n// two\n/* three\n four */\n" + ALL + one("x") + "# end"),
    whole("lines of another system", (ALL + one("x")).replace("\n", "\r\n")),
    whole("escapes in strings", ALL + 'template {\ncontents = "a\\tb\\n\\"c\\" \\u00e4 \\\\d"\ndestination = "@OUT@/file"\n}\n', shows={"file": "a\\tb"}),
    whole("a setting twice in a block", ALL + 'template {\ncontents = "first"\ncontents = "second"\ndestination = "@OUT@/file"\n}\n'),
    whole("numbers in several bases", ALL + 'template {\ncontents = "x"\ndestination = "@OUT@/file"\nperms = 0x1a4\n}\n'),
    whole("blocks with equals signs", ALL.replace("vault {", "vault = {") + one("x").replace("template {", "template = {")),
    whole("a stanza that nobody knows", ALL + one("x") + 'unknown "x" { y = 1 }\nother = 1\n'),
    whole("keys that nobody knows in vault and auto_auth", ALL.replace("vault {", "vault {\nunknown = 1").replace("auto_auth {", "auto_auth {\nunknown = 1") + one("x")),
    whole("a boolean in words for the server", ALL.replace("vault {", 'vault {\ntls_skip_verify = "false"') + one("x")),
    refused("a boolean in words at the top", SERVER + LOGIN + 'exit_after_auth = "true"\n' + one("x")),
    refused("two servers in one file", ALL + SERVER + one("x")),
    refused("two logins in one file", ALL + LOGIN + one("x")),
    refused("an empty file", ""),
    refused("a file of spaces", " \n\n"),
    refused("a string that is not closed off", ALL + 'pid_file = "x\n'),
    refused("a block that is not closed off", ALL + "template {\n"),
    refused("nothing to do", SERVER),
    refused("a login for nobody", ALL),
    refused("a log level that nobody knows", ALL + one("x") + 'log_level = "loud"\n'),
    whole("a log level in capitals", ALL + one("x") + 'log_level = "WARN"\n'),
    refused("a log format that nobody knows", ALL + one("x") + 'log_format = "xml"\n'),
    whole("logs as JSON", ALL + one("x") + 'log_format = "json"\n'),
    refused("an interval in words", ALL + one("x") + 'template_config { static_secret_render_interval = "soon" }\n'),
    whole("an interval as a number", ALL + one("x") + "template_config { static_secret_render_interval = 60 }\n"),
    whole("all of template_config", ALL + one("x") + 'template_config {\nexit_on_retry_failure = true\nstatic_secret_render_interval = "1m"\nmax_connections_per_host = 5\nlease_renewal_threshold = 0.8\n}\n'),
    whole("connections that are not kept", ALL + one("x") + 'disable_idle_connections = ["auto-auth", "templating"]\ndisable_keep_alives = ["templating"]\n'),
    refused("connections of a kind that nobody knows", ALL + one("x") + 'disable_keep_alives = ["everything"]\n'),
]  # fmt: skip

FILES = [
    many("two files", SERVER + LOGIN, ENDS + one("x")),
    many("two files with templates", ALL + one("x", "a"), one("y", "b")),
    many("the second file's server is used", ELSEWHERE + LOGIN + ENDS + one("x"), SERVER),
    many("the second file's server drops the first one's keys", 'vault {\naddress = "@ADDRESS@"\nca_cert = "@CA@"\nunix = 1\n}\n' + LOGIN + ENDS + one("x"), SERVER),
    many("the second file's login is used", SERVER + LOGIN.replace("@APPROLE@", "none") + ENDS + one("x"), LOGIN),
    many("exit_after_auth in the first file", ENDS + SERVER + LOGIN, "exit_after_auth = false\n" + one("x")),
    many("HCL and JSON together", ALL, json.dumps({"template": [template()]})),
    many("a file that does not parse beside one that does", ALL + one("x"), "template {", exit=1),
    Scenario("a folder of files", whole="", args=("-config=@DIR@/conf",), before=both(file("conf/a.hcl", ALL), file("conf/b.json", json.dumps({"template": template()})))),
    Scenario("a folder of files and others", whole="", args=("-config=@DIR@/conf",),
             before=both(file("conf/a.hcl", ALL + one("x")), file("conf/b.txt", "template {"), file("conf/c.hcl~", "template {"), file("conf/d/e.hcl", "template {"))),
    Scenario("a folder with an ending", whole="", args=("-config=@DIR@/conf/",), before=file("conf/a.hcl", ALL + one("x"))),
    Scenario("flags behind a word", one("x"), args=(CONFIG, "word", "-exit-after-auth=false", "-nonsense")),
    Scenario("words before the flags", one("x"), args=("word", CONFIG), exit=1),
    Scenario("words behind two dashes", one("x"), args=(CONFIG, "--", "-exit-after-auth=false")),
    Scenario("an empty folder", whole="", args=("-config=@DIR@/conf",), before=folder("../conf"), exit=1),
    Scenario("a folder and a file", one("x", "more"), args=(CONFIG, "-config=@DIR@/conf"), before=file("conf/a.hcl", one("y", "b"))),
    Scenario("a file that is not there", whole="", args=("-config=@DIR@/none.hcl",), exit=1),
    Scenario("a file with any ending", one("x"), args=("-config=@DIR@/agent.conf",), before=lambda twin: twin.write("../agent.conf", twin.scenario.text())),
]  # fmt: skip

FLAGS = [
    flags("a flag with two dashes", "--config=@DIR@/agent.hcl"),
    flags("a flag and its value apart", "-config", "@DIR@/agent.hcl"),
    flags("a path from the working folder", "-config=agent.hcl"),
    flags("no file", exit=1),
    flags("a flag that nobody knows", CONFIG, "-no-such-flag", exit=1),
    flags("a flag without its value", "-config", exit=1),
    flags("words after the flags", CONFIG, "more", "words"),
    flags("help", "-help"),
    flags("only verified", CONFIG, "-test-verify-only"),
    flags("only verified and wrong", CONFIG, "-test-verify-only", text="template {", exit=1),
    flags("a log level by a flag", CONFIG, "-log-level=error"),
    flags("a log level by a flag that nobody knows", CONFIG, "-log-level=loud", exit=1),
    flags("a log format by a flag", CONFIG, "-log-format=json"),
    flags("an address by a flag", CONFIG, "-address=@ADDRESS@", text=ELSEWHERE + LOGIN + ENDS + one("x")),
    flags("an address by a flag over the environment's", CONFIG, "-address=@ADDRESS@", env={"VAULT_ADDR": "https://127.0.0.1:1"}),
    flags("an authority by a flag", CONFIG, "-ca-cert=@CA@", text=UNTRUSTED + LOGIN + ENDS + one("x")),
    flags("an authority's folder by a flag", CONFIG, "-ca-path=@DIR@/cas", text=UNTRUSTED + LOGIN + ENDS + one("x"),
          before=lambda twin: twin.write("../cas/ca.pem", twin.world.site.ca_file.read_text())),
    flags("no authority by a flag", CONFIG, "-tls-skip-verify", text=UNTRUSTED + LOGIN + ENDS + one("x")),
    flags("a server's name by a flag", CONFIG, "-tls-server-name=localhost"),
    flags("a namespace by a flag", CONFIG, "-namespace=none"),
    flags("a client's certificate by flags", CONFIG, "-client-cert=@CLIENT_CERT@", "-client-key=@CLIENT_KEY@", text=SERVER.replace("@ADDRESS@", "@STRICT@") + LOGIN + ENDS + one("x"), counted=False),
]  # fmt: skip


def surrounded(name, text=None, **env):
    return Scenario(name, one("x"), whole=text, env=env)


ENVIRONMENT = [
    surrounded("an address by the environment", ELSEWHERE + LOGIN + ENDS + one("x"), VAULT_ADDR="@ADDRESS@"),
    surrounded("an address by the environment alone", LOGIN + ENDS + one("x"), VAULT_ADDR="@ADDRESS@", VAULT_CACERT="@CA@"),
    surrounded("an authority by the environment", UNTRUSTED + LOGIN + ENDS + one("x"), VAULT_CACERT="@CA@"),
    surrounded("no authority by the environment", UNTRUSTED + LOGIN + ENDS + one("x"), VAULT_SKIP_VERIFY="true"),
    surrounded("a server's name by the environment", VAULT_TLS_SERVER_NAME="localhost"),
    surrounded("a token in the environment", VAULT_TOKEN="hvs.of-somebody"),
    surrounded("a log level in the environment", VAULT_LOG_LEVEL="error"),
    surrounded("a namespace in the environment", VAULT_NAMESPACE="none"),
    surrounded("a client's time in the environment", VAULT_CLIENT_TIMEOUT="30"),
    surrounded("retries in the environment", VAULT_MAX_RETRIES="1"),
    surrounded("a template sees the environment", ALL + one('{{ env "VAULT_SOMETHING" }}'), VAULT_SOMETHING="seen"),
]  # fmt: skip


def server(keys, **more):
    """vault {} with other keys."""
    return 'vault {\n%s\n}\n' % keys + LOGIN + ENDS + one("x")


def own_authority(twin):
    twin.write("../cas/ca.pem", twin.world.site.ca_file.read_text())


def another_authority(twin):
    from support.certs import Authority

    twin.texts["other_ca"] = str(Authority(twin.dir / "other").file)


FAILING = LOGIN.replace('max_backoff = "2s"', 'max_backoff = "2s"\nexit_on_err = true')


def unreachable(name, keys, **more):
    return Scenario(name, whole="vault {\n%s\n}\n" % keys + FAILING + ENDS + one('{{ with secret "@KV@/data/app" }}x{{ end }}'), exit=1, counted=False, **more)


TLS = [
    whole("an authority's folder", server('address = "@ADDRESS@"\nca_path = "@DIR@/cas"'), before=own_authority),
    whole("no authority", server('address = "@ADDRESS@"\ntls_skip_verify = true')),
    whole("a server's other name", server('address = "@ADDRESS@"\nca_cert = "@CA@"\ntls_server_name = "localhost"')),
    whole("a client's certificate", server('address = "@STRICT@"\nca_cert = "@CA@"\nclient_cert = "@CLIENT_CERT@"\nclient_key = "@CLIENT_KEY@"'), counted=False),
    unreachable("a server that is not there", 'address = "https://127.0.0.1:1"\nca_cert = "@CA@"'),
    unreachable("a server that nobody vouches for", 'address = "@ADDRESS@"'),
    unreachable("a server that another authority vouches for", 'address = "@ADDRESS@"\nca_cert = "@OTHER_CA@"', before=another_authority),
    unreachable("a server with another name", 'address = "@ADDRESS@"\nca_cert = "@CA@"\ntls_server_name = "other.example"'),
    unreachable("an authority that is not there", 'address = "@ADDRESS@"\nca_cert = "@DIR@/none.pem"'),
    unreachable("a certificate without its key", 'address = "@STRICT@"\nca_cert = "@CA@"\nclient_cert = "@CLIENT_CERT@"'),
    unreachable("no certificate where one is wanted", 'address = "@STRICT@"\nca_cert = "@CA@"'),
    whole("a server at a socket", 'vault {\naddress = "unix://@SOCKET@"\n}\n' + LOGIN + ENDS + one("x"), counted=False),
    unreachable("a socket that is not there", 'address = "unix://@DIR@/none.sock"'),
    whole("retries", server('address = "@ADDRESS@"\nca_cert = "@CA@"\nretry { num_retries = 3 }')),
    refused("retries in words", server('address = "@ADDRESS@"\nca_cert = "@CA@"\nretry { num_retries = "many" }')),
    Scenario("a template that is asked for twice in vain", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}'), vault="retry { num_retries = 5 }\n",
             before=lambda twin: twin.proxy.error(500, path="^/v1/kv-[^/]*/data/app", times=2), shows={"file": "alice"}),
    Scenario("a login that is refused twice", one("x"), before=lambda twin: twin.proxy.error(503, path="/login$", times=2)),
    Scenario("a reply that is lost", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}'), before=lambda twin: twin.proxy.reset(path="^/v1/kv-[^/]*/data/app", times=1),
             shows={"file": "alice"}, counted=False),
    Scenario("a server that asks to come later", one('{{ with secret "@KV@/data/app" }}{{ .Data.data.user }}{{ end }}'),
             before=lambda twin: twin.proxy.error(429, path="^/v1/kv-[^/]*/data/app", times=1), shows={"file": "alice"}),
]  # fmt: skip

def logged(twin):
    """Whether something was written to it, not what."""
    twin.ended()
    for path in twin.out.rglob("*log*"):
        if path.is_file():
            twin.note(f"{path.name} holds something", path.stat().st_size > 0)
            path.write_text("")


def turned_over(twin):
    twin.ended()
    names = sorted(path.name for path in twin.out.glob("vault*"))
    twin.note("is turned over", len(names) > 1)
    for name in names:
        twin.path(name).unlink()


def log(name, *args, text="", **more):
    return Scenario(name, one("x"), top=text, args=(CONFIG, *args), play=logged, **more)


LOGS = [
    log("a log file", text='log_file = "@OUT@/vault.log"\n'),
    log("a log file in a folder", text='log_file = "@OUT@/logs/"\n', before=folder("logs")),
    log("a log file in a folder that is not there", text='log_file = "@OUT@/logs/"\n', exit=1),
    log("a log file by a flag", "-log-file=@OUT@/vault.log"),
    log("a log file by a flag over the file's", "-log-file=@OUT@/flag.log", text='log_file = "@OUT@/vault.log"\n'),
    log("a log file that is there", text='log_file = "@OUT@/vault.log"\n', before=lambda twin: twin.write("vault.log", "before\n", 0o600)),
    log("a log file as JSON", "-log-format=json", text='log_file = "@OUT@/vault.log"\n'),
    log("a log file under a strict umask", text='log_file = "@OUT@/vault.log"\n', umask=0o077),
    log("a log file where a folder is", text='log_file = "@OUT@/vault.log"\n', before=folder("vault.log"), exit=1),
    Scenario("a log file that is turned over", one("x"), top='log_file = "@OUT@/vault.log"\nlog_rotate_bytes = 200\n', play=turned_over),
    Scenario("log files that are not kept", one("x"), top='log_file = "@OUT@/vault.log"\nlog_rotate_bytes = 200\nlog_rotate_max_files = -1\n', play=turned_over),
    log("a log file with a time that is none", text='log_file = "@OUT@/vault.log"\nlog_rotate_duration = "soon"\n', exit=1),
]  # fmt: skip


def generated(name, *args, exit=0, **more):
    server = {"VAULT_ADDR": "@ADDRESS@", "VAULT_CACERT": "@CA@", "VAULT_TOKEN": "@ROOT@"}
    return Scenario(f"a generated file {name}", whole="", args=("generate-config", *args), env=server, exit=exit, counted=False, **more)


ENV, OUT = ("-type=env-template", "-exec=./app one two"), "@OUT@/made.hcl"

GENERATED = [
    generated("for kv 2", *ENV, "-path=@KV@/app", OUT),
    generated("for kv 2 with data in its path", *ENV, "-path=@KV@/data/app", OUT),
    generated("for kv 1", *ENV, "-path=@KV1@/app", OUT, shows={"made.hcl": "APP_PORT"}),
    generated("for several secrets", *ENV, "-path=@KV@/app", "-path=@KV1@/app/nested", OUT),
    generated("for all below", *ENV, "-path=@KV@/many/*", OUT),
    generated("for all below in kv 1", *ENV, "-path=@KV1@/app/*", OUT),
    generated("without a program", "-type=env-template", "-path=@KV@/app", OUT),
    generated("without a secret", *ENV, OUT),
    generated("of another kind", "-type=none", "-path=@KV@/app", OUT, exit=1),
    generated("without a kind", "-path=@KV@/app", OUT, exit=1),
    generated("for a secret that is not there", *ENV, "-path=@KV@/none", OUT, exit=2),
    generated("for a mount that is not there", *ENV, "-path=none/app", OUT, exit=2),
    generated("where there is no folder", *ENV, "-path=@KV@/app", "@OUT@/none/made.hcl", exit=3),
    generated("over another", *ENV, "-path=@KV@/app", OUT, before=lambda twin: twin.write("made.hcl", "before", 0o604)),
    generated("with two names", *ENV, "-path=@KV@/app", OUT, "more", exit=1),
]  # fmt: skip

SCENARIOS = [*LOGS, *GENERATED, *FORMS, *FILES, *FLAGS, *ENVIRONMENT, *TLS]
