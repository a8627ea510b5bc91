#include "os/service.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/environ.h"

#define VARIABLE "NOTIFY_SOCKET"

static int door = -1;

static int open_door(const char *name, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    _cleanup_close_ int fd = -1;

    if ((*name != '/' && *name != '@') || len >= sizeof(address.sun_path))
        return err_set(err, ERR_INPUT, VARIABLE ": no name of a socket");
    memcpy(address.sun_path, name, len);
    if (*name == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
        return err_system(err, VARIABLE " \"%s\"", name);
    door = fd;
    fd = -1;
    return 0;
}

int service_open(struct err *err)
{
    const char *name = environ_get(VARIABLE);
    int failed = name ? open_door(name, err) : 0;

    environ_forget((const char *const[]){VARIABLE, NULL});
    return failed;
}

void service_close(void)
{
    if (door >= 0)
        close(door);
    door = -1;
}

static void tell(const char *text)
{
    ssize_t told = door < 0 ? 0 : write(door, text, strlen(text));

    (void)told;
}

void service_ready(void)
{
    tell("READY=1\n");
}

void service_reloading(void)
{
    char text[80];

    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld\n", (long long)clock_micros());
    tell(text);
}

void service_stopping(void)
{
    tell("STOPPING=1\n");
}
