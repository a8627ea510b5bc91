"""Clocks jump, processes stand still: leases are counted by a clock that does neither."""

import subprocess
import time

import pytest
from support import spaces, wait
from support.agent import original, program
from support.clock import WallClock

DAY = 24 * 3600
ours = pytest.mark.skipif(original(), reason="the original's clock cannot be made to jump this way")


@pytest.fixture
def clock(tmp_path):
    if "statically linked" in subprocess.run(["file", "-L", program("ampule-agent")], capture_output=True, text=True, check=False).stdout:
        pytest.skip("a static program cannot be given another clock")
    return WallClock(tmp_path)


@ours
@pytest.mark.parametrize("days", [1, -1])
def test_a_wall_clock_that_jumps_a_day_causes_no_login_and_no_storm(site, rendering, proxy, clock, days):
    one = rendering(via=proxy, login=site.login(token_ttl="20s", token_max_ttl="60s"), env=clock.env)
    clock.jump(days * DAY)
    proxy.clear()
    begin = time.monotonic()
    one.follows("bob")
    most = 12 + 2 * (time.monotonic() - begin)  # one a second, on a machine that may have taken its time
    wait.never(lambda: len(proxy.requests) > most, f"more than {most} requests", 4)
    assert proxy.logins() == 0


@ours
def test_a_certificate_is_judged_by_the_wall_clock_and_the_clock_is_named(site, rendering, proxy, clock):
    """The test's certificates are good for two days."""
    one = rendering(via=proxy, env=clock.env)
    clock.jump(-30 * DAY)
    proxy.reset_all()
    one.agent.wait_log("not valid before.*clock")
    one.kept()
    clock.jump(0)
    one.follows("bob")


@pytest.mark.skipif(not spaces.ROOT, reason="needs root for a time namespace")
def test_a_machine_that_has_been_up_for_years_is_no_matter(site, rendering):
    years = ["unshare", "-T", "--boottime", str(9 * 365 * DAY), "--monotonic", str(9 * 365 * DAY)]
    one = rendering(within=[*years, "--fork", "--kill-child=TERM"], login=site.login(token_ttl="4s", token_max_ttl="60s"))
    one.follows("bob")
    one.agent.kill()  # unshare ignores SIGTERM while its child runs; --kill-child ends that


def test_a_process_that_stood_still_longer_than_its_token_lived_logs_in_again(site, rendering, proxy):
    one = rendering(via=proxy, login=site.login(token_ttl="3s", token_max_ttl="3s"))
    one.agent.pause()
    last = proxy.requests[-1].at
    wait.never(lambda: proxy.requests[-1].at > last + 1, "a request of a process that stands still", 5)
    proxy.clear()
    one.agent.resume()
    one.follows("bob")
    assert proxy.logins() >= 1
    assert original() or len(proxy.requests) < 20, [str(r) for r in proxy.requests]
