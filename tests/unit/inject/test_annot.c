#include "asking.h"

#include "inject/annot.h"

static void the_table_is_sorted_and_holds_all_74_of_the_original(void **state)
{
    size_t theirs = 0;

    (void)state;
    for (size_t i = 0; i < ANNOT_COUNT; i++) {
        theirs += strncmp(annot_rows[i].name, "ampule.dev/", 11) != 0;
        assert_true(i == 0 || strcmp(annot_rows[i - 1].name, annot_rows[i].name) < 0);
        assert_true(*annot_rows[i].help && *annot_kind_name(annot_rows[i].kind));
    }
    assert_int_equal(theirs, 74);
}

static void names_are_found_with_and_without_what_follows(void **state)
{
    static const struct {
        const char *suffix;
        int annot; /* -1: unknown */
        const char *name;
    } rows[] = {
        {"role", ANNOT_ROLE, NULL},
        {"agent-inject", ANNOT_AGENT_INJECT, NULL},
        {"agent-inject-secret-db", ANNOT_AGENT_INJECT_SECRET, "db"},
        {"agent-inject-secret-a-b", ANNOT_AGENT_INJECT_SECRET, "a-b"},
        {"agent-inject-template-file-x", ANNOT_AGENT_INJECT_TEMPLATE_FILE, "x"},
        {"secret-volume-path", ANNOT_SECRET_VOLUME_PATH, NULL},
        {"secret-volume-path-x", ANNOT_SECRET_VOLUME_PATH, "x"},
        {"ampule.dev/identity-role-x", ANNOT_OWN_IDENTITY_ROLE, "x"},
        {"agent-inject-secret", -1, NULL},
        {"agent-inject-secret-", -1, NULL},
        {"agent-image-x", -1, NULL},
        {"", -1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *name;
        const struct annot_row *row = annot_find(str_of(rows[i].suffix), &name);

        assert_ptr_equal(row, rows[i].annot < 0 ? NULL : &annot_rows[rows[i].annot]);
        if (row && rows[i].name)
            assert_string_equal(name, rows[i].name);
    }
}

static void prefixes_of_both_originals_mean_the_same(void **state)
{
    (void)state;
    assert_string_equal(annot_suffix(STR("vault.hashicorp.com/role")).data, "role");
    assert_string_equal(annot_suffix(STR("openbao.org/role")).data, "role");
    assert_string_equal(annot_suffix(STR("ampule.dev/direct")).data, "ampule.dev/direct");
    assert_null(annot_suffix(STR("example.com/role")).data);
    ask_pod(EVERYDAY_SPEC, "openbao.org/agent-inject=true", "openbao.org/role=r", "vault.hashicorp.com/agent-inject-secret-db=x",
            NULL);
    assert_non_null(strstr(config_text(sidecar()), "/vault/secrets/db"));
}

static void names_longer_than_kubernetes_allows_are_not_looked_up(void **state)
{
    char name[LIMIT_ANNOTATION_NAME + 64], pair[sizeof(name) + 64];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    snprintf(pair, sizeof(pair), "agent-inject-template-%s=x", name);
    ask(pair);
    assert_int_equal(asked.status, 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(the_table_is_sorted_and_holds_all_74_of_the_original),
        TEST(names_are_found_with_and_without_what_follows),
        TEST(prefixes_of_both_originals_mean_the_same),
        TEST(names_longer_than_kubernetes_allows_are_not_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
