#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "render/render.h"

#define A "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ end }}"

static const char *const nothing[] = {NULL};
static struct config config;
static struct config_template template;
static struct store *store;
static struct render render;
static struct outcome outcome;
static struct err err;

static int make(void **state)
{
    store = store_new();
    outcome_init(&outcome);
    return folder_make(state);
}

static int clean(void **state)
{
    render_done(&render);
    outcome_done(&outcome);
    store_free(store);
    return folder_remove(state);
}

static void begin(const char *contents, const char *source)
{
    template = (struct config_template){
        .contents = contents,
        .contents_len = contents ? strlen(contents) : 0,
        .source = source,
        .destination = in_folder("out"),
        .left_delimiter = "{{",
        .right_delimiter = "}}",
        .sandbox_path = "",
        .function_denylist = nothing,
    };
    render_init(&render, &config, &template, store);
}

static void answer(const char *path, const char *value)
{
    struct reply reply;
    struct dep *dep;
    char body[128];

    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    snprintf(body, sizeof(body), "{\"data\":{\"v\":\"%s\"}}", value);
    assert_int_equal(reply_parse(&reply, 200, body, strlen(body), "GET", &err), 0);
    assert_int_equal(store_put(store, dep, secret_take(dep, &reply, 0), &err), 0);
    reply_done(&reply);
    dep_unref(dep);
}

static void assert_output(const char *wanted)
{
    assert_int_equal(render_run(&render, &outcome, &err), 0);
    assert_true(outcome_finished(&outcome));
    assert_int_equal(outcome.output.len, strlen(wanted));
    assert_memory_equal(outcome.output.data, wanted, strlen(wanted));
}

static void bytes_are_finished_when_nothing_is_missing(void **state)
{
    (void)state;
    begin(A "!", NULL);
    assert_int_equal(render_run(&render, &outcome, &err), 0);
    assert_false(outcome_finished(&outcome));
    assert_int_equal(outcome.used.len, 1);
    assert_int_equal(outcome.missing.len, 1);
    answer("secret/a", "one");
    assert_output("one!");
    answer("secret/a", "two");
    assert_output("two!");
    assert_int_equal(outcome.used.len, 1);
    assert_int_equal(outcome.missing.len, 0);
}

static void a_source_is_read_when_it_is_there(void **state)
{
    (void)state;
    begin(NULL, in_folder("source"));
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_non_null(strstr(err.text, "source: "));
    put_file(in_folder("source"), "{{ broken");
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "source: parse: template: "));
    put_file(in_folder("source"), "text");
    assert_output("text");
    /* And no more than that once. */
    put_file(in_folder("source"), "other");
    assert_output("text");
}

/* LIMIT_TEMPLATE_BYTES */
static void a_source_is_bounded(void **state)
{
    (void)state;
    put_file(in_folder("source"), "");
    assert_int_equal(truncate(in_folder("source"), LIMIT_TEMPLATE_BYTES + 1), 0);
    begin(NULL, in_folder("source"));
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void a_mistake_is_put_down_to_what_is_missing(void **state)
{
    static const char contents[] =
        "{{ $v := \"\" }}{{ with secret \"secret/a\" }}{{ $v = .Data.v }}{{ end }}before {{ index (split \",\" $v) 1 }}";

    (void)state;
    begin(contents, NULL);
    assert_int_equal(render_run(&render, &outcome, &err), 0);
    assert_false(outcome_finished(&outcome));
    assert_int_equal(outcome.output.len, 0);
    answer("secret/a", "bad");
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(outcome.output.len, 0);
    answer("secret/a", "a,b");
    assert_output("before b");
}

/* LIMIT_OUTPUT_BYTES: whatever is missing, waiting would not help. */
static void a_limit_is_no_matter_of_what_is_missing(void **state)
{
    (void)state;
    begin(A "{{ range loop 100000000 }}0123456789{{ end }}", NULL);
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(outcome_finished(&outcome));
}

static void options_of_the_template_count(void **state)
{
    (void)state;
    begin("[[ with secret \"secret/a\" ]][[ .Data.none ]][[ end ]]{{", NULL);
    template.left_delimiter = "[[";
    template.right_delimiter = "]]";
    answer("secret/a", "one");
    assert_output("<no value>{{");
    render_done(&render);
    template.error_on_missing_key = true;
    render_init(&render, &config, &template, store);
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    render_done(&render);
    begin("{{ env \"HOME\" }}", NULL);
    template.function_denylist = (const char *const[]){"env", NULL};
    assert_int_equal(render_run(&render, &outcome, &err), -1);
    assert_non_null(strstr(err.text, "env"));
}

static void what_was_rendered_is_forgotten_with_the_files_beside(void **state)
{
    char contents[256];

    (void)state;
    snprintf(contents, sizeof(contents), "{{ \"x\" | writeToFile \"%s\" \"\" \"\" \"0644\" }}text", in_folder("beside"));
    begin(contents, NULL);
    assert_output("text");
    assert_int_equal(outcome.to_write.len, 1);
    outcome_wipe(&outcome);
    assert_true(outcome.output.len == 0 && outcome.to_write.len == 0);
    assert_int_equal(count_entries(folder), 0);
    assert_output("text");
}

static void a_word_is_looked_for_in_the_text(void **state)
{
    (void)state;
    begin("{{ file \"x\" }}", NULL);
    assert_true(render_mentions(&template, "file"));
    assert_false(render_mentions(&template, "writeToFile"));
    begin(NULL, in_folder("source"));
    assert_true(render_mentions(&template, "file"));
    put_file(in_folder("source"), "text");
    assert_false(render_mentions(&template, "file"));
}

static bool reaches(const char *what, enum reach_access access)
{
    _cleanup_reach_ struct reach reach = {0};
    bool found = false;

    render_reach(render.template, &reach);
    for (size_t i = 0; i < reach.count; i++)
        found |= reach.rules[i].access == access && strcmp(reach.rules[i].folder, what) == 0;
    return found;
}

static void what_it_may_open_is_declared(void **state)
{
    (void)state;
    begin("text", NULL);
    assert_false(reaches("/", REACH_READ) || reaches("/", REACH_WRITE));
    begin("{{ file \"x\" }}", NULL);
    assert_true(reaches("/", REACH_READ) && !reaches("/", REACH_WRITE));
    template.sandbox_path = folder;
    assert_false(reaches("/", REACH_READ));
    assert_true(reaches(folder, REACH_READ));
    begin("{{ \"x\" | writeToFile \"x\" \"\" \"\" \"\" }}", NULL);
    assert_true(reaches("/", REACH_WRITE));
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(bytes_are_finished_when_nothing_is_missing),
        in_a_folder(a_source_is_read_when_it_is_there),
        in_a_folder(a_source_is_bounded),
        in_a_folder(a_mistake_is_put_down_to_what_is_missing),
        in_a_folder(a_limit_is_no_matter_of_what_is_missing),
        in_a_folder(options_of_the_template_count),
        in_a_folder(what_was_rendered_is_forgotten_with_the_files_beside),
        in_a_folder(a_word_is_looked_for_in_the_text),
        in_a_folder(what_it_may_open_is_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
