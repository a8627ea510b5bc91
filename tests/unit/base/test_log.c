#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void say_controls(void)
{
    char text[3000];

    memset(text, '\001', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("agent.test", "%s", text);
}

/* Six bytes for one: the line is long, not gone; what the message had too much of is cut and says so. */
static void a_line_of_control_bytes_is_written_whole(void **state)
{
    char text[20000];
    unsigned escapes = 0;

    (void)state;
    log_setup(LOG_INFO, true);
    capture(text, sizeof(text), say_controls);
    for (const char *at = text; (at = strstr(at, "\\u0001")); at++)
        escapes++;
    assert_int_equal(escapes, 2047 - 3);
    assert_non_null(strstr(text, "\\u0001...\",\"@module\":\"agent.test\""));
    assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_break_cannot_forge_a_second_line),
        cmocka_unit_test(json_lines_escape_what_json_must),
        cmocka_unit_test(a_line_of_control_bytes_is_written_whole),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(level_names_are_those_of_the_original),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
