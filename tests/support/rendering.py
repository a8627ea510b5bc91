"""The scene of most tests: an agent keeps a value of a secret in a file."""

from . import agent, wait

SOON = agent.block("template_config", static_secret_render_interval="1s")


def user(path):
    """A template with one value of a KV v2 secret."""
    return '{{ with secret "%s" }}{{ .Data.data.user }}{{ end }}' % path


class Rendering:
    """`change` the secret and `expect` it in the file; the secret is read again every second.

    `via` is a relay before the server, `login` one of site.login()'s, `blocks` further parts of the configuration, `options` go to the agent.
    """

    def __init__(self, site, start, folder, *blocks, via=None, login=None, vault=None, interval=SOON, template=None, top=None, **options):
        self.site, self._folder = site, folder
        self.kv = site.kv2()
        self.secret = self.kv.put("app", user="alice")
        self.file = folder / "user"
        self.login = login or site.login()
        first = agent.template(user(self.secret), self.file, **(template or {}))
        config = site.config(self.login, first, interval, *blocks, via=via, vault=vault, **(top or {}))
        self.agent = start(config, **options)
        self.now = None

    def change(self, value):
        self.kv.put("app", user=value)

    def expect(self, value="alice", seconds=60):
        wait.for_file(self.file, value, seconds=seconds)
        self.now = value
        return self

    def follows(self, value="bob", seconds=60):
        """All is well (again): a change arrives."""
        self.change(value)
        return self.expect(value, seconds)

    def kept(self):
        """The file is as it was seen last, and the agent lives."""
        assert wait.read(self.file) == self.now
        assert self.agent.running, self.agent.log
