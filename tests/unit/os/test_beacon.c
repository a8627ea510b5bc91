#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/beacon.h"

static struct err err;

static size_t on_ask(void *ctx, void *answer)
{
    memcpy(answer, "well", 4);
    loop_stop(ctx);
    return 4;
}

/* In a process of its own: 0 when the answer is as wanted. */
static int ask_as_child(pid_t pid)
{
    pid_t pids[LIMIT_BEACONS];
    char answer[BEACON_ANSWER_MAX];
    int count = beacon_list(pids, &err), found = 0;

    for (int i = 0; i < count; i++)
        found += pids[i] == pid;
    return found == 1 && beacon_ask(pid, 5000, answer, &err) == 4 && memcmp(answer, "well", 4) == 0 ? 0 : 1;
}

static void process_of_the_same_uid_gets_an_answer(void **state)
{
    struct loop *loop = loop_new(&err);
    struct beacon beacon;
    pid_t self = getpid(), child;
    int status = -1;

    (void)state;
    assert_int_equal(beacon_open(&beacon, loop, on_ask, loop, &err), 0);
    child = fork();
    if (child == 0)
        _exit(ask_as_child(self));
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    beacon_close(&beacon);
    beacon_close(&beacon);
    loop_free(loop);
}

/* More sockets of such names than are listed; a name is not checked against a process. */
static void no_more_than_the_maximum_are_listed(void **state)
{
    struct loop *loop = loop_new(&err);
    struct beacon beacon;
    struct sockaddr_un address;
    socklen_t len = sizeof(address);
    int others[LIMIT_BEACONS + 8];
    pid_t pids[LIMIT_BEACONS];

    (void)state;
    assert_int_equal(beacon_open(&beacon, loop, on_ask, loop, &err), 0);
    assert_int_equal(getsockname(beacon.socket, (struct sockaddr *)&address, &len), 0);
    while (address.sun_path[len - offsetof(struct sockaddr_un, sun_path) - 1] <= '9' &&
           address.sun_path[len - offsetof(struct sockaddr_un, sun_path) - 1] >= '0')
        len--;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char *name = address.sun_path + (len - offsetof(struct sockaddr_un, sun_path));
        int digits = snprintf(name, 16, "%d", 100000000 + (int)i);

        others[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(others[i], (struct sockaddr *)&address, len + (socklen_t)digits), 0);
    }
    assert_int_equal(beacon_list(pids, &err), LIMIT_BEACONS);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        close(others[i]);
    beacon_close(&beacon);
    loop_free(loop);
}

static void nobody_there_is_missing(void **state)
{
    char answer[BEACON_ANSWER_MAX];

    (void)state;
    assert_int_equal(beacon_ask(getpid(), 1000, answer, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
}

static void second_beacon_of_a_process_is_refused(void **state)
{
    struct loop *loop = loop_new(&err);
    struct beacon one, two;

    (void)state;
    assert_int_equal(beacon_open(&one, loop, on_ask, loop, &err), 0);
    assert_int_equal(beacon_open(&two, loop, on_ask, loop, &err), -1);
    beacon_close(&one);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_of_the_same_uid_gets_an_answer),
        cmocka_unit_test(no_more_than_the_maximum_are_listed),
        cmocka_unit_test(nobody_there_is_missing),
        cmocka_unit_test(second_beacon_of_a_process_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
