"""One agent with many templates: what it opens, holds and asks grows with what it has to do, and no faster."""

import os
import re
import resource

import pytest
from support import agent as agents
from support import wait

MANY = 300
DESCRIPTORS = 64  # the agent could not open more if it wanted to
PEAK = 24 << 10  # KiB; a build with sanitizers is not asked
LONG = 100


def limited():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def texts(files):
    """What they hold, as far as they are there."""
    return [wait.read(file) for file in files]


def wait_for(files, wanted):
    wait.until(lambda: texts(files) == wanted, lambda: f"{sum(a != b for a, b in zip(texts(files), wanted))} of {len(files)} files", LONG)


def wait_for_commands(count, times):
    """One a template, in a file that each adds its number to."""
    wanted = {str(i) for i in range(0, MANY, 30)}

    def all_ran():
        said = wait.lines(count)
        return all(said.count(number) >= times for number in wanted)

    wait.until(all_ran, f"every command to have run {times} times", LONG)


@pytest.fixture(scope="module")
def paths(real_site):
    kv = real_site.kv2()
    return [kv.put(f"app-{i}", value=f"value {i}") for i in range(MANY)]


@pytest.fixture
def crowd(paths, tmp_path):
    """(templates, their files, what those shall hold): a secret each, half of them in a folder and the others in twenty."""
    files = [tmp_path / "out" / ("" if i % 2 else f"{i % 40}") / f"secret-{i}" for i in range(MANY)]
    return [agents.template('{{ with secret "%s" }}{{ .Data.data.value }}{{ end }}' % path, file) for path, file in zip(paths, files)], files, [f"value {i}" for i in range(MANY)]


def test_many_secrets_take_a_request_each_few_descriptors_and_little_memory(site, agent, proxy, crowd):
    blocks, files, wanted = crowd
    one = agent(site.config(site.login(), *blocks, via=proxy), preexec_fn=limited)
    wait_for(files, wanted)
    assert proxy.count("GET", "/data/app-") == MANY
    assert proxy.logins() == 1
    assert proxy.connections <= 2 * 10  # for the first batch, and for what comes behind it
    assert one.reports or int(one.proc_status("VmHWM").split()[0]) < PEAK


def test_many_files_that_are_gone_come_again_together(site, agent, crowd, tmp_path):
    """A batch of all of them: with a descriptor or two a file it would not fit."""
    blocks, files, wanted = crowd
    interval = agents.block("template_config", static_secret_render_interval="4s")
    one = agent(site.config(site.login(), *blocks, interval), preexec_fn=limited)
    wait_for(files, wanted)
    wait.removed(tmp_path / "out")
    wait_for(files, wanted)
    assert not re.search("Too many open files", one.log)
    assert [name for _, _, names in os.walk(tmp_path / "out") for name in names if name.startswith(".ampule-")] == []


def test_many_files_that_templates_read_take_a_watch_a_folder(site, agent, tmp_path):
    sources, files, count = [tmp_path / "in" / f"{i}" for i in range(MANY)], [tmp_path / "out" / f"{i}" for i in range(MANY)], tmp_path / "count"
    (tmp_path / "in").mkdir()
    for source in sources:
        source.write_text("old")
    blocks = [agents.template('{{ file "%s" }}' % source, file, command=f"echo {i} >> {count}" if i % 30 == 0 else "") for i, (source, file) in enumerate(zip(sources, files))]
    one = agent(site.config(site.login(), *blocks), preexec_fn=limited)
    wait_for(files, ["old"] * MANY)
    wait_for_commands(count, 1)
    watches = sum(one.proc(f"fdinfo/{fd}").count("inotify wd:") for fd in os.listdir(f"/proc/{one.pid}/fd"))
    assert 1 <= watches <= 4
    for source in sources:
        source.write_text("new")
    wait_for(files, ["new"] * MANY)
    wait_for_commands(count, 2)
