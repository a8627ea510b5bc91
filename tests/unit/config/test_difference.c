#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hcl.h"
#include "config/difference.c" /* for its tables */
#include "config/stanza.h"

#define BASE                                                                                                                \
    "vault { address = \"https://a\" ca_cert = \"/a\" }\n"                                                                  \
    "auto_auth { method \"jwt\" { config { path = \"/jwt\" role = \"r\" } } sink \"file\" { config { path = \"/t\" } } }\n" \
    "template { contents = \"x\" destination = \"/x\" command = [\"a\", \"b\"] }\n"                                         \
    "template { source = \"/y.tpl\" destination = \"/y\" perms = \"0600\" }\n"

static struct config old, new;
static struct difference difference;

static void read(struct config *config, const char *text)
{
    struct problems problems;
    struct reading reading = {&config->arena, &problems, "a.hcl", PROBLEM_ERROR};
    struct val_place place;
    struct val root;
    struct err err;

    problems_init(&problems);
    config_init(config);
    assert_int_equal(hcl_read(text, strlen(text), 0, &config->arena, &root, &place, &err), 0);
    stanza_file(&reading, &root, config);
    assert_int_equal(problems.len, 0);
    problems_done(&problems);
}

static int clean(void **state)
{
    (void)state;
    difference_done(&difference);
    config_done(&old);
    config_done(&new);
    return 0;
}

static void compare(const char *before, const char *after)
{
    clean(NULL);
    read(&old, before);
    read(&new, after);
    difference_find(&old, &new, &difference);
}

static void assert_keys(const struct difference_keys *keys, const char *wanted)
{
    char found[512] = "";

    for (size_t i = 0; i < keys->count; i++)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "", keys->items[i]);
    assert_string_equal(found, wanted);
}

static void assert_templates(size_t added, size_t edited, size_t removed)
{
    assert_int_equal(difference.added, added);
    assert_int_equal(difference.edited, edited);
    assert_int_equal(difference.removed, removed);
}

static void what_says_the_same_is_no_difference(void **state)
{
    (void)state;
    compare(BASE, "# elsewhere\n\n" BASE);
    assert_keys(&difference.taken, "");
    assert_keys(&difference.restart, "");
    assert_int_equal(difference.parts, 0);
    assert_templates(0, 0, 0);
    assert_int_equal(difference.templates[1].origin, 1);
}

#define AUTH(method, sink) "auto_auth { " method sink " }\n"
#define SINK               "sink \"file\" { config { path = \"/t\" } }"
#define METHOD             "method \"jwt\" { config { path = \"/jwt\" role = \"r\" } }"

static const struct {
    const char *before, *after, *taken, *restart;
} keys[] = {
    {"vault { address = \"https://a\" }", "vault { address = \"https://b\" }", "", "vault.address"},
    {"vault { ca_cert = \"/a\" }", "vault { ca_path = \"/b\" }", "vault.ca_cert vault.ca_path", ""},
    {"", "vault { client_cert = \"/c\" client_key = \"/k\" }", "vault.client_cert vault.client_key", ""},
    {"", "vault { retry { num_retries = 3 } }", "vault.retry.num_retries", ""},
    {"", "vault { namespace = \"n\" tls_server_name = \"n\" tls_skip_verify = true }", "",
     "vault.tls_skip_verify vault.tls_server_name vault.namespace"},
    {AUTH(METHOD, SINK), AUTH("method \"kubernetes\" { config { role = \"r\" } }", SINK), "",
     "auto_auth.method.type auto_auth.method.mount_path auto_auth.method.config"},
    {AUTH(METHOD, SINK), AUTH("method \"jwt\" { config { path = \"/jwt\" role = \"s\" } }", SINK), "", "auto_auth.method.config"},
    {AUTH(METHOD, SINK), AUTH(METHOD, ""), "auto_auth.sink", ""},
    {AUTH(METHOD, SINK), AUTH(METHOD, "sink \"file\" { config { path = \"/t\" mode = 0600 } }"), "auto_auth.sink", ""},
    {AUTH(METHOD, ""), "", "", "auto_auth auto_auth.method.type auto_auth.method.mount_path auto_auth.method.config"},
    {"", "template_config { max_connections_per_host = 3 }", "template_config.max_connections_per_host", ""},
    {"", "template_config { static_secret_render_interval = \"2s\" lease_renewal_threshold = 0.5 exit_on_retry_failure = true }",
     "template_config.exit_on_retry_failure template_config.static_secret_render_interval "
     "template_config.lease_renewal_threshold",
     ""},
    {"log_level = \"info\"", "log_level = \"debug\"\nlog_format = \"json\"", "log_level log_format", ""},
    {"exec { command = [\"a\"] }", "exec { command = [\"a\", \"b\"] restart_stop_signal = \"SIGINT\" }",
     "exec.restart_stop_signal", "exec.command"},
    {"exec { command = [\"a\"] }", "", "exec.restart_on_secret_changes exec.restart_stop_signal", "exec.command"},
    {"", "ampule { revoke_on_exit = true }", "ampule.revoke_on_exit", ""},
    {"", "ampule { atomic_group \"g\" { folder = \"/g\" } }", "", "ampule.atomic_group"},
    {"ampule { atomic_group \"g\" { folder = \"/g\" command = \"a\" } }",
     "ampule { atomic_group \"g\" { folder = \"/g\" command = \"b\" } }", "", "ampule.atomic_group"},
    {"pid_file = \"/p\"", "exit_after_auth = true", "", "exit_after_auth pid_file"},
    {"log_file = \"/a\" log_rotate_bytes = 5", "log_file = \"/b\" log_rotate_duration = \"1h\" log_rotate_max_files = 2", "",
     "log_file log_rotate_duration log_rotate_bytes log_rotate_max_files"},
    {"",
     "ampule { init_deadline = \"5s\" strict_commands = true allow = [\"plugin\"] handover = \"/h\" restart_signal = \"HUP\" }",
     "ampule.restart_signal", "ampule.init_deadline ampule.strict_commands ampule.allow ampule.handover"},
};

static void keys_that_differ_are_named_and_those_that_take_a_restart_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        compare(keys[i].before, keys[i].after);
        assert_keys(&difference.taken, keys[i].taken);
        assert_keys(&difference.restart, keys[i].restart);
    }
}

static void groups_stay_as_they_are(void **state)
{
    struct err err;

    (void)state;
    compare("ampule { atomic_group \"g\" { folder = \"/g\" command = [\"a\", \"b\"] } }",
            "ampule { atomic_group \"h\" { folder = \"/h\" } atomic_group \"i\" { folder = \"/i\" } }");
    assert_int_equal(difference_keep(&old, &new, DIFFERENCE_RESTART, &err), 0);
    config_done(&old);
    assert_int_equal(new.group_count, 1);
    assert_string_equal(new.groups[0].folder, "/g");
    assert_string_equal(new.groups[0].path, "ampule.atomic_group[g]");
    assert_string_equal(new.groups[0].command.argv[1], "b");
}

static void what_takes_a_restart_stays_and_needs_the_old_configuration_no_more(void **state)
{
    struct difference again = {0};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        compare(keys[i].before, keys[i].after);
        assert_int_equal(difference_keep(&old, &new, DIFFERENCE_RESTART, &err), 0);
        config_done(&old);
        read(&old, keys[i].before);
        difference_find(&old, &new, &again);
        assert_keys(&again.restart, "");
        assert_keys(&again.taken, keys[i].taken);
        difference_done(&again);
    }
}

static void any_other_part_stays_where_it_is_asked_for(void **state)
{
    struct err err;

    (void)state;
    compare("vault { ca_cert = \"/a\" }\n" AUTH(METHOD, SINK), "vault { ca_cert = \"/b\" }\n" AUTH(METHOD, ""));
    assert_keys(&difference.taken, "vault.ca_cert auto_auth.sink");
    difference_forget(&difference, DIFFERENCE_TRUST);
    assert_keys(&difference.taken, "auto_auth.sink");
    assert_int_equal(difference.parts, DIFFERENCE_SINKS);
    assert_int_equal(difference_keep(&old, &new, DIFFERENCE_TRUST | DIFFERENCE_SINKS, &err), 0);
    config_done(&old);
    assert_string_equal(new.vault.ca_cert, "/a");
    assert_int_equal(new.sink_count, 1);
    assert_string_equal(new.sinks[0].path, "/t");
}

static const struct {
    const char *before, *after;
    size_t added, edited, removed;
} templates[] = {
    {BASE, BASE "template { contents = \"z\" destination = \"/z\" }", 1, 0, 0},
    {BASE "template { contents = \"z\" destination = \"/z\" }", BASE, 0, 0, 1},
    {"template { contents = \"x\" destination = \"/x\" }", "template { contents = \"y\" destination = \"/x\" }", 0, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }", "template { source = \"/x.tpl\" destination = \"/x\" }", 0, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }", "template { contents = \"x\" destination = \"/x2\" }", 1, 0, 1},
    {"template { contents = \"x\" destination = \"/x\" }", "template { contents = \"x\" destination = \"/x\" perms = \"0600\" }",
     0, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }", "template { contents = \"x\" destination = \"/x\" command = \"a\" }",
     0, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }",
     "template { contents = \"x\" destination = \"/x\" notify { signal = \"HUP\" process = \"a\" } }", 0, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }",
     "template { contents = \"x\" destination = \"/x\" function_denylist = [\"env\"] }", 0, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }\ntemplate { contents = \"y\" destination = \"/y\" }",
     "template { contents = \"y\" destination = \"/y\" }\ntemplate { contents = \"x\" destination = \"/x\" }", 0, 0, 0},
    {"env_template \"A\" { contents = \"a\" }",
     "env_template \"A\" { contents = \"b\" }\nenv_template \"B\" { contents = \"b\" }", 1, 1, 0},
    {"template { contents = \"x\" destination = \"/x\" }\ntemplate { contents = \"y\" destination = \"/x\" }",
     "template { contents = \"x\" destination = \"/x\" }", 0, 0, 1},
};

static void templates_are_the_same_by_what_they_are_rendered_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
        compare(templates[i].before, templates[i].after);
        assert_templates(templates[i].added, templates[i].edited, templates[i].removed);
    }
}

static void a_template_in_another_place_is_known(void **state)
{
    (void)state;
    compare(BASE, "template { contents = \"z\" destination = \"/z\" }\n"
                  "template { contents = \"w\" destination = \"/y\" }\n"
                  "template { contents = \"x\" destination = \"/x\" command = [\"a\", \"b\"] }\n");
    assert_true(difference.templates[0].origin == DIFFERENCE_NONE);
    assert_int_equal(difference.templates[1].origin, 1);
    assert_true(difference.templates[1].edited);
    assert_int_equal(difference.templates[2].origin, 0);
    assert_false(difference.templates[2].edited);
}

static void a_template_that_cannot_be_had_stays_or_is_left_out(void **state)
{
    struct err err;

    (void)state;
    compare(BASE, "template { contents = \"z\" destination = \"/z\" }\n"
                  "template { contents = \"x\" destination = \"/x\" command = [\"c\"] perms = \"0600\" }\n"
                  "template { contents = \"new\" destination = \"/y\" }\n");
    assert_int_equal(difference_refuse(&difference, &old, &new, 0, &err), 0);
    assert_int_equal(difference_refuse(&difference, &old, &new, 0, &err), 0);
    config_done(&old);
    assert_templates(0, 1, 0);
    assert_int_equal(new.template_count, 2);
    assert_string_equal(new.templates[0].contents, "x");
    assert_string_equal(new.templates[0].command.argv[1], "b");
    assert_int_equal(new.templates[0].perms, 0);
    assert_false(difference.templates[0].edited);
    assert_string_equal(new.templates[1].contents, "new");
    assert_int_equal(difference.templates[1].origin, 1);
}

/* ----------------------------------------------------------------------------- every field has its row, or a reason */

#define FIELD(type, field)                                \
    {                                                     \
        offsetof(type, field), sizeof(((type *)0)->field) \
    }

struct field {
    size_t offset, size;
};

/* Bytes that a row compares become 0; so do those without a meaning, and those of `exempt`. */
static void uncover(unsigned char *bytes, const struct row *list, size_t count, const struct field *exempt, size_t exempt_count)
{
    for (size_t i = 0; i < count; i++)
        memset(bytes + list[i].offset, 0, sizes[list[i].kind]);
    for (size_t i = 0; i < exempt_count; i++)
        memset(bytes + exempt[i].offset, 0, exempt[i].size);
}

static void assert_covered(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i])
            fail_msg("byte %zu of %zu: a new field, which difference.c neither compares nor copies", i, size);
    }
}

#if defined(__has_builtin) && __has_builtin(__builtin_clear_padding)
#define CLEAR_PADDING(object) __builtin_clear_padding(object)
#else
#define CLEAR_PADDING(object) skip()
#endif

static void every_field_of_a_configuration_is_compared_or_has_a_reason_not_to_be(void **state)
{
    static const struct field exempt[] = {
        FIELD(struct config, arena),
        FIELD(struct config, vault.token), /* an agent has no use for it */
        /* Where it was written does not matter, nor which word made a value that is compared. */
        FIELD(struct config, vault.place),
        FIELD(struct config, vault.file),
        FIELD(struct config, method.place),
        FIELD(struct config, method.file),
        FIELD(struct config, exec.place),
        FIELD(struct config, exec.file),
        FIELD(struct config, level_word),
        FIELD(struct config, format_word),
        FIELD(struct config, file_word),
        FIELD(struct config, exec.given),    /* exec.command says it */
        FIELD(struct config, exec.grace_ms), /* no key: of the command `exec` */
        FIELD(struct config, proxy.place),
        FIELD(struct config, proxy.file),
        FIELD(struct config, proxy.given), /* without its keys it says nothing */
        /* Compared one by one, by functions of their own. */
        FIELD(struct config, sinks),
        FIELD(struct config, sink_count),
        FIELD(struct config, listeners),
        FIELD(struct config, listener_count),
        FIELD(struct config, groups),
        FIELD(struct config, group_count),
        FIELD(struct config, templates),
        FIELD(struct config, template_count),
        FIELD(struct config, variable_count),
        FIELD(struct config, files), /* which they are; flags say it, and those do not change */
        FIELD(struct config, file_count),
    };
    struct config config;

    (void)state;
    memset(&config, 0xff, sizeof(config));
    CLEAR_PADDING(&config);
    uncover((unsigned char *)&config, rows, ARRAY_LEN(rows), exempt, ARRAY_LEN(exempt));
    assert_covered((unsigned char *)&config, sizeof(config));
}

static void every_field_of_a_template_is_compared(void **state)
{
    static const struct field exempt[] = {FIELD(struct config_template, path), FIELD(struct config_template, place),
                                          FIELD(struct config_template, file)};
    struct config_template template;

    (void)state;
    memset(&template, 0xff, sizeof(template));
    CLEAR_PADDING(&template);
    uncover((unsigned char *)&template, template_rows, ARRAY_LEN(template_rows), exempt, ARRAY_LEN(exempt));
    assert_covered((unsigned char *)&template, sizeof(template));
}

static void every_field_of_a_listener_is_compared(void **state)
{
    static const struct field exempt[] = {FIELD(struct config_listener, place), FIELD(struct config_listener, file)};
    struct config_listener listener;

    (void)state;
    memset(&listener, 0xff, sizeof(listener));
    CLEAR_PADDING(&listener);
    uncover((unsigned char *)&listener, listener_rows, ARRAY_LEN(listener_rows), exempt, ARRAY_LEN(exempt));
    assert_covered((unsigned char *)&listener, sizeof(listener));
}

static void listeners_stay_as_they_are(void **state)
{
    static const char two[] = BASE "listener \"tcp\" { tls_disable = true } listener \"unix\" { address = \"/a\" } ";
    struct err err;

    (void)state;
    read(&old, two);
    read(&new, BASE "listener \"tcp\" { tls_disable = true } ");
    difference_find(&old, &new, &difference);
    assert_keys(&difference.restart, "listener");
    assert_int_equal(difference_keep(&old, &new, DIFFERENCE_RESTART, &err), 0);
    config_done(&old);
    assert_int_equal(new.listener_count, 2);
    assert_true(new.listeners[1].is_unix);
    assert_string_equal(new.listeners[1].address, "/a");
}

static void every_field_of_a_sink_is_compared(void **state)
{
    static const struct field exempt[] = {FIELD(struct config_sink, place), FIELD(struct config_sink, file)};
    struct config_sink sink;

    (void)state;
    memset(&sink, 0xff, sizeof(sink));
    CLEAR_PADDING(&sink);
    uncover((unsigned char *)&sink, sink_rows, ARRAY_LEN(sink_rows), exempt, ARRAY_LEN(exempt));
    assert_covered((unsigned char *)&sink, sizeof(sink));
}

static void what_the_environment_says_stays(void **state)
{
    const struct http_header one[] = {{"A", "1"}, {"B", "2"}}, other[] = {{"A", "1"}, {"B", "3"}};
    struct err err;

    (void)state;
    read(&old, BASE);
    read(&new, BASE);
    old.vault.rate = 5000;
    old.vault.services = true;
    old.vault.proxy = "http://p";
    old.vault.timeout_ms = 1;
    old.vault.headers = one;
    old.vault.header_count = 2;
    new.vault.headers = other;
    new.vault.header_count = 2;
    difference_find(&old, &new, &difference);
    assert_keys(&difference.taken, "");
    assert_keys(&difference.restart, "VAULT_PROXY_ADDR VAULT_CLIENT_TIMEOUT VAULT_RATE_LIMIT VAULT_SRV_LOOKUP VAULT_HEADERS");
    assert_int_equal(difference_keep(&old, &new, DIFFERENCE_RESTART, &err), 0);
    config_done(&old);
    assert_int_equal(new.vault.rate, 5000);
    assert_true(new.vault.services);
    assert_int_equal(new.vault.header_count, 2);
    assert_string_equal(new.vault.headers[1].value, "2");
}

static void texts_of_certificates_are_trust(void **state)
{
    (void)state;
    read(&old, BASE);
    read(&new, BASE);
    new.vault.ca_pem = "c";
    new.vault.client_cert_pem = "d";
    difference_find(&old, &new, &difference);
    assert_keys(&difference.taken, "VAULT_CACERT_BYTES VAULT_CLIENT_CERT_BYTES");
    assert_int_equal(difference.parts, DIFFERENCE_TRUST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_says_the_same_is_no_difference, clean),
        cmocka_unit_test_teardown(keys_that_differ_are_named_and_those_that_take_a_restart_apart, clean),
        cmocka_unit_test_teardown(groups_stay_as_they_are, clean),
        cmocka_unit_test_teardown(what_takes_a_restart_stays_and_needs_the_old_configuration_no_more, clean),
        cmocka_unit_test_teardown(any_other_part_stays_where_it_is_asked_for, clean),
        cmocka_unit_test_teardown(templates_are_the_same_by_what_they_are_rendered_to, clean),
        cmocka_unit_test_teardown(a_template_in_another_place_is_known, clean),
        cmocka_unit_test_teardown(a_template_that_cannot_be_had_stays_or_is_left_out, clean),
        cmocka_unit_test(every_field_of_a_configuration_is_compared_or_has_a_reason_not_to_be),
        cmocka_unit_test(every_field_of_a_template_is_compared),
        cmocka_unit_test(every_field_of_a_sink_is_compared),
        cmocka_unit_test(every_field_of_a_listener_is_compared),
        cmocka_unit_test_teardown(listeners_stay_as_they_are, clean),
        cmocka_unit_test_teardown(what_the_environment_says_stays, clean),
        cmocka_unit_test_teardown(texts_of_certificates_are_trust, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
