/*
 * Linked into the static programs in place of libc's own: nobody may look up names behind os/dns.
 *
 * In a static program glibc's look-ups would load shared objects of the machine at run time (and weigh 150 kB). OpenSSL, libevent and
 * c-ares name them in functions that are never called here: whoever does call one learns that there is no such name.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

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

/* The only one that is called: libevent asks for each accepted connection's address in digits, and ends the program when it gets none. */
int getnameinfo(const struct sockaddr *address, socklen_t len, char *host, socklen_t host_len, char *service, socklen_t service_len, int flags)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    bool six = address->sa_family == AF_INET6;

    (void)len, (void)flags;
    if (address->sa_family != AF_INET && !six) {
        snprintf(host, host ? host_len : 0, "localhost");
        snprintf(service, service ? service_len : 0, "0");
        return 0;
    }
    if (host && !inet_ntop(address->sa_family, six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, host, host_len))
        return EAI_OVERFLOW;
    snprintf(service, service ? service_len : 0, "%u", ntohs(six ? v6->sin6_port : v4->sin_port));
    return 0;
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
