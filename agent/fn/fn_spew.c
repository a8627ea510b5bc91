/* Values as programmers look at them. Source: consul-template, go-spew. What goes to standard output there is dropped: nobody
 * reads it. */
#include "base/limits.h"
#include "fn/fn.h"
#include "go/format.h"
#include "go/typed.h"

static void dump(struct buf *buf, const struct val *v, unsigned depth);

static void indent(struct buf *buf, unsigned depth)
{
    buf_addf(buf, "%*s", (int)depth, "");
}

static void dump_items(struct buf *buf, const struct val *v, unsigned depth)
{
    for (size_t i = 0; i < v->list.len && !buf->full; i++) {
        indent(buf, depth + 1);
        dump(buf, &v->list.items[i], depth + 1);
        buf_adds(buf, i + 1 < v->list.len ? ",\n" : "\n");
    }
}

static void dump_pairs(struct buf *buf, const struct val *v, unsigned depth, bool named)
{
    for (size_t i = 0; i < v->map.len && !buf->full; i++) {
        const struct val_pair *pair = &v->map.pairs[i];

        indent(buf, depth + 1);
        if (named)
            buf_add(buf, pair->key->s.data, pair->key->s.len);
        else
            dump(buf, pair->key, depth + 1);
        buf_adds(buf, ": ");
        dump(buf, &pair->value, depth + 1);
        buf_adds(buf, i + 1 < v->map.len ? ",\n" : "\n");
    }
}

static void dump_compound(struct buf *buf, const struct val *v, unsigned depth)
{
    bool list = v->kind == VAL_LIST;

    v = val_target(v);
    if (list ? !v->list.items : !v->map.pairs) {
        buf_adds(buf, "<nil>");
        return;
    }
    if (depth > LIMIT_PRINT_DEPTH) {
        buf_adds(buf, "...");
        return;
    }
    if (list && v->list.len)
        buf_addf(buf, "(len=%u cap=%u) ", v->list.len, (unsigned)(v->list.len + go_room(v).behind + go_room(v).spare));
    else if (v->kind == VAL_MAP && v->map.len)
        buf_addf(buf, "(len=%u) ", v->map.len);
    buf_adds(buf, "{\n");
    if (list)
        dump_items(buf, v, depth);
    else
        dump_pairs(buf, v, depth, v->kind == VAL_RECORD);
    indent(buf, depth);
    buf_addc(buf, '}');
}

static void dump(struct buf *buf, const struct val *v, unsigned depth)
{
    if (val_is_nil(v)) {
        buf_adds(buf, "(interface {}) <nil>");
        return;
    }
    buf_addf(buf, "(%s) ", format_type_name(v));
    if (v->kind == VAL_LIST || v->kind == VAL_MAP || v->kind == VAL_RECORD) {
        dump_compound(buf, v, depth);
        return;
    }
    if (v->kind == VAL_STRING || v->kind == VAL_NUMBER)
        buf_addf(buf, "(len=%zu) ", v->s.len);
    format_verb(buf, v->kind == VAL_STRING ? 'q' : 'v', v);
}

static int body_sdump(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    for (size_t i = 0; i < call->argc; i++) {
        dump(text, &call->argv[i], 0);
        buf_addc(text, '\n');
    }
    return fn_return_buf(call, text, ret);
}

static int body_sprintf(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    format_sprintf(text, call->argv[0].s, call->argv + 1, call->argc - 1);
    return fn_return_buf(call, text, ret);
}

static int body_nothing(struct call *call, struct val *ret)
{
    (void)call;
    return fn_return_part("", 0, ret);
}

static const struct func rows[] = {
    {"spew_dump", "a*", body_nothing, "VALUE...", "Nothing; the agent has no output for it.", COST_HARD},
    {"spew_printf", "sa*", body_nothing, "FORMAT VALUE...", "Nothing; the agent has no output for it.", COST_HARD},
    {"spew_sdump", "a*", body_sdump, "VALUE...", "The values with their types, one below the other.", COST_HARD},
    {"spew_sprintf", "sa*", body_sprintf, "FORMAT VALUE...", "The values as the format says.", COST_HARD},
};

const struct func_table fn_spew = {rows, ARRAY_LEN(rows)};
