/* Defaults, choices, types, JSON, `fail`. Source: sprig. */
#include "base/json.h"
#include "fn/cast.h"
#include "fn/equal.h"
#include "fn/fn.h"
#include "go/format.h"
#include "tpl/access.h"

/* --------------------------------------------------------------------------------------------- defaults and choices */

static int body_default(struct call *call, struct val *ret)
{
    *ret = call->argc > 1 && access_truth(&call->argv[1]) ? call->argv[1] : call->argv[0];
    return 0;
}

static int body_empty(struct call *call, struct val *ret)
{
    return fn_return_bool(!access_truth(&call->argv[0]), ret);
}

/* The first argument whose truth is `truth`, or argc. */
static size_t find_truth(const struct call *call, bool truth)
{
    size_t i = 0;

    while (i < call->argc && access_truth(&call->argv[i]) != truth)
        i++;
    return i;
}

static int body_coalesce(struct call *call, struct val *ret)
{
    size_t i = find_truth(call, true);

    *ret = i < call->argc ? call->argv[i] : val_null();
    return 0;
}

static int body_all(struct call *call, struct val *ret)
{
    return fn_return_bool(find_truth(call, false) == call->argc, ret);
}

static int body_any(struct call *call, struct val *ret)
{
    return fn_return_bool(find_truth(call, true) < call->argc, ret);
}

static int body_ternary(struct call *call, struct val *ret)
{
    *ret = call->argv[call->argv[2].b ? 0 : 1];
    return 0;
}

/* The words may have been put together of secrets. Those that the template's author wrote stand in the place that the error
 * names. */
static int body_fail(struct call *call, struct val *ret)
{
    _cleanup_say_ struct say say;

    (void)ret;
    fn_say(call, &say);
    say_plain(&say, call->argv[0].s);
    return say_fail(&say, call->err);
}

static int body_hello(struct call *call, struct val *ret)
{
    (void)call;
    return fn_return_part("Hello!", 6, ret);
}

/* ------------------------------------------------------------------------------------------------------------ types */

static int body_type_of(struct call *call, struct val *ret)
{
    *ret = val_cstr(format_type_name(&call->argv[0]));
    return 0;
}

static int body_kind_of(struct call *call, struct val *ret)
{
    *ret = val_cstr(cast_kind(&call->argv[0]));
    return 0;
}

static int body_type_is(struct call *call, struct val *ret)
{
    return fn_return_bool(str_eqs(call->argv[0].s, format_type_name(&call->argv[1])), ret);
}

static int body_type_is_like(struct call *call, struct val *ret)
{
    const char *type = format_type_name(&call->argv[1]);
    struct str wanted = call->argv[0].s;

    return fn_return_bool(str_eqs(wanted, type) || (type[0] == '*' && str_eqs(wanted, type + 1)), ret);
}

static int body_kind_is(struct call *call, struct val *ret)
{
    return fn_return_bool(str_eqs(call->argv[0].s, cast_kind(&call->argv[1])), ret);
}

static int body_deep_equal(struct call *call, struct val *ret)
{
    bool same;

    return equal_deep(call, &call->argv[0], &call->argv[1], &same) != 0 ? -1 : fn_return_bool(same, ret);
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static int read_json(const struct call *call, unsigned flags, struct val *ret, struct err *err)
{
    struct json_options options = {.flags = JSON_FLOATS | JSON_REPLACE_UTF8 | flags};

    return json_read(call->argv[0].s.data, call->argv[0].s.len, &options, call->arena, ret, err);
}

static int body_must_from_json(struct call *call, struct val *ret)
{
    return read_json(call, 0, ret, call->err);
}

/* What is no JSON is nil. */
static int body_from_json(struct call *call, struct val *ret)
{
    struct err ignored;

    if (read_json(call, JSON_UNFIT_NULL, ret, &ignored) == 0)
        return 0;
    if (ignored.code == ERR_LIMIT)
        return err_set(call->err, ERR_LIMIT, "%s", ignored.text);
    *ret = val_null();
    return 0;
}

static int write_json(struct call *call, unsigned flags, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    return json_write(text, &call->argv[0], flags, call->err) != 0 ? -1 : fn_return_buf(call, text, ret);
}

/* What cannot be written is "". */
static int write_json_or_nothing(struct call *call, unsigned flags, struct val *ret)
{
    struct err ignored = {0};
    struct call quiet = *call;

    quiet.err = &ignored;
    if (write_json(&quiet, flags, ret) == 0)
        return 0;
    if (ignored.code == ERR_LIMIT)
        return err_set(call->err, ERR_LIMIT, "%s", ignored.text);
    return fn_return_part("", 0, ret);
}

static int body_to_json(struct call *call, struct val *ret)
{
    return write_json_or_nothing(call, 0, ret);
}

static int body_to_pretty_json(struct call *call, struct val *ret)
{
    return write_json_or_nothing(call, JSON_PRETTY, ret);
}

static int body_must_to_json(struct call *call, struct val *ret)
{
    return write_json(call, 0, ret);
}

static int body_must_to_pretty_json(struct call *call, struct val *ret)
{
    return write_json(call, JSON_PRETTY, ret);
}

static int body_to_raw_json(struct call *call, struct val *ret)
{
    return write_json(call, JSON_NO_HTML, ret);
}

static const struct func rows[] = {
    {"sprig_all", "a*", body_all, "VALUE...", "True when no value is empty.", COST_LOOK},
    {"sprig_any", "a*", body_any, "VALUE...", "True when some value is not empty.", COST_LOOK},
    {"sprig_coalesce", "a*", body_coalesce, "VALUE...", "The first value that is not empty, or nil.", COST_LOOK},
    {"sprig_deepEqual", "aa", body_deep_equal, "A B", "True when both are the same all the way down.", COST_LOOK},
    {"sprig_default", "aa*", body_default, "DEFAULT VALUE", "The value, or the default when it is empty.", COST_LOOK},
    {"sprig_empty", "a", body_empty, "VALUE", "True for what is nil, false, zero or has nothing in it.", COST_LOOK},
    {"sprig_fail", "s", body_fail, "TEXT", "An error with that text.", COST_LOOK},
    {"sprig_fromJson", "s", body_from_json, "TEXT", "The value that JSON text describes, or nil.", COST_SLOW},
    {"sprig_hello", "", body_hello, "", "The text \"Hello!\"."},
    {"sprig_kindIs", "sa", body_kind_is, "NAME VALUE", "True when the value is of that kind.", COST_LOOK},
    {"sprig_kindOf", "a", body_kind_of, "VALUE", "The name of the value's kind in Go: string, slice, map, ...", COST_LOOK},
    {"sprig_mustFromJson", "s", body_must_from_json, "TEXT", "The value that JSON text describes.", COST_SLOW},
    {"sprig_mustToJson", "a", body_must_to_json, "VALUE", "The value as JSON on one line."},
    {"sprig_mustToPrettyJson", "a", body_must_to_pretty_json, "VALUE", "The value as indented JSON."},
    {"sprig_mustToRawJson", "a", body_to_raw_json, "VALUE", "The value as JSON on one line, with < > & as they are."},
    {"sprig_ternary", "aab", body_ternary, "A B TRUTH", "A when it is true, else B.", COST_LOOK},
    {"sprig_toJson", "a", body_to_json, "VALUE", "The value as JSON on one line, or \"\"."},
    {"sprig_toPrettyJson", "a", body_to_pretty_json, "VALUE", "The value as indented JSON, or \"\"."},
    {"sprig_toRawJson", "a", body_to_raw_json, "VALUE", "The value as JSON on one line, with < > & as they are."},
    {"sprig_typeIs", "sa", body_type_is, "NAME VALUE", "True when the value is of that type.", COST_LOOK},
    {"sprig_typeIsLike", "sa", body_type_is_like, "NAME VALUE", "True when the value is of that type, or a pointer to it.",
     COST_LOOK},
    {"sprig_typeOf", "a", body_type_of, "VALUE", "The name of the value's type in Go.", COST_LOOK},
};

const struct func_table fn_sprig_value = {rows, ARRAY_LEN(rows)};
