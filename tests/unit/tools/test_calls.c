#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tools/calls.h"

static struct buf called;

static void keep(void *context, const char *name)
{
    (void)context;
    buf_addf(&called, "%s%s", called.len ? " " : "", name);
}

static void the_programs_of_a_line_are_named(void **state)
{
    static const char *const rows[][2] = {
        {"kill -HUP 1", "kill"},
        {"pkill -HUP nginx || true", "pkill true"},
        {"kill -HUP $(pidof app)", "kill pidof"},
        {"kill -HUP `pidof app` && date", "kill pidof date"},
        {"/bin/sh -c 'kill -HUP $(pidof app) 2>/dev/null || true'", "sh kill pidof true"},
        {"sh -c \"cd /secrets ; source ./builder\"", "sh"},
        {"sh -ec 'curl -X POST http://localhost/x'", "sh curl"},
        {"(curl -s http://localhost >/dev/null 2>&1) & wait", "curl"},
        {"ps aux | grep '[a]pp' | awk '{print $1}' | xargs kill -HUP", "ps grep awk xargs kill"},
        {"xargs -n 1 -I{} /usr/bin/killall {}", "xargs killall"},
        {"FOO=bar BAZ=\"a b\" env X=1 nginx -s reload", "env nginx"},
        {"timeout 5 wget -q -O- http://localhost/reload", "timeout wget"},
        {"if test -s f; then cp f g; else ! rm g; fi", "test cp rm"},
        {"for p in $(pgrep app); do kill $p; done", "pgrep kill"},
        {"while [ -e f ]; do sleep 1; done", "[ sleep"},
        {"case $X in\nstart) touch a ;;\n*) rm a ;;\nesac", "touch rm"},
        {"echo \"at $(date)\" >> /dev/termination-log", "echo date"},
        {"echo a # curl\ncat <<EOF\ncurl\nEOF\n", "echo cat"},
        {"$PROGRAM x; \"$HOME/run\" y; /opt/reload z; ./here", ""},
        {"\\kill 1; 'pkill' x; ki''ll 1", "kill pkill kill"},
        {"eval exec nohup reload", "nohup reload"},
        {"echo 'unended", "echo"},
        {"echo \"$(unended", "echo unended"},
        {"#!/bin/sh\nkill -HUP 1 # main\n", "kill"},
        {"", ""},
        {")) ;; && | `", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        buf_init(&called, KIB(4));
        calls_in(rows[i][0], keep, NULL);
        if (strcmp(called.data, rows[i][1]) != 0)
            print_error("%s\n", rows[i][0]);
        assert_string_equal(called.data, rows[i][1]);
        buf_done(&called);
    }
}

static void lines_within_lines_end_somewhere(void **state)
{
    struct buf line;

    (void)state;
    buf_init(&line, MIB(1));
    buf_init(&called, MIB(1));
    for (unsigned i = 0; i < 100000; i++)
        buf_adds(&line, "$(a ");
    calls_in(line.data, keep, NULL);
    assert_in_range(called.len, 1, 2 * (LIMIT_EXPLAIN_SHELLS + 1));
    buf_done(&called);
    buf_done(&line);
}

static void every_text_comes_to_an_end(void **state)
{
    static const char marks[] = "a1 -c$(`'\"\\;&|<>()#\nsh";
    char line[24];
    uint32_t random = 1;

    (void)state;
    buf_init(&called, MIB(1));
    for (unsigned i = 0; i < 300000; i++) {
        for (size_t j = 0; j < sizeof(line) - 1; j++, random = random * 1664525 + 1013904223)
            line[j] = marks[(random >> 16) % (sizeof(marks) - 1)];
        line[sizeof(line) - 1] = '\0';
        calls_in(line, keep, NULL);
        buf_reset(&called);
    }
    buf_done(&called);
}

static size_t missing(const char *image, const char *command, json_t *notes)
{
    json_t *config =
        json_pack("{s:[{s:s, s:o}]}", "template", "destination", "/s/a", "command", json_loads(command, JSON_DECODE_ANY, NULL));
    size_t count = calls_missing(config, image, notes);

    json_decref(config);
    return count;
}

static void what_the_image_has_not_is_noted(void **state)
{
    json_t *notes = json_array();

    (void)state;
    assert_int_equal(missing("ampule/agent-compat:1", "\"pkill -HUP app && /usr/bin/wget x; vault status\"", notes), 0);
    assert_int_equal(missing("r.example:5000/x/agent-compat@sha256:00", "\"curl x | jq .\"", notes), 2);
    assert_string_equal(json_string_value(json_array_get(notes, 0)),
                        "/s/a: its command calls curl, which is not in r.example:5000/x/agent-compat@sha256:00");
    assert_int_equal(missing("agent-compat", "[\"nginx\", \"-s\", \"reload\"]", notes), 1);
    assert_int_equal(missing("agent-compat", "[\"/opt/mine\", \"x\"]", notes), 0);
    assert_int_equal(missing("agent-compat", "[\"bash\", \"-c\", \"systemctl x\"]", notes), 2);
    assert_int_equal(missing("agent-compat", "[\"kill -HUP 1\"]", notes), 0);
    assert_int_equal(missing("agent-compat", "\"\"", notes), 0);
    json_decref(notes);
}

static void images_without_a_shell_run_no_command_and_others_are_not_judged(void **state)
{
    json_t *notes = json_array();

    (void)state;
    assert_int_equal(missing("r.example/ampule/agent:1", "\"kill 1\"", notes), 1);
    assert_string_equal(json_string_value(json_array_get(notes, 0)),
                        "/s/a: its command calls a shell, which is not in r.example/ampule/agent:1");
    assert_int_equal(missing("hashicorp/vault:2.0.4", "\"curl x\"", notes), 0);
    assert_int_equal(missing("r.example:5000/my-agent-compat", "\"curl x\"", notes), 0);
    assert_int_equal(missing(NULL, "\"curl x\"", notes), 0);
    json_decref(notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_programs_of_a_line_are_named),
        cmocka_unit_test(lines_within_lines_end_somewhere),
        cmocka_unit_test(every_text_comes_to_an_end),
        cmocka_unit_test(what_the_image_has_not_is_noted),
        cmocka_unit_test(images_without_a_shell_run_no_command_and_others_are_not_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
