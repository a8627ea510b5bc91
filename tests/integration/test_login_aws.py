"""Logging in with what AWS gives a process: a real server whose STS is moto, which checks signatures."""

import base64
import json

import pytest
from support import wait
from support.agent import Agent, assignments, block, template
from support.amazon import SERVER_ID, Amazon
from support.metadata import Double, Signer, ec2, json_keys
from support.process import Process
from support.rendering import user
from support.server import binary
from support.site import unique

USER, WEB = "arn:aws:iam::123456789012:user/app", "arn:aws:iam::123456789012:role/web"
OFF = {"AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def amazon():
    amazon = Amazon()
    yield amazon
    amazon.stop()


@pytest.fixture
def double():
    double = Double()
    yield double
    double.stop()


class Aws:
    """A role at a server's AWS login, and configurations that log in to it."""

    def __init__(self, site, amazon, principal):
        self.site, self.amazon = site, amazon
        self.mount = amazon.mount(site.vault, unique("aws"))
        self.policy = site.vault.put_policy(unique("policy"), site.EVERYTHING)
        self.role = amazon.role(site.vault, self.mount, unique("role"), principal, self.policy)
        self.path = site.kv2().put("app", user="alice")

    def config(self, destination, sink=None, watch=False, **options):
        settings = {"type": "iam", "role": self.role, "header_value": SERVER_ID, **options}
        method = block("method", "aws", mount_path=f"auth/{self.mount}", max_backoff="2s", body=block("config", **settings))
        sinks = block("sink", "file", body=block("config", path=sink)) if sink else ""
        server = block("vault", address=self.site.address, ca_cert=self.site.ca_file)
        return "\n".join([assignments({}), server, block("auto_auth", body=method + sinks, enable_reauth_on_new_credentials=watch), template(user(self.path), destination)])


@pytest.fixture
def aws(site, amazon):
    return lambda principal=USER: Aws(site, amazon, principal)


def secrets_of(keys):
    return [keys[name] for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN") if name in keys]


def logs_in(agent, aws, tmp_path, env, keys, **options):
    one = agent(aws.config(tmp_path / "user", **options), env=env)
    wait.for_file(tmp_path / "user", "alice")
    for secret in secrets_of(keys):
        assert secret not in one.log
    return one


def test_keys_of_the_environment(aws, agent, tmp_path, amazon):
    logs_in(agent, aws(), tmp_path, amazon.user | OFF, amazon.user)


def test_keys_of_a_session_and_a_region(aws, agent, tmp_path, amazon):
    logs_in(agent, aws(WEB), tmp_path, amazon.session | OFF, amazon.session, region="eu-west-1")


def test_keys_of_the_configuration(aws, agent, tmp_path, amazon):
    keys = {"access_key": amazon.user["AWS_ACCESS_KEY_ID"], "secret_key": amazon.user["AWS_SECRET_ACCESS_KEY"]}
    logs_in(agent, aws(), tmp_path, OFF, amazon.user, **keys)


def test_keys_of_a_profile(aws, agent, tmp_path, amazon):
    folder = tmp_path / "home" / ".aws"
    folder.mkdir(parents=True)
    (folder / "credentials").write_text(
        f"[other]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = none\n[work]\naws_access_key_id = {amazon.user['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {amazon.user['AWS_SECRET_ACCESS_KEY']}\n"
    )
    logs_in(agent, aws(), tmp_path, OFF | {"HOME": str(tmp_path / "home"), "AWS_PROFILE": "work"}, amazon.user)


def test_keys_of_a_container_with_its_token(aws, agent, tmp_path, amazon, double):
    """As EKS's Pod Identity and ECS give them; the token's file is replaced by renaming, as kubelet does."""
    double.on("GET", "/v1/credentials", lambda r: (200, json_keys(amazon.session)) if r.headers["Authorization"] == "pod-token" else (401, "{}"))
    (tmp_path / "pod-token").write_text("pod-token\n")
    place = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{double.address}/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "pod-token")}
    logs_in(agent, aws(WEB), tmp_path, place | {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}, amazon.session)
    assert len(double.requests) == 1


def test_keys_of_a_machine(aws, agent, tmp_path, amazon, double):
    ec2(double, amazon.session)
    logs_in(agent, aws(WEB), tmp_path, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": double.address}, amazon.session)
    assert [r.method for r in double.requests] == ["PUT", "GET", "GET"]


def sts_answer(keys):
    return (
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>'
        f"<AccessKeyId>{keys['AWS_ACCESS_KEY_ID']}</AccessKeyId><SecretAccessKey>{keys['AWS_SECRET_ACCESS_KEY']}</SecretAccessKey>"
        f"<SessionToken>{keys['AWS_SESSION_TOKEN']}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )


def test_keys_for_a_web_identity(aws, agent, tmp_path, amazon, double):
    double.on("POST", "/", sts_answer(amazon.session))
    (tmp_path / "web-token").write_text("eyJ.web.token\n")
    place = {"AWS_ROLE_ARN": amazon.web_role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "web-token"), "AWS_ENDPOINT_URL_STS": double.address}
    logs_in(agent, aws(WEB), tmp_path, place | OFF, amazon.session)
    form = double.requests[0].form
    assert (form["Action"], form["RoleArn"], form["WebIdentityToken"]) == ("AssumeRoleWithWebIdentity", amazon.web_role, "eyJ.web.token")
    assert "Authorization" not in double.requests[0].headers


def test_a_service_that_says_later_is_asked_again(aws, agent, tmp_path, amazon, double):
    answers = iter([(503, "later"), (429, "slowly")])
    double.on("GET", "/keys", lambda r: next(answers, (200, json_keys(amazon.session))))
    logs_in(agent, aws(WEB), tmp_path, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{double.address}/keys"}, amazon.session)
    assert len(double.requests) == 3


def test_redirects_of_metadata_are_not_followed(aws, agent, tmp_path, double):
    double.on("GET", "/keys", lambda r: (302, "", {"Location": f"{double.address}/elsewhere"}))
    one = agent(aws(WEB).config(tmp_path / "user"), env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{double.address}/keys"})
    one.wait_log("AWS credentials of the container: refused with status 302")
    assert not double.asked("/elsewhere")


@pytest.mark.parametrize("wrong", ["secret_key", "header_value", "role"])
def test_what_the_server_refuses_is_said_without_a_secret(aws, agent, tmp_path, amazon, wrong):
    keys = {"access_key": amazon.user["AWS_ACCESS_KEY_ID"], "secret_key": amazon.user["AWS_SECRET_ACCESS_KEY"]}
    one = agent(aws().config(tmp_path / "user", **keys | {wrong: "wrong-wrong-wrong"}), env=OFF)
    one.wait_log(r"PUT auth/aws-\w+/login: 400")
    assert "wrong-wrong-wrong" not in one.log or wrong == "role"
    for secret in secrets_of(amazon.user):
        assert secret not in one.log


def test_nothing_anywhere_is_said_and_tried_again(aws, agent, tmp_path, amazon, double):
    """Unlike the original, which ends: a machine's role may be attached a moment later."""
    one = agent(aws(WEB).config(tmp_path / "user"), env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": double.address})
    one.wait_log("AWS credentials of the machine's metadata: .* the machine has no role")
    ec2(double, amazon.session)
    wait.for_file(tmp_path / "user", "alice")


def test_a_machine_logs_in_with_its_document(aws, agent, tmp_path, amazon, double):
    """type = "ec2": the server holds the document against a certificate of ours, and asks (moto's) EC2 for the machine."""
    site, signer = aws(WEB), Signer()
    document = json.dumps({"accountId": "123456789012", "instanceId": amazon.machine, "region": "us-east-1", "imageId": "ami-1", "pendingTime": "2026-01-01T00:00:00Z"})
    signature = base64.encodebytes(signer.sign(document.encode())).decode()
    vault = site.site.vault
    vault.write(f"auth/{site.mount}/config/certificate/ours", aws_public_cert=base64.b64encode(signer.cert.encode()).decode(), type="identity")
    vault.write(f"auth/{site.mount}/role/machine", auth_type="ec2", bound_account_id=["123456789012"], token_policies=[site.policy])
    ec2(double, amazon.session, (document, signature))
    agent(site.config(tmp_path / "user", type="ec2", nonce="once", role="machine"), env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": double.address})
    wait.for_file(tmp_path / "user", "alice")


def test_other_keys_are_logged_in_with(aws, agent, tmp_path, amazon, double):
    """A container's service gives the keys of a user, then those of a role; the token of the first is good for a month."""
    site, keys = aws([USER, WEB]), [amazon.user]
    double.on("GET", "/keys", lambda r: (200, json_keys(keys[-1])))
    config = site.config(tmp_path / "user", sink=tmp_path / "sink", watch=True, credential_poll_interval=1)
    agent(config, env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{double.address}/keys"})
    wait.for_file(tmp_path / "user", "alice")
    before = identity(site.site.vault, (tmp_path / "sink").read_text())
    seen = len(double.requests)
    wait.until(lambda: len(double.requests) > seen + 2, "two looks that find the same keys")
    assert identity(site.site.vault, (tmp_path / "sink").read_text()) == before
    keys.append(amazon.session)
    wait.until(lambda: "web" in identity(site.site.vault, (tmp_path / "sink").read_text())["display_name"], "a login with the other keys")


def identity(vault, token):
    data = vault.request("POST", "auth/token/lookup", {"token": token})["data"]
    return {name: data[name] for name in ("path", "policies", "display_name", "meta", "renewable", "type")}


@pytest.mark.parametrize("options", [{}, {"region": "eu-west-1"}, {"credential_poll_interval": 30}])
def test_the_original_reads_the_same_file_and_is_the_same_to_the_server(aws, tmp_path, amazon, options):
    site, found = aws(), []
    for name in ("ours", "original"):
        folder = tmp_path / name
        folder.mkdir()
        config = site.config(folder / "user", sink=folder / "sink", **options)
        (folder / "agent.hcl").write_text(config)
        if name == "ours":
            one = Agent(folder, config, env=amazon.user | OFF)
        else:
            one = Process([binary(), "agent", f"-config={folder / 'agent.hcl'}"], cwd=folder, env=amazon.user | OFF)
        try:
            wait.for_file(folder / "user", "alice")
            found.append(identity(site.site.vault, (folder / "sink").read_text()))
        finally:
            one.stop()
    assert found[0] == found[1]
