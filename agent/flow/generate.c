#include "flow/generate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "flow/connect.h"
#include "flow/own_token.h"
#include "os/loop.h"
#include "vault/client.h"
#include "vault/escape.h"
#include "vault/mount.h"

#define DEPTH_MOST 32 /* folders in folders below a star */

struct generate {
    struct loop *loop;
    struct client *client;
    const struct config_vault *vault;
    struct buf *out, *remark;
    struct arena names; /* of variables, each NUL-terminated in a list */
    const char **taken;
    size_t count;
    bool has_variables; /* one is written already */

    struct reply reply; /* the last answer */
    struct err failed;
};

/* ------------------------------------------------------------------------------------------------ asking the server */

static void on_answer(void *ctx, struct reply *reply, const struct err *err)
{
    struct generate *g = ctx;

    g->reply = *reply;
    *reply = (struct reply){0};
    g->failed = err ? *err : (struct err){.code = ERR_NONE};
    loop_stop(g->loop);
}

/* The answer is in g->reply until the next question. */
static int ask(struct generate *g, const char *method, const char *before, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf escaped;
    struct request request = {.method = method, .urgent = true};

    buf_init(&escaped, 4 * LIMIT_PATH_BYTES);
    buf_adds(&escaped, before);
    escape_path(&escaped, path, strlen(path));
    if (buf_check(&escaped, "path", err) != 0)
        return -1;
    reply_done(&g->reply);
    request.path = escaped.data;
    client_send(g->client, &request, on_answer, g);
    if (loop_run(g->loop, err) != 0)
        return -1;
    if (g->failed.code == ERR_NONE)
        return 0;
    *err = g->failed;
    return -1;
}

/* Without a table that can be asked it is the first version, as in the original. */
static int find_mount(struct generate *g, const char *path, struct mount *ret, struct err *err)
{
    if (ask(g, "GET", "sys/internal/ui/mounts/", path, err) == 0)
        return mount_parse(&g->reply, client_namespace(g->client), ret, err);
    if (err->code != ERR_MISSING)
        return -1;
    *ret = (struct mount){.path = mem_strdup(path)};
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ names */

static void add_word(struct buf *name, const char *text)
{
    bool gap = name->len > 0;
    size_t len = strlen(text), width;

    for (; len > 0; text += width, len -= width) {
        unsigned rune;

        width = utf8_decode(text, len, &rune);
        if (!width || !(unicode_is_letter(rune) || unicode_is_number(rune))) {
            width = width ? width : 1;
            gap = name->len > 0;
            continue;
        }
        if (gap)
            buf_addc(name, '_');
        gap = false;
        buf_add_rune(name, unicode_to_upper(rune));
    }
}

static bool is_taken(const struct generate *g, const char *name)
{
    size_t i = 0;

    while (i < g->count && strcmp(g->taken[i], name) != 0)
        i++;
    return i < g->count;
}

/* The last part of the path and the key; where that is another one's name, a number. */
static int find_name(struct generate *g, const char *path, const char *key, struct buf *name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t len;

    add_word(name, slash ? slash + 1 : path);
    add_word(name, key);
    if (buf_check(name, "name of a variable", err) != 0)
        return -1;
    if (name->len == 0)
        return err_set(err, ERR_INPUT, "%s: neither its name nor the key has a letter or digit to make a variable of", path);
    len = name->len;
    for (unsigned n = 2; is_taken(g, name->data); n++) {
        buf_cut(name, len);
        buf_addf(name, "_%u", n);
    }
    if (g->count == LIMIT_TEMPLATES)
        return err_set(err, ERR_LIMIT, "more than %d variables", LIMIT_TEMPLATES);
    g->taken[g->count] = arena_strndup(&g->names, name->data, name->len, err);
    return g->taken[g->count++] ? 0 : -1;
}

/* ------------------------------------------------------------------------------------------------------------- text */

/* A string in quotes that HCL reads back, of both versions. */
static void add_quoted(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c == '\n')
            buf_adds(out, "\\n");
        else if (c < 0x20 || c == 0x7F)
            buf_addf(out, "\\u%04x", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '"');
}

/* A string of a template, in its own quotes. */
static void add_text(struct buf *out, const char *text)
{
    add_quoted(out, text);
}

static bool is_identifier(const char *key)
{
    const char *rest = key;

    while (*rest == '_' || (*rest | 0x20) - 'a' + 0u < 26u || (rest > key && *rest >= '0' && *rest <= '9'))
        rest++;
    return rest > key && !*rest;
}

static void add_template(struct generate *g, const char *name, const char *path, bool kv2, const char *key)
{
    const char *data = kv2 ? ".Data.data" : ".Data";
    _cleanup_buf_ struct buf text;

    buf_init(&text, LIMIT_TEMPLATE_BYTES);
    buf_adds(&text, "{{ with secret ");
    add_text(&text, path);
    if (is_identifier(key)) {
        buf_addf(&text, " }}{{ %s.%s }}{{ end }}", data, key);
    } else {
        buf_addf(&text, " }}{{ index %s ", data);
        add_text(&text, key);
        buf_adds(&text, " }}{{ end }}");
    }
    buf_addf(g->out, "%senv_template \"%s\" {\n  contents             = ", g->has_variables ? "" : "\n", name);
    g->has_variables = true;
    if (buf_spread(g->out, &text))
        return;
    add_quoted(g->out, text.data);
    buf_adds(g->out, "\n  error_on_missing_key = true\n}\n");
}

/* ---------------------------------------------------------------------------------------------------------- secrets */

static const struct val *data_of(const struct reply *reply, bool kv2)
{
    const struct val *data = val_get(&reply->body, "data");

    return kv2 ? val_get(data, "data") : data;
}

static int add_secret(struct generate *g, const char *path, bool kv2, struct err *err)
{
    const struct val *data;

    if (ask(g, "GET", "", path, err) != 0)
        return -1;
    data = data_of(&g->reply, kv2);
    if (!data || data->kind != VAL_MAP)
        return err_set(err, ERR_MISSING, "%s: no secret is there", path);
    for (size_t i = 0; i < data->map.len; i++) {
        const char *key = data->map.pairs[i].key->s.data;
        _cleanup_buf_ struct buf name;

        buf_init(&name, LIMIT_PATH_BYTES);
        if (find_name(g, path, key, &name, err) != 0)
            return -1;
        add_template(g, name.data, path, kv2, key);
    }
    return 0;
}

static int add_tree(struct generate *g, const char *mount, const char *rest, bool kv2, unsigned depth, struct err *err);

static char *join(const char *a, const char *b, const char *c)
{
    _cleanup_buf_ struct buf path;

    buf_init(&path, 4 * LIMIT_PATH_BYTES);
    buf_adds(&path, a);
    for (const char *const *part = (const char *const[]){b, c, NULL}; *part; part++) {
        if (path.len && path.data[path.len - 1] != '/' && **part)
            buf_addc(&path, '/');
        buf_adds(&path, *part);
    }
    return buf_overflowed(&path) ? mem_strdup("") : buf_take(&path);
}

/* One name of a listing: a folder ends in a slash. */
static int add_child(struct generate *g, const char *mount, const char *rest, const char *key, bool kv2, unsigned depth,
                     struct err *err)
{
    _cleanup_free_ char *child = join(rest, key, ""), *path = join(mount, kv2 ? "data" : "", child);

    if (strchr(key, '/')) {
        child[strlen(child) - 1] = '\0';
        return add_tree(g, mount, child, kv2, depth + 1, err);
    }
    if (add_secret(g, path, kv2, err) == 0)
        return 0;
    if (err->code != ERR_MISSING)
        return -1;
    buf_addf(g->remark, "left out: %s\n", err->text);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char ***names)
{
    for (size_t i = 0; *names && (*names)[i]; i++)
        mem_free((*names)[i]);
    mem_free(*names);
}

/* The answer gives way to the next one: names are copied. NULL-terminated; NULL when it is no listing. */
static char **listed(const struct reply *reply)
{
    const struct val *keys = val_get(val_get(&reply->body, "data"), "keys");
    char **names;
    size_t count = 0;

    if (!keys || keys->kind != VAL_LIST)
        return NULL;
    names = mem_array(keys->list.len + 1, sizeof(*names));
    for (size_t i = 0; i < keys->list.len; i++)
        if (keys->list.items[i].kind == VAL_STRING && keys->list.items[i].s.len)
            names[count++] = mem_strdup(keys->list.items[i].s.data);
    qsort(names, count, sizeof(*names), compare_names);
    return names;
}

static int add_tree(struct generate *g, const char *mount, const char *rest, bool kv2, unsigned depth, struct err *err)
{
    _cleanup_free_ char *path = join(mount, kv2 ? "metadata" : "", rest);
    _cleanup_(free_names) char **names = NULL;

    if (depth > DEPTH_MOST)
        return err_set(err, ERR_LIMIT, "%s: more than %d folders deep", path, DEPTH_MOST);
    if (ask(g, "LIST", "", path, err) != 0)
        return -1;
    names = listed(&g->reply);
    if (!names)
        return err_set(err, ERR_INPUT, "%s: no listing in the answer", path);
    for (size_t i = 0; names[i]; i++)
        if (add_child(g, mount, rest, names[i], kv2, depth, err) != 0)
            return -1;
    return 0;
}

/* What of `path` stands below the mount, without KV v2's own folder. */
static const char *below(const struct mount *mount, const char *path, const char *folder)
{
    size_t len = strlen(folder);

    path += strlen(mount->path) - 1;
    path += *path == '/';
    if (mount->kv2 && strncmp(path, folder, len) == 0 && (path[len] == '/' || !path[len]))
        path += len + (path[len] == '/');
    return path;
}

static void cleanup_mount(struct mount *mount)
{
    mount_done(mount);
}

static int add_path(struct generate *g, char *path, bool tree, struct err *err)
{
    _cleanup_(cleanup_mount) struct mount mount = {0};
    _cleanup_free_ char *whole = NULL;
    const char *rest;

    if (find_mount(g, path, &mount, err) != 0)
        return -1;
    if (!mount.kv2 || !mount_holds(&mount, path))
        return tree ? add_tree(g, "", path, false, 0, err) : add_secret(g, path, false, err);
    rest = below(&mount, path, "data");
    rest = tree && rest == below(&mount, path, "") ? below(&mount, path, "metadata") : rest;
    if (tree)
        return add_tree(g, mount.path, rest, true, 0, err);
    whole = join(mount.path, "data", rest);
    return add_secret(g, whole, true, err);
}

/* "/a/b/" is "a/b"; a star may stand at the end alone. */
static int add_asked(struct generate *g, const char *asked, struct err *err)
{
    _cleanup_free_ char *path = mem_strdup(asked + strspn(asked, "/"));
    size_t len = strlen(path);
    bool tree;

    while (len && path[len - 1] == '/')
        path[--len] = '\0';
    tree = len > 2 && strcmp(path + len - 2, "/*") == 0;
    if (tree)
        path[len - 2] = '\0';
    if (strchr(path, '*'))
        return err_set(err, ERR_INPUT, "path \"%s\": a star may stand at the end alone, behind a slash", asked);
    if (!path[0])
        return err_set(err, ERR_INPUT, "a path is empty");
    return add_path(g, path, tree, err) == 0 ? 0 : err_wrap(err, "path \"%s\"", asked);
}

/* ------------------------------------------------------------------------------------------------------- everything */

static void add_head(const struct generate *g, const char *home)
{
    _cleanup_free_ char *token = join(home, ".vault-token", "");

    buf_adds(g->out, "\nauto_auth {\n\n  method {\n    type = \"token_file\"\n\n    config {\n      token_file_path = ");
    add_quoted(g->out, token);
    buf_adds(g->out, "\n    }\n  }\n}\n\n"
                     "template_config {\n  static_secret_render_interval = \"5m\"\n  exit_on_retry_failure         = true\n"
                     "  max_connections_per_host      = 10\n}\n\n"
                     "vault {\n  address = ");
    add_quoted(g->out, g->vault->address);
    buf_adds(g->out, "\n}\n");
}

/* The program and its arguments, cut at every blank as the original does. */
static void add_exec(const struct generate *g, const char *exec)
{
    const char *before = "";

    buf_adds(g->out, "\nexec {\n  command                   = [");
    for (const char *end; exec; exec = *end ? end + 1 : NULL) {
        _cleanup_free_ char *word = NULL;

        end = strchrnul(exec, ' ');
        word = mem_strndup(exec, (size_t)(end - exec));
        buf_adds(g->out, before);
        add_quoted(g->out, word);
        before = ", ";
    }
    buf_adds(g->out, "]\n  restart_on_secret_changes = \"always\"\n  restart_stop_signal       = \"SIGTERM\"\n}\n");
}

static int write_all(struct generate *g, const struct generate_options *options, struct err *err)
{
    add_head(g, options->home);
    for (size_t i = 0; i < options->path_count; i++)
        if (add_asked(g, options->paths[i], err) != 0)
            return -1;
    add_exec(g, options->exec);
    return buf_check(g->out, "configuration", err);
}

static int run(struct generate *g, const struct generate_options *options, struct err *err)
{
    _cleanup_buf_ struct buf token = {0};

    if (own_token(g->vault, options->home, &token, err) != 0 || connect_server(g->loop, g->vault, NULL, &g->client, err) != 0 ||
        client_set_token(g->client, token.data, err) != 0)
        return -1;
    g->taken = mem_array(LIMIT_TEMPLATES, sizeof(*g->taken));
    return write_all(g, options, err);
}

int generate(const struct config_vault *vault, const struct generate_options *options, struct buf *out, struct buf *remark,
             struct err *err)
{
    struct generate g = {.vault = vault, .out = out, .remark = remark};
    int result;

    g.loop = loop_new(err);
    if (!g.loop)
        return -1;
    arena_init(&g.names, LIMIT_CONFIG_TREE_BYTES, "names of variables");
    result = run(&g, options, err);
    reply_done(&g.reply);
    client_free(g.client);
    loop_free(g.loop);
    arena_done(&g.names);
    mem_free(g.taken);
    return result;
}
