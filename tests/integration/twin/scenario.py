"""A scenario: a configuration and what happens around it, as data. Observed with both programs, compared, and the differences judged.

Texts may name what the stage has (`@OUT@`, `@KV@` …: the properties of Twin and World in capitals), so that both agents have the same file but for their folders.
"""

import collections
import dataclasses
import re
from typing import Callable

from support.agent import block, template


def one(contents, name="file", body="", **pairs):
    """A template of that file."""
    return template(contents, f"@OUT@/{name}", body, **pairs)


def sink(name="token", config="", **pairs):
    return block("sink", "file", body=f'config = {{ path = "@OUT@/{name}" {config} }}\n', **pairs)


def method(kind, body="", **config):
    """A login: `body` stands beside its config. The pauses do not grow to the five minutes of the default."""
    pause = "" if "backoff" in body else 'max_backoff = "2s"\n'
    return block("method", kind, body=f'{pause}{body}\n{block("config", **config)}')


ROLE = method("approle", 'mount_path = "auth/@APPROLE@"', role_id_file_path="@DIR@/role-id")


def ended(twin):
    """Until the agent ends by itself."""
    twin.ended()


def ended_by_ours(twin):
    """Until it ends; with the original nobody waits for what does not come, once it works."""
    if not twin.ours:
        twin.requested("/login$")
    twin.ended(60 if twin.ours else 3)


def ended_by_the_original(twin, name=None):
    """The other way around; ours works when it says something, or has written a file."""
    if twin.ours:
        twin.file(name) if name else twin.until(lambda: twin.process.log, "ours to say something")
    twin.ended(3 if twin.ours else 60)


def until(*names, **what):
    """Until these files are there; then it is ended."""
    return lambda twin: [twin.file(name, **what) for name in names]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """`name` tells what is looked at. `blocks` go into the file beside server and login (`auth`, `sinks`); `ends` adds exit_after_auth.

    `before(twin)` prepares its folder, `play(twin)` is what happens while the agent runs. `exit` is what both must end with, and `shows`
    what must be in a file afterwards: a scenario in which both fail for another reason says nothing. `whole` is the file instead of all that.
    """

    name: str
    blocks: str = ""
    sinks: str = ""
    auth: str = ROLE
    vault: str = ""
    top: str = ""
    ends: bool = True
    exit: int = 0
    shows: dict = dataclasses.field(default_factory=dict)
    before: Callable | None = None
    play: Callable | None = None
    whole: str | None = None
    args: tuple = ("-config=@DIR@/agent.hcl",)
    env: dict = dataclasses.field(default_factory=dict)
    umask: int = 0o022
    stop: int | None = None
    counted: bool = True  # whether the same requests, and as many, are made until the end

    def text(self):
        if self.whole is not None:
            return self.whole
        server = 'vault {\naddress = "@ADDRESS@"\nca_cert = "@CA@"\n%s\n}\n' % self.vault
        login = "auto_auth {\n%s%s}\n" % (self.auth, self.sinks)
        return server + ("exit_after_auth = true\n" if self.ends else "") + self.top + "\n" + login + self.blocks


# ------------------------------------------------------------------------------------------------------------------ what was seen


def request_line(method_name, path, names):
    """A request as it is counted: synonyms are one, names of this run are general."""
    path, _, query = path.removeprefix("/v1/").partition("?")
    if method_name == "GET" and query == "list=true":
        method_name, query = "LIST", ""
    for own, general in names:
        path = path.replace(own, general)
    path = "sys/internal/ui/mounts" if path.startswith("sys/internal/ui/mounts/") else path
    query = "" if path == "sys/health" else query
    return f"{'PUT' if method_name == 'POST' else method_name} {path.rstrip('/')}{'?' if query else ''}{query}"


@dataclasses.dataclass
class Observation:
    """What one of the two did: `aspects` name to text, and the requests."""

    aspects: dict
    requests: collections.Counter


# -------------------------------------------------------------------------------------------------------------------- comparing


@dataclasses.dataclass(frozen=True)
class Better:
    """A difference that is meant: in `scenario` this `aspect` is `ours`, and `peer` with the original (regular expressions for the whole)."""

    scenario: str
    aspect: str
    ours: str
    peer: str
    because: str


@dataclasses.dataclass(frozen=True)
class Saved:
    """Requests that ours does not make, and a scenario in which that shows."""

    request: str
    witness: str
    because: str


def fits(pattern, text):
    return re.fullmatch(pattern, text, re.S) is not None


def compare(scenario, ours, peer, better, saved):
    """(differences that are meant, faults): the latter are texts."""
    rows = [row for row in better if row.scenario == scenario.name]
    faults, meant = [], []
    for aspect in sorted(ours.aspects | peer.aspects):
        values = [seen.aspects.get(aspect, "none") for seen in (ours, peer)]
        row = next((row for row in rows if fits(row.aspect, aspect)), None)
        if row and fits(row.ours, values[0]) and fits(row.peer, values[1]) and values[0] != values[1]:
            meant.append(row)
        elif values[0] != values[1]:
            faults.append(f"{aspect}: ours {values[0]}, the original {values[1]}")
    faults += [f"no difference in {row.aspect} any more ({row.because})" for row in rows if row not in meant and row.aspect != "requests"]
    more, less = between(scenario, ours.requests, peer.requests)
    excused = [row for row in rows if row.aspect == "requests"]
    for request in more:
        rows_of_it = [row for row in excused if fits(row.ours, request)]
        meant += rows_of_it
        if not rows_of_it:
            faults.append(f"requests: ours alone makes {request}")
    for request in less:
        rows_of_it = [row for row in saved if fits(row.request, request)] or [row for row in excused if fits(row.peer, request)]
        meant += rows_of_it
        if not rows_of_it:
            faults.append(f"requests: the original alone makes {request}")
    faults += [f"saves {row.request} no more" for row in saved if row.witness == scenario.name and row not in meant]
    faults += [f"the requests are no others any more ({row.because})" for row in excused if row not in meant]
    return list(dict.fromkeys(meant)), faults


def between(scenario, ours, peer):
    """What one makes and the other does not: how often counts where both do a known piece of work."""
    if not scenario.counted:
        ours, peer = (collections.Counter(set(seen)) for seen in (ours, peer))
    return list((ours - peer).elements()), list((peer - ours).elements())
