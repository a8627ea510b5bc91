"""Where ours is meant to be otherwise, and why. A row that no longer shows is a fault of the table.

Values are regular expressions for the whole; "none" is an aspect that is not there.
"""

from .scenario import Better, Saved

SAVED = [
    Saved("GET sys/health", "a constant", "nobody needs the server's version to log in"),
    Saved("GET sys/internal/ui/mounts", "one template", "what a mount is tells its first answer"),
    Saved("PUT auth/token/renew-self", "a token that lasts is left alone", "a token that was just issued needs no renewal"),
    Saved("PUT sys/leases/renew", "leased credentials that last are left alone", "a lease that was just issued needs no renewal"),
    Saved("PUT auth/APPROLE/login", "a function that fails", "what fails for want of nothing but itself is found before the login"),
]

LOGIN, ANY, WAITS, TOKEN = "PUT auth/APPROLE/login", ".*", "sh still runs after .*", ".* 'TOKEN'"
X = "-rw-r--r-- 0:0 'x'"


def runs(scenario, because, **files):
    """The original refuses the file and ends with 1; ours does what it says."""
    rows = {"exit": ("0", "1"), "requests": (LOGIN, "none"), "file": (X, "none"), **files}
    return [Better(scenario, aspect, ours, peer, because) for aspect, (ours, peer) in rows.items()]


def rows(scenario, because, **aspects):
    return [Better(scenario, aspect, ours, peer, because) for aspect, (ours, peer) in aspects.items()]


EXEC_ENV = "the block may be written in HCL, where the original cannot read it"
SIGNALS = "a program that a signal ended is told from others, as by a shell"
UNTOUCHED = "the answer stays as the server gave it, but for the token"
COMMANDS = "a command that fails is told, and the files go on; strict_commands insists on it"
LISTS = "a block in JSON means the same whether it stands beside others or alone"
UNDER = "modes are those that were asked for"

# What OpenBao's agent cannot do, or its server means otherwise.
VAULT_ONLY = {
    "ldap, whose password is removed", "ldap with a password that stays", "ldap with a wrong password", "a sink with an owner", "a sink with an owner alone",
    "a sink with a group alone", "a sink with an owner in words", "a token that was revoked is replaced", "a key of Consul",
    "a token that was revoked is replaced though only templates need it", "approle in a namespace of a server without any", "a namespace by a flag",
    "a namespace in the environment", "token_file with a batch token", "a token that cannot be renewed is replaced",
}  # fmt: skip

BETTER = [
    Better("the agent's token is not told by lookup-self", r"\(0: GET /v1/auth/token/lookup-self\)", '.*"wrap_info": null.*', ".*last_renewal.*", UNTOUCHED),
    Better("the agent's token is not told by renew-self", r"\(0: PUT /v1/auth/token/renew-self\)", '.*"wrap_info": null.*', '.*"warnings": null}.*', UNTOUCHED),
    # files
    *rows("a name with dots after a folder that is not there", "a path means what it says before the folder is made", file=(X, "none"), **{r"\(waited in vain\)": ("none", WAITS)}),
    *rows("perms are set though the text is the same", UNDER, file=("-rw------- 0:0 'x'", "-rw----r-- 0:0 'x'")),
    # commands
    *rows("a command that fails ends a running agent that wants it", COMMANDS, exit=("0", "1"), **{r"\(waited in vain\)": (WAITS, "none")}),
    *rows("a command that runs when the agent is ended", "nothing that the agent started outlives it", **{r"\(the command is ended with it\)": ("true", "false")}),
    *rows("an exec block that is off", "what is switched off is off", ran=("none", "-rw-r--r-- 0:0 'ran.n'")),
    *runs("an exec block with a clean environment", EXEC_ENV, ran=(".*ONE=1.*", "none")),
    *runs("an exec block with allowed variables", EXEC_ENV, ran=(r".*'\[kept\] \[\].n'", "none")),
    *runs("an exec block with denied variables", EXEC_ENV, ran=(r".*'\[\] \[other\].n'", "none")),
    *runs("an exec block with more variables", EXEC_ENV, ran=(".*'1 2 3 kept.n'", "none")),
    # reads
    *rows("a key of Consul", "what needs another program's server is refused at once, not waited for", exit=("1", "0"), **{r"\(waited in vain\)": ("none", WAITS)}),
    *rows("a plugin", "an agent that is taken over can start what its configuration names and nothing else, unless plugins are allowed there",
          exit=("1", "0"), file=("none", r".*'\[a b\]'"), **{r"\(waited in vain\)": (WAITS, "none")}),
    *rows("kv 2 subkeys", "the names of a secret's keys can be read where the values may not be", file=(".*\"user\":null.*", "none"),
          requests=("GET KV/subkeys/app", "GET KV/data/subkeys/app"), **{r"\(waited in vain\)": ("none", WAITS)}),
    # sinks
    *rows("a sink where a folder is", "a sink that can never be written is found at the start; no token is left beside it", exit=("1", "0"),
          **{r"\(waited in vain\)": ("none", WAITS), r"token\.tmp\..*": ("none", TOKEN)}),
    *rows('a sink with mode "0600" refused', "a mode may be written as in a template", exit=("0", "1"), token=("-rw------- 0:0 'TOKEN'", "none"), requests=(LOGIN, "none")),
    *rows("a sink with mode 040600 refused", "a mode that holds more than a mode is refused, as by OpenBao", exit=("1", "0"), token=("none", TOKEN)),
    # supervised programs
    *rows("a program is killed", SIGNALS, exit=("137", "255")),
    *rows("a program ends by SIGTERM of its own", SIGNALS, exit=("143", "255")),
    *rows("two variables with the same contents", "both are set", **{r"\(line 0\)": (".*ONE.*TWO.*", ".*TWO.*")}),
    *rows("a program's group", "what a program starts can be ended with it", **{r"\(has a group of its own\)": ("true", "false")}),
    *rows("what a program leaves behind", "nothing of a program that ended is left behind", **{r"\(what it started lives\)": ("false", "true")}),
    *rows("SIGUSR2 to the agent", "signals that mean nothing to the agent are for its program", **{r"\(line 1\)": (".*SIGUSR2.*", ".*SIGTERM.*"), r"\(line 2\)": (".*SIGTERM.*", "none")}),
    # a life
    *rows("a token that was revoked is replaced though only templates need it", "whether a refusal was meant for the token is asked once, instead of logging in for every refusal",
          requests=("GET auth/token/lookup-self", "none")),
    # settings
    *runs("JSON with a login alone", LISTS),
    *runs("JSON with an exec block's clean environment", EXEC_ENV, ran=(".*ONE=1.*", "none"), token=(TOKEN, "none")),
]  # fmt: skip
