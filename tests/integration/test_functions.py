"""Template functions that ask something outside: files, environment, and those that ask somebody who is not there."""

import ipaddress

import pytest
from support import wait
from support.agent import block, original, template

both_servers = pytest.mark.both_servers
ours = pytest.mark.skipif(original(), reason="Ampule's own words")
STRICT = block("template_config", exit_on_retry_failure=True)


@pytest.fixture
def render(site, agent, tmp_path):
    """render(text): what it gives in init mode, or None and the log."""

    def run(text, env=None, **pairs):
        one = agent(site.config(site.login(), template(text, tmp_path / "out", **pairs), STRICT, exit_after_auth=True), env=env)
        one.wait_exit()
        return wait.read(tmp_path / "out"), one.log

    return run


@both_servers
@pytest.mark.parametrize("sandboxed", [False, True])
def test_a_file_is_read_again_when_it_changes(site, agent, tmp_path, sandboxed):
    (tmp_path / "inside").mkdir()
    source = tmp_path / "inside" / "banner"
    source.write_text("hello")
    agent(site.config(site.login(), template('{{ file "%s" }}' % source, tmp_path / "out", **({"sandbox_path": tmp_path / "inside"} if sandboxed else {}))))
    wait.for_file(tmp_path / "out", "hello")
    (tmp_path / "inside" / "new").write_text("goodbye")
    (tmp_path / "inside" / "new").rename(source)
    wait.for_file(tmp_path / "out", "goodbye")


def test_a_file_outside_of_the_sandbox_is_refused_in_the_originals_words(render, tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "other").write_text("outside")
    text, log = render('{{ file "%s/other" }}' % tmp_path, sandbox_path=tmp_path / "inside")
    assert text is None and f"'{tmp_path}/other' is outside of sandbox" in log


@both_servers
@pytest.mark.parametrize("way", ["link", "dots"])
def test_no_way_leads_out_of_the_sandbox(render, tmp_path, way):
    (tmp_path / "inside").mkdir()
    (tmp_path / "other").write_text("outside")
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "other")
    name = {"link": "link", "dots": "../other"}[way]
    text, _ = render('{{ file "%s/inside/%s" }}' % (tmp_path, name), sandbox_path=tmp_path / "inside")
    assert text is None


def test_a_denied_function_parses_and_fails_when_it_is_called(render):
    text, log = render('{{ if false }}{{ env "HOME" }}{{ end }}ok', function_denylist=["env"])
    assert text == "ok", log
    text, log = render('{{ env "HOME" }}', function_denylist=["env"])
    assert text != "" and "function is disabled" in log


@both_servers
@ours
def test_denied_functions_may_be_patterns(render):
    text, log = render('{{ sprig_upper "a" }}', function_denylist=["sprig_*"])
    assert text is None and "function is disabled" in log


@both_servers
def test_how_the_agent_reaches_the_server_is_in_env(render, site):
    text, log = render('{{ env "VAULT_ADDR" }} {{ env "VAULT_CACERT" }}')
    assert text == f"{site.address} {site.ca_file}", log


@both_servers
@ours
def test_variables_of_both_vendors_are_found(render, site):
    text, log = render('{{ env "BAO_ADDR" }} {{ env "BAO_ONE" }} {{ mustEnv "VAULT_TWO" }} {{ envOrDefault "BAO_NONE" "three" }}', {"VAULT_ONE": "one", "BAO_TWO": "two"})
    assert text == f"{site.address} one two three", log


@both_servers
@ours
@pytest.mark.parametrize("call", ["file .", "file (printf \"/etc/%s\" .)", 'writeToFile (printf "/proc/%s/x" .) "" "" "0644" "x"', 'writeToFile "/tmp/x" . "" "0644" "x"',
                                  'writeToFile "/tmp/x" "" . "0644" "x"', 'writeToFile "/tmp/x" "" "" . "x"', "mustEnv .", "executeTemplate .", 'secret "a" .', 'pkiCert "a" .', "sockaddr .", "plugin .", "eq . (sprig_list .)"])
def test_a_secret_in_a_wrong_place_is_in_no_log(render, call):
    text, log = render('{{ with "canary" }}{{ with printf "%s%s" . "-9c1f" }}{{ ' + call + " }}{{ end }}{{ end }}")
    assert text is None and "canary-9c1f" not in log, log


@both_servers
@ours
def test_functions_that_only_older_agents_have_answer(render):
    call = '{{ sprig_env "APP" }} {{ sprig_expandenv "$APP/${NONE}x" }} {{ len (sprig_randAlphaNum 8) }} {{ len sprig_uuidv4 }} {{ sprig_date "2006" 0 }}'
    text, log = render(call, {"APP": "web"})
    assert text == "web web/x 8 36 1970", log


@both_servers
@ours
@pytest.mark.parametrize("host, answer", [("localhost", "127.0.0.1"), ("192.0.2.1", "192.0.2.1"), ("secret.example.com", "")])
def test_no_template_looks_names_up(render, host, answer):
    text, log = render('[{{ sprig_getHostByName "%s" }}]' % host)
    assert text == f"[{answer}]", log


@both_servers
@ours
@pytest.mark.parametrize("call, asks", [('key "a"', "Consul"), ('service "web"', "Consul"), ('ls "a"', "Consul"), ('nomadVar "a"', "Nomad")])
def test_functions_of_consul_and_nomad_are_refused_when_the_template_is_read(render, call, asks):
    text, log = render("{{ if false }}{{ %s }}{{ end }}" % call)
    assert text is None and f"asks {asks}, which is not supported" in log


@both_servers
@ours
def test_plugins_are_off_unless_they_are_allowed(render):
    text, log = render('{{ plugin "true" }}')
    assert text is None and "plugin" in log


@both_servers
def test_an_address_of_this_machine_is_chosen(render):
    text, log = render('{{ sockaddr "GetInterfaceIPs \\"^lo$\\"" }}|{{ sockaddr `GetInterfaceIP "no-such"` }}|{{ with $ip := sockaddr "GetPrivateIP" }}{{ $ip }}{{ end }}')
    assert text is not None, log
    local, none, private = text.split("|")
    assert local.split(" ")[0] == "127.0.0.1" and none == ""
    assert private == "" or ipaddress.ip_address(private).is_private


@both_servers
@ours
def test_an_expression_of_addresses_that_is_not_known_says_which_are(render):
    text, log = render('{{ sockaddr "GetAllInterfaces | limit 1" }}')
    assert text is None and "only GetPrivateIP" in log
