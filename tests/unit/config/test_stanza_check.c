#include "stanza_world.h"

#define METHOD   "auto_auth { method \"kubernetes\" { config = { role = \"r\" } } } "
#define SERVER   "vault { address = \"https://a\" } "
#define SINK     "auto_auth { method \"kubernetes\" { config = { role = \"r\" } } sink \"file\" { config = { path = \"/s\" } } } "
#define LISTENER "listener \"tcp\" { tls_disable = true } "
#define USE      "api_proxy { use_auto_auth_token = true } "
#define TEMPLATE "template { contents = \"x\" destination = \"/d\" } "

static void check(const char *text)
{
    read_good(text);
    stanza_check(&config, &problems);
}

static void what_is_whole_has_no_problem(void **state)
{
    (void)state;
    check("vault { address = \"https://a\" } " METHOD TEMPLATE);
    assert_int_equal(problems.len, 0);
}

/* Behind the warning that nothing is kept. */
static void caches_need_somebody_to_serve(void **state)
{
    static const struct bad rows[] = {
        {SERVER "cache { } " SINK, PROBLEM_ERROR, "cache", "needs a listener or a template"},
        {SERVER LISTENER USE "cache { use_auto_auth_token = true } " METHOD, PROBLEM_ERROR, "cache.use_auto_auth_token",
         "as well"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_alone(rows[i].text);
        stanza_check(&config, &problems);
        assert_int_equal(problems.len, 2);
        assert_string_equal(problems.items[1].path, rows[i].path);
        assert_non_null(strstr(problems.items[1].text, rows[i].says));
    }
}

static void what_only_the_whole_tells_is_named(void **state)
{
    static const struct bad rows[] = {
        {"log_file = \"/var/log/*.log\" vault { address = \"https://a\" } " METHOD TEMPLATE, PROBLEM_ERROR, "log_file",
         "shell patterns"},
        {"log_rotate_duration = \"-1s\" vault { address = \"https://a\" } " METHOD TEMPLATE, PROBLEM_UNUSABLE,
         "log_rotate_duration", "must not be negative"},
        {"vault { address = \"nonsense\" } " METHOD TEMPLATE, PROBLEM_UNUSABLE, "vault", ""},
        {"vault { address = \"https://a\" namespace = \"a b\" } " METHOD TEMPLATE, PROBLEM_UNUSABLE, "vault.namespace", "blank"},
        {"vault { address = \"https://a\" client_cert = \"/c\" } " METHOD TEMPLATE, PROBLEM_UNUSABLE, "vault", "together"},
        {"vault { address = \"https://a\" tls_skip_verify = true } " METHOD TEMPLATE, PROBLEM_WARNING, "vault.tls_skip_verify",
         "not checked"},
        {"vault { address = \"https://a\" } " TEMPLATE, PROBLEM_ERROR, "auto_auth", "is missing"},
        {"vault { address = \"https://a\" } " METHOD, PROBLEM_ERROR, "auto_auth", "nothing to do"},
        {"vault { address = \"https://a\" } auto_auth { method \"kerberos\" { config = { realm = \"R\" } } } " TEMPLATE,
         PROBLEM_UNUSABLE, "auto_auth.method.config.username", "is missing"},
        {"vault { address = \"https://a\" } auto_auth { method \"oci\" { config = { a = 1 } } } " TEMPLATE, PROBLEM_UNUSABLE,
         "auto_auth.method.type", "method oci is not supported: use kubernetes in OKE, jwt, or approle"},
        {"vault { address = \"https://a\" } auto_auth { method \"aws\" { config = { type = \"iam\" role = \"r\" access_key = \"a\" } } } " TEMPLATE,
         PROBLEM_UNUSABLE, "auto_auth.method.config", "access_key and secret_key must be given together"},
        {"vault { address = \"https://a\" } auto_auth { method \"aws\" { config = { type = \"sts\" role = \"r\" } } } " TEMPLATE,
         PROBLEM_UNUSABLE, "auto_auth.method.config.type", "must be iam or ec2"},
        {"vault { address = \"https://a\" } auto_auth { method \"aws\" { config = { type = \"iam\" role = \"r\" "
         "credential_poll_interval = \"30\" } } } " TEMPLATE,
         PROBLEM_UNUSABLE, "auto_auth.method.config.credential_poll_interval", "without quotes"},
        {"vault { address = \"https://a\" } auto_auth { method \"gcp\" { config = { type = \"iam\" role = \"r\" jwt_exp = \"x\" } } } " TEMPLATE,
         PROBLEM_UNUSABLE, "auto_auth.method.config.jwt_exp", "must be a positive integer"},
        {"vault { address = \"https://a\" } auto_auth { method \"azure\" { config = { role = \"r\" resource = \"x\" object_id = \"o\" "
         "client_id = \"c\" } } } " TEMPLATE,
         PROBLEM_UNUSABLE, "auto_auth.method.config", "not both"},
        {"vault { address = \"https://a\" } auto_auth { method \"nope\" { config = { a = 1 } } } " TEMPLATE, PROBLEM_ERROR,
         "auto_auth.method.type", "there is no method nope"},
        {"vault { address = \"https://a\" } auto_auth { method \"kubernetes\" { config = { } } } " TEMPLATE, PROBLEM_UNUSABLE,
         "auto_auth.method.config.role", ""},
        {"vault { address = \"https://a\" } auto_auth { method \"kubernetes\" { config = { role = \"r\" x = 1 } } } " TEMPLATE,
         PROBLEM_WARNING, "auto_auth.method.config.x", "unknown key"},
        {"vault { address = \"https://a\" } auto_auth { method \"kubernetes\" { config = { role = \"r\" } } sink \"file\" { aad = \"x\" "
         "config = { path = \"/s\" } } } ",
         PROBLEM_ERROR, "auto_auth.sink[0].aad", "needs dh_type"},
        {SERVER "api_proxy { } " METHOD TEMPLATE, PROBLEM_ERROR, "api_proxy", "needs a listener"},
        {"vault { address = \"http://localhost:8200/\" } " LISTENER METHOD TEMPLATE, PROBLEM_UNUSABLE, "listener[0]",
         "would ask itself"},
        {"vault { address = \"unix:///a\" } listener \"unix\" { address = \"/a\" } " METHOD TEMPLATE, PROBLEM_UNUSABLE,
         "listener[0]", "would ask itself"},
        {"vault { address = \"https://a\" } " METHOD TEMPLATE TEMPLATE, PROBLEM_WARNING, "template[0].destination",
         "also that of template[1]"},
        {"vault { address = \"https://a\" } " METHOD TEMPLATE "ampule { atomic_group \"g\" { } }", PROBLEM_ERROR,
         "ampule.atomic_group[g]", "folder is missing"},
        {"vault { address = \"https://a\" } " METHOD TEMPLATE "ampule { atomic_group \"g\" { folder = \"/\" } "
         "atomic_group \"h\" { folder = \"/a/..\" } }",
         PROBLEM_ERROR, "ampule.atomic_group[h]", "has the folder of ampule.atomic_group[g] ("},
        {"vault { address = \"https://a\" } " METHOD TEMPLATE "ampule { atomic_group \"g\" { folder = \"/x\" } }",
         PROBLEM_WARNING, "ampule.atomic_group[g]", "has no file"},
        {"vault { address = \"https://a\" } " METHOD "template { contents = \"x\" destination = \"/x/d\" backup = true } "
         "ampule { atomic_group \"g\" { folder = \"/x\" } }",
         PROBLEM_ERROR, "template[0]", "backup is not possible"},
        {"vault { address = \"https://a\" } " METHOD "template { contents = \"x\" destination = \"/x/..data\" } "
         "ampule { atomic_group \"g\" { folder = \"/x\" } }",
         PROBLEM_ERROR, "template[0]", "the group's own"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check(rows[i].text);
        assert_problem(rows[i].text, rows[i].severity, rows[i].path, rows[i].says);
    }
}

/* What is missing in a file that could not be read is no news. */
static void after_a_file_that_could_not_be_read_nothing_is_missing(void **state)
{
    (void)state;
    problems_add(&problems, PROBLEM_ERROR, "a.hcl", (struct val_place){0}, "", "cannot be read");
    stanza_check(&config, &problems);
    assert_int_equal(problems.len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_whole_has_no_problem, make, clean),
        cmocka_unit_test_setup_teardown(what_only_the_whole_tells_is_named, make, clean),
        cmocka_unit_test_setup_teardown(caches_need_somebody_to_serve, make, clean),
        cmocka_unit_test_setup_teardown(after_a_file_that_could_not_be_read_nothing_is_missing, make, clean),
    };

    return cmocka_run_group_tests_name("stanza_check", tests, NULL, NULL);
}
