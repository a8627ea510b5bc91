"""`plugin`: a template takes what a program prints, where the operator allows it."""

import pytest
from support import wait
from support.agent import block, original, template
from support.rendering import SOON

pytestmark = [pytest.mark.both_servers, pytest.mark.every_system]
ours = pytest.mark.skipif(original(), reason="the original runs programs on every pass, in the middle of it")
ALLOW = "" if original() else block("ampule", allow=["plugin"])
STRICT = block("template_config", exit_on_retry_failure=True)


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_what_a_program_prints_is_taken_without_white_space_at_its_ends(site, agent, tmp_path):
    path = site.kv2().put("app", user="alice")
    program = script(tmp_path / "greet", 'printf "\\n %s/%s \\n" "$#" "$2"; echo noise >&2')
    text = '{{ with secret "%s" }}{{ plugin "%s" "a b;c" .Data.data.user }}{{ end }}' % (path, program)
    one = agent(site.config(site.login(), template(text, tmp_path / "out"), ALLOW, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert wait.read(tmp_path / "out") == "2/alice"


@ours
def test_a_program_runs_once_for_each_finished_rendering(site, agent, tmp_path):
    kv = site.kv2()
    first, late = kv.put("app", user="alice"), kv.path("late")
    program = script(tmp_path / "count", f'echo x >>"{tmp_path}/runs"; echo ran')
    text = '{{ plugin "%s" }} {{ with secret "%s" }}{{ .Data.data.user }}{{ end }}{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}' % (program, first, late)
    one = agent(site.config(site.login(), template(text, tmp_path / "out"), ALLOW, SOON))
    one.wait_log(late + ".*404")
    kv.put("late", user="!")
    wait.for_file(tmp_path / "out", "ran alice!")
    assert wait.read(tmp_path / "runs") == "x\n"
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "out", "ran bob!")
    assert wait.read(tmp_path / "runs") == "x\nx\n"


@ours
def test_a_slow_program_holds_up_nobody(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    program = script(tmp_path / "slow", f'while ! test -e "{tmp_path}/go"; do sleep 0.05; done; echo done')
    other = template('{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}' % path, tmp_path / "user")
    agent(site.config(site.login(), template('{{ plugin "%s" }}' % program, tmp_path / "out"), other, ALLOW, SOON))
    wait.for_file(tmp_path / "user", "alice")
    kv.put("app", user="bob")
    wait.for_file(tmp_path / "user", "bob")
    assert not (tmp_path / "out").exists()
    (tmp_path / "go").touch()
    wait.for_file(tmp_path / "out", "done")


@pytest.mark.parametrize("end, words", [("exit 3", "exit status 3"), ("kill -9 $$", "signal")])
def test_a_program_that_fails_fails_the_template(site, agent, tmp_path, end, words):
    program = script(tmp_path / "bad", f"echo partial; {end}")
    one = agent(site.config(site.login(), template('{{ plugin "%s" }}' % program, tmp_path / "out"), ALLOW, STRICT, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert words in one.log and wait.read(tmp_path / "out") is None


@ours
def test_a_program_that_failed_is_run_again(site, agent, tmp_path):
    program = script(tmp_path / "late", f'test -e "{tmp_path}/go" && echo done')
    one = agent(site.config(site.login(), template('{{ plugin "%s" }}' % program, tmp_path / "out"), ALLOW))
    one.wait_log("exit status 1")
    (tmp_path / "go").touch()
    wait.for_file(tmp_path / "out", "done")


@ours
def test_output_without_end_is_cut_off(site, agent, tmp_path):
    program = script(tmp_path / "yes", "exec yes")
    one = agent(site.config(site.login(), template('{{ plugin "%s" }}' % program, tmp_path / "out"), ALLOW, STRICT, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert "printed more than 1048576 bytes" in one.log


def test_a_missing_program_is_named(site, agent, tmp_path):
    one = agent(site.config(site.login(), template('{{ plugin "%s/no-such" }}' % tmp_path, tmp_path / "out"), ALLOW, STRICT, exit_after_auth=True))
    assert one.wait_exit() == 1
    assert f"{tmp_path}/no-such" in one.log


@ours
def test_programs_end_with_the_agent(site, agent, tmp_path):
    program = script(tmp_path / "slow", f'echo $$ >"{tmp_path}/pid"; exec sleep 600')
    one = agent(site.config(site.login(), template('{{ plugin "%s" }}' % program, tmp_path / "out"), ALLOW))
    pid = int(wait.for_file(tmp_path / "pid", contains="\n"))
    one.stop()
    wait.until(lambda: not alive(pid), "the program to end")


def alive(pid):
    status = wait.read(f"/proc/{pid}/stat")
    return status is not None and status.rpartition(")")[2].split()[0] != "Z"


@ours
def test_a_program_is_run_only_when_nothing_before_it_is_missing(site, agent, tmp_path):
    kv = site.kv2()
    path = kv.put("app", user="alice")
    program = script(tmp_path / "tell", f'echo "$1" >>"{tmp_path}/told"; echo "$1"')
    text = ('{{ $a := secret "%s" }}{{ if not $a }}{{ plugin "%s" "nobody" }}{{ end }}{{ $b := plugin "%s" (printf "%%v" $a.Data.data.user) }}'
            '{{ plugin "%s" (printf "%%s again" $b) }}') % (path, program, program, program)
    one = agent(site.config(site.login(), template(text, tmp_path / "out"), ALLOW, exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    assert (wait.read(tmp_path / "out"), wait.read(tmp_path / "told")) == ("alice again", "alice\nalice again\n")
