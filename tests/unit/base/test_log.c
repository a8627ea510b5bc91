#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"

/* What one call writes to stderr. */
static void capture(char *text, size_t size, void (*speak)(void))
{
    int saved = dup(STDERR_FILENO), ends[2];
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    speak();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    n = read(ends[0], text, size - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
}

static void say_newline(void)
{
    log_info("agent.test", "two\nlines \"quoted\"");
}

static void say_debug(void)
{
    log_debug("agent.test", "quiet");
}

static void a_line_break_cannot_forge_a_second_line(void **state)
{
    char text[512];

    (void)state;
    log_setup(LOG_INFO, false);
    capture(text, sizeof(text), say_newline);
    assert_non_null(strstr(text, " [INFO]  agent.test: two\\x0alines \"quoted\"\n"));
    assert_int_equal(strlen(text), (size_t)(strchr(text, '\n') - text) + 1);
}

static void json_lines_escape_what_json_must(void **state)
{
    char text[512];

    (void)state;
    log_setup(LOG_INFO, true);
    capture(text, sizeof(text), say_newline);
    assert_non_null(strstr(text, "\"@message\":\"two\\u000alines \\\"quoted\\\"\",\"@module\":\"agent.test\""));
}

static void lines_below_the_level_are_not_written(void **state)
{
    char text[512];

    (void)state;
    log_setup(LOG_INFO, false);
    capture(text, sizeof(text), say_debug);
    assert_string_equal(text, "");
}

static void level_names_are_those_of_the_original(void **state)
{
    static const struct {
        const char *name;
        enum log_level level;
    } rows[] = {{"trace", LOG_TRACE}, {"Debug", LOG_DEBUG}, {"NOTICE", LOG_INFO}, {"warning", LOG_WARN}, {"err", LOG_ERROR}};
    enum log_level level;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(log_level_parse(rows[i].name, &level, &err), 0);
        assert_int_equal(level, rows[i].level);
    }
    assert_int_equal(log_level_parse("loud", &level, &err), -1);
}

/* Fills a pipe whose reader has stopped, with and without the right to open it a second time. */
static void a_full_pipe_holds_nobody_up_and_lines_are_counted(void **state)
{
    int saved = dup(STDERR_FILENO), ends[2], size;
    static char text[128 * 1024];
    unsigned long dropped = 0;
    ssize_t n;

    (void)state;
    log_setup(LOG_INFO, false);
    assert_int_equal(pipe(ends), 0);
    size = fcntl(ends[1], F_SETPIPE_SZ, 4096);
    dup2(ends[1], STDERR_FILENO);
    alarm(60); /* waiting for ever would be the fault */
    for (int i = 0; i < 1000; i++)
        say_newline();
    n = read(ends[0], text, sizeof(text) - 1);
    assert_in_range(n, 1, size);
    assert_int_equal(text[n - 1], '\n');
    for (ssize_t i = 0; i < n; i++)
        dropped -= text[i] == '\n';
    say_newline();
    alarm(0);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    n = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    text[n] = '\0';
    dropped += 1000;
    assert_non_null(strstr(text, "log lines lost: dropped="));
    assert_int_equal(strtoul(strstr(text, "dropped=") + 8, NULL, 10), dropped);
    assert_non_null(strstr(text, "agent.test: two"));
}

static char long_message[2000];

static void say_long(void)
{
    log_info("agent.test", "%s", long_message);
}

static void a_line_that_is_too_long_is_cut_and_says_so(void **state)
{
    static char text[64 * 1024];

    (void)state;
    memset(long_message, 1, sizeof(long_message) - 1);
    for (int json = 0; json < 2; json++) {
        log_setup(LOG_INFO, json);
        capture(text, sizeof(text), say_long);
        assert_in_range(strlen(text), 3000, 4096);
        assert_non_null(strstr(text, json ? "[...]\",\"@module\":\"agent.test\",\"@timestamp\":\"" : "[...]\n"));
        assert_string_equal(text + strlen(text) - (json ? 3 : 1), json ? "\"}\n" : "\n");
    }
}

static struct {
    char text[64 * 1024];
    unsigned lines;
    int trouble;
} also;

static int write_also(void *ctx, const char *line, size_t len)
{
    assert_ptr_equal(ctx, &also);
    also.lines++;
    snprintf(also.text, sizeof(also.text), "%.*s", (int)len, line);
    return also.trouble;
}

static void say_three(void)
{
    say_newline();
    also.trouble = ENOSPC;
    say_newline();
    say_newline();
    also.trouble = 0;
    say_newline();
}

static void a_second_place_gets_every_line_and_its_trouble_is_told_once(void **state)
{
    char text[4096], *told;

    (void)state;
    log_setup(LOG_INFO, false);
    also.lines = 0;
    log_also(write_also, &also);
    capture(text, sizeof(text), say_three);
    log_also(NULL, NULL);
    assert_int_equal(also.lines, 4);
    assert_non_null(strstr(also.text, "agent.test: two\\x0alines \"quoted\"\n"));
    told = strstr(text, "agent.log: log_file cannot be written as it should, lines are here all the same: No space left");
    assert_non_null(told);
    assert_null(strstr(told + strlen("agent.log: log"), "log_file cannot"));
    assert_non_null(strstr(told, "agent.log: log_file is written again"));
}

static void a_second_place_gets_what_a_full_pipe_does_not(void **state)
{
    int saved = dup(STDERR_FILENO), ends[2];

    (void)state;
    log_setup(LOG_INFO, false);
    also.lines = 0;
    log_also(write_also, &also);
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 1000; i++)
        say_newline();
    dup2(saved, STDERR_FILENO);
    say_newline();
    log_also(NULL, NULL);
    assert_int_equal(also.lines, 1001);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

static void another_descriptor_takes_the_place_of_standard_error(void **state)
{
    int ends[2];
    char text[512];
    ssize_t n;

    (void)state;
    log_setup(LOG_INFO, false);
    assert_int_equal(pipe(ends), 0);
    log_to(ends[1]);
    say_newline();
    log_to(STDERR_FILENO);
    n = read(ends[0], text, sizeof(text) - 1);
    assert_in_range(n, 20, sizeof(text));
    text[n] = '\0';
    assert_non_null(strstr(text, "agent.test: two"));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_break_cannot_forge_a_second_line),
        cmocka_unit_test(json_lines_escape_what_json_must),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(a_full_pipe_holds_nobody_up_and_lines_are_counted),
        cmocka_unit_test(a_second_place_gets_every_line_and_its_trouble_is_told_once),
        cmocka_unit_test(a_second_place_gets_what_a_full_pipe_does_not),
        cmocka_unit_test(another_descriptor_takes_the_place_of_standard_error),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(level_names_are_those_of_the_original),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
