/*
 * launched: a launcher with a folder and a loop of its own, and shell lines as its programs. Include after cmocka.h.
 */
#ifndef TESTS_LAUNCHED_H
#define TESTS_LAUNCHED_H

#include "support/folder.h"

#include "os/launcher.h"

static struct loop *loop;
static struct launcher *launcher;
static struct err err;

static const char *const plain_env[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};

static int setup(void **state)
{
    if (folder_make(state) < 0)
        return -1;
    launcher = launcher_new();
    return 0;
}

static int teardown(void **state)
{
    launcher_free(launcher);
    if (loop)
        loop_free(loop);
    loop = NULL;
    return folder_remove(state);
}

/* A shell line as a program; the test's folder is $D. */
static unsigned add_line(const char *line)
{
    char where[128];
    const char *const env[] = {"PATH=/usr/bin:/bin", where, NULL};
    unsigned program = 0;

    snprintf(where, sizeof(where), "D=%s", folder);
    assert_int_equal(launcher_add(launcher, (const char *const[]){"sh", "-c", line, NULL}, env, &program, &err), 0);
    return program;
}

static void start_launcher(const struct rlimit *core)
{
    assert_int_equal(launcher_start(launcher, core, &err), 0);
    loop = loop_new(&err);
    assert_non_null(loop);
    assert_int_equal(launcher_attach(launcher, loop, &err), 0);
}

#endif
