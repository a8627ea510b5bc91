"""The catalogue of faults: each a small scenario for any agent, with the rules that ours must keep."""

from . import elsewhere, files, identity, machine, network, replies  # noqa: F401  (each adds its own)
from .scene import ALL

ALL.sort(key=lambda fault: (fault.order, fault.text))
