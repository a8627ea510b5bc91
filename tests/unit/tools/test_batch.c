#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/batch.h"

/* Run the lines; the answers go into `ret`. */
static void run(const char *lines, char *ret, size_t size)
{
    const struct offline offline = {.store = val_null()};
    FILE *in = tmpfile(), *out = tmpfile();
    int input = dup(STDIN_FILENO), output = dup(STDOUT_FILENO);
    struct err err;
    int failed;

    fputs(lines, in);
    rewind(in);
    fflush(stdout);
    dup2(fileno(in), STDIN_FILENO);
    dup2(fileno(out), STDOUT_FILENO);
    failed = batch_run(&offline, 0, &err);
    fflush(stdout);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    rewind(out);
    ret[fread(ret, 1, size - 1, out)] = '\0';
    close(input);
    close(output);
    fclose(in);
    fclose(out);
    assert_int_equal(failed, 0);
}

static void a_line_that_reaches_a_limit_leaves_the_next_ones_alone(void **state)
{
    char got[512];

    (void)state;
    run("{\"template\": \"{{range 3000000}}0123456789{{end}}\"}\n{\"template\": \"{{1}}\"}\n{\"template\": \"{{nope}}\"}\n{\"template\": \"{{\\\"\\\\xff\\\"}}\"}\n",
        got, sizeof(got));
    assert_string_equal(got, "{\"skip\":\"template output: more than 16777216 bytes\"}\n{\"got\":\"=1\"}\n"
                             "{\"got\":\"P!template: :1: function \\\"nope\\\" not defined\"}\n{\"hex\":\"3dff\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_reaches_a_limit_leaves_the_next_ones_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
