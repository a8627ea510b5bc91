#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/service.h"

static struct err err;

/* A manager that listens at `name`, as the variable has it. */
static int manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(address.sun_path, name, len);
    if (*name == '@')
        address.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void hears(int fd, const char *wanted)
{
    char text[256] = {0};

    assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    assert_memory_equal(text, wanted, strlen(wanted));
}

static void tells_at(const char *name)
{
    int fd = manager(name);

    assert_int_equal(service_open(&err), 0);
    assert_null(getenv("NOTIFY_SOCKET"));
    service_ready();
    hears(fd, "READY=1\n");
    service_reloading();
    hears(fd, "RELOADING=1\nMONOTONIC_USEC=");
    service_stopping();
    hears(fd, "STOPPING=1\n");
    service_close();
    close(fd);
}

static void a_manager_is_told_at_a_path_and_at_an_abstract_name(void **state)
{
    char folder[] = "/tmp/ampule-test-XXXXXX", path[64], name[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/notify", folder);
    snprintf(name, sizeof(name), "@%s", folder);
    tells_at(path);
    tells_at(name);
    unlink(path);
    rmdir(folder);
}

static void without_a_manager_nothing_happens(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(service_open(&err), 0);
    service_ready();
    service_stopping();
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(service_open(&err), 0);
    service_close();
}

static void a_name_of_no_socket_is_an_error_and_leaves_the_environment(void **state)
{
    char large[200];

    (void)state;
    memset(large, 'a', sizeof(large) - 1);
    large[0] = '/';
    large[sizeof(large) - 1] = '\0';
    for (const char *const *name = (const char *const[]){"relative", large, "/no/such/socket", "@ampule-no-such", NULL}; *name;
         name++) {
        setenv("NOTIFY_SOCKET", *name, 1);
        assert_int_equal(service_open(&err), -1);
        assert_non_null(strstr(err.text, "NOTIFY_SOCKET"));
        assert_null(getenv("NOTIFY_SOCKET"));
        service_ready();
    }
}

/* One that reads nothing fills its queue: nobody waits for it. */
static void a_manager_that_does_not_read_holds_nobody_up(void **state)
{
    char name[64];
    int fd;

    (void)state;
    snprintf(name, sizeof(name), "@ampule-test-full-%d", (int)getpid());
    fd = manager(name);
    assert_int_equal(service_open(&err), 0);
    for (int i = 0; i < 10000; i++)
        service_ready();
    service_close();
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manager_is_told_at_a_path_and_at_an_abstract_name),
        cmocka_unit_test(without_a_manager_nothing_happens),
        cmocka_unit_test(a_name_of_no_socket_is_an_error_and_leaves_the_environment),
        cmocka_unit_test(a_manager_that_does_not_read_holds_nobody_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
