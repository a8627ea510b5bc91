#include "fn/cast.h"

#include "go/channel.h"
#include "go/format.h"
#include "go/numeral.h"
#include "go/typed.h"
#include "tpl/func.h"

bool cast_is_string(const struct val *v)
{
    return v->kind == VAL_STRING && v->type == VAL_T_NATURAL;
}

bool cast_is_text(const struct val *v)
{
    return v->kind == VAL_NUMBER || cast_is_string(v);
}

/* int64(f) as amd64 does it: what does not fit becomes the smallest number. */
static int64_t int_of_float(double f)
{
    return f >= -0x1p63 && f < 0x1p63 ? (int64_t)f : INT64_MIN;
}

static size_t digits(struct str s, size_t i)
{
    while (i < s.len && s.data[i] >= '0' && s.data[i] <= '9')
        i++;
    return i;
}

/* What stands in front of the point: "3.99" is 3, "-.5" is 0. Of other numerals with a point nothing is taken away, so that they
 * are none. */
static struct str whole_part(struct str s)
{
    size_t sign = s.len > 0 && (s.data[0] == '-' || s.data[0] == '+'), point = digits(s, sign);

    if (point == s.len || s.data[point] != '.' || digits(s, point + 1) < s.len)
        return s;
    return point > sign ? (struct str){s.data, point} : STR("0");
}

int64_t cast_int(const struct val *v)
{
    int64_t i;

    switch (v->kind) {
    case VAL_BOOL:
        return v->b;
    case VAL_INT:
    case VAL_UINT:
        return v->i;
    case VAL_FLOAT:
        return int_of_float(v->f);
    case VAL_STRING:
    case VAL_NUMBER:
        return cast_is_text(v) && !numeral_int(whole_part(v->s), 0, &i) ? i : 0;
    default:
        return 0;
    }
}

double cast_float(const struct val *v)
{
    double f;

    switch (v->kind) {
    case VAL_BOOL:
        return v->b;
    case VAL_INT:
        return (double)v->i;
    case VAL_UINT:
        return (double)v->u;
    case VAL_FLOAT:
        return v->f;
    case VAL_STRING:
    case VAL_NUMBER:
        return cast_is_text(v) && !numeral_float(v->s, &f) ? f : 0;
    default:
        return 0;
    }
}

void cast_text(struct buf *buf, const struct val *v)
{
    if (v->kind == VAL_STRING || v->kind == VAL_NUMBER)
        buf_add(buf, v->s.data, v->s.len);
    else
        format_verb(buf, 'v', v);
}

const char *cast_kind(const struct val *v)
{
    switch ((enum val_kind)v->kind) {
    case VAL_MISSING:
    case VAL_NULL:
        return "invalid";
    case VAL_NUMBER:
        return "string";
    case VAL_STRING:
        return v->type == VAL_T_BYTES ? "slice" : "string";
    case VAL_LIST:
        return "slice";
    case VAL_MAP:
        return "map";
    case VAL_RECORD:
        return go_class_of(v)->pointer ? "ptr" : "struct";
    case VAL_INT:
        return v->type == GO_T_MONTH || v->type == GO_T_WEEKDAY ? "int"
               : v->type == GO_T_DURATION                       ? "int64"
                                                                : format_type_name(v);
    case VAL_OPAQUE:
        return v->opaque.class == &go_class_channel.base ? "chan" : go_class_of(v)->pointer ? "ptr" : "struct";
    default:
        return format_type_name(v);
    }
}
