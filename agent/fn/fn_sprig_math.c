/* Numbers. Source: sprig, spf13/cast. What is no number counts as 0, and integers wrap around. */
#include <math.h>

#include "base/digest.h"
#include "base/limits.h"
#include "fn/cast.h"
#include "fn/fn.h"
#include "go/decimal.h"
#include "go/format.h"
#include "go/number.h"
#include "go/numeral.h"
#include "go/typed.h"

/* ------------------------------------------------------------------------------------------------ values as numbers */

static int body_atoi(struct call *call, struct val *ret)
{
    int64_t i;

    numeral_int(call->argv[0].s, 10, &i);
    return fn_return_int(i, ret);
}

static int body_int(struct call *call, struct val *ret)
{
    return fn_return_int(cast_int(&call->argv[0]), ret);
}

static int body_int64(struct call *call, struct val *ret)
{
    *ret = go_int64(cast_int(&call->argv[0]));
    return 0;
}

static int body_float64(struct call *call, struct val *ret)
{
    *ret = val_float(cast_float(&call->argv[0]));
    return 0;
}

/* The printed value is read as octal. */
static int body_to_decimal(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    int64_t i;

    format_sprint(text, call->argv, 1);
    *ret = go_int64(numeral_int((struct str){text->data, text->len}, 8, &i) ? 0 : i);
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- integers */

static int64_t add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t subtract(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t multiply(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
static int64_t divide(int64_t a, int64_t b)
{
    return b == -1 ? subtract(0, a) : a / b;
}
static int64_t modulo(int64_t a, int64_t b)
{
    return b == -1 ? 0 : a % b;
}
static int64_t larger(int64_t a, int64_t b)
{
    return b > a ? b : a;
}
static int64_t smaller(int64_t a, int64_t b)
{
    return b < a ? b : a;
}

/* From `i` on through all arguments from the `first` on. */
static int fold(struct call *call, int64_t i, size_t first, int64_t (*op)(int64_t a, int64_t b), struct val *ret)
{
    for (size_t k = first; k < call->argc; k++)
        i = op(i, cast_int(&call->argv[k]));
    *ret = go_int64(i);
    return 0;
}

static int body_add(struct call *call, struct val *ret)
{
    return fold(call, 0, 0, add, ret);
}

static int body_add1(struct call *call, struct val *ret)
{
    return fold(call, 1, 0, add, ret);
}

static int body_sub(struct call *call, struct val *ret)
{
    return fold(call, cast_int(&call->argv[0]), 1, subtract, ret);
}

static int body_mul(struct call *call, struct val *ret)
{
    return fold(call, cast_int(&call->argv[0]), 1, multiply, ret);
}

static int body_max(struct call *call, struct val *ret)
{
    return fold(call, cast_int(&call->argv[0]), 1, larger, ret);
}

static int body_min(struct call *call, struct val *ret)
{
    return fold(call, cast_int(&call->argv[0]), 1, smaller, ret);
}

static int quotient(struct call *call, int64_t (*op)(int64_t a, int64_t b), struct val *ret)
{
    if (cast_int(&call->argv[1]) == 0)
        return err_set(call->err, ERR_INPUT, "runtime error: integer divide by zero");
    return fold(call, cast_int(&call->argv[0]), 1, op, ret);
}

static int body_div(struct call *call, struct val *ret)
{
    return quotient(call, divide, ret);
}

static int body_mod(struct call *call, struct val *ret)
{
    return quotient(call, modulo, ret);
}

static int body_rand_int(struct call *call, struct val *ret)
{
    int64_t low = call->argv[0].i, count = subtract(call->argv[1].i, low);

    if (count <= 0)
        return err_set(call->err, ERR_INPUT, "invalid argument to Intn");
    return fn_return_int(add((int64_t)digest_random_below((uint64_t)count), low), ret);
}

/* ----------------------------------------------------------------------------------------------------------- floats */

/* Go's rules for NaN and the two zeros. */
static double larger_float(double a, double b)
{
    if (a == INFINITY || b == INFINITY)
        return INFINITY;
    if (isnan(a) || isnan(b))
        return NAN;
    if (a == 0 && b == 0)
        return signbit(a) ? b : a;
    return a > b ? a : b;
}

static double smaller_float(double a, double b)
{
    return -larger_float(-a, -b);
}

static int fold_floats(struct call *call, double (*op)(double a, double b), struct val *ret)
{
    double f = cast_float(&call->argv[0]);

    for (size_t k = 1; k < call->argc; k++)
        f = op(f, cast_float(&call->argv[k]));
    *ret = val_float(f);
    return 0;
}

static int body_maxf(struct call *call, struct val *ret)
{
    return fold_floats(call, larger_float, ret);
}

static int body_minf(struct call *call, struct val *ret)
{
    return fold_floats(call, smaller_float, ret);
}

static int body_floor(struct call *call, struct val *ret)
{
    *ret = val_float(floor(cast_float(&call->argv[0])));
    return 0;
}

static int body_ceil(struct call *call, struct val *ret)
{
    *ret = val_float(ceil(cast_float(&call->argv[0])));
    return 0;
}

/* 10 to the power of `n` as Go's math.Pow computes it: by squaring, so the last bit may differ from C's pow(). */
static double power_of_ten(double n)
{
    int exponent = 0, square_exponent;
    double result = 1, square = frexp(10, &square_exponent);

    if (fabs(n) >= 1 << 12)
        return n < 0 ? 0 : INFINITY;
    for (int i = (int)fabs(n); i != 0; i >>= 1) {
        if (i & 1) {
            result *= square;
            exponent += square_exponent;
        }
        square *= square;
        square_exponent *= 2;
        if (square < .5) {
            square += square;
            square_exponent--;
        }
    }
    return n < 0 ? ldexp(1 / result, -exponent) : ldexp(result, exponent);
}

static int body_round(struct call *call, struct val *ret)
{
    double on = call->argc > 2 ? call->argv[2].f : .5, power = power_of_ten((double)call->argv[1].i), whole;
    double digits = power * cast_float(&call->argv[0]), rest = isfinite(digits) ? modf(digits, &whole) : NAN;

    *ret = val_float((rest >= on ? ceil(digits) : floor(digits)) / power);
    return 0;
}

typedef int decimal_op(struct decimal *a, const struct decimal *b, struct err *err);

static int fold_decimals(struct call *call, double f, size_t first, decimal_op *op, struct val *ret)
{
    struct decimal result, next;

    if (decimal_of_float(f, &result, call->err) != 0)
        return -1;
    for (size_t k = first; k < call->argc; k++) {
        if (decimal_of_float(cast_float(&call->argv[k]), &next, call->err) != 0 || op(&result, &next, call->err) != 0)
            return -1;
    }
    *ret = val_float(decimal_float(&result));
    return 0;
}

static int body_addf(struct call *call, struct val *ret)
{
    return fold_decimals(call, 0, 0, decimal_add, ret);
}

static int body_add1f(struct call *call, struct val *ret)
{
    return fold_decimals(call, 1, 0, decimal_add, ret);
}

static int body_subf(struct call *call, struct val *ret)
{
    return fold_decimals(call, cast_float(&call->argv[0]), 1, decimal_subtract, ret);
}

static int body_mulf(struct call *call, struct val *ret)
{
    return fold_decimals(call, cast_float(&call->argv[0]), 1, decimal_multiply, ret);
}

static int body_divf(struct call *call, struct val *ret)
{
    return fold_decimals(call, cast_float(&call->argv[0]), 1, decimal_divide, ret);
}

/* -------------------------------------------------------------------------------------------------------- sequences */

struct sequence {
    int64_t start, step;
    uint64_t count;
};

/* sprig's untilStep. Where Go would run over the end of an int and go on, the sequence ends. */
static int sequence(struct call *call, int64_t start, int64_t stop, int64_t step, struct sequence *ret)
{
    uint64_t distance = stop < start ? (uint64_t)start - (uint64_t)stop : (uint64_t)stop - (uint64_t)start;
    uint64_t stride = step < 0 ? -(uint64_t)step : (uint64_t)step;
    bool towards = stop < start ? step < 0 : step > 0;

    *ret = (struct sequence){start, step, 0};
    if (towards && distance > 0)
        ret->count = (distance - 1) / stride + 1;
    if (ret->count > LIMIT_SEQUENCE)
        return err_set(call->err, ERR_LIMIT, "%s: more than %d numbers", call->name, LIMIT_SEQUENCE);
    return 0;
}

static int return_ints(struct call *call, const struct sequence *sequence, struct val *ret)
{
    struct val *items = arena_array(call->arena, sequence->count + 1, sizeof(*items), call->err);

    if (!items)
        return -1;
    for (uint64_t i = 0; i < sequence->count; i++)
        items[i] = val_int(add(sequence->start, multiply((int64_t)i, sequence->step)));
    *ret = val_list(items, sequence->count);
    ret->type = GO_T_INTS;
    return 0;
}

static int body_until(struct call *call, struct val *ret)
{
    struct sequence numbers;
    int64_t count = call->argv[0].i;

    return sequence(call, 0, count, count < 0 ? -1 : 1, &numbers) != 0 ? -1 : return_ints(call, &numbers, ret);
}

static int body_until_step(struct call *call, struct val *ret)
{
    struct sequence numbers;

    if (sequence(call, call->argv[0].i, call->argv[1].i, call->argv[2].i, &numbers) != 0)
        return -1;
    return return_ints(call, &numbers, ret);
}

static int return_text(struct call *call, const struct sequence *sequence, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    for (uint64_t i = 0; i < sequence->count; i++) {
        buf_adds(text, i > 0 ? " " : "");
        number_int(text, add(sequence->start, multiply((int64_t)i, sequence->step)));
    }
    return fn_return_buf(call, text, ret);
}

/* As the program: END, START END, or START STEP END, with END in it. A given step must lead there. */
static int body_seq(struct call *call, struct val *ret)
{
    int64_t start = call->argc > 1 ? call->argv[0].i : 1, end, step;
    struct sequence numbers;

    if (call->argc == 0 || call->argc > 3)
        return fn_return_part("", 0, ret);
    end = call->argv[call->argc - 1].i;
    step = call->argc == 3 ? call->argv[1].i : end < start ? -1 : 1;
    if (sequence(call, start, add(end, end < start ? -1 : 1), step, &numbers) != 0)
        return -1;
    return return_text(call, &numbers, ret);
}

static const struct func rows[] = {
    {"sprig_add", "a*", body_add, "NUMBER...", "The sum of whole numbers.", COST_LOOK},
    {"sprig_add1", "a", body_add1, "NUMBER", "The whole number and one.", COST_LOOK},
    {"sprig_add1f", "a", body_add1f, "NUMBER", "The number and one, as a decimal.", COST_HARD},
    {"sprig_addf", "a*", body_addf, "NUMBER...", "The sum of decimals.", COST_HARD},
    {"sprig_atoi", "s", body_atoi, "TEXT", "The decimal text as an int, or 0."},
    {"sprig_biggest", "aa*", body_max, "NUMBER...", "The largest of whole numbers."},
    {"sprig_ceil", "a", body_ceil, "NUMBER", "The least whole number that is not less.", COST_SLOW},
    {"sprig_div", "aa", body_div, "A B", "The whole quotient of A by B.", COST_LOOK},
    {"sprig_divf", "aa*", body_divf, "A B...", "A divided by all the others, with 16 digits behind the point.", COST_HARD},
    {"sprig_float64", "a", body_float64, "VALUE", "The value as a float64, or 0.", COST_SLOW},
    {"sprig_floor", "a", body_floor, "NUMBER", "The greatest whole number that is not greater.", COST_SLOW},
    {"sprig_int", "a", body_int, "VALUE", "The value as an int, or 0; text may be 0x1f, 017, 0b11."},
    {"sprig_int64", "a", body_int64, "VALUE", "The value as an int64, or 0; text may be 0x1f, 017, 0b11."},
    {"sprig_max", "aa*", body_max, "NUMBER...", "The largest of whole numbers.", COST_LOOK},
    {"sprig_maxf", "aa*", body_maxf, "NUMBER...", "The largest number.", COST_SLOW},
    {"sprig_min", "aa*", body_min, "NUMBER...", "The smallest of whole numbers.", COST_LOOK},
    {"sprig_minf", "aa*", body_minf, "NUMBER...", "The smallest number.", COST_SLOW},
    {"sprig_mod", "aa", body_mod, "A B", "The remainder of A / B, with the sign of A.", COST_LOOK},
    {"sprig_mul", "aa*", body_mul, "NUMBER...", "The product of whole numbers.", COST_LOOK},
    {"sprig_mulf", "aa*", body_mulf, "NUMBER...", "The product of decimals.", COST_HARD},
    {"sprig_randInt", "ii", body_rand_int, "FROM TO", "A random number from FROM up to TO without it."},
    {"sprig_round", "aif*", body_round, "NUMBER PLACES [ON]", "The number rounded; up when what is cut is ON (0.5) or more.",
     COST_SLOW},
    {"sprig_seq", "i*", body_seq, "[START [STEP]] END", "The numbers from START (1) to END with spaces between."},
    {"sprig_sub", "aa", body_sub, "A B", "What is left of A without B, whole numbers.", COST_LOOK},
    {"sprig_subf", "aa*", body_subf, "A B...", "What is left of A without the others, decimals.", COST_HARD},
    {"sprig_toDecimal", "a", body_to_decimal, "VALUE", "The value read as an octal number, or 0."},
    {"sprig_until", "i", body_until, "COUNT", "The numbers from 0 up to COUNT without it.", COST_LOOK},
    {"sprig_untilStep", "iii", body_until_step, "START STOP STEP", "Every STEP-th number from START up to STOP without it."},
};

const struct func_table fn_sprig_math = {rows, ARRAY_LEN(rows)};
