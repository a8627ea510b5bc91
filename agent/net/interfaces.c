#include "net/interfaces.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static unsigned count_bits(const unsigned char *mask, size_t len)
{
    unsigned bits = 0;

    for (size_t i = 0; i < len; i++)
        bits += (unsigned)__builtin_popcount(mask[i]);
    return bits;
}

/* False for what is no IP address. */
static bool take(const struct ifaddrs *from, const char *way_out, struct interface *ret)
{
    int family = from->ifa_addr ? from->ifa_addr->sa_family : AF_UNSPEC;

    if ((family != AF_INET && family != AF_INET6) || !from->ifa_netmask)
        return false;
    *ret = (struct interface){
        .up = from->ifa_flags & IFF_UP, .v6 = family == AF_INET6, .is_default = strcmp(from->ifa_name, way_out) == 0};
    snprintf(ret->name, sizeof(ret->name), "%s", from->ifa_name);
    if (ret->v6) {
        memcpy(ret->address, &((const struct sockaddr_in6 *)(const void *)from->ifa_addr)->sin6_addr, 16);
        ret->prefix =
            count_bits((const unsigned char *)&((const struct sockaddr_in6 *)(const void *)from->ifa_netmask)->sin6_addr, 16);
    } else {
        memcpy(ret->address, &((const struct sockaddr_in *)(const void *)from->ifa_addr)->sin_addr, 4);
        ret->prefix =
            count_bits((const unsigned char *)&((const struct sockaddr_in *)(const void *)from->ifa_netmask)->sin_addr, 4);
    }
    return true;
}

/* The interface of the default route, "" without one. Lines of /proc/net/route: name, destination, … in hexadecimal. */
static void find_way_out(char name[IF_NAMESIZE])
{
    FILE *file = fopen("/proc/net/route", "re");
    char line[256];

    name[0] = '\0';
    while (file && !name[0] && fgets(line, sizeof(line), file)) {
        size_t len = strcspn(line, "\t");

        if (len < IF_NAMESIZE && strncmp(line + len, "\t00000000\t", 10) == 0)
            memcpy(name, line, len + 1), name[len] = '\0';
    }
    if (file)
        fclose(file);
}

static void close_list(struct ifaddrs **list)
{
    if (*list)
        freeifaddrs(*list);
}

/* Stable: one interface's addresses stay in the kernel's order. */
static void sort_by_interface(struct interface *items, int count)
{
    for (int i = 1; i < count; i++) {
        struct interface moving = items[i];
        unsigned index = if_nametoindex(moving.name);
        int place = i;

        for (; place > 0 && if_nametoindex(items[place - 1].name) > index; place--)
            items[place] = items[place - 1];
        items[place] = moving;
    }
}

int interfaces_read(struct interface *ret, size_t max, struct err *err)
{
    _cleanup_(close_list) struct ifaddrs *list = NULL;
    char way_out[IF_NAMESIZE];
    size_t count = 0;

    if (getifaddrs(&list) < 0)
        return err_system(err, "network interfaces");
    find_way_out(way_out);
    for (const struct ifaddrs *at = list; at && count < max; at = at->ifa_next)
        count += take(at, way_out, &ret[count]);
    sort_by_interface(ret, (int)count);
    return (int)count;
}
