"""Tokens of a real API server: reviewed by it, and good for the agent's login."""

import pytest

from support import agent as files
from support.site import unique
from support.wait import for_file, until


@pytest.fixture
def site(kubernetes_site):
    return kubernetes_site


@pytest.fixture
def namespace(apiserver):
    return apiserver.namespace(unique("tokens"))


def review(apiserver, token, *audiences):
    spec = {"token": token, "audiences": list(audiences)}
    return apiserver.api.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": spec})["status"]


def test_a_token_is_good_for_its_audience_only(apiserver, namespace):
    token = apiserver.token(namespace, "app", audience="vault")
    assert review(apiserver, token, "vault")["user"]["username"] == f"system:serviceaccount:{namespace}:app"
    assert not review(apiserver, token, "other").get("authenticated")


def test_what_is_no_token_is_refused(apiserver):
    assert not review(apiserver, "a.b.c").get("authenticated")


def test_the_agent_logs_in_with_such_a_token_and_renders(site, namespace, agent, tmp_path):
    kv, login = site.kv2(), site.login(namespace=namespace)
    path = kv.put("app", word="alice")
    out = tmp_path / "out"
    contents = '{{ with secret "%s" }}{{ .Data.data.word }}{{ end }}' % path
    one = agent(site.config(login, files.template(contents, out), exit_after_auth=True))
    assert one.wait_exit() == 0, one.log
    for_file(out, "alice")


def test_a_token_bound_to_an_audience_logs_in_where_the_role_asks_for_it(site, namespace, agent, tmp_path):
    login = site.login(namespace=namespace, audience="vault")
    sink = login.sink(tmp_path / "sink")
    assert agent(site.config(login, exit_after_auth=True)).wait_exit() == 0
    for_file(sink)


def test_an_account_of_another_namespace_is_refused(apiserver, site, namespace, agent, tmp_path):
    login = site.login(namespace=namespace)
    login.volume.write(token=apiserver.token("default", "app"))
    login.sink(tmp_path / "sink")
    agent(site.config(login)).wait_log("403|permission denied|not authorized")


def test_a_token_ends_with_the_pod_that_it_is_bound_to(apiserver, namespace):
    pods = apiserver.api.pods(namespace)
    spec = {"containers": [{"name": "app", "image": "app"}], "terminationGracePeriodSeconds": 0}
    apiserver.api.post(pods, {"metadata": {"name": "one"}, "spec": spec})
    token = apiserver.token(namespace, "default", pod="one")
    assert review(apiserver, token)["authenticated"]
    apiserver.api.delete(f"{pods}/one", gracePeriodSeconds=0)
    # The API server remembers an answer for a while.
    until(lambda: not review(apiserver, token).get("authenticated"), "the token to be refused")
