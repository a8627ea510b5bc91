"""Makes the fixtures of tests/support known to every pytest suite below this folder."""

from support.fixtures import *  # noqa: F401,F403
