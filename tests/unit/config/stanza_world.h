/*
 * stanza_world: one configuration in the making, and what is wrong with it, for the tests of stanza_*. Included once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "config/stanza.h"

static struct config config;
static struct problems problems;

static int clean(void **state)
{
    (void)state;
    config_done(&config);
    problems_done(&problems);
    return 0;
}

static int make(void **state)
{
    (void)state;
    config_init(&config);
    problems_init(&problems);
    return 0;
}

/* One more file. */
static inline void read_file(const char *text)
{
    struct reading reading = {&config.arena, &problems, "a.hcl", PROBLEM_ERROR};
    struct val_place place;
    struct val root;
    struct err err;

    if (hcl_read(text, strlen(text), 0, &config.arena, &root, &place, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    stanza_file(&reading, &root, &config);
}

/* This file alone. */
static inline const struct config *read_alone(const char *text)
{
    clean(NULL);
    make(NULL);
    read_file(text);
    return &config;
}

static inline const struct config *read_good(const char *text)
{
    read_alone(text);
    if (problems.len)
        fail_msg("%s: %s: %s", text, problems.items[0].path, problems.items[0].text);
    return &config;
}

/* The first problem of what was read. */
static inline void assert_problem(const char *text, enum problem_severity severity, const char *path, const char *says)
{
    if (problems.len == 0)
        fail_msg("%s: nothing is wrong", text);
    assert_string_equal(problems.items[0].path, path);
    if (!strstr(problems.items[0].text, says))
        fail_msg("%s: %s", text, problems.items[0].text);
    assert_int_equal(problems.items[0].severity, severity);
}

struct bad {
    const char *text;
    enum problem_severity severity;
    const char *path, *says;
};
