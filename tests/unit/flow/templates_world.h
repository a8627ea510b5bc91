/*
 * templates_world: templates, a store and who listens to them, for test_templates. Included once.
 */
#ifndef TESTS_TEMPLATES_WORLD_H
#define TESTS_TEMPLATES_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_clock.c"
#include "support/folder.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "base/text_list.h"
#include "flow/templates.h"

#define A "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ end }}"
#define B "{{ with secret \"secret/b\" }}{{ .Data.v }}{{ end }}"
/* Without an answer `secret/b` is asked for too, and with one nobody wants it any more. */
#define A_ELSE_B "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ else }}" B "{{ end }}"
#define A_ELSE_WRITE \
    "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ else }}{{ with secret \"secret/a\" \"k=v\" }}{{ end }}{{ end }}"

enum { MOST = 4, COMMAND = 10 };

static struct {
    struct config config;
    struct config_template templates[MOST];
    int numbers[MOST + 1]; /* one more, for a group */
    struct programs programs;
    struct store *store;
    struct templates *all;
    char asked[256];   /* of the last report: "vault.read(secret/a) …" */
    char written[256]; /* of the last walk */
    char told[256];    /* "10 signal …" */
    char files[256];
    char values[256];              /* of the last walk: "NAME=value …" */
    struct text_list wanted, read; /* at the moment */
    struct plugin_list *plugins;
    unsigned errors;
    struct err error;
    int64_t again_ms;
    bool fatal;
} w;

static void add_word(char *list, const char *word)
{
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%s%s", len ? " " : "", word);
}

static void on_error(void *ctx, const struct err *err, int64_t again_ms, bool fatal)
{
    (void)ctx;
    w.errors++;
    w.error = *err;
    w.again_ms = again_ms;
    w.fatal = fatal;
}

static void on_written(void *ctx, const char *label, const struct config_template *template, bool told)
{
    (void)ctx, (void)template, (void)told;
    add_word(w.written, label);
}

/* "NAME=value", but for values that nobody takes. */
static int on_value(void *ctx, const struct config_template *template, const void *value, size_t len, struct err *err)
{
    char pair[128];

    (void)ctx;
    if (len && memchr(value, '!', len))
        return err_set(err, ERR_INPUT, "not taken");
    snprintf(pair, sizeof(pair), "%s=%.*s", template->variable, (int)len, (const char *)value);
    add_word(w.values, pair);
    return 0;
}

/* What is wanted at the moment, in the order in which it was asked for. */
static void want(struct text_list *list, const char *name)
{
    text_list_add(list, name);
}

static void release(struct text_list *list, const char *name)
{
    size_t i = 0;

    assert_true(text_list_has(list, name));
    while (strcmp(list->items[i], name) != 0)
        i++;
    text_list_remove(list, i);
}

static int on_dep(void *ctx, struct dep *dep, struct err *err)
{
    (void)ctx, (void)err;
    want(&w.wanted, dep->key);
    return 0;
}

static void on_dep_unused(void *ctx, const struct dep *dep)
{
    (void)ctx;
    release(&w.wanted, dep->key);
}

static void on_file(void *ctx, const char *path)
{
    (void)ctx;
    want(&w.read, path);
}

static void on_file_unused(void *ctx, const char *path)
{
    (void)ctx;
    release(&w.read, path);
}

static void on_plugins(void *ctx, struct plugin_list *plugins)
{
    (void)ctx;
    w.plugins = plugins;
}

static int make(void **state)
{
    memset(&w, 0, sizeof(w));
    w.store = store_new();
    w.config.templates = w.templates;
    w.programs.numbers = w.numbers;
    return folder_make(state);
}

static int clean(void **state)
{
    templates_free(w.all);
    text_list_clear(&w.wanted);
    text_list_clear(&w.read);
    store_free(w.store);
    return folder_remove(state);
}

/* One more template, whose command has the number 10, 11, … */
static struct config_template *add(const char *contents, const char *name)
{
    static char paths[MOST][512], labels[MOST][32];
    size_t i = w.config.template_count++;

    snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, name);
    snprintf(labels[i], sizeof(labels[i]), "template[%zu]", i);
    w.numbers[i] = COMMAND + (int)i;
    w.templates[i] = (struct config_template){
        .path = labels[i],
        .contents = contents,
        .contents_len = strlen(contents),
        .destination = paths[i],
        .create_dest_dirs = true,
        .user = "",
        .group = "",
        .error_fatal = true,
        .left_delimiter = "{{",
        .right_delimiter = "}}",
        .sandbox_path = "",
    };
    return &w.templates[i];
}

static void start(void)
{
    const struct templates_events events = {NULL,          on_error, on_written,     on_value,  on_dep,
                                            on_dep_unused, on_file,  on_file_unused, on_plugins};

    w.all = templates_new(&w.config, &w.programs, w.store, &events);
}

/* What sidecar does when something is due; whether a template was evaluated. */
static bool walk(void)
{
    const struct notify_rule *rules[2 * MOST];
    bool any = templates_render(w.all);
    size_t count;

    w.asked[0] = w.written[0] = w.told[0] = w.files[0] = w.values[0] = '\0';
    templates_report(w.all);
    for (size_t i = 0; i < w.wanted.len; i++)
        add_word(w.asked, w.wanted.items[i]);
    for (size_t i = 0; i < w.read.len; i++)
        add_word(w.files, w.read.items[i]);
    count = templates_write(w.all, rules);
    for (size_t i = 0; i < count; i++) {
        char number[16];

        snprintf(number, sizeof(number), "%d", rules[i]->program);
        add_word(w.told, rules[i]->program == NOTIFY_SIGNAL ? "signal" : number);
    }
    return any;
}

static struct dep *read_of(const char *path)
{
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    return dep;
}

static void answer(const char *path, const char *value)
{
    struct dep *dep = read_of(path);
    struct reply reply;
    struct err err;
    char body[128];

    snprintf(body, sizeof(body), "{\"data\":{\"v\":\"%s\"}}", value);
    assert_int_equal(reply_parse(&reply, 200, body, strlen(body), "GET", &err), 0);
    assert_int_equal(store_put(w.store, dep, secret_take(dep, &reply, clock_now()), &err), 0);
    templates_dep_changed(w.all, dep);
    reply_done(&reply);
    dep_unref(dep);
}

static inline void refuse(const char *path, bool absent)
{
    struct dep *dep = read_of(path);
    struct err err;

    assert_int_equal(store_fail(w.store, dep, absent, &err), 0);
    templates_dep_failed(w.all, dep);
    dep_unref(dep);
}

static bool is_due(void)
{
    return templates_due(w.all) <= clock_now();
}

#endif
