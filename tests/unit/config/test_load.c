#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "config/flags.h"
#include "config/load.h"

/* What most files need besides what is tested. */
#define AUTH  "auto_auth { method \"kubernetes\" { config = { role = \"r\" } } }\n"
#define LOGIN AUTH "template { contents = \"x\" destination = \"/t\" }\n"

static const char *variables[16]; /* "NAME=value", NULL-terminated */
static char folder[32];           /* of the test */

struct fixture {
    struct config config;
    struct problems problems;
    struct flags flags;
    char paths[8][64];
};

static char *fake_getenv(const char *name)
{
    for (size_t i = 0; variables[i]; i++) {
        size_t len = strlen(name);

        if (strncmp(variables[i], name, len) == 0 && variables[i][len] == '=')
            return (char *)variables[i] + len + 1;
    }
    return NULL;
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof(*f));

    snprintf(folder, sizeof(folder), "/tmp/test_config.XXXXXX");
    assert_non_null(mkdtemp(folder));
    flags_init(&f->flags);
    problems_init(&f->problems);
    memset(variables, 0, sizeof(variables));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(f->paths); i++) {
        if (f->paths[i][0])
            unlink(f->paths[i]);
    }
    rmdir(folder);
    config_done(&f->config);
    problems_done(&f->problems);
    mem_free(f);
    return 0;
}

static const char *put(struct fixture *f, const char *name, const char *text)
{
    size_t i = 0;
    FILE *file;

    while (f->paths[i][0])
        i++;
    snprintf(f->paths[i], sizeof(f->paths[i]), "%s/%s", folder, name);
    file = fopen(f->paths[i], "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
    return f->paths[i];
}

static void add(struct fixture *f, const char *name, const char *text)
{
    f->flags.configs[f->flags.config_count++] = put(f, name, text);
}

static int load(struct fixture *f)
{
    return config_load(&f->config, &f->flags, fake_getenv, &f->problems);
}

static void expect_loaded(struct fixture *f)
{
    if (load(f) != 0)
        fail_msg("%s: %s", f->problems.items[0].path, f->problems.items[0].text);
}

/* Some problem at `path` has `text` in it. */
static const struct problem *find(const struct fixture *f, const char *path, const char *text)
{
    for (size_t i = 0; i < f->problems.len; i++) {
        if (strcmp(f->problems.items[i].path, path) == 0 && strstr(f->problems.items[i].text, text))
            return &f->problems.items[i];
    }
    return NULL;
}

static void expect_problem(struct fixture *f, const char *path, const char *text)
{
    if (!find(f, path, text))
        fail_msg("no \"%s\" at %s (first: %s: %s)", text, path, f->problems.len ? f->problems.items[0].path : "none",
                 f->problems.len ? f->problems.items[0].text : "");
}

static void config_has_the_defaults_of_the_original(void **state)
{
    struct fixture *f = *state;
    const struct config_template *t;

    add(f, "a.hcl", LOGIN);
    expect_loaded(f);
    assert_int_equal(f->problems.len, 0);
    assert_string_equal(f->config.vault.address, "https://127.0.0.1:8200");
    assert_int_equal(f->config.vault.num_retries, 12);
    assert_int_equal(f->config.vault.timeout_ms, 60000);
    assert_string_equal(f->config.method.mount_path, "auth/kubernetes");
    assert_string_equal(val_get_cstr(&f->config.method.config, "role"), "r");
    assert_int_equal(f->config.render.static_secret_render_interval_ms, 300000);
    assert_int_equal(f->config.log_level, LOG_INFO);
    t = &f->config.templates[0];
    assert_true(t->create_dest_dirs && t->error_fatal && !t->error_on_missing_key && !t->backup);
    assert_string_equal(t->left_delimiter, "{{");
    assert_int_equal(t->command.argc, 0);
    assert_null(t->source);
}

static void config_reads_every_key_of_a_template(void **state)
{
    struct fixture *f = *state;
    const struct config_template *t;

    add(f, "a.hcl",
        AUTH
        "template {\n source = \"/s\" destination = \"/d\" create_dest_dirs = false error_on_missing_key = true\n"
        " error_fatal = false perms = \"0640\" user = \"app\" gid = 5 backup = true left_delimiter = \"<<\"\n"
        " right_delimiter = \">>\" sandbox_path = \"/b\" function_denylist = [\"env\", \"file\"] wait = \"2s:10s\"\n"
        " command = [\"nginx\", \"-s\", \"reload\"] command_timeout = \"5s\"\n}\n"
        "template { contents = \"y\" destination = \"/e\" perms = 0600 wait { min = \"1s\" } command = \"a && b\" }\n"
        "template { contents = \"y\" destination = \"/f\" exec { command = [\"x y\"] timeout = \"0s\" env { custom = [\"A=b\"] } } }\n");
    expect_loaded(f);
    t = f->config.templates;
    assert_string_equal(t->source, "/s");
    assert_null(t->contents);
    assert_true(!t->create_dest_dirs && t->error_on_missing_key && !t->error_fatal && t->backup);
    assert_int_equal(t->perms, 0640);
    assert_string_equal(t->user, "app");
    assert_string_equal(t->group, "5");
    assert_string_equal(t->function_denylist[1], "file");
    assert_null(t->function_denylist[2]);
    assert_int_equal(t->wait_min_ms, 2000);
    assert_int_equal(t->wait_max_ms, 10000);
    assert_int_equal(t->command.argc, 3);
    assert_false(t->command.shell);
    assert_int_equal(t->command.timeout_ms, 5000);
    assert_int_equal(t[1].perms, 0600);
    assert_int_equal(t[1].wait_max_ms, 4000);
    assert_true(t[1].command.shell);
    assert_string_equal(t[1].command.argv[2], "a && b");
    assert_int_equal(t[1].command.timeout_ms, 30000);
    assert_true(t[2].command.shell);
    assert_int_equal(t[2].command.timeout_ms, 0);
    assert_string_equal(t[2].command.env[0], "A=b");
}

static void config_string_command_is_cut_at_commas_as_in_the_original(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", AUTH "template { contents = \"y\" destination = \"/e\" command = \"a, b\" }");
    expect_loaded(f);
    assert_int_equal(f->config.templates[0].command.argc, 2);
    assert_string_equal(f->config.templates[0].command.argv[1], " b");
}

static void config_notify_wants_a_signal_and_one_target(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl",
        AUTH "template { contents = \"y\" destination = \"/a\" notify { signal = \"HUP\" process = \"nginx\" } }\n"
             "template { contents = \"y\" destination = \"/b\" notify { signal = \"sigusr1\" pid_file = \"/p\" } }\n"
             "template { contents = \"y\" destination = \"/c\" notify { signal = \"HUP\" } }\n"
             "template { contents = \"y\" destination = \"/d\" notify { signal = \"LOUD\" process = \"x\" } }\n"
             "template { contents = \"y\" destination = \"/e\" notify { signal = \"HUP\" proces = \"x\" } }\n");
    assert_int_equal(load(f), -1);
    assert_int_equal(f->config.templates[0].notify.signal, SIGHUP);
    assert_string_equal(f->config.templates[0].notify.process, "nginx");
    assert_int_equal(f->config.templates[1].notify.signal, SIGUSR1);
    expect_problem(f, "template[2]", "either pid_file or process");
    expect_problem(f, "template[3]", "name of a signal");
    expect_problem(f, "template[4].notify.proces", "unknown key");
}

static void config_reads_the_same_from_json_and_yaml(void **state)
{
    struct fixture *f = *state;

    add(f, "a.json",
        "{\"auto_auth\":{\"method\":{\"type\":\"kubernetes\",\"config\":{\"role\":\"x\"}},\"sink\":[{\"type\":\"file\",\"config\":"
        "{\"path\":\"/s\",\"mode\":416}}]},\"template\":[{\"contents\":\"a\",\"destination\":\"/a\"},{\"contents\":\"b\","
        "\"destination\":\"/b\",}],}");
    add(f, "b.yaml", "template:\n- {contents: c, destination: /c, perms: \"0400\"}\npid_file: /p\nexit_after_auth: true\n");
    expect_loaded(f);
    assert_int_equal(f->config.template_count, 3);
    assert_int_equal(f->config.templates[2].perms, 0400);
    assert_string_equal(f->config.sinks[0].path, "/s");
    assert_int_equal(f->config.sinks[0].mode, 0640);
    assert_int_equal(f->config.sinks[0].uid, -1);
    assert_string_equal(f->config.pid_file, "/p");
    assert_true(f->config.exit_after_auth);
    assert_int_equal(f->config.templates[2].file, 1);
    assert_string_equal(config_file(&f->config, 1), f->paths[1]);
}

static void config_later_files_replace_stanzas_whole_and_add_templates(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", LOGIN "vault { address = \"https://a\" ca_cert = \"/a\" } exit_after_auth = true log_level = \"debug\"");
    add(f, "b.hcl",
        "vault { ca_cert = \"/b\" } exit_after_auth = false\n"
        "auto_auth { method { type = \"jwt\" config = { path = \"/j\" role = \"q\" } } sink \"FILE\" { config = { path = \"/s\" } } }\n"
        "template { contents = \"y\" destination = \"/u\" }");
    expect_loaded(f);
    assert_string_equal(f->config.vault.address, "https://127.0.0.1:8200");
    assert_string_equal(f->config.vault.ca_cert, "/b");
    assert_true(f->config.exit_after_auth);
    assert_int_equal(f->config.log_level, LOG_DEBUG);
    assert_string_equal(f->config.method.type, "jwt");
    assert_int_equal(f->config.sink_count, 1);
    assert_string_equal(f->config.sinks[0].type, "file");
    assert_int_equal(f->config.template_count, 2);
}

static void config_directory_gives_its_files_in_order_without_editors_leftovers(void **state)
{
    struct fixture *f = *state;

    put(f, "b.hcl", "template { contents = \"y\" destination = \"/2\" }");
    put(f, "a.json", "{\"template\":{\"contents\":\"y\",\"destination\":\"/1\"}}");
    put(f, "c.yml", "");
    put(f, "auth.hcl", AUTH);
    put(f, "#x.hcl#", "broken");
    put(f, ".#y.hcl", "broken");
    put(f, "z.hcl~", "broken");
    put(f, "note.txt", "broken");
    f->flags.configs[f->flags.config_count++] = folder;
    expect_loaded(f);
    assert_int_equal(f->config.file_count, 4);
    assert_string_equal(f->config.templates[0].destination, "/1");
    assert_string_equal(f->config.templates[1].destination, "/2");
}

static void config_flag_wins_over_environment_over_file(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl",
        LOGIN
        "vault { address = \"https://file\" ca_cert = \"/file\" ca_path = \"/file\" namespace = \"file\" tls_skip_verify = true }");
    variables[0] = "VAULT_ADDR=https://env";
    variables[1] = "VAULT_CACERT=/env";
    variables[2] = "BAO_CACERT=/bao";
    variables[3] = "VAULT_NAMESPACE=/env/";
    variables[4] = "VAULT_SKIP_VERIFY=false";
    variables[5] = "VAULT_MAX_RETRIES=0";
    variables[6] = "VAULT_LOG_LEVEL=warn";
    variables[7] = "VAULT_CLIENT_TIMEOUT=5";
    f->flags.address = "https://flag";
    f->flags.log_level = "error";
    expect_loaded(f);
    assert_string_equal(f->config.vault.address, "https://flag");
    assert_string_equal(f->config.vault.ca_cert, "/bao");
    assert_string_equal(f->config.vault.ca_path, "/file");
    assert_string_equal(f->config.vault.namespace, "env/");
    assert_false(f->config.vault.tls_skip_verify);
    assert_int_equal(f->config.vault.num_retries, 0);
    assert_int_equal(f->config.vault.timeout_ms, 5000);
    assert_int_equal(f->config.log_level, LOG_ERROR);
}

/* What only one of the two has counts for both; flag and variable count for everything. */
static void config_namespaces_of_login_and_secrets_are_two(void **state)
{
    static const struct {
        const char *vault, *method, *variable, *flag, *secrets, *login;
    } rows[] = {
        {"apps", "logins", NULL, NULL, "apps/", "logins/"},
        {"apps", "", NULL, NULL, "apps/", "apps/"},
        {"", "logins", NULL, NULL, "logins/", "logins/"},
        {"", "", NULL, NULL, "", ""},
        {"apps", "logins", "VAULT_NAMESPACE=env", NULL, "env/", "env/"},
        {"apps", "logins", "BAO_NAMESPACE=env", "flag", "flag/", "flag/"},
    };
    char text[512];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f;

        teardown(state);
        setup(state);
        f = *state;
        snprintf(
            text, sizeof(text),
            "vault { namespace = \"%s\" } auto_auth { method \"token_file\" { namespace = \"%s\" config { token_file_path = \"/t\" } } "
            "sink \"file\" { config { path = \"/s\" } } }",
            rows[i].vault, rows[i].method);
        add(f, "a.hcl", text);
        variables[0] = rows[i].variable;
        f->flags.namespace = rows[i].flag;
        expect_loaded(f);
        assert_string_equal(f->config.vault.namespace, rows[i].secrets);
        assert_string_equal(f->config.method.namespace, rows[i].login);
    }
}

static void config_skip_verify_must_be_a_truth_value_and_is_warned_about(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", LOGIN);
    variables[0] = "BAO_SKIP_VERIFY=1";
    expect_loaded(f);
    assert_true(f->config.vault.tls_skip_verify);
    expect_problem(f, "vault.tls_skip_verify", "not checked");
    config_done(&f->config);
    variables[0] = "BAO_SKIP_VERIFY=perhaps";
    assert_int_equal(load(f), -1);
    expect_problem(f, "VAULT_SKIP_VERIFY", "true or false");
}

static void config_comes_from_the_environment_without_a_shell(void **state)
{
    struct fixture *f = *state;

    /* {"auto_auth":{"method":{"type":"token_file","config":{"token_file_path":"/t"}},"sink":{"type":"file","config":{"path":"/s"}}}}
     */
    variables[0] =
        "VAULT_CONFIG=eyJhdXRvX2F1dGgiOnsibWV0aG9kIjp7InR5cGUiOiJ0b2tlbl9maWxlIiwiY29uZmlnIjp7InRva2VuX2ZpbGVfcGF0aCI6Ii90In19LCJz"
        "aW5rIjp7InR5cGUiOiJmaWxlIiwiY29uZmlnIjp7InBhdGgiOiIvcyJ9fX19";
    expect_loaded(f);
    assert_string_equal(f->config.method.type, "token_file");
    assert_string_equal(f->config.sinks[0].path, "/s");
    config_done(&f->config);
    add(f, "a.hcl", LOGIN);
    expect_loaded(f);
    assert_string_equal(f->config.method.type, "kubernetes");
    assert_int_equal(f->config.sink_count, 0);
}

static void config_holds_a_token_for_those_who_send_it(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", LOGIN);
    variables[0] = "VAULT_TOKEN=t";
    expect_loaded(f);
    assert_string_equal(f->config.vault.token, "");
    config_done(&f->config);
    assert_int_equal(config_load_vault(&f->config, &f->flags, fake_getenv, &f->problems), 0);
    assert_string_equal(f->config.vault.token, "t");
    config_done(&f->config);
    variables[1] = "BAO_TOKEN=b";
    assert_int_equal(config_load_vault(&f->config, &f->flags, fake_getenv, &f->problems), 0);
    assert_string_equal(f->config.vault.token, "b");
}

static void config_without_any_source_says_how_to_give_one(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(load(f), -1);
    expect_problem(f, "", "-config=FILE");
}

static void config_collects_all_problems_with_their_places(void **state)
{
    struct fixture *f = *state;
    const struct problem *problem;

    add(f, "a.hcl",
        "pid_file = true\nno_such = 1\n" LOGIN "template {\n  contents = \"x\"\n  destination = 5\n  permz = \"0600\"\n}\n"
        "cache { }\n");
    assert_int_equal(load(f), -1);
    expect_problem(f, "pid_file", "must be a string, not a bool");
    problem = find(f, "template[1].destination", "must be a string");
    assert_non_null(problem);
    assert_int_equal(problem->line, 7);
    assert_int_equal(problem->column, 17);
    assert_string_equal(problem->file, f->paths[0]);
    assert_int_equal(find(f, "no_such", "unknown key")->severity, PROBLEM_WARNING);
    assert_int_equal(find(f, "template[1].permz", "unknown key")->severity, PROBLEM_ERROR);
    assert_int_equal(find(f, "cache", "nothing is kept")->severity, PROBLEM_WARNING);
}

static void config_of_two_templates_with_one_destination_the_last_wins_with_a_warning(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl",
        LOGIN "template { contents = \"y\" destination = \"/u\" }\ntemplate { contents = \"z\" destination = \"/t\" }\n");
    assert_int_equal(load(f), 0);
    assert_int_equal(find(f, "template[0].destination", "also that of template[2]: the last one wins")->severity,
                     PROBLEM_WARNING);
}

static void config_of_one_destination_in_many_spellings_has_it_once(void **state)
{
#define TO(path) "template { contents = \"x\" destination = \"" path "\" }\n"
    struct fixture *f = *state;
    char path[64];

    add(f, "a.hcl",
        AUTH TO("/t//u") TO("/t/./u") TO("/t/none/../u") TO("//t/u") TO("/../t/u")
            TO("../../../../../../../../../../../../../../../../t/u") TO("/t/u") TO("/t/v"));
    expect_loaded(f);
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof(path), "template[%d].destination", i);
        expect_problem(f, path,
                       "also that of template[6]: the last one wins, this template is not rendered and its command does not run");
    }
    assert_int_equal(f->problems.len, 6);
#undef TO
}

static void config_syntax_errors_have_line_and_column(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", "vault {\n  address = nope\n}\n");
    assert_int_equal(load(f), -1);
    assert_int_equal(f->problems.len, 1);
    assert_int_equal(f->problems.items[0].line, 2);
    assert_int_equal(f->problems.items[0].column, 13);
}

static void config_verify_only_forgives_what_the_original_notices_when_it_runs(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", AUTH "template { destination = \"/t\" }\n");
    f->flags.verify_only = 1;
    expect_loaded(f);
    config_done(&f->config);
    f->flags.verify_only = -1;
    assert_int_equal(load(f), -1);
    expect_problem(f, "template[0]", "either source or contents");
}

static void config_wrapping_needs_exactly_one_sink(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl",
        "auto_auth { method \"jwt\" { wrap_ttl = \"5m\" config = { path = \"/j\" role = \"r\" } } sink \"file\" { config = { path = \"/s\" } } }");
    expect_loaded(f);
    assert_string_equal(f->config.method.wrap_ttl, "300s");
    config_done(&f->config);
    add(f, "b.hcl",
        "auto_auth { method \"jwt\" { wrap_ttl = 60 config = { path = \"/j\" role = \"r\" } } } template { contents = \"x\" destination = \"/t\" }");
    assert_int_equal(load(f), -1);
    expect_problem(f, "auto_auth", "exactly one sink");
}

static void config_method_options_are_checked_against_the_methods_own_table(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl",
        "auto_auth { method \"kubernetes\" { config = { rol = \"r\" } } } template { contents = \"x\" destination = \"/t\" }");
    assert_int_equal(load(f), -1);
    expect_problem(f, "auto_auth.method.config.role", "missing");
    expect_problem(f, "auto_auth.method.config.rol", "unknown key");
    config_done(&f->config);
    f->flags.config_count = 0;
    add(f, "b.hcl", "auto_auth { method \"oci\" { } } template { contents = \"x\" destination = \"/t\" }");
    assert_int_equal(load(f), -1);
    expect_problem(f, "auto_auth.method.type", "method oci is not supported");
}

static void config_blocks_of_a_method_add_up(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl",
        "auto_auth { method \"jwt\" { config = { path = \"/a\" role = \"x\" } config { role = \"y\" } } }\n"
        "template { contents = \"x\" destination = \"/t\" }");
    expect_loaded(f);
    assert_string_equal(val_get_cstr(&f->config.method.config, "path"), "/a");
    assert_string_equal(val_get_cstr(&f->config.method.config, "role"), "y");
}

static void config_wait_text_needs_units_and_order(void **state)
{
    static const char *const wrong[] = {"5", "1d", "-5s", "10s:5s", ":5s", "5s:", "1s:2s:3s", ""};
    struct fixture *f = *state;
    char text[256];

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        snprintf(text, sizeof(text), AUTH "template { contents = \"x\" destination = \"/t\" wait = \"%s\" }", wrong[i]);
        f->flags.config_count = 0;
        problems_done(&f->problems);
        problems_init(&f->problems);
        f->paths[0][0] = '\0';
        add(f, "a.hcl", text);
        assert_int_equal(load(f), -1);
        expect_problem(f, "template[0].wait", "MIN:MAX");
        config_done(&f->config);
    }
}

static void config_own_stanza_sets_the_deadline_of_init(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", LOGIN "ampule { init_deadline = \"60s\" strict_commands = true }");
    expect_loaded(f);
    assert_int_equal(f->config.init_deadline_ms, 60000);
    assert_true(f->config.strict_commands);
}

static void config_files_and_templates_are_bounded(void **state)
{
    struct fixture *f = *state;
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, MIB(1));
    buf_adds(&buf, AUTH);
    for (int i = 0; i <= LIMIT_TEMPLATES; i++)
        buf_addf(&buf, "template { contents = \"x\" destination = \"/%d\" }\n", i);
    add(f, "a.hcl", buf.data);
    assert_int_equal(load(f), -1);
    assert_int_equal(f->config.template_count, LIMIT_TEMPLATES);
    expect_problem(f, "template", "more than 16384 templates");
}

static void config_wrong_value_is_reported_once(void **state)
{
    struct fixture *f = *state;

    add(f, "a.hcl", AUTH "template { contents = 5 destination = true }");
    assert_int_equal(load(f), -1);
    assert_int_equal(f->problems.len, 2);
    expect_problem(f, "template[0].contents", "must be a string, not an integer");
    expect_problem(f, "template[0].destination", "must be a string, not a bool");
}

/* A list that is cut short would forbid less than was meant. */
static void config_that_does_not_fit_into_its_memory_is_refused(void **state)
{
    struct fixture *f = *state;
    size_t len = LIMIT_CONFIG_BYTES - KIB(2), head;
    _cleanup_free_ char *text = mem_alloc(LIMIT_CONFIG_BYTES);

    head = (size_t)sprintf(text, AUTH "template { contents = \"x\" destination = \"/a\" function_denylist = \"env");
    memset(text + head, ',', len);
    strcpy(text + head + len, "\" }\n");
    add(f, "agent.hcl", text);
    assert_int_equal(load(f), -1);
    assert_string_equal(f->problems.items[f->problems.len - 1].text, "configuration: more than 33554432 bytes of memory");
}

static void config_missing_file_is_named(void **state)
{
    struct fixture *f = *state;

    f->flags.configs[f->flags.config_count++] = "/nowhere/a.hcl";
    assert_int_equal(load(f), -1);
    assert_non_null(strstr(f->problems.items[0].text, "/nowhere/a.hcl"));
    assert_int_equal(f->problems.len, 1);
}

static void config_one_file_is_bounded(void **state)
{
    struct fixture *f = *state;
    char says[160];

    add(f, "a.hcl", AUTH);
    assert_int_equal(truncate(f->paths[0], (off_t)LIMIT_CONFIG_BYTES + 1), 0);
    assert_int_equal(load(f), -1);
    snprintf(says, sizeof(says), "\"%s\": larger than %zu bytes", f->paths[0], LIMIT_CONFIG_BYTES);
    expect_problem(f, "", says);
}

/* Names for one file, so that a folder of thousands is made and gone at once. */
static void links_of(struct fixture *f, const char *ending, int count, bool make)
{
    char name[96];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s/%d%s", folder, i, ending);
        assert_int_equal(make ? link(f->paths[0], name) : unlink(name), 0);
    }
}

static void config_files_of_folders_are_counted(void **state)
{
    struct fixture *f = *state;

    put(f, "0", "vault { }\n");
    f->flags.configs[f->flags.config_count++] = folder;
    links_of(f, ".hcl", LIMIT_CONFIG_FILES + 1, true);
    assert_int_equal(load(f), -1);
    links_of(f, ".hcl", LIMIT_CONFIG_FILES + 1, false);
    assert_int_equal(f->config.file_count, LIMIT_CONFIG_FILES);
    expect_problem(f, "", "more than 256 files");
}

static void config_folders_are_bounded(void **state)
{
    struct fixture *f = *state;

    put(f, "0", "no configuration");
    f->flags.configs[f->flags.config_count++] = folder;
    links_of(f, ".txt", LIMIT_CONFIG_FOLDER, true);
    assert_int_equal(load(f), -1);
    links_of(f, ".txt", LIMIT_CONFIG_FOLDER, false);
    expect_problem(f, "", "more than 4096 files");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(config_has_the_defaults_of_the_original),
        TEST(config_reads_every_key_of_a_template),
        TEST(config_string_command_is_cut_at_commas_as_in_the_original),
        TEST(config_notify_wants_a_signal_and_one_target),
        TEST(config_reads_the_same_from_json_and_yaml),
        TEST(config_later_files_replace_stanzas_whole_and_add_templates),
        TEST(config_directory_gives_its_files_in_order_without_editors_leftovers),
        TEST(config_flag_wins_over_environment_over_file),
        TEST(config_namespaces_of_login_and_secrets_are_two),
        TEST(config_skip_verify_must_be_a_truth_value_and_is_warned_about),
        TEST(config_comes_from_the_environment_without_a_shell),
        TEST(config_holds_a_token_for_those_who_send_it),
        TEST(config_without_any_source_says_how_to_give_one),
        TEST(config_collects_all_problems_with_their_places),
        TEST(config_of_two_templates_with_one_destination_the_last_wins_with_a_warning),
        TEST(config_of_one_destination_in_many_spellings_has_it_once),
        TEST(config_syntax_errors_have_line_and_column),
        TEST(config_verify_only_forgives_what_the_original_notices_when_it_runs),
        TEST(config_wrapping_needs_exactly_one_sink),
        TEST(config_method_options_are_checked_against_the_methods_own_table),
        TEST(config_blocks_of_a_method_add_up),
        TEST(config_wait_text_needs_units_and_order),
        TEST(config_own_stanza_sets_the_deadline_of_init),
        TEST(config_files_and_templates_are_bounded),
        TEST(config_wrong_value_is_reported_once),
        TEST(config_that_does_not_fit_into_its_memory_is_refused),
        TEST(config_missing_file_is_named),
        cmocka_unit_test_setup_teardown(config_one_file_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(config_files_of_folders_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(config_folders_are_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
