#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"
#include "tools/qr_code.h"

#define LINK "https://provider.example/authorize?state=st_1&nonce=n_2"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[2][96];
    static unsigned next;

    snprintf(path[next ^= 1], sizeof(path[0]), "%s/%s", folder, name);
    return path[next];
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/ampule-qr-XXXXXX");
    return mkdtemp(folder) && setenv("PATH", folder, 1) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    unlink(in_folder("qrencode"));
    unlink(in_folder("drawn"));
    return rmdir(folder);
}

static void install(const char *script)
{
    int fd = open(in_folder("qrencode"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, script, strlen(script)), 0);
    close(fd);
}

/* What comes on standard error meanwhile, in a file. */
static int show(const char *text, struct err *err)
{
    int kept = dup(STDERR_FILENO), fd = open(in_folder("drawn"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), result;

    assert_true(kept >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    result = qr_code_show(text, err);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd);
    return result;
}

static void the_program_gets_the_link_by_a_pipe_and_draws_on_standard_error(void **state)
{
    _cleanup_buf_ struct buf drawn = {0};
    struct err err;

    (void)state;
    setenv("VAULT_TOKEN", "canary", 1);
    install("#!/bin/sh\necho \"$# $1 $2 $VAULT_TOKEN.\"\nread -r link\necho \"$link\"\n");
    assert_int_equal(show(LINK "\n", &err), 0);
    unsetenv("VAULT_TOKEN");
    assert_int_equal(file_read(in_folder("drawn"), 4096, &drawn, &err), 0);
    assert_string_equal(drawn.data, "2 -t UTF8 .\n" LINK "\n");
}

static void what_keeps_it_from_being_drawn_is_told(void **state)
{
    char *text = mem_alloc(5000);
    struct err err;

    (void)state;
    assert_int_equal(show(LINK, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_string_equal(err.text, "qrencode is not installed here");
    install("#!/bin/sh\nexit 1\n");
    assert_int_equal(show(LINK, &err), -1);
    assert_string_equal(err.text, "qrencode fails");
    memset(text, 'x', 4999);
    assert_int_equal(show(text, &err), -1);
    assert_string_equal(err.text, "the link is too long for one");
    mem_free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_program_gets_the_link_by_a_pipe_and_draws_on_standard_error),
        TEST(what_keeps_it_from_being_drawn_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
