#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"

/* ------------------------------------------------------------------------------------------------ unix sockets ---- */

/* A socket file that nobody listens on any more is in the way after a crash; a living one must not be taken over. */
static void unix_sweep(const struct sockaddr_un *sun)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;

    if (lstat(sun->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
        errno == ECONNREFUSED)
        unlink(sun->sun_path);
}

static int open_unix(const char *path, int *ret_fd, char ret_address[LISTEN_ADDRESS], struct err *err)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(sun.sun_path))
        return err_set(err, ERR_INPUT, "listen: %s: a socket's path has at most %zu bytes", path, sizeof(sun.sun_path) - 1);
    memcpy(sun.sun_path, path, strlen(path));
    unix_sweep(&sun);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
        return err_system(err, "listen on unix://%s", path);
    snprintf(ret_address, LISTEN_ADDRESS, "unix://%s", path);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- TCP ---- */

union tcp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t tcp_len(const union tcp_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

/* "HOST:PORT" taken apart in place; the brackets of "[V6]:PORT" go. */
static bool split(char *text, const char **ret_host, uint16_t *ret_port)
{
    char *colon = strrchr(text, ':'), *end;
    uint64_t port;

    if (!colon || !cursor_whole_uint(colon + 1, 10, UINT16_MAX, &port))
        return false;
    *colon = '\0';
    *ret_port = (uint16_t)port;
    *ret_host = text;
    if (*text != '[')
        return true;
    end = strchr(text, ']');
    if (!end || end[1])
        return false;
    *end = '\0';
    *ret_host = text + 1;
    return true;
}

static bool tcp_parse(char *text, union tcp_address *ret)
{
    const char *host;
    uint16_t port;

    if (!split(text, &host, &port))
        return false;
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(port);
        return true;
    }
    ret->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    return *host == '\0' || inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1;
}

static int tcp_bind(const union tcp_address *address)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* accepted sockets inherit it */
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)); /* "[::]" is every address, as in Go */
    if (bind(fd, &address->any, tcp_len(address)) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void tcp_print(int fd, char ret[LISTEN_ADDRESS])
{
    union tcp_address address = {0};
    socklen_t len = sizeof(address);
    char host[INET6_ADDRSTRLEN];

    *ret = '\0';
    if (getsockname(fd, &address.any, &len) < 0)
        return;
    if (address.any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host)))
        snprintf(ret, LISTEN_ADDRESS, "[%s]:%u", host, ntohs(address.v6.sin6_port));
    else if (inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host)))
        snprintf(ret, LISTEN_ADDRESS, "%s:%u", host, ntohs(address.v4.sin_port));
}

/* Every address of a machine without IPv6 is every IPv4 address. */
static bool falls_back(union tcp_address *address)
{
    uint16_t port = address->v6.sin6_port;

    if ((errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) || address->any.sa_family != AF_INET6 ||
        !IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr))
        return false;
    address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    return true;
}

static int open_tcp(const char *text, int *ret_fd, char ret_address[LISTEN_ADDRESS], struct err *err)
{
    _cleanup_free_ char *own = mem_strdup(text);
    union tcp_address address = {0};
    int fd;

    if (!tcp_parse(own, &address))
        return err_set(err, ERR_INPUT,
                       "listen: \"%s\" is not ADDRESS:PORT (an address in digits, localhost, or none for all) or unix:///PATH",
                       text);
    fd = tcp_bind(&address);
    if (fd < 0 && falls_back(&address))
        fd = tcp_bind(&address);
    if (fd < 0)
        return err_system(err, "listen on %s", text);
    tcp_print(fd, ret_address);
    *ret_fd = fd;
    return 0;
}

int listen_open(const char *address, int *ret_fd, char ret_address[LISTEN_ADDRESS], struct err *err)
{
    if (strncmp(address, "unix://", 7) == 0)
        return open_unix(address + 7, ret_fd, ret_address, err);
    return open_tcp(address, ret_fd, ret_address, err);
}

bool listen_is_local(const char *address)
{
    _cleanup_free_ char *own = mem_strdup(address);
    union tcp_address tcp = {0};

    if (strncmp(address, "unix://", 7) == 0)
        return true;
    if (!tcp_parse(own, &tcp))
        return false;
    return tcp.any.sa_family == AF_INET ? ntohl(tcp.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
                                        : IN6_IS_ADDR_LOOPBACK(&tcp.v6.sin6_addr);
}
