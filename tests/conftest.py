"""Makes the fixtures of tests/support known to every pytest suite below this folder."""

from support.fixtures import *  # noqa: F401,F403


from support.systems import SYSTEMS


def pytest_generate_tests(metafunc):
    """The mark `both_servers`: with a real server and with the sandbox, which so cannot lie. `every_system`: also on older systems."""
    if metafunc.definition.get_closest_marker("every_system") and "system" in metafunc.fixturenames:
        metafunc.parametrize("system", list(SYSTEMS))
    if metafunc.definition.get_closest_marker("both_servers") and "server_kind" in metafunc.fixturenames:
        metafunc.parametrize("server_kind", ["real", "sandbox"])
