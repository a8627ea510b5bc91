"""What the pytest suites stand on: servers, agents, a proxy, certificates."""
