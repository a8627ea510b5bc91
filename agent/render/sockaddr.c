#include "render/sockaddr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "base/mem.h"
#include "regex/regex.h"

struct block {
    const char *address;
    unsigned prefix;
};

/* What RFC 6890 sets aside: "private". */
static const struct block special[] = {
    {"0.0.0.0", 8},      {"10.0.0.0", 8},   {"100.64.0.0", 10},  {"127.0.0.0", 8},    {"169.254.0.0", 16}, {"172.16.0.0", 12},
    {"192.0.0.0", 24},   {"192.0.2.0", 24}, {"192.88.99.0", 24}, {"192.168.0.0", 16}, {"198.18.0.0", 15},  {"198.51.100.0", 24},
    {"203.0.113.0", 24}, {"240.0.0.0", 4},  {"::1", 128},        {"::", 128},         {"64:ff9b::", 96},   {"::ffff:0:0", 96},
    {"100::", 64},       {"2001::", 16},    {"2002::", 16},      {"fc00::", 7},       {"fe80::", 10},
};

/* What no router passes on. */
static const struct block local[] = {
    {"0.0.0.0", 8},       {"127.0.0.0", 8},    {"169.254.0.0", 16}, {"192.0.0.0", 24}, {"192.0.2.0", 24},
    {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"240.0.0.0", 4},    {"::1", 128},      {"::", 128},
    {"::ffff:0:0", 96},   {"2001:db8::", 32},  {"2001:10::", 28},   {"fe80::", 10},
};

static bool is_within(const struct interface *item, const struct block *block)
{
    unsigned char network[16];
    unsigned whole = block->prefix / 8, rest = block->prefix % 8;

    if (item->v6 != (strchr(block->address, ':') != NULL) ||
        inet_pton(item->v6 ? AF_INET6 : AF_INET, block->address, network) != 1)
        return false;
    return memcmp(item->address, network, whole) == 0 && (!rest || (item->address[whole] ^ network[whole]) >> (8 - rest) == 0);
}

static bool is_in(const struct interface *item, const struct block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_within(item, &blocks[i]))
            return true;
    }
    return false;
}

static bool is_private(const struct interface *item)
{
    return is_in(item, special, ARRAY_LEN(special));
}

static bool is_forwardable(const struct interface *item)
{
    return !is_in(item, local, ARRAY_LEN(local));
}

/* The functions: which addresses pass, and what of them is told. */
static const struct choice {
    const char *name;
    bool all;     /* every address that passes, not the first alone */
    bool by_name; /* takes a pattern of interface names */
    bool up, way_out_first;
    bool forwardable;
    int wants_private; /* 1, 0, or -1: either */
} choices[] = {
    {"GetInterfaceIP", false, true, false, false, true, -1}, {"GetInterfaceIPs", true, true, false, false, false, -1},
    {"GetPrivateIP", false, false, true, true, true, 1},     {"GetPrivateIPs", true, false, false, false, true, 1},
    {"GetPublicIP", false, false, true, true, true, 0},      {"GetPublicIPs", true, false, false, false, false, 0},
};

static bool passes(const struct choice *choice, const struct interface *item)
{
    return (!choice->up || item->up) && (!choice->forwardable || is_forwardable(item)) &&
           (choice->wants_private < 0 || is_private(item) == choice->wants_private);
}

/* The default route's interface (where that counts), IPv4, larger networks. */
static bool comes_before(const struct choice *choice, const struct interface *a, const struct interface *b)
{
    if (choice->way_out_first && a->is_default != b->is_default)
        return a->is_default;
    if (a->v6 != b->v6)
        return !a->v6;
    return a->prefix < b->prefix;
}

static size_t collect(const struct choice *choice, const struct regex *names, const struct interface *all, size_t count,
                      const struct interface **ret, struct err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool named = true;
        size_t place = kept;

        if ((names && regex_match(names, str_of(all[i].name), &named, err) != 0) || !named || !passes(choice, &all[i]))
            continue;
        for (; place > 0 && comes_before(choice, &all[i], ret[place - 1]); place--)
            ret[place] = ret[place - 1];
        ret[place] = &all[i];
        kept++;
    }
    return kept;
}

static void print(const struct interface *item, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];

    buf_adds(out, out->len ? " " : "");
    buf_adds(out, inet_ntop(item->v6 ? AF_INET6 : AF_INET, item->address, text, sizeof(text)));
}

/* NAME, or NAME "PATTERN" (also in backquotes). */
static const struct choice *parse(struct str expression, struct str *ret_pattern)
{
    struct cursor cur = cursor_of(expression.data, expression.len);
    const struct choice *found = NULL;
    const char *start;
    int quote;

    cursor_skip(&cur, " \t\n");
    start = cur.p;
    while (cur.p < cur.end && !strchr(" \t\n", *cur.p))
        cur.p++;
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        if (str_eqs((struct str){start, (size_t)(cur.p - start)}, choices[i].name))
            found = &choices[i];
    }
    cursor_skip(&cur, " \t\n");
    quote = cursor_peek(&cur);
    if (!found || !found->by_name)
        return found && cursor_at_end(&cur) ? found : NULL;
    if (quote != '"' && quote != '`')
        return NULL;
    start = ++cur.p;
    while (cur.p < cur.end && *cur.p != quote && *cur.p != '\\')
        cur.p++;
    *ret_pattern = (struct str){start, (size_t)(cur.p - start)};
    if (!cursor_char(&cur, (char)quote))
        return NULL;
    cursor_skip(&cur, " \t\n");
    return cursor_at_end(&cur) ? found : NULL;
}

int sockaddr_choose(const struct interface *all, size_t count, struct str expression, struct buf *out, struct err *err)
{
    _cleanup_free_ const struct interface **chosen = mem_array(count, sizeof(*chosen));
    _cleanup_arena_ struct arena arena;
    struct str pattern = STR("");
    const struct choice *choice = parse(expression, &pattern);
    const struct regex *names = NULL;
    size_t kept;

    arena_init(&arena, LIMIT_REGEX_TREE_BYTES, "pattern");
    if (!choice)
        return err_set(err, ERR_INPUT,
                       "only GetPrivateIP, GetPrivateIPs, GetPublicIP, GetPublicIPs, GetInterfaceIP \"REGEX\" and "
                       "GetInterfaceIPs \"REGEX\" are known here");
    if (choice->by_name && regex_compile(&arena, pattern, &names, err) != 0)
        return -1;
    kept = collect(choice, names, all, count, chosen, err);
    for (size_t i = 0; i < kept && (i == 0 || choice->all); i++)
        print(chosen[i], out);
    return 0;
}
