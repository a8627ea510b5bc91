#define _XOPEN_SOURCE 700
#include "tools/offline.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "fn/secret_record.h"
#include "go/typed.h"

/* A file that is too large is not read first; of a pipe that shows at the end. */
static void read_all(FILE *file, struct buf *ret)
{
    size_t got = 1;
    struct stat st;

    ret->full = fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)ret->max;
    while (got > 0 && ret->len < ret->max && !ret->full) {
        size_t part = ret->max - ret->len < KIB(4) ? ret->max - ret->len : KIB(4);
        char *room = buf_room(ret, part);

        ret->len += got = fread(room, 1, part, file);
    }
    ret->full |= ret->len == ret->max && fgetc(file) != EOF;
}

int offline_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    bool failed;

    if (!file)
        return err_system(err, "%s", path);
    buf_init_secret(ret, max);
    read_all(file, ret);
    failed = ferror(file);
    if (failed)
        err_system(err, "%s", path);
    if (file != stdin)
        fclose(file);
    return failed ? -1 : buf_check(ret, path, err);
}

/* The reply stored for a path; parameters behind a question mark do not count if there is none with them. */
static const struct val *stored(const struct offline *offline, const char *what, struct str path)
{
    const struct val *table = val_get(&offline->store, what), *found = val_get_str(table, path);
    const char *query = memchr(path.data, '?', path.len);

    return found || !query ? found : val_get_str(table, (struct str){path.data, (size_t)(query - path.data)});
}

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    const struct val *reply = stored(ctx, "reads", path);

    (void)args, (void)argc;
    if (!val_is_nil(reply))
        return secret_record(reply, arena, ret, err);
    *ret = val_null();
    return 0;
}

static int on_secrets(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    const struct val *list = stored(ctx, "lists", path);

    (void)arena, (void)err;
    *ret = list && list->kind == VAL_LIST ? go_strings(list->list.items, list->list.len) : val_null();
    return 0;
}

static int on_pki_cert(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                       struct err *err)
{
    const struct val *reply = stored(ctx, "reads", path), *data = val_get(reply, "data"), *chain = val_get(data, "ca_chain");
    static const struct val fields[] = {VAL_TEXT("Cert"), VAL_TEXT("Key"), VAL_TEXT("CA")};
    static const char *const keys[] = {"certificate", "private_key", "issuing_ca"};
    struct val_pair *pairs;

    (void)args, (void)argc;
    *ret = val_null();
    if (val_is_nil(data))
        return 0;
    pairs = arena_array(arena, 4, sizeof(*pairs), err);
    if (!pairs)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        const char *text = val_get_cstr(data, keys[i]);

        pairs[i] = (struct val_pair){&fields[i], val_cstr(text ? text : "")};
    }
    pairs[3] = (struct val_pair){VAL_KEY("CAChain"), go_strings(NULL, 0)};
    if (chain && chain->kind == VAL_LIST)
        pairs[3].value = go_strings(chain->list.items, chain->list.len);
    *ret = go_record(pairs, 4, &fn_class_pem);
    return 0;
}

static int on_file(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    (void)ctx;
    if (strcmp(path.data, "-") == 0)
        return err_set(err, ERR_INPUT, "file: - is no file");
    if (offline_read(path.data, LIMIT_TEMPLATE_FILE_BYTES, &text, err) != 0)
        return -1;
    return val_copy_str(arena, text.data, text.len, ret, err);
}

static const char *on_getenv(void *ctx, const char *name)
{
    const struct offline *offline = ctx;
    size_t len = strlen(name);

    for (size_t i = offline->env_count; i > 0; i--) {
        if (strncmp(offline->env[i - 1], name, len) == 0 && offline->env[i - 1][len] == '=')
            return offline->env[i - 1] + len + 1;
    }
    return NULL;
}

/* What would be written is only looked at. */
static int on_write_to_file(void *ctx, const struct tpl_file *file, struct err *err)
{
    (void)ctx, (void)file, (void)err;
    return 0;
}

struct tpl_env offline_env(struct offline *offline, int64_t now_ms)
{
    return (struct tpl_env){
        .ctx = offline,
        .secret = on_secret,
        .secrets = on_secrets,
        .pki_cert = on_pki_cert,
        .file = on_file,
        .getenv = on_getenv,
        .write_to_file = on_write_to_file,
        .now_ms = now_ms,
    };
}

/* "Z" or "+hh:mm", in minutes. */
static bool parse_zone(struct cursor *cur, int64_t *ret_minutes)
{
    uint64_t hours, minutes;
    bool west;

    *ret_minutes = 0;
    if (cursor_char(cur, 'Z') || cursor_char(cur, 'z'))
        return cursor_at_end(cur);
    west = cursor_char(cur, '-');
    if ((!west && !cursor_char(cur, '+')) || !cursor_uint(cur, 10, 23, &hours) || !cursor_char(cur, ':') ||
        !cursor_uint(cur, 10, 59, &minutes))
        return false;
    *ret_minutes = (int64_t)(hours * 60 + minutes) * (west ? -1 : 1);
    return cursor_at_end(cur);
}

bool offline_time(const char *text, int64_t *ret_ms)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t zone, ms = 0;
    struct cursor cur;

    if (!rest)
        return false;
    cur = cursor_of(rest, strlen(rest));
    if (cursor_char(&cur, '.')) {
        for (int64_t weight = 100; cursor_peek(&cur) >= '0' && cursor_peek(&cur) <= '9'; weight /= 10)
            ms += (*cur.p++ - '0') * weight;
    }
    if (!parse_zone(&cur, &zone))
        return false;
    *ret_ms = ((int64_t)timegm(&tm) - zone * 60) * 1000 + ms;
    return true;
}
