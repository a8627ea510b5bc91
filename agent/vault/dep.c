#include "vault/dep.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/escape.h"

/* What a kind is called, and what parts of a call it takes. */
static const struct kind_row {
    const char *name;
    bool is_url; /* the path is a URL reference: escapes and a query */
    bool takes_args;
} kinds[] = {
    [DEP_READ] = {"vault.read", true, false},
    [DEP_WRITE] = {"vault.write", false, true},
    [DEP_LIST] = {"vault.list", false, false},
    [DEP_PKI] = {"vault.pki", false, true},
};

static void dep_free(struct dep *dep)
{
    for (size_t i = 0; i < dep->arg_count; i++) {
        mem_wipe_str(dep->args[i].key);
        mem_wipe_str(dep->args[i].value);
        mem_free(dep->args[i].key);
        mem_free(dep->args[i].value);
    }
    mem_free(dep->args);
    mem_free(dep->path);
    mem_free(dep->query);
    mem_free(dep->destination);
    mem_free(dep->key);
    mem_free(dep);
}

struct dep *dep_ref(struct dep *dep)
{
    dep->refs++;
    return dep;
}

void dep_unref(struct dep *dep)
{
    if (dep && --dep->refs == 0)
        dep_free(dep);
}

static void cleanup_dep(struct dep **dep)
{
    dep_unref(*dep);
}

bool dep_same(const struct dep *a, const struct dep *b)
{
    return memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

static struct str trim(struct str s, const char *set)
{
    while (s.len && s.data[0] && strchr(set, s.data[0]))
        s.data++, s.len--;
    while (s.len && s.data[s.len - 1] && strchr(set, s.data[s.len - 1]))
        s.len--;
    return s;
}

/* The part before `mark`; the rest behind it goes to *ret_rest, empty without a mark. */
static struct str cut(struct str s, char mark, struct str *ret_rest)
{
    const char *at = s.len ? memchr(s.data, mark, s.len) : NULL;
    size_t len = at ? (size_t)(at - s.data) : s.len;

    *ret_rest = at ? (struct str){at + 1, s.len - len - 1} : (struct str){"", 0};
    return (struct str){s.data, len};
}

/* -------------------- query: one parameter as "name=value", escaped anew so that equal queries are equal texts ---- */

static int add_param(struct buf *out, struct str param, struct err *err)
{
    struct str value, name = cut(param, '=', &value);
    struct {
        struct str from;
        struct buf plain;
    } halves[] = {{name, {0}}, {value, {0}}};
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(halves) && rc == 0; i++) {
        buf_init(&halves[i].plain, LIMIT_PATH_BYTES);
        rc = escape_decode(&halves[i].plain, halves[i].from.data, halves[i].from.len, true, err);
        if (i)
            buf_addc(out, '=');
        escape_query(out, halves[i].plain.data, halves[i].plain.len);
    }
    buf_done(&halves[0].plain);
    buf_done(&halves[1].plain);
    return rc;
}

/* Insertion by name into the texts so far; equal names keep their order, as Go's url.Values does. */
static void sort_params(struct str *params, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct str rest, moving = params[i], name = cut(moving, '=', &rest);
        size_t place = i;

        while (place > 0 && str_cmp(cut(params[place - 1], '=', &rest), name) > 0) {
            params[place] = params[place - 1];
            place--;
        }
        params[place] = moving;
    }
}

static int parse_query(struct dep *dep, struct str query, struct err *err)
{
    struct str params[LIMIT_QUERY_PARAMS];
    _cleanup_buf_ struct buf out;
    size_t count = 0;

    buf_init(&out, 3 * LIMIT_PATH_BYTES);
    while (query.len) {
        struct str param = cut(query, '&', &query);

        if (!param.len)
            continue;
        if (count == ARRAY_LEN(params))
            return err_set(err, ERR_LIMIT, "%s: more than %d query parameters", kinds[dep->kind].name, LIMIT_QUERY_PARAMS);
        params[count++] = param;
    }
    sort_params(params, count);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_addc(&out, '&');
        if (add_param(&out, params[i], err) != 0)
            return -1;
    }
    if (buf_check(&out, "query of a secret's path", err) != 0)
        return -1;
    dep->query = buf_take(&out);
    return 0;
}

const char *dep_query(const struct dep *dep, const char *name, size_t *len)
{
    struct str rest = str_of(dep->query);

    while (rest.len) {
        struct str value, param = cut(rest, '&', &rest);

        if (!str_eqs(cut(param, '=', &value), name))
            continue;
        *len = value.len;
        return value.data;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------- path ---- */

static int check_bytes(struct str path, struct err *err)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.data[i] < ' ' || path.data[i] == 0x7f)
            return err_set(err, ERR_INPUT, "invalid control character in URL");
    return 0;
}

static int parse_url(struct dep *dep, struct str url, struct err *err)
{
    struct str query, fragment, segment, rest;
    _cleanup_buf_ struct buf plain = {0};

    url = cut(url, '#', &fragment);
    url = cut(url, '?', &query);
    segment = cut(url, '/', &rest);
    if (segment.len && memchr(segment.data, ':', segment.len))
        return err_set(err, ERR_INPUT, "first path segment in URL cannot contain colon");
    buf_init(&plain, LIMIT_PATH_BYTES);
    if (escape_decode(&plain, url.data, url.len, false, err) != 0 || buf_check(&plain, "path of a secret", err) != 0)
        return -1;
    if (check_bytes((struct str){plain.data, plain.len}, err) != 0)
        return -1;
    dep->path = buf_take(&plain);
    return parse_query(dep, query, err);
}

static int set_path(struct dep *dep, struct str path, struct err *err)
{
    const struct kind_row *kind = &kinds[dep->kind];

    path = trim(trim(path, " \t\r\n\v\f"), "/");
    if (!path.len)
        return err_set(err, ERR_INPUT, "%s: invalid format: \"\"", kind->name);
    if (path.len > LIMIT_PATH_BYTES)
        return err_set(err, ERR_LIMIT, "%s: a path of more than %d bytes", kind->name, LIMIT_PATH_BYTES);
    if (check_bytes(path, err) != 0)
        return err_wrap(err, "%s", kind->name);
    if (kind->is_url)
        return parse_url(dep, path, err) == 0 ? 0 : err_wrap(err, "parse \"%.*s\"", (int)path.len, path.data);
    dep->path = mem_strndup(path.data, path.len);
    dep->query = mem_strdup("");
    return 0;
}

/* --------------------------------------------------------------------------------------------------- arguments ---- */

static struct dep_arg *find_arg(const struct dep *dep, struct str key)
{
    for (size_t i = 0; i < dep->arg_count; i++)
        if (str_eqs(key, dep->args[i].key))
            return &dep->args[i];
    return NULL;
}

const char *dep_arg(const struct dep *dep, const char *key)
{
    const struct dep_arg *arg = find_arg(dep, str_of(key));

    return arg ? arg->value : NULL;
}

static void put_arg(struct dep *dep, struct str key, struct str value)
{
    struct dep_arg *arg = find_arg(dep, key);
    size_t place = dep->arg_count;

    if (arg) { /* the last of a key wins, as in a Go map */
        mem_wipe_str(arg->value);
        mem_free(arg->value);
        arg->value = mem_strndup(value.data, value.len);
        return;
    }
    while (place > 0 && str_cmp(str_of(dep->args[place - 1].key), key) > 0) {
        dep->args[place] = dep->args[place - 1];
        place--;
    }
    dep->args[place] = (struct dep_arg){mem_strndup(key.data, key.len), mem_strndup(value.data, value.len)};
    dep->arg_count++;
}

static int set_args(struct dep *dep, const struct val *args, size_t argc, struct err *err)
{
    if (argc && !kinds[dep->kind].takes_args)
        return err_set(err, ERR_INPUT, "%s: takes no arguments", kinds[dep->kind].name);
    dep->args = mem_array(argc, sizeof(*dep->args));
    for (size_t i = 0; i < argc; i++) {
        struct str value, key;

        if (args[i].kind != VAL_STRING)
            return err_set(err, ERR_INPUT, "argument %zu: not a string", i + 1);
        if (!args[i].s.len)
            continue;
        if (!memchr(args[i].s.data, '=', args[i].s.len))
            return err_set(err, ERR_INPUT, "not k=v pair: argument %zu has no \"=\"", i + 1);
        key = cut(args[i].s, '=', &value);
        put_arg(dep, trim(key, " \t\r\n\v\f"), trim(value, " \t\r\n\v\f"));
    }
    return 0;
}

/* -------------------------------------------------------------------------------------------- key and identity ---- */

static size_t args_size(const struct dep *dep, size_t around)
{
    size_t size = 0;

    for (size_t i = 0; i < dep->arg_count; i++)
        size += strlen(dep->args[i].key) + strlen(dep->args[i].value) + around;
    return size;
}

static void args_hash(const struct dep *dep, char out[2 * 4 + 1])
{
    unsigned char sum[DIGEST_SHA1_LEN];
    _cleanup_buf_ struct buf text;

    buf_init_exact(&text, args_size(dep, strlen("=\"\"")));
    for (size_t i = 0; i < dep->arg_count; i++)
        buf_addf(&text, "%s=\"%s\"", dep->args[i].key, dep->args[i].value);
    digest_sha1(text.data, text.len, sum);
    digest_hex(sum, 4, out);
}

static void add_read_suffix(const struct dep *dep, struct buf *key)
{
    size_t len;
    const char *version = dep_query(dep, "version", &len);

    if (version && !strchr(dep->query, '&'))
        buf_addf(key, ".v%.*s", (int)len, version);
    else if (dep->query[0])
        buf_addf(key, "?%s", dep->query);
}

static int set_key(struct dep *dep, struct err *err)
{
    char hash[9];
    _cleanup_buf_ struct buf key;

    buf_init(&key, 8 * LIMIT_PATH_BYTES);
    buf_addf(&key, "%s(%s", kinds[dep->kind].name, dep->path);
    if (dep->kind == DEP_READ)
        add_read_suffix(dep, &key);
    if (kinds[dep->kind].takes_args) {
        args_hash(dep, hash);
        buf_addf(&key, " -> %s", hash);
    }
    buf_addc(&key, ')');
    if (buf_check(&key, "path, query and destination", err) != 0)
        return -1;
    dep->key = buf_take(&key);
    return 0;
}

static void add_part(struct buf *text, const char *part)
{
    size_t len = strlen(part);

    buf_add(text, &len, sizeof(len)); /* lengths keep neighbours apart */
    buf_add(text, part, len);
}

static void set_id(struct dep *dep)
{
    _cleanup_buf_ struct buf text;

    buf_init_exact(&text, strlen(kinds[dep->kind].name) + strlen(dep->path) + strlen(dep->query) + 3 * sizeof(size_t) +
                              args_size(dep, 2 * sizeof(size_t)));
    add_part(&text, kinds[dep->kind].name);
    add_part(&text, dep->path);
    add_part(&text, dep->query);
    for (size_t i = 0; i < dep->arg_count; i++) {
        add_part(&text, dep->args[i].key);
        add_part(&text, dep->args[i].value);
    }
    digest_sha256(text.data, text.len, dep->id);
}

int dep_new(enum dep_kind kind, struct str path, const struct val *args, size_t argc, const char *destination, struct dep **ret,
            struct err *err)
{
    _cleanup_(cleanup_dep) struct dep *dep = mem_alloc(sizeof(*dep));

    dep->kind = kind;
    dep->refs = 1;
    dep->destination = mem_strdup(destination && kind == DEP_PKI ? destination : "");
    if (set_path(dep, path, err) != 0 || set_args(dep, args, argc, err) != 0 || set_key(dep, err) != 0)
        return -1;
    set_id(dep);
    *ret = steal(dep);
    return 0;
}
