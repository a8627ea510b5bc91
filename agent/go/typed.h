/*
 * typed: what Go knows of a value beyond base/val.h: its static type, its class with methods, the room of a slice.
 *
 * Templates can tell a []string from a []interface {}, what stands in an interface {} from what does not, and how far a slice may
 * grow. The kinds alone are Go's bool, int, uint, float64, complex128, json.Number, string, []interface {} and
 * map[string]interface {}; VAL_T_BYTES is []uint8, VAL_T_ANY_KEY a map[interface {}]interface {}; VAL_MISSING is the zero
 * reflect.Value, VAL_NULL an untyped nil; a VAL_RECORD is a struct or a pointer to one. All of it lies in bits that base/val.h
 * leaves to the maker of a value.
 */
#ifndef GO_TYPED_H
#define GO_TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"

enum go_type {
    GO_T_INT64 = VAL_T_USER,
    GO_T_INT32, /* rune */
    GO_T_UINT8,
    GO_T_UINT32,
    GO_T_UINT64,
    GO_T_STRINGS,     /* []string */
    GO_T_MAP_STRINGS, /* map[string]string */
    GO_T_INTS,        /* []int */
    GO_T_LISTS,       /* [][]interface {} */
    GO_T_MONTH,       /* time.Month, held as VAL_INT; from here on they print as text */
    GO_T_WEEKDAY,     /* time.Weekday, the same */
    GO_T_DURATION,    /* time.Duration, the same, of int64 */
};

struct val go_int64(int64_t i);
struct val go_strings(const struct val *items, size_t len); /* []string; items are VAL_STRING */

/* ---------------------------------------------------------------------------------------------------------- classes */

struct go_method {
    const char *name;
    /* As a template function: arguments checked by `params` (see tpl/func.h), result into *ret. No `call`: `params` is Go's
     * refusal. */
    const char *params;
    int (*call)(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                struct err *err);
};

#define GO_INSIDE_MOST 8

/* A struct, a pointer to one, or an integer with methods. */
struct go_class {
    struct val_class base; /* name: Go's type, "*dependency.Secret"; text: MarshalText, or else what `print` gives */
    bool pointer;          /* to a struct: prints as its struct at top level, as an address when nested */
    const struct go_method *methods;
    size_t method_count;
    const char *const *fields;                               /* of a record, NULL-terminated: what a nil pointer would have had */
    void (*print)(const struct val *self, struct buf *buf);  /* Go's String(), or NULL: what %v and %s print */
    void (*source)(const struct val *self, struct buf *buf); /* Go's GoString(): what %#v prints */
    /* Of a VAL_OPAQUE: fill in the fields of the struct that it is to Go, and say how many. NULL: it is an address. For verbs
     * that `print` is not for. */
    size_t (*inside)(const struct val *self, struct val_pair fields[GO_INSIDE_MOST]);
};

/* Fields in declared order; NULL: a nil pointer. */
struct val go_record(const struct val_pair *fields, size_t len, const struct go_class *class);
struct val go_object(void *self, const struct go_class *class);
/* Of a VAL_RECORD or VAL_OPAQUE; NULL: it has none. */
static inline const struct go_class *go_class_of(const struct val *v)
{
    return (const struct go_class *)(v->kind == VAL_RECORD ? val_class_of(v) : v->opaque.class);
}
static inline bool go_is_object(const struct val *v, const struct go_class *class)
{
    return v->kind == VAL_OPAQUE && v->opaque.class == &class->base;
}

/* ---------------------------------------------------------------------------------------- interfaces and capacities */

/* Does Go hold it in an interface {}? The evaluator's note: it shows in error texts only. */
static inline bool go_boxed(const struct val *v)
{
    return v->mark;
}
static inline void go_box(struct val *v, bool boxed)
{
    v->mark = boxed;
}

/* Items that lie behind the end, of a part of a longer list, and places behind those that Go's slice would have, all nil. */
struct go_room {
    size_t behind, spare;
};
struct go_room go_room(const struct val *list);
void go_set_room(struct val *list, struct go_room room);

#endif
