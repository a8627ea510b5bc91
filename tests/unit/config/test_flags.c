#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/flags.h"

static struct flags flags;
static struct err err;

static int parse(const char *const *words)
{
    int argc = 0;

    while (words[argc])
        argc++;
    return flags_parse(&flags, argc, (char *const *)words, &err);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void flags_take_one_or_two_dashes_and_both_forms_of_values(void **state)
{
    (void)state;
    assert_int_equal(PARSE("agent", "-config=a", "--config", "b", "-address=x=y", "--log-level", "-debug"), 0);
    assert_int_equal(flags.config_count, 2);
    assert_string_equal(flags.configs[0], "a");
    assert_string_equal(flags.configs[1], "b");
    assert_string_equal(flags.address, "x=y");
    assert_string_equal(flags.log_level, "-debug");
    assert_null(flags.ca_cert);
}

static void flags_switches_stand_alone_or_have_a_truth_value(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-exit-after-auth", "-tls-skip-verify=false"), 0);
    assert_int_equal(flags.exit_after_auth, 1);
    assert_int_equal(flags.tls_skip_verify, 0);
    assert_int_equal(flags.verify_only, -1);
    assert_int_equal(PARSE("-exit-after-auth=maybe"), -1);
}

static void flags_last_one_counts(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-address=a", "-address=b", "-namespace=a", "-namespace=b"), 0);
    assert_string_equal(flags.address, "b");
    assert_string_equal(flags.namespace, "b");
}

static void flags_short_name_of_the_namespace_counts_more(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-ns=a", "-namespace=b"), 0);
    assert_string_equal(flags.namespace, "a");
    assert_int_equal(PARSE("-namespace=b", "-ns=a"), 0);
    assert_string_equal(flags.namespace, "a");
}

static void flags_of_the_original_without_meaning_are_accepted(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-wrap-ttl", "5m", "-unlock-key=k", "-disable-gated-logs", "-mfa", "a:b", "-config=c"), 0);
    assert_int_equal(flags.config_count, 1);
}

static void flags_of_numbers_and_headers_are_checked(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-log-rotate-bytes", "0x10", "-log-rotate-max-files=-1", "-header", "a=b", "--header=c=d=e"), 0);
    assert_string_equal(flags.log_rotate_bytes, "0x10");
    assert_int_equal(flags.header_count, 2);
    assert_int_equal(PARSE("-log-rotate-bytes=many"), -1);
    assert_string_equal(err.text, "flag -log-rotate-bytes: a number is expected");
    assert_int_equal(PARSE("-header=a"), -1);
    assert_int_equal(PARSE("-header=x-vault-token=canary"), -1);
    assert_string_equal(err.text, "flag -header: X-Vault-* is set by the agent alone");
}

static void flags_refuse_what_they_do_not_know(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-confg=x"), -1);
    assert_string_equal(err.text, "unknown flag: -confg (see -help)");
    assert_int_equal(PARSE("-config"), -1);
    assert_string_equal(err.text, "flag -config needs a value");
}

static void assert_rest(size_t count, const char *passed_over)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, KIB(1));
    flags_passed_over(&flags, &buf);
    assert_int_equal(flags.rest_count, count);
    assert_string_equal(buf.len ? buf.data : "", passed_over);
}

static void flags_end_at_the_first_word_as_in_the_original(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-config=c"), 0);
    assert_rest(0, "");
    assert_int_equal(PARSE("-config=c", "a", "b"), 0);
    assert_rest(2, "");
    assert_int_equal(PARSE("agent", "agent", "-config=c", "--header", "-", "a=b", "-nonsense=canary"), 0);
    assert_int_equal(flags.config_count, 0);
    assert_rest(6, "-config --header -nonsense");
    assert_int_equal(PARSE("-config=c", "-"), 0);
    assert_rest(1, "");
    assert_int_equal(PARSE("qiut", "-config=c"), -1);
    assert_int_equal(PARSE("-"), -1);
    assert_int_equal(PARSE("-config", "c", "--", "-x"), 0);
    assert_int_equal(flags.config_count, 1);
    assert_rest(2, "");
    assert_int_equal(flags_parse_probe(&flags, 1, (char *[]){(char *)"x"}, &err), -1);
    assert_int_equal(flags_parse_revoke(&flags, 2, (char *[]){(char *)"-self", (char *)"x"}, &err), -1);
}

static void flags_config_is_bounded(void **state)
{
    const char *words[LIMIT_CONFIG_FLAGS + 2] = {NULL};

    (void)state;
    for (size_t i = 0; i < LIMIT_CONFIG_FLAGS; i++)
        words[i] = "-config=x";
    assert_int_equal(parse(words), 0);
    words[LIMIT_CONFIG_FLAGS] = "-config=x";
    assert_int_equal(parse(words), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void flags_of_revoke_are_those_of_the_connection_and_self(void **state)
{
    const char *const good[] = {"-address=a", "-ca-cert", "c", "-self"}, *const bad[] = {"-config=a"};

    (void)state;
    assert_int_equal(flags_parse_revoke(&flags, 4, (char *const *)good, &err), 0);
    assert_string_equal(flags.address, "a");
    assert_string_equal(flags.ca_cert, "c");
    assert_int_equal(flags.self, 1);
    assert_int_equal(flags_parse_revoke(&flags, 1, (char *const *)bad, &err), -1);
    assert_int_equal(PARSE("-self"), -1);
}

static int parse_exec(const char *const *words)
{
    int argc = 0;

    while (words[argc])
        argc++;
    return flags_parse_exec(&flags, argc, (char *const *)words, &err);
}

#define PARSE_EXEC(...) parse_exec((const char *const[]){__VA_ARGS__, NULL})

static void flags_of_exec_end_where_the_program_begins(void **state)
{
    (void)state;
    assert_int_equal(PARSE_EXEC("-variable=A=/a", "-variable", "_B2=/b=", "-restart=false", "-grace=1m", "--", "sh", "-c", "--"),
                     0);
    assert_int_equal(flags.variable_count, 2);
    assert_string_equal(flags.variables[1], "_B2=/b=");
    assert_int_equal(flags.restart, 0);
    assert_string_equal(flags.grace, "1m");
    assert_string_equal(flags.program[0], "sh");
    assert_string_equal(flags.program[2], "--");
    assert_null(flags.program[3]);
    assert_int_equal(PARSE_EXEC("-variable=A=/a"), 0);
    assert_null(flags.program);
    assert_int_equal(flags.restart, -1);
    assert_int_equal(PARSE_EXEC("sh"), -1);
    assert_int_equal(PARSE_EXEC("-address=x"), -1);
    assert_int_equal(PARSE("--", "sh"), -1);
    for (const char *const *wrong = (const char *const[]){"A", "=/a", "A=", "2=/a", "A-B=/a", "\xc3\xa4=/a", NULL}; *wrong;
         wrong++) {
        assert_int_equal(PARSE_EXEC("-variable", *wrong), -1);
        assert_non_null(strstr(err.text, "flag -variable: NAME=PATH is expected"));
    }
}

static void flags_variables_are_bounded(void **state)
{
    const char *words[LIMIT_EXEC_VARIABLES + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        words[i] = "-variable=A=/a";
    words[LIMIT_EXEC_VARIABLES] = NULL;
    assert_int_equal(parse_exec(words), 0);
    words[LIMIT_EXEC_VARIABLES] = words[0];
    words[LIMIT_EXEC_VARIABLES + 1] = NULL;
    assert_int_equal(parse_exec(words), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void flags_help_comes_from_the_table(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init(&buf, KIB(16));
    flags_help(&buf);
    assert_non_null(strstr(buf.data, "  -config=PATH\n"));
    assert_non_null(strstr(buf.data, "  -exit-after-auth\n"));
    assert_non_null(strstr(buf.data, "\nAccepted, and without meaning here: -agent-address -disable-gated-logs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_take_one_or_two_dashes_and_both_forms_of_values),
        cmocka_unit_test(flags_switches_stand_alone_or_have_a_truth_value),
        cmocka_unit_test(flags_last_one_counts),
        cmocka_unit_test(flags_short_name_of_the_namespace_counts_more),
        cmocka_unit_test(flags_of_the_original_without_meaning_are_accepted),
        cmocka_unit_test(flags_of_numbers_and_headers_are_checked),
        cmocka_unit_test(flags_refuse_what_they_do_not_know),
        cmocka_unit_test(flags_end_at_the_first_word_as_in_the_original),
        cmocka_unit_test(flags_config_is_bounded),
        cmocka_unit_test(flags_of_revoke_are_those_of_the_connection_and_self),
        cmocka_unit_test(flags_of_exec_end_where_the_program_begins),
        cmocka_unit_test(flags_variables_are_bounded),
        cmocka_unit_test(flags_help_comes_from_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
