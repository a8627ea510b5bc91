"""Numbers of the catalogue that are no scene here, each with the test that holds it or the reason why there is none."""

# number, what it is, where
ROWS = [
    ("F46", "HTTP/2: GOAWAY, resets and floods of a stream", "not made: the proxy ends TLS with HTTP/1.1; of HTTP/2 the byte relay of `test_network` cuts and silences connections, frames are nghttp2's"),
    ("F61", "SIGTERM before the application has drained", "`tests/integration/test_exec.py`: the supervised program is stopped first; a pod's order is Kubernetes'"),
    ("F62", "SIGKILL at any instruction", "`tests/fault/kill-torture` (instants) and `tests/fault/torture --modes kill` (each system call)"),
    ("F63", "zombies of a PID 1", "`tests/integration/test_exec.py`: in a pid namespace of its own"),
    ("F64", "a Job's pod that must end", "`tests/integration/test_init.py`: an init run ends by itself"),
    ("F86", "EINTR everywhere", "`tests/fault/torture --modes EINTR`"),
    ("F90", "getrandom is not ready or fails", "`tests/fault/torture`: among the calls that fail"),
    ("F94–F96", "the listener; the webhook", "`tests/fault/test_webhook.py`, `test_webhook_bombs.py`; listeners of the agent: `tests/integration/test_listener.py`"),
]
