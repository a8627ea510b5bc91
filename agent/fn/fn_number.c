/* Numbers: arithmetic, text as numbers, and `loop`. Source: consul-template. */
#include "fn/cast.h"
#include "fn/fn.h"
#include "go/channel.h"
#include "go/format.h"
#include "go/numeral.h"
#include "go/typed.h"

/* ------------------------------------------------------------------------------------------------------- arithmetic */

enum kind { KIND_NONE, KIND_INT, KIND_UINT, KIND_FLOAT };

static enum kind kind_of(const struct val *v)
{
    return v->kind == VAL_INT ? KIND_INT : v->kind == VAL_UINT ? KIND_UINT : v->kind == VAL_FLOAT ? KIND_FLOAT : KIND_NONE;
}

/* Go prints a value of no type in its own way. */
static int fail_unknown(struct call *call, const struct val *v)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "%s: unknown type for ", call->name);
    if (val_is_nil(v))
        say_text(&say, "<invalid reflect.Value>");
    else
        say_value(&say, 'q', v);
    say_text(&say, " (%s)", format_type_name(v));
    return say_fail(&say, call->err);
}

/* The functions take B A and compute A op B. A is looked at first. */
static int check_operands(struct call *call, bool floats)
{
    for (int i = 1; i >= 0; i--) {
        enum kind kind = kind_of(&call->argv[i]);

        if (kind == KIND_NONE || (kind == KIND_FLOAT && !floats))
            return fail_unknown(call, &call->argv[i]);
    }
    return 0;
}

struct operation {
    int64_t (*ints)(int64_t a, int64_t b);
    uint64_t (*uints)(uint64_t a, uint64_t b);
    double (*floats)(double a, double b); /* NULL: there is none */
    bool divides;
};

static double float_of(const struct val *v)
{
    return v->kind == VAL_INT ? (double)v->i : v->kind == VAL_UINT ? (double)v->u : v->f;
}

static int compute(struct call *call, const struct operation *op, struct val *ret)
{
    const struct val *a = &call->argv[1], *b = &call->argv[0];

    if (check_operands(call, op->floats) != 0)
        return -1;
    if (kind_of(a) == KIND_FLOAT || kind_of(b) == KIND_FLOAT) {
        *ret = val_float(op->floats(float_of(a), float_of(b)));
        return 0;
    }
    if (op->divides && b->i == 0)
        return err_set(call->err, ERR_INPUT, "runtime error: integer divide by zero");
    if (kind_of(a) == KIND_UINT && kind_of(b) == KIND_UINT)
        *ret = (struct val){.kind = VAL_UINT, .type = GO_T_UINT64, .u = op->uints(a->u, b->u)};
    else
        *ret = go_int64(op->ints(a->i, b->i));
    return 0;
}

/* Go's integers wrap around, the quotient of the smallest one and -1 included. */
static int64_t add_ints(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t subtract_ints(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t multiply_ints(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
static int64_t divide_ints(int64_t a, int64_t b)
{
    return b == -1 ? subtract_ints(0, a) : a / b;
}
static int64_t modulo_ints(int64_t a, int64_t b)
{
    return b == -1 ? 0 : a % b;
}
static uint64_t add_uints(uint64_t a, uint64_t b)
{
    return a + b;
}
static uint64_t subtract_uints(uint64_t a, uint64_t b)
{
    return a - b;
}
static uint64_t multiply_uints(uint64_t a, uint64_t b)
{
    return a * b;
}
static uint64_t divide_uints(uint64_t a, uint64_t b)
{
    return a / b;
}
static uint64_t modulo_uints(uint64_t a, uint64_t b)
{
    return a % b;
}
static double add_floats(double a, double b)
{
    return a + b;
}
static double subtract_floats(double a, double b)
{
    return a - b;
}
static double multiply_floats(double a, double b)
{
    return a * b;
}
static double divide_floats(double a, double b)
{
    return a / b;
}

static int body_add(struct call *call, struct val *ret)
{
    static const struct operation op = {add_ints, add_uints, add_floats, false};

    return compute(call, &op, ret);
}

static int body_subtract(struct call *call, struct val *ret)
{
    static const struct operation op = {subtract_ints, subtract_uints, subtract_floats, false};

    return compute(call, &op, ret);
}

static int body_multiply(struct call *call, struct val *ret)
{
    static const struct operation op = {multiply_ints, multiply_uints, multiply_floats, false};

    return compute(call, &op, ret);
}

static int body_divide(struct call *call, struct val *ret)
{
    static const struct operation op = {divide_ints, divide_uints, divide_floats, true};

    return compute(call, &op, ret);
}

static int body_modulo(struct call *call, struct val *ret)
{
    static const struct operation op = {modulo_ints, modulo_uints, NULL, true};

    return compute(call, &op, ret);
}

/* Two unsigned numbers are compared as such, an unsigned and a signed one as signed. */
static bool is_less(const struct val *a, const struct val *b)
{
    if (kind_of(a) == KIND_FLOAT || kind_of(b) == KIND_FLOAT)
        return float_of(a) < float_of(b);
    return kind_of(a) == KIND_UINT && kind_of(b) == KIND_UINT ? a->u < b->u : a->i < b->i;
}

/* In the widest type of its kind. */
static int return_widened(const struct val *v, struct val *ret)
{
    *ret = *v;
    ret->type = v->kind == VAL_INT ? GO_T_INT64 : v->kind == VAL_UINT ? GO_T_UINT64 : VAL_T_NATURAL;
    return 0;
}

static int body_minimum(struct call *call, struct val *ret)
{
    const struct val *a = &call->argv[1], *b = &call->argv[0];

    return check_operands(call, true) != 0 ? -1 : return_widened(is_less(a, b) ? a : b, ret);
}

static int body_maximum(struct call *call, struct val *ret)
{
    const struct val *a = &call->argv[1], *b = &call->argv[0];

    return check_operands(call, true) != 0 ? -1 : return_widened(is_less(b, a) ? a : b, ret);
}

/* -------------------------------------------------------------------------------------------------- text as numbers */

static int fail_parse(struct call *call, const char *function, struct str s, const char *why)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "%s: strconv.%s: parsing ", call->name, function);
    say_quoted(&say, s);
    say_text(&say, ": %s", why);
    return say_fail(&say, call->err);
}

static int body_parse_bool(struct call *call, struct val *ret)
{
    struct str s = call->argv[0].s;
    bool on = false;

    if (s.len > 0 && !numeral_bool(s, &on))
        return fail_parse(call, "ParseBool", s, "invalid syntax");
    return fn_return_bool(on, ret);
}

static int body_parse_float(struct call *call, struct val *ret)
{
    struct str s = call->argv[0].s;
    double f;
    const char *why = numeral_float(s, &f);

    if (why && s.len > 0)
        return fail_parse(call, "ParseFloat", s, why);
    *ret = val_float(f);
    return 0;
}

static int parse_int(struct call *call, struct str s, int64_t *ret)
{
    const char *why = numeral_int(s, 10, ret);

    return why && s.len > 0 ? fail_parse(call, "ParseInt", s, why) : 0;
}

static int body_parse_int(struct call *call, struct val *ret)
{
    int64_t i;

    if (parse_int(call, call->argv[0].s, &i) != 0)
        return -1;
    *ret = go_int64(i);
    return 0;
}

static int body_parse_uint(struct call *call, struct val *ret)
{
    struct str s = call->argv[0].s;
    uint64_t u;
    const char *why = numeral_uint(s, 10, &u);

    if (why && s.len > 0)
        return fail_parse(call, "ParseUint", s, why);
    *ret = (struct val){.kind = VAL_UINT, .type = GO_T_UINT64, .u = u};
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- loop */

static int loop_bound(struct call *call, const struct val *v, int64_t *ret)
{
    struct call inner = *call;

    inner.name = "parseInt"; /* whose error it is */
    if (cast_is_text(v))
        return parse_int(&inner, v->s, ret);
    if (v->kind != VAL_INT && v->kind != VAL_UINT)
        return err_set(call->err, ERR_INPUT, "loop: bad argument type: %s", format_type_name(v));
    *ret = v->i;
    return 0;
}

static int body_loop(struct call *call, struct val *ret)
{
    struct channel *channel;
    int64_t from = 0, to;

    if (call->argc < 1 || call->argc > 2)
        return err_set(call->err, ERR_INPUT, "loop: wrong number of arguments, expected 1 or 2, but got %zu", call->argc);
    if ((call->argc == 2 && loop_bound(call, &call->argv[0], &from) != 0) ||
        loop_bound(call, &call->argv[call->argc - 1], &to) != 0)
        return -1;
    channel = arena_alloc(call->arena, sizeof(*channel), call->err);
    if (!channel)
        return -1;
    *channel = (struct channel){from, to > from ? to : from};
    *ret = go_object(channel, &go_class_channel);
    return 0;
}

static const struct func rows[] = {
    {"add", "aa", body_add, "B A", "The sum of A and B.", COST_LOOK},
    {"divide", "aa", body_divide, "B A", "The quotient of A by B.", COST_LOOK},
    {"loop", "a*", body_loop, "[FROM] TO", "The numbers from FROM, or 0, up to TO without it.", COST_LOOK},
    {"maximum", "aa", body_maximum, "B A", "The larger of two numbers.", COST_LOOK},
    {"minimum", "aa", body_minimum, "B A", "The smaller of two numbers.", COST_LOOK},
    {"modulo", "aa", body_modulo, "B A", "The remainder of A / B.", COST_LOOK},
    {"multiply", "aa", body_multiply, "B A", "The product of A and B.", COST_LOOK},
    {"parseBool", "s", body_parse_bool, "TEXT", "The truth that the text names; false when it is empty."},
    {"parseFloat", "s", body_parse_float, "TEXT", "The text as a float64; 0 when it is empty.", COST_SLOW},
    {"parseInt", "s", body_parse_int, "TEXT", "The decimal text as an int64; 0 when it is empty."},
    {"parseUint", "s", body_parse_uint, "TEXT", "The decimal text as a uint64; 0 when it is empty."},
    {"subtract", "aa", body_subtract, "B A", "What is left of A without B.", COST_LOOK},
};

const struct func_table fn_number = {rows, ARRAY_LEN(rows)};
