"""AWS as far as a login needs it: moto, with signatures checked.

Run as a program (`python amazon.py`, in the environment of clouds.txt) it serves, and says on its first line who there is.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SERVER_ID = "vault.example.com"


class Amazon:
    """`user`, `session`: keys that STS knows, the second with a session token; `web_role`: what a web identity may become;
    `machine`: an instance of EC2."""

    def __init__(self):
        command = [HERE / "python", __file__]
        self.process = subprocess.Popen(command, env=os.environ | {"REQUIREMENTS": "clouds.txt"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        known = json.loads(self.process.stdout.readline())
        self.address = known["address"]
        self.user, self.session, self.web_role, self.machine = (known[name] for name in ("user", "session", "web_role", "machine"))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def mount(self, vault, name, **config):
        """Turn on the AWS login of a server, which asks this STS."""
        vault.write(f"sys/auth/{name}", type="aws")
        keys = {"access_key": self.user["AWS_ACCESS_KEY_ID"], "secret_key": self.user["AWS_SECRET_ACCESS_KEY"]}
        places = {"sts_endpoint": self.address, "iam_endpoint": self.address, "endpoint": self.address, "sts_region": "us-east-1"}
        vault.write(f"auth/{name}/config/client", iam_server_id_header_value=SERVER_ID, max_retries=0, **keys, **places, **config)
        return name

    @staticmethod
    def role(vault, mount, name, principal, policy):
        vault.write(f"auth/{mount}/role/{name}", auth_type="iam", bound_iam_principal_arn=principal, resolve_aws_unique_ids=False, token_policies=[policy])
        return name


def serve():
    import boto3
    import requests
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    place = "http://%s:%d" % server.get_host_and_port()
    settings = {"endpoint_url": place, "region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "y"}
    iam = boto3.client("iam", **settings)
    may_all = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    trusts = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "x"}, "Action": "sts:AssumeRoleWithWebIdentity"}]})
    iam.create_user(UserName="app")
    iam.put_user_policy(UserName="app", PolicyName="p", PolicyDocument=may_all)
    key = iam.create_access_key(UserName="app")["AccessKey"]
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=trusts)["Role"]["Arn"]
    iam.put_role_policy(RoleName="web", PolicyName="p", PolicyDocument=may_all)
    session = boto3.client("sts", **settings).assume_role_with_web_identity(RoleArn=role, RoleSessionName="session", WebIdentityToken="t" * 30)["Credentials"]
    machine = boto3.client("ec2", **settings).run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    # From now on every call is checked: signature, session token, policy.
    requests.post(f"{place}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, timeout=60).raise_for_status()
    known = {
        "address": place,
        "user": {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]},
        "session": {"AWS_ACCESS_KEY_ID": session["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"], "AWS_SESSION_TOKEN": session["SessionToken"]},
        "web_role": role,
        "machine": machine,
    }
    print(json.dumps(known), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    serve()
