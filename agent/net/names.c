/*
 * Linked into the static programs in place of libc's own: nobody may look up names behind net/dns.
 *
 * In a static program glibc's look-ups would load shared objects of the machine at run time (and weigh 150 kB). OpenSSL, libevent
 * and c-ares name them in functions that are never called here: whoever does call one learns that there is no such name.
 */
#include <netdb.h>
#include <stddef.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    (void)name, (void)service, (void)hints, (void)ret;
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    (void)list;
}

const char *gai_strerror(int code)
{
    (void)code;
    return "names are looked up by the program itself";
}

int getnameinfo(const struct sockaddr *address, socklen_t len, char *host, socklen_t host_len, char *service,
                socklen_t service_len, int flags)
{
    (void)address, (void)len, (void)host, (void)host_len, (void)service, (void)service_len, (void)flags;
    return EAI_NONAME;
}

struct hostent *gethostbyname(const char *name)
{
    (void)name;
    return NULL;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    (void)name, (void)protocol;
    return NULL;
}

int getservbyport_r(int port, const char *protocol, struct servent *entry, char *buf, size_t len, struct servent **ret)
{
    (void)port, (void)protocol, (void)entry, (void)buf, (void)len;
    *ret = NULL;
    return 0;
}

struct protoent *getprotobynumber(int number)
{
    (void)number;
    return NULL;
}
