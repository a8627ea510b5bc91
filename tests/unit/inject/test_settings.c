#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "inject/settings.h"

static const char *const *variables;

static char *env(const char *name)
{
    size_t len = strlen(name);

    for (const char *const *v = variables; v && *v; v++) {
        if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
            return (char *)(uintptr_t)(*v + len + 1);
    }
    return NULL;
}

static int parse(struct settings *settings, struct err *err, const char *const *vars, const char *const *words)
{
    int argc = 0;

    variables = vars;
    while (words && words[argc])
        argc++;
    return settings_parse(settings, argc, (char *const *)(uintptr_t)words, env, err);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void defaults_are_the_original_s(void **state)
{
    struct settings s;
    struct err err;

    (void)state;
    assert_int_equal(parse(&s, &err, LIST("AGENT_INJECT_VAULT_ADDR=http://v"), NULL), 0);
    assert_string_equal(s.listen, ":8080");
    assert_string_equal(s.vault_image, "hashicorp/vault:2.0.4");
    assert_string_equal(s.vault_auth_path, "auth/kubernetes");
    assert_string_equal(s.cpu_limit, "500m");
    assert_string_equal(s.memory_request, "64Mi");
    assert_string_equal(s.tls_min_version, "tls12");
    assert_string_equal(s.default_template, "map");
    assert_true(s.set_security_context && s.exit_on_retry_failure && !s.revoke_on_shutdown);
    settings_done(&s);
}

static void a_variable_wins_over_its_flag_and_an_empty_one_is_unset(void **state)
{
    const char *const vars[] = {"AGENT_INJECT_VAULT_ADDR=http://env", "AGENT_INJECT_CPU_LIMIT=", "AGENT_INJECT_RUN_AS_USER=7",
                                NULL};
    struct settings s;
    struct err err;

    (void)state;
    assert_int_equal(
        parse(&s, &err, vars, LIST("agent-inject", "-vault-address=http://flag", "--cpu-limit", "9", "-run-as-user=8")), 0);
    assert_string_equal(s.vault_address, "http://env");
    assert_string_equal(s.cpu_limit, "9");
    assert_string_equal(s.run_as_user, "7");
    settings_done(&s);
}

static void short_names_stand_in_for_the_tls_variables(void **state)
{
    const char *const vars[] = {"AGENT_INJECT_VAULT_ADDR=v", "TLS_AUTO=short", "TLS_AUTO_HOSTS=short",
                                "AGENT_INJECT_TLS_AUTO_HOSTS=long", NULL};
    struct settings s;
    struct err err;

    (void)state;
    assert_int_equal(parse(&s, &err, vars, NULL), 0);
    assert_string_equal(s.tls_auto, "short");
    assert_string_equal(s.tls_auto_hosts, "long");
    settings_done(&s);
}

/* Both charts start the injector with a literal 2>&1 and no shell. */
static void a_stray_word_ends_the_flags(void **state)
{
    struct settings s;
    struct err err;

    (void)state;
    assert_int_equal(parse(&s, &err, NULL, LIST("agent-inject", "-vault-address=v", "2>&1", "-no-such-flag")), 0);
    settings_done(&s);
}

static void switches_need_no_value_and_take_one(void **state)
{
    struct settings s;
    struct err err;

    (void)state;
    assert_int_equal(
        parse(&s, &err, NULL, LIST("-vault-address=v", "-revoke-on-shutdown", "-set-security-context=false", "-allow-root=t")),
        0);
    assert_true(s.revoke_on_shutdown && !s.set_security_context && s.allow_root);
    settings_done(&s);
}

static void wrong_settings_name_their_flag(void **state)
{
    static const char *const rows[][2] = {
        {"-default-template=xml", "-default-template: must be one of: map json"},
        {"-tls-min-version=tls1", "-tls-min-version: must be one of: tls10 tls11 tls12 tls13"},
        {"-auth-min-backoff=5", "-auth-min-backoff: time: missing unit in duration \"5\""},
        {"-run-as-same-user=maybe", "-run-as-same-user: must be true or false"},
        {"-nope", "flag provided but not defined: -nope; see --help"},
        {"-cpu-limit", "flag needs an argument: -cpu-limit"},
        {"-policy=maybe", "-policy: must be one of: off warn enforce"},
        {"-default-annotations=[]", "-default-annotations: must be a JSON object"},
        {"-default-annotations={\"agent-init-fist\":\"true\"}", "-default-annotations: \"agent-init-fist\": no such annotation"},
        {"-default-annotations={\"vault.hashicorp.com/agent-inject\":\"true\"}",
         "-default-annotations: \"vault.hashicorp.com/agent-inject\": cannot have a default"},
        {"-default-annotations={\"role\":1}", "-default-annotations: \"role\": must be a string"},
    };
    struct settings s;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(parse(&s, &err, LIST("AGENT_INJECT_VAULT_ADDR=v"), LIST(rows[i][0])), -1);
        assert_string_equal(err.text, rows[i][1]);
    }
    assert_int_equal(parse(&s, &err, LIST("AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST=x"), LIST("-vault-address=v")), -1);
    assert_string_equal(
        err.text, "environment: AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST: strconv.ParseInt: parsing \"x\": invalid syntax");
}

static void an_address_is_required_but_not_for_help(void **state)
{
    struct settings s;
    struct err err;

    (void)state;
    assert_int_equal(parse(&s, &err, NULL, NULL), -1);
    assert_int_equal(parse(&s, &err, NULL, LIST("--help")), 0);
    assert_true(s.help);
    settings_done(&s);
}

static void help_prints_every_row(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, KIB(64));
    settings_help(&buf);
    for (size_t i = 0; i < setting_count; i++)
        assert_non_null(strstr(buf.data, setting_rows[i].env));
    buf_done(&buf);
}

/* A value that is not the row's default, and that nothing refuses. */
static const char *another_value(const struct setting *row)
{
    static const char *const values[] = {
        [SETTING_TEXT] = "another", [SETTING_INT] = "7", [SETTING_FLOAT] = "0.5", [SETTING_DURATION] = "7s"};

    if (strcmp(row->env, "AMPULE_INJECT_DEFAULT_ANNOTATIONS") == 0)
        return "{\"role\":\"x\"}";
    if (strcmp(row->env, "AMPULE_INJECT_KUBERNETES_VERSION") == 0)
        return "1.29";
    if (row->type == SETTING_BOOL)
        return strcmp(row->initial, "true") == 0 ? "false" : "true";
    return row->type == SETTING_CHOICE ? strrchr(row->choices, ' ') + 1 : values[row->type];
}

static void take_field(struct settings *s, const struct setting *row, const char *const *vars, const char *const *words, char *to)
{
    const void *field = (const char *)s + row->offset;
    struct err err;

    if (parse(s, &err, vars, words) != 0)
        fail_msg("%s", err.text);
    if (row->type == SETTING_BOOL)
        snprintf(to, 64, "%d", *(const bool *)field);
    else if (row->type == SETTING_INT)
        snprintf(to, 64, "%lld", (long long)*(const int64_t *)field);
    else if (row->type == SETTING_FLOAT)
        snprintf(to, 64, "%g", *(const double *)field);
    else
        snprintf(to, 64, "%s", *(const char *const *)field);
    settings_done(s);
}

static void every_setting_is_taken_by_its_variable_and_by_its_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *row = &setting_rows[i];
        char variable[128], flag[128], by_default[64], by_variable[64], by_flag[64];
        struct settings s;

        snprintf(variable, sizeof(variable), "%s=%s", row->env, another_value(row));
        take_field(&s, row, LIST("AGENT_INJECT_VAULT_ADDR=v"), NULL, by_default);
        take_field(&s, row, LIST(variable), LIST("-vault-address=v"), by_variable);
        if (strcmp(by_default, by_variable) == 0)
            fail_msg("%s changes nothing", variable);
        if (!row->flag)
            continue;
        snprintf(flag, sizeof(flag), "-%s=%s", row->flag, another_value(row));
        take_field(&s, row, NULL, LIST("-vault-address=v", flag), by_flag);
        assert_string_equal(by_flag, by_variable);
    }
}

/* Keys without values: the shortest text that makes a tree. */
static void default_annotations_have_a_most_of_memory(void **state)
{
    _cleanup_buf_ struct buf text;
    struct settings s;
    struct err err;

    (void)state;
    buf_init(&text, LIMIT_REVIEW_DEFAULTS_TREE_BYTES * 2);
    buf_addc(&text, '{');
    for (size_t i = 0; i < LIMIT_REVIEW_DEFAULTS_TREE_BYTES / 64; i++)
        buf_addf(&text, "%s\"k%zu\":\"\"", i > 0 ? "," : "", i);
    buf_addc(&text, '}');
    assert_int_equal(parse(&s, &err, LIST("AGENT_INJECT_VAULT_ADDR=http://v"), LIST("-default-annotations", text.data)), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "default annotations: more than 4194304 bytes of memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_original_s),
        cmocka_unit_test(a_variable_wins_over_its_flag_and_an_empty_one_is_unset),
        cmocka_unit_test(short_names_stand_in_for_the_tls_variables),
        cmocka_unit_test(a_stray_word_ends_the_flags),
        cmocka_unit_test(switches_need_no_value_and_take_one),
        cmocka_unit_test(wrong_settings_name_their_flag),
        cmocka_unit_test(an_address_is_required_but_not_for_help),
        cmocka_unit_test(help_prints_every_row),
        cmocka_unit_test(default_annotations_have_a_most_of_memory),
        cmocka_unit_test(every_setting_is_taken_by_its_variable_and_by_its_flag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
