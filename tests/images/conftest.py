import os

import pytest
from support.agent import template
from support.kubernetes import ProjectedVolume
from support.rendering import user

TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
NOTHING = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")


@pytest.fixture
def started(site, images, container, tmp_path):
    """started(*args, image=…): the agent in a container that may do nothing, and the folder that is its /vault/secrets."""

    def start(*args, image="ampule/agent", emulator=None, options=()):
        login, secrets = site.login(), tmp_path / "secrets"
        secrets.mkdir()
        os.chown(secrets, 100, 1000)
        config = site.config(login, template(user(site.kv2().put("app", user="alice")), "/vault/secrets/user"))
        config = config.replace(str(login.volume.folder), TOKENS).replace(str(site.ca_file), "/etc/ampule/ca.crt")
        etc = ProjectedVolume(tmp_path / "etc", agent_hcl=config, ca_crt=site.ca_file.read_text())
        volumes = {login.volume.folder: f"{TOKENS}:ro", etc.folder: "/etc/ampule:ro", secrets: "/vault/secrets"}
        command = ["agent", "-config=/etc/ampule/agent.hcl", *args]
        if emulator:
            volumes[emulator] = "/emulator:ro"
            command.insert(0, "/bin/ampule-agent")
        entrypoint = "/emulator" if emulator else None
        return container(image, *command, volumes=volumes, options=(*NOTHING, *options), entrypoint=entrypoint), secrets

    return start
