#include "os/beacon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/mem.h"

#define PREFIX "ampule-agent/"

/* "ampule-agent/UID/MOUNTS/", without the pid; the length, 0 when /proc does not say where we are. */
static size_t family(char *text, size_t size)
{
    struct stat st;

    if (stat("/proc/self/ns/mnt", &st) < 0)
        return 0;
    return (size_t)snprintf(text, size, PREFIX "%u/%llx/", (unsigned)geteuid(), (unsigned long long)st.st_ino);
}

/* The address of a pid's beacon; its length. */
static int address_of(pid_t pid, struct sockaddr_un *ret, socklen_t *ret_len, struct err *err)
{
    size_t len;

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    len = family(ret->sun_path + 1, sizeof(ret->sun_path) - 1);
    if (len == 0)
        return err_system(err, "/proc/self/ns/mnt");
    len += (size_t)snprintf(ret->sun_path + 1 + len, sizeof(ret->sun_path) - 1 - len, "%d", (int)pid);
    *ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
    return 0;
}

static bool is_our_uid(int socket)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);

    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == geteuid();
}

/* -------------------------------------------------------------------------------------------------------- answering */

static void on_ready(void *ctx, int ready)
{
    struct beacon *beacon = ctx;
    _cleanup_close_ int peer = accept4(beacon->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    char answer[BEACON_ANSWER_MAX];
    ssize_t sent;

    (void)ready;
    if (peer < 0 || !is_our_uid(peer))
        return;
    /* Who does not take it at once has gone away. */
    sent = send(peer, answer, beacon->on_ask(beacon->ctx, answer), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent;
}

static int listen_on(struct beacon *beacon, struct err *err)
{
    struct sockaddr_un address;
    socklen_t len;

    if (address_of(getpid(), &address, &len, err) != 0)
        return -1;
    beacon->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (beacon->socket < 0 || bind(beacon->socket, (struct sockaddr *)&address, len) < 0 || listen(beacon->socket, 8) < 0)
        return err_system(err, "no socket for probes");
    return 0;
}

int beacon_open(struct beacon *beacon, struct loop *loop, size_t (*on_ask)(void *ctx, void *answer), void *ctx, struct err *err)
{
    *beacon = (struct beacon){.socket = -1, .on_ask = on_ask, .ctx = ctx};
    if (listen_on(beacon, err) == 0 && fd_start(&beacon->ready, loop, beacon->socket, LOOP_READ, on_ready, beacon, err) == 0)
        return 0;
    beacon_close(beacon);
    return -1;
}

void beacon_close(struct beacon *beacon)
{
    if (!beacon->on_ask)
        return;
    fd_stop(&beacon->ready);
    if (beacon->socket >= 0)
        close(beacon->socket);
    *beacon = (struct beacon){0};
}

/* ----------------------------------------------------------------------------------------------------------- asking */

/* The pid at the end of a line of /proc/net/unix that names a beacon of this family, or 0. */
static pid_t pid_of(const char *line, const char *name, size_t len)
{
    const char *at = strstr(line, " @");
    struct cursor cur;
    uint64_t pid;

    if (!at || strncmp(at + 2, name, len) != 0)
        return 0;
    cur = cursor_of(at + 2 + len, strcspn(at + 2 + len, "\n"));
    return cursor_uint(&cur, 10, INT32_MAX, &pid) && cursor_at_end(&cur) ? (pid_t)pid : 0;
}

static bool is_among(const pid_t *pids, int count, pid_t pid)
{
    while (count > 0) {
        if (pids[--count] == pid)
            return true;
    }
    return false;
}

int beacon_list(pid_t *ret, struct err *err)
{
    char name[64], line[512];
    size_t len = family(name, sizeof(name));
    FILE *file = fopen("/proc/net/unix", "re");
    int count = 0;

    if (!file)
        return err_system(err, "/proc/net/unix");
    /* An accepted connection that is not closed yet bears the same name once more. */
    while (len && count < LIMIT_BEACONS && fgets(line, sizeof(line), file)) {
        pid_t pid = pid_of(line, name, len);

        if (pid > 0 && !is_among(ret, count, pid))
            ret[count++] = pid;
    }
    fclose(file);
    return count;
}

ssize_t beacon_ask(pid_t pid, int64_t timeout_ms, void *answer, struct err *err)
{
    const struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t len;
    ssize_t got;

    if (address_of(pid, &address, &len, err) != 0)
        return -1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return err_system(err, "socket");
    if (connect(fd, (struct sockaddr *)&address, len) < 0)
        return err_set(err, errno == ECONNREFUSED ? ERR_MISSING : ERR_RETRY, "no agent answers as process %d: %s", (int)pid,
                       strerror(errno));
    if (!is_our_uid(fd))
        return err_set(err, ERR_DENIED, "process %d has another uid", (int)pid);
    got = recv(fd, answer, BEACON_ANSWER_MAX, 0);
    return got > 0 ? got : err_set(err, ERR_RETRY, "the agent (process %d) does not answer", (int)pid);
}
