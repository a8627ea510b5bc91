#include "fn/fn.h"

#include <string.h>

#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "fn/cast.h"
#include "fn/merge.h"
#include "go/format.h"
#include "go/live.h"
#include "go/typed.h"
#include "tpl/tpl.h"

#define MOVED_PAIRS 12 /* in a step */

int call_spend(struct call *call, uint64_t steps)
{
    uint64_t all = LIMIT_TEMPLATE_STEPS, *left = call->steps ? call->steps : &all;

    if (*left < steps)
        return err_set(call->err, ERR_LIMIT, "more than %d steps", LIMIT_TEMPLATE_STEPS);
    *left -= steps;
    return 0;
}

uint64_t call_left(const struct call *call)
{
    return call->steps ? *call->steps : LIMIT_TEMPLATE_STEPS;
}

struct buf *fn_scratch(struct call *call, struct buf *own)
{
    struct buf *scratch = call->scratch ? call->scratch : own;

    if (!call->scratch)
        buf_init_secret(own, LIMIT_OUTPUT_BYTES);
    else if (buf_overflowed(scratch))
        buf_reset(scratch);
    buf_cut(scratch, 0);
    return scratch;
}

int fn_return_buf(struct call *call, const struct buf *buf, struct val *ret)
{
    if (buf_check(buf, call->name, call->err) != 0 || call_spend(call, cost_bytes(buf->len)) != 0)
        return -1;
    if (ret == call->passing && buf == call->scratch) {
        *ret = val_str(buf->data, buf->len);
        return 0;
    }
    return val_copy_str(call->arena, buf->data, buf->len, ret, call->err);
}

int fn_return_part(const char *data, size_t len, struct val *ret)
{
    *ret = val_str(data, len);
    return 0;
}

int fn_return_bool(bool b, struct val *ret)
{
    *ret = val_bool(b);
    return 0;
}

int fn_return_int(int64_t i, struct val *ret)
{
    *ret = val_int(i);
    return 0;
}

/* The width of the white space at the end of `s`, 0 when there is none: where a code point could begin is tried from its shortest
 * form up. */
static size_t space_at_end(struct str s)
{
    unsigned char last = s.len ? (unsigned char)s.data[s.len - 1] : '!';
    unsigned rune;

    if (last < 0x80)
        return last == ' ' || (last >= '\t' && last <= '\r');
    for (size_t width = 1; width <= 3 && width <= s.len; width++) {
        if (utf8_decode(s.data + s.len - width, width, &rune) == width)
            return unicode_is_space(rune) ? width : 0;
    }
    return 0;
}

struct str fn_trim_space(struct str s)
{
    unsigned rune;
    size_t width;

    while (s.len > 0 && ((unsigned char)*s.data <= ' ' || (unsigned char)*s.data >= 0x80) &&
           (width = utf8_decode(s.data, s.len, &rune)) > 0 && unicode_is_space(rune)) {
        s.data += width;
        s.len -= width;
    }
    while ((width = space_at_end(s)) > 0)
        s.len -= width;
    return s;
}

size_t fn_find(struct str s, size_t from, struct str needle)
{
    const char *found = from > s.len      ? NULL
                        : needle.len == 1 ? memchr(s.data + from, needle.data[0], s.len - from)
                                          : memmem(s.data + from, s.len - from, needle.data, needle.len);

    return found ? (size_t)(found - s.data) : s.len + 1;
}

bool fn_redacts(const struct call *call)
{
    return call->env && call->env->redact;
}

void fn_say(const struct call *call, struct say *ret)
{
    say_init(ret, fn_redacts(call));
}

bool fn_comparable(const struct val *v)
{
    if (v->kind == VAL_RECORD && !go_class_of(v)->pointer) {
        for (size_t i = 0; i < v->map.len; i++) {
            if (!fn_comparable(&v->map.pairs[i].value))
                return false;
        }
    }
    return v->kind != VAL_LIST && v->kind != VAL_MAP && !(v->kind == VAL_STRING && v->type == VAL_T_BYTES);
}

int fn_fail_nil(struct call *call)
{
    return err_set(call->err, ERR_INPUT, "runtime error: invalid memory address or nil pointer dereference");
}

int fn_spend(struct call *call, uint32_t ms)
{
    if (!call->crypto_ms)
        return 0;
    if (*call->crypto_ms < ms)
        return err_set(call->err, ERR_LIMIT, "more than about %d s of cryptography in one run", LIMIT_TEMPLATE_CRYPTO_MS / 1000);
    *call->crypto_ms -= ms;
    return 0;
}

int fn_set(struct call *call, struct val *map, struct str key, const struct val *value)
{
    if (call_spend(call, val_target(map)->map.len / MOVED_PAIRS) != 0)
        return -1;
    return live_set(call->arena, map, key, value, call->err);
}

int fn_merge(struct call *call, struct val *to, const struct val *from, bool overwrite)
{
    uint64_t pairs = val_target(from)->map.len;

    if (call_spend(call, pairs + pairs * val_target(to)->map.len / MOVED_PAIRS) != 0)
        return -1;
    return merge_maps(call->arena, to, from, overwrite, call->err);
}

int fn_string(struct call *call, const struct val *v, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text;

    if (cast_is_string(v)) {
        *ret = *v;
        return 0;
    }
    text = fn_scratch(call, &own);
    cast_text(text, v);
    return fn_return_buf(call, text, ret);
}

static int strings_of_list(struct call *call, const struct val *list, struct val *ret)
{
    struct val *items = arena_array(call->arena, list->list.len + 1, sizeof(*items), call->err);
    size_t len = 0;

    for (size_t i = 0; items && i < list->list.len; i++) {
        if (!val_is_nil(&list->list.items[i]) && fn_string(call, &list->list.items[i], &items[len++]) != 0)
            return -1;
    }
    *ret = go_strings(items, len);
    return items ? 0 : -1;
}

int fn_strings(struct call *call, const struct val *v, struct val *ret)
{
    const struct val itself = val_list(v, val_is_nil(v) ? 0 : 1);

    if (v->kind == VAL_LIST && v->type == GO_T_STRINGS) {
        *ret = *v;
        return 0;
    }
    return strings_of_list(call, v->kind == VAL_LIST ? v : &itself, ret);
}
