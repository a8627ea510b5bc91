#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "flow/progress.h"

/* The stages, as this test says that they are. */
static struct {
    bool token, busy;
    unsigned failing;
    const char *waiting;
    struct err why;
    bool unwell; /* fetch and templates have something to say */
} stage;

static struct progress progress;
static struct trouble trust;
static struct err err;

const struct token *auth_token(const struct auth *auth)
{
    static const struct token token;

    (void)auth;
    return stage.token ? &token : NULL;
}

bool notify_busy(const struct notify *notify)
{
    (void)notify;
    return stage.busy;
}

unsigned notify_failing(const struct notify *notify)
{
    (void)notify;
    return stage.failing;
}

const char *templates_waiting(const struct templates *templates, const struct err **ret_err)
{
    (void)templates;
    if (stage.waiting && ret_err)
        *ret_err = stage.why.code ? &stage.why : NULL;
    return stage.waiting;
}

bool templates_complete(const struct templates *templates)
{
    (void)templates;
    return !stage.waiting;
}

void templates_health(const struct templates *templates, struct health *health)
{
    (void)templates;
    if (stage.unwell)
        health_note(health, clock_now() - 2000, "a template");
}

void fetch_health(const struct fetch *fetch, struct health *health)
{
    (void)fetch;
    if (stage.unwell)
        health_note(health, clock_now() - 1000, "a secret");
}

static int setup(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof(stage));
    trust = (struct trouble){0};
    progress = (struct progress){.trust = &trust};
    clock_turn();
    return 0;
}

static void assert_behind(const char *wanted)
{
    struct err behind;

    assert_false(progress_done(&progress));
    progress_behind(&progress, &behind);
    assert_string_equal(behind.text, wanted);
}

/* From the first stage to the last: each says what it waits for, and why where that is known. */
static void what_is_behind_is_the_first_stage_that_is(void **state)
{
    (void)state;
    stage.waiting = "template[1]";
    stage.busy = true;
    assert_behind("no login yet");
    err_set(&err, ERR_DENIED, "no role");
    progress_login_failed(&progress, &err);
    assert_behind("no login yet: no role");
    stage.token = true;
    progress_token(&progress);
    assert_behind("template[1] waits for its secrets");
    err_set(&err, ERR_RETRY, "secret/a: 503");
    progress_fetch_failed(&progress, &err);
    assert_behind("template[1] waits for its secrets: secret/a: 503");
    progress_fetched(&progress);
    assert_behind("template[1] waits for its secrets");
    err_set(&stage.why, ERR_SYSTEM, "template[1]: no space");
    assert_behind("template[1]: no space");
    stage.waiting = NULL;
    assert_behind("a sink has not been written");
    progress.sunk = true;
    assert_behind("a command is still running");
    stage.busy = false;
    assert_true(progress_done(&progress));
}

static void notified(int64_t again_ms, const char *why)
{
    const struct notify_rule rule = {.label = "template[0]"};

    if (why)
        err_set(&err, ERR_RETRY, "%s", why);
    progress_notified(&progress, &rule, &(struct notify_result){.again_ms = again_ms, .err = why ? &err : NULL});
}

static void a_command_holds_it_up_only_while_it_is_tried_again(void **state)
{
    (void)state;
    stage.token = progress.sunk = true;
    notified(NOTIFY_NOT_AGAIN, "ended with 1");
    assert_true(progress_done(&progress));
    stage.failing = 1;
    notified(1000, "ended with 2");
    assert_behind("a command has not succeeded: template[0]: ended with 2");
    notified(NOTIFY_NOT_AGAIN, NULL); /* of another rule */
    assert_behind("a command has not succeeded: template[0]: ended with 2");
    stage.failing = 0;
    notified(NOTIFY_NOT_AGAIN, NULL);
    assert_true(progress_done(&progress));
    assert_int_equal(progress.telling.err.code, ERR_NONE);
}

/* A probe asks whether everything was done once; a new token that no sink holds yet does not undo that. */
static void done_once_stays_done_for_a_probe(void **state)
{
    struct health health;

    (void)state;
    progress_health(&progress, &health);
    assert_true(!health.rendered && !health.token && health.trouble_ms == -1);
    assert_string_equal(health.behind, "no login yet");
    stage.token = progress.sunk = true;
    assert_true(progress_done(&progress));
    progress_token(&progress);
    assert_false(progress_done(&progress));
    progress_health(&progress, &health);
    assert_true(health.rendered && health.token);
    assert_string_equal(health.behind, "");
}

/* Without a token everything else fails too. */
static void while_there_is_no_token_only_the_login_counts(void **state)
{
    struct health health;

    (void)state;
    stage.unwell = true;
    err_set(&err, ERR_DENIED, "no role");
    progress_login_failed(&progress, &err);
    progress_health(&progress, &health);
    assert_string_equal(health.trouble, "no role");
    stage.token = true;
    progress_health(&progress, &health);
    assert_string_equal(health.trouble, "a template");
    err_set(&err, ERR_INPUT, "ca.pem");
    trouble_begin(&trust, &err);
    trust.since -= 5000;
    progress_health(&progress, &health);
    assert_string_equal(health.trouble, "ca.pem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_behind_is_the_first_stage_that_is, setup),
        cmocka_unit_test_setup(a_command_holds_it_up_only_while_it_is_tried_again, setup),
        cmocka_unit_test_setup(done_once_stays_done_for_a_probe, setup),
        cmocka_unit_test_setup(while_there_is_no_token_only_the_login_counts, setup),
    };

    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
