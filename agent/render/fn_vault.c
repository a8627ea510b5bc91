#include "render/fn_vault.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fetch/pki.h"
#include "fn/secret_record.h"
#include "go/typed.h"
#include "os/file.h"
#include "os/path.h"
#include "render/sockaddr.h"

/* ---------------------------------------------------------------------------------------------------------- secrets */

static void unref(struct dep **dep)
{
    dep_unref(*dep);
}

static bool changes_something(const struct dep *dep)
{
    return dep->kind == DEP_WRITE || dep->kind == DEP_PKI;
}

/* "secret/data/app" and "secret/app". */
static bool is_with_data(const char *longer, const char *shorter)
{
    static const char folder[] = "/data/";
    const char *at = strstr(longer, folder);
    size_t head = at ? (size_t)(at - longer) + 1 : 0;

    return at && strncmp(longer, shorter, head) == 0 && strcmp(at + strlen(folder), shorter + head) == 0;
}

static bool same_place(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || is_with_data(a, b) || is_with_data(b, a);
}

/* Everything that is missing is the very place that it writes to, and the server said that nothing is there. */
static bool creates_what_is_absent(const struct fn_vault *fn, const struct dep *dep)
{
    if (dep->kind != DEP_WRITE || fn->outcome->held.len || fn->outcome->plugin_held || plugin_pending(&fn->outcome->plugins))
        return false;
    for (size_t i = 0; i < fn->outcome->missing.len; i++) {
        const struct dep *missing = fn->outcome->missing.items[i];

        if (missing->kind != DEP_READ || !same_place(missing->path, dep->path) || store_state(fn->store, missing) != STORE_ABSENT)
            return false;
    }
    return true;
}

/* Go's ways to print what is not there. */
static bool shows_nothing(const char *text)
{
    return strstr(text, "<nil>") || strstr(text, "<no value>");
}

static bool made_of_nothing(const struct dep *dep)
{
    bool is = shows_nothing(dep->path);

    for (size_t i = 0; i < dep->arg_count && !is; i++)
        is = shows_nothing(dep->args[i].value);
    return is;
}

static bool must_wait(const struct fn_vault *fn, const struct dep *dep)
{
    if (outcome_finished(fn->outcome))
        return false;
    return made_of_nothing(dep) || (changes_something(dep) && !creates_what_is_absent(fn, dep));
}

static void note_lack(struct fn_vault *fn, struct dep *dep)
{
    if (!dep_list_has(&fn->outcome->missing, dep))
        dep_list_add(must_wait(fn, dep) ? &fn->outcome->held : &fn->outcome->missing, dep);
}

/* printf with a value that is not there, although every answer is: nobody wants that on a server. */
static int check_values(const struct fn_vault *fn, const struct dep *dep, struct err *err)
{
    if (!changes_something(dep) || !outcome_finished(fn->outcome))
        return 0;
    for (size_t i = 0; i < dep->arg_count; i++) {
        const char *at = strstr(dep->args[i].value, "(<nil>)");

        if (at && at - dep->args[i].value >= 3 && at[-3] == '%' && at[-2] == '!')
            return err_set(err, ERR_INPUT, "%s: the value of \"%s\" is made of one that is not there, so it is not sent",
                           dep->key, dep->args[i].key);
    }
    return 0;
}

static const struct secret *answer_to(const struct fn_vault *fn, const struct dep *dep)
{
    const struct secret *secret = store_get(fn->store, dep);

    return secret && pki_lost_key(dep, secret) ? NULL : secret;
}

/* Note the use; the answer, or NULL while there is none. */
static int look_up(struct fn_vault *fn, enum dep_kind kind, struct str path, const struct val *args, size_t argc,
                   const struct secret **ret, struct err *err)
{
    const char *destination = kind == DEP_PKI ? fn->template->destination : NULL;
    _cleanup_(unref) struct dep *dep = NULL;

    if (dep_new(kind, path, args, argc, destination, &dep, err) != 0 || check_values(fn, dep, err) != 0)
        return -1;
    dep->needs_key = kind == DEP_PKI && fn->wants_key;
    if (fn->outcome->used.len >= LIMIT_STORE_DEPS && !dep_list_has(&fn->outcome->used, dep))
        return err_set(err, ERR_LIMIT, "more than %d secrets in one template", (int)LIMIT_STORE_DEPS);
    dep_list_add(&fn->outcome->used, dep);
    *ret = answer_to(fn, dep);
    if (!*ret)
        note_lack(fn, dep);
    return 0;
}

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    const struct secret *secret;

    if (look_up(ctx, argc ? DEP_WRITE : DEP_READ, path, args, argc, &secret, err) != 0)
        return -1;
    if (secret && !val_is_nil(&secret->reply))
        return secret_record(&secret->reply, arena, ret, err);
    *ret = val_null();
    return 0;
}

static int on_secrets(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    const struct secret *secret = NULL;

    (void)arena;
    if (path.len && look_up(ctx, DEP_LIST, path, NULL, 0, &secret, err) != 0)
        return -1;
    *ret = secret && secret->reply.kind == VAL_LIST ? secret->reply : go_strings(NULL, 0);
    return 0;
}

static struct val_pair pem_field(const struct val *pem, const struct val *name, struct val none)
{
    const struct val *v = val_get_str(pem, name->s);

    return (struct val_pair){name, val_is_nil(v) ? none : *v};
}

static int on_pki_cert(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                       struct err *err)
{
    const struct secret *secret;
    struct val_pair *fields;

    if (look_up(ctx, DEP_PKI, path, args, argc, &secret, err) != 0)
        return -1;
    if (!secret) {
        *ret = val_null();
        return 0;
    }
    fields = arena_array(arena, 4, sizeof(*fields), err);
    if (!fields)
        return -1;
    fields[0] = pem_field(&secret->reply, VAL_KEY("Cert"), val_cstr(""));
    fields[1] = pem_field(&secret->reply, VAL_KEY("Key"), val_cstr(""));
    fields[2] = pem_field(&secret->reply, VAL_KEY("CA"), val_cstr(""));
    fields[3] = pem_field(&secret->reply, VAL_KEY("CAChain"), go_strings(NULL, 0));
    *ret = go_record(fields, 4, &fn_class_pem);
    return 0;
}

/* ----------------------------------------------------------------------------------------------- files, environment */

/* What follows `folder` in `path`; NULL when it is elsewhere. Both begin with "/". */
static const char *after(const char *path, const char *folder)
{
    size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The part of `path` below the sandbox, as it is written or by where links lead; what is not absolute may be meant from the
 * sandbox on. */
static bool find_inside(const char *sandbox, const char *path, char ret[PATH_MAX])
{
    char folder[PATH_MAX], file[PATH_MAX];
    const char *below = path_whole(sandbox, folder) == 0 && path_whole(path, file) == 0 ? after(file, folder) : NULL;

    if (!below && realpath(sandbox, folder) && realpath(path, file))
        below = after(file, folder);
    if (!below && *path != '/')
        below = path;
    return below && snprintf(ret, PATH_MAX, "%s", below) < PATH_MAX;
}

/* Read below the sandbox, whatever links say; the file's full name into `full`. */
static int read_inside(const char *sandbox, const char *path, struct buf *text, struct buf *full, struct err *err)
{
    char below[PATH_MAX];

    if (!find_inside(sandbox, path, below))
        return err_set(err, ERR_INPUT, "'%s' is outside of sandbox", path);
    buf_addf(full, "%s/%s", sandbox, below);
    return file_read_below(sandbox, below, LIMIT_TEMPLATE_FILE_BYTES, text, err);
}

static bool is_written(const struct fn_vault *fn, struct str text)
{
    return fn->tpl && tpl_mentions(fn->tpl, text);
}

/* A path that the template puts together may be a secret in the wrong place: then errors say only what is the matter. */
static int fail_file(const struct fn_vault *fn, const char *path, struct err *err)
{
    if (is_written(fn, str_of(path)))
        return -1;
    return err_set(err, err->code, "file: %s: a path that the template puts together", err_name(err->code));
}

static int on_file(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    struct fn_vault *fn = ctx;
    const char *sandbox = fn->template->sandbox_path;
    _cleanup_free_ char *name = mem_strndup(path.data, path.len);
    _cleanup_buf_ struct buf text = {0}, full;
    int failed;

    buf_init(&full, 2 * LIMIT_CONFIG_BYTES);
    if (!*name) {
        *ret = val_cstr("");
        return 0;
    }
    if (*sandbox)
        failed = read_inside(sandbox, name, &text, &full, err);
    else
        failed = file_read_trusted(name, LIMIT_TEMPLATE_FILE_BYTES, &text, err);
    if (failed || buf_check(&full, "file: its name", err) != 0)
        return fail_file(fn, name, err);
    if (outcome_note_file(fn->outcome, *sandbox ? full.data : name, err) != 0)
        return -1;
    return val_copy_buf(arena, &text, ret, err);
}

/* A variable that is set under the other vendor's name only. */
static const char *other_vendors(const char *name, size_t prefix)
{
    char other[128];

    snprintf(other, sizeof(other), "%s%s", prefix == 3 ? "VAULT" : "BAO", name + prefix);
    return getenv(other);
}

/* How the agent itself reaches the server is answered under both vendors' names, as consul-template does for its own client. */
static const char *on_getenv(void *ctx, const char *name)
{
    const struct config_vault *vault = &((struct fn_vault *)ctx)->config->vault;
    const struct {
        const char *name, *value;
    } rows[] = {
        {"_ADDR", vault->address},
        {"_CACERT", vault->ca_cert},
        {"_CAPATH", vault->ca_path},
        {"_CLIENT_CERT", vault->client_cert},
        {"_CLIENT_KEY", vault->client_key},
        {"_TLS_SERVER_NAME", vault->tls_server_name},
        {"_SKIP_VERIFY", vault->tls_skip_verify ? "true" : ""},
    };
    size_t prefix = strncmp(name, "VAULT_", 6) == 0 ? 5 : strncmp(name, "BAO_", 4) == 0 ? 3 : 0;

    for (size_t i = 0; prefix && i < ARRAY_LEN(rows); i++) {
        if (strcmp(name + prefix, rows[i].name) == 0 && *rows[i].value)
            return rows[i].value;
    }
    return getenv(name) || !prefix ? getenv(name) : other_vendors(name, prefix);
}

static int on_write_to_file(void *ctx, const struct tpl_file *file, struct err *err)
{
    struct fn_vault *fn = ctx;
    struct tpl_file noted = *file;

    noted.computed = !is_written(fn, file->path) || !is_written(fn, file->user) || !is_written(fn, file->group);
    return write_to_file_note(&fn->outcome->to_write, &noted, err);
}

static int on_sockaddr(void *ctx, struct str expression, struct arena *arena, struct val *ret, struct err *err)
{
    const struct fn_vault *fn = ctx;
    _cleanup_buf_ struct buf text;

    buf_init(&text, KIB(64));
    if (sockaddr_choose(fn->interfaces, fn->interface_count, expression, &text, err) != 0 ||
        buf_check(&text, "addresses", err) != 0)
        return -1;
    return val_copy_str(arena, text.data, text.len, ret, err);
}

static int on_plugin(void *ctx, struct str name, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    struct fn_vault *fn = ctx;
    const struct buf *output;

    if (!fn->config->allow_plugin)
        return err_set(err, ERR_INPUT, "running programs is not allowed here: see ampule.allow");
    if (plugin_find(&fn->outcome->plugins, name, args, argc, outcome_finished(fn->outcome), &output, err) != 0)
        return -1;
    fn->outcome->plugin_held |= !output && !plugin_pending(&fn->outcome->plugins);
    *ret = val_cstr("");
    return output ? val_copy_str(arena, output->data, output->len, ret, err) : 0;
}

/* --------------------------------------------------------------------------------------------------------- fn_vault */

void fn_vault_init(struct fn_vault *fn, const struct config *config, const struct config_template *template,
                   const struct store *store)
{
    *fn = (struct fn_vault){.config = config, .template = template, .store = store};
}

void fn_vault_env(struct fn_vault *fn, struct outcome *outcome, struct tpl_env *ret_env)
{
    fn->outcome = outcome;
    *ret_env = (struct tpl_env){
        .ctx = fn,
        .secret = on_secret,
        .secrets = on_secrets,
        .pki_cert = on_pki_cert,
        .file = on_file,
        .getenv = on_getenv,
        .plugin = on_plugin,
        .sockaddr = on_sockaddr,
        .write_to_file = on_write_to_file,
        .now_ms = clock_wall(),
        .redact = true,
    };
}
