"""Logins by any method, and what became of them."""

from . import agent, wait


class Login(agent.Login):
    """Any method: its type, mount and config."""

    def __init__(self, kind, mount, **config):
        super().__init__(mount, None, None)
        self.kind, self.options, self.more = kind, config, {}

    def block(self):
        inner = agent.block("method", self.kind, mount_path=f"auth/{self.mount}", body=agent.block("config", **self.options), **self.method)
        return agent.block("auto_auth", body=inner + self.sinks, **self.more)


def about(site, token):
    """What the server knows of a token."""
    return site.vault.with_token(token).read("auth/token/lookup-self")["data"]


def policies(site, token):
    return about(site, token)["policies"]


def logged_in(site, start, folder, login, policy, **vault):
    """An agent whose sink holds a token that has the policy."""
    login.sink(folder / "sink")
    one = start(site.config(login, vault=vault))
    token = wait.until(lambda: wait.read(folder / "sink"), lambda: one.log)
    assert policy in policies(site, token)
    return one
