#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "identity/azure.h"
#include "support/environment.h"

static char token_file[] = "/tmp/ampule-test-azure-XXXXXX";

static int fresh(void **state)
{
    (void)state;
    environment_empty();
    return 0;
}

static const struct azure_options managed = {.resource = "https://vault.example/"};
static const struct azure_options surroundings = {.resource = "https://vault.example/", .environment = true};

/* The first question, as "METHOD URL", with its form behind. */
static void asks(const struct azure_options *options, const char *expected, const char *form)
{
    struct azure *azure = azure_new(options);
    struct ask ask = {0};
    char asked[1024];
    struct err err;

    if (azure_next(azure, NULL, &ask, &err) != 0)
        fail_msg("%s", err.text);
    snprintf(asked, sizeof(asked), "%s %s%s", ask.method, ask.origin, ask.path.data);
    assert_string_equal(asked, expected);
    assert_string_equal(ask.body.data, form);
    ask_done(&ask);
    azure_free(azure);
}

static void refuses(const struct azure_options *options, const char *text)
{
    struct azure *azure = azure_new(options);
    _cleanup_ask_ struct ask ask = {0};
    struct err err;

    assert_int_equal(azure_next(azure, NULL, &ask, &err), -1);
    assert_string_equal(err.text, text);
    azure_free(azure);
}

static void a_managed_identity_comes_from_the_metadata_service(void **state)
{
    struct azure_options one = managed;

    (void)state;
    asks(
        &managed,
        "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.example%2F",
        "");
    one.client_id = "c-1";
    asks(&one,
         "GET http://169.254.169.254/metadata/identity/oauth2/"
         "token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.example%2F&client_id=c-1",
         "");
    one.client_id = NULL;
    one.object_id = "o-1";
    asks(&one,
         "GET http://169.254.169.254/metadata/identity/oauth2/"
         "token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.example%2F&object_id=o-1",
         "");
    setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:4141/msi/token", 1);
    setenv("IDENTITY_HEADER", "h", 1);
    asks(&one,
         "GET http://127.0.0.1:4141/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.example%2F&principal_id=o-1",
         "");
}

static void the_environment_is_looked_through_in_azure_s_order(void **state)
{
    (void)state;
    setenv("AZURE_TENANT_ID", "tenant", 1);
    setenv("AZURE_CLIENT_ID", "client", 1);
    setenv("AZURE_FEDERATED_TOKEN_FILE", token_file, 1);
    asks(
        &managed,
        "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.example%2F",
        "");
    asks(&surroundings, "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
         "client_id=client&grant_type=client_credentials&scope=https%3A%2F%2Fvault.example%2F%2F.default&"
         "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=eyJ.a.b");
    setenv("AZURE_AUTHORITY_HOST", "https://login.chinacloudapi.cn/", 1);
    setenv("AZURE_CLIENT_SECRET", "s e", 1);
    asks(&surroundings, "POST https://login.chinacloudapi.cn/tenant/oauth2/v2.0/token",
         "client_id=client&grant_type=client_credentials&scope=https%3A%2F%2Fvault.example%2F%2F.default&client_secret=s%20e");
    setenv("AZURE_AUTHORITY_HOST", "http://login.example", 1);
    refuses(&surroundings, "AZURE_AUTHORITY_HOST: not an https:// address without user, query and fragment");
    unsetenv("AZURE_CLIENT_SECRET");
    setenv("AZURE_CLIENT_CERTIFICATE_PATH", "/x", 1);
    refuses(&surroundings,
            "AZURE_CLIENT_CERTIFICATE_PATH is not supported: set AZURE_CLIENT_SECRET, or AZURE_FEDERATED_TOKEN_FILE");
}

static void identity_bindings_go_through_their_proxy(void **state)
{
    struct azure *azure = azure_new(&surroundings);
    _cleanup_ask_ struct ask ask = {0};
    struct err err;

    (void)state;
    setenv("AZURE_TENANT_ID", "tenant", 1);
    setenv("AZURE_CLIENT_ID", "client", 1);
    setenv("AZURE_FEDERATED_TOKEN_FILE", token_file, 1);
    setenv("AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy.example:8443/base/", 1);
    setenv("AZURE_KUBERNETES_CA_FILE", "/ca.pem", 1);
    setenv("AZURE_KUBERNETES_SNI_NAME", "sni.example", 1);
    assert_int_equal(azure_next(azure, NULL, &ask, &err), 0);
    assert_string_equal(ask.origin, "https://proxy.example:8443");
    assert_string_equal(ask.path.data, "/base/tenant/oauth2/v2.0/token");
    assert_string_equal(ask.ca_file, "/ca.pem");
    assert_string_equal(ask.tls_name, "sni.example");
    azure_free(azure);
    setenv("AZURE_KUBERNETES_CA_DATA", "pem", 1);
    refuses(&surroundings, "AZURE_KUBERNETES_CA_FILE and AZURE_KUBERNETES_CA_DATA: one of them is allowed");
    setenv("AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy.example?x", 1);
    refuses(&surroundings, "AZURE_KUBERNETES_TOKEN_PROXY: not an https:// address without user, query and fragment");
}

static void answers(int status, const char *body, const char *challenge, int rc, const char *text)
{
    struct azure *azure = azure_new(&managed);
    const struct told told = {.status = status, .body = str_of(body), .challenge = challenge};
    struct ask ask = {0};
    struct err err = {0};

    assert_int_equal(azure_next(azure, NULL, &ask, &err), 0);
    ask_done(&ask);
    assert_int_equal(azure_next(azure, &told, &ask, &err), rc);
    assert_string_equal(rc == 1 ? azure_token(azure) : err.text, text);
    ask_done(&ask);
    azure_free(azure);
}

static void answers_are_tokens_or_codes_of_errors(void **state)
{
    (void)state;
    answers(200, "{\"access_token\":\"eyJ\",\"expires_in\":\"3599\"}", "", 1, "eyJ");
    answers(200, "{\"expires_in\":3599}", "", -1, "Azure: token: the answer has none");
    answers(200, "<html>", "", -1,
            "Azure: token: the answer is no JSON: invalid character looking for beginning of value (line 1, column 1)");
    answers(401, "{\"error_description\":\"AADSTS700016: hunter2\"}", "", -1,
            "Azure: token: refused with status 401, AADSTS700016");
    answers(400, "{\"error_description\":\"hunter2\"}", "", -1, "Azure: token: refused with status 400");
    answers(503, "hunter2", "", -1, "Azure: token: answered with status 503");
}

static void arc_is_shown_only_a_key_of_its_own(void **state)
{
    static const char *const realms[] = {"Basic realm=/etc/shadow", "Basic realm=/var/opt/azcmagent/tokens/../../../../etc/x.key",
                                         "Basic realm=/var/opt/azcmagent/tokens/x", "Bearer", ""};

    (void)state;
    setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/metadata/identity/oauth2/token", 1);
    setenv("IMDS_ENDPOINT", "http://127.0.0.1:40342", 1);
    for (size_t i = 0; i < ARRAY_LEN(realms); i++)
        answers(401, "", realms[i], -1, "Azure Arc: the challenge names no key below /var/opt/azcmagent/tokens/");
}

static int setup(void **state)
{
    int fd = mkstemp(token_file);

    (void)state;
    return fd < 0 || write(fd, "eyJ.a.b\n", 8) != 8 || close(fd) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(token_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_managed_identity_comes_from_the_metadata_service, fresh),
        cmocka_unit_test_setup(the_environment_is_looked_through_in_azure_s_order, fresh),
        cmocka_unit_test_setup(identity_bindings_go_through_their_proxy, fresh),
        cmocka_unit_test_setup(answers_are_tokens_or_codes_of_errors, fresh),
        cmocka_unit_test_setup(arc_is_shown_only_a_key_of_its_own, fresh),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
