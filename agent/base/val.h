/*
 * val: the one value tree, for configuration, server replies and templates.
 *
 * Small, immutable once built, its memory in an arena that must outlive it. Passed by pointer or copied by value (a copy shares its children).
 * Numbers read from text keep their spelling (VAL_NUMBER); maps are pairs sorted by key; *missing* is a value of its own, not NULL; every node
 * knows the line and column it was read from (0 where it was computed) and the file by an index that its reader gives meaning to.
 * `type` narrows a kind to one of Go's static types where templates can tell the difference ([]string against []interface {}).
 */
#ifndef BASE_VAL_H
#define BASE_VAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum val_kind {
    VAL_MISSING, /* nothing there: Go's invalid reflect.Value; must stay 0 */
    VAL_NULL,    /* JSON null, Go's untyped nil */
    VAL_BOOL,
    VAL_INT,     /* signed; Go int unless `type` says otherwise */
    VAL_UINT,    /* unsigned; Go uint unless `type` says otherwise */
    VAL_FLOAT,   /* float64 */
    VAL_COMPLEX, /* complex128 */
    VAL_NUMBER,  /* text of a JSON number as written; Go json.Number */
    VAL_STRING,  /* any bytes */
    VAL_LIST,    /* Go []interface {} unless `type` says otherwise */
    VAL_MAP,     /* Go map[string]interface {} unless `type` says otherwise; pairs sorted by key */
    VAL_RECORD,  /* named fields in declared order, a Go struct or pointer to one; class says which */
    VAL_OPAQUE,  /* an object that only its class understands (channels, scratch, …) */
};

enum val_type {
    VAL_T_NATURAL, /* what the kind says */
    VAL_T_INT64,
    VAL_T_INT32, /* rune */
    VAL_T_UINT8,
    VAL_T_UINT32,
    VAL_T_UINT64,
    VAL_T_STRINGS,     /* []string */
    VAL_T_MAP_STRINGS, /* map[string]string */
    VAL_T_MAP_ANY_KEY, /* map[interface {}]interface {}, from YAML */
    VAL_T_BYTES,       /* []uint8 held as VAL_STRING */
    VAL_T_INTS,        /* []int */
    VAL_T_LISTS,       /* [][]interface {} */
    VAL_T_MONTH,       /* time.Month, held as VAL_INT */
    VAL_T_WEEKDAY,     /* time.Weekday, the same */
    VAL_T_DURATION,    /* time.Duration, the same, of int64 */
    VAL_T_BLOCKS,      /* configuration: the objects that were given for one key; see hcl.h */
    VAL_T_LABEL,       /* configuration: a map of one pair, a block's label and its body */
};

struct str {
    const char *data; /* NUL-terminated at data[len] when made by val_*() or a reader */
    size_t len;
};

struct buf;
struct val_class;

/* A position in a source text; line 0 says that there is none. */
struct val_place {
    uint32_t line, column;
};

/* 24 bytes: replies and the data of templates are many small values. A position past 2^VAL_PLACE_BITS is told as the last one that fits. */
#define VAL_PLACE_BITS 20
struct val {
    uint64_t kind : 8; /* enum val_kind */
    uint64_t type : 6; /* enum val_type */
    uint64_t boxed : 1; /* the template evaluator's note that Go would hold this in an interface {}: it shows in error texts only */
    uint64_t live : 1;  /* VAL_MAP: `now` counts instead of pairs and len, see val_now() */
    uint64_t file : 8;
    uint64_t line : VAL_PLACE_BITS, column : VAL_PLACE_BITS;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        struct {
            double re, im;
        } complex;
        struct str s; /* VAL_STRING, VAL_NUMBER */
        struct {
            const struct val *items;
            uint64_t len : 24;
            uint64_t behind : 22; /* items that lie behind the end: of a part of a longer list */
            uint64_t spare : 18;  /* places behind those that Go's slice would have, all nil */
        } list;
        struct {
            union {
                const struct val_pair *pairs;
                const struct val *now;
            };
            uint32_t len;
            int32_t class; /* VAL_RECORD: see val_class_of() */
        } map; /* VAL_MAP, VAL_RECORD */
        struct {
            void *self;
            const struct val_class *class;
        } opaque;
    };
};
_Static_assert(sizeof(struct val) == 24, "of values there are many");

struct val_pair {
    const struct val *key; /* VAL_STRING except under VAL_T_MAP_ANY_KEY; maps that are alike share theirs */
    struct val value;
};

struct val_method {
    const char *name;
    /* As a template function: arguments checked by `params` (see tpl/func.h), result into *ret. No `call`: `params` is Go's refusal. */
    const char *params;
    int (*call)(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret, struct err *err);
};

#define VAL_INSIDE_MOST 8

/* What a VAL_RECORD or VAL_OPAQUE is. Static storage. */
struct val_class {
    const char *name; /* Go's type name, "*dependency.Secret" */
    bool pointer;     /* Go pointer to struct: prints as its struct at top level, as an address when nested */
    const struct val_method *methods;
    size_t method_count;
    const char *const *fields; /* of a record, NULL-terminated: what a nil pointer would have had */
    void (*print)(const struct val *self, struct buf *buf); /* Go's String(), or NULL: what %v and %s print */
    void (*text)(const struct val *self, struct buf *buf);  /* Go's MarshalText, where it is not what `print` gives */
    void (*source)(const struct val *self, struct buf *buf); /* Go's GoString(): what %#v prints */
    /* Of a VAL_OPAQUE: fill in the fields of the struct that it is to Go, and say how many. NULL: it is an address. For verbs that `print` is not for. */
    size_t (*inside)(const struct val *self, struct val_pair fields[VAL_INSIDE_MOST]);
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
static inline struct str str_of(const char *s)
{
    return (struct str){s, __builtin_strlen(s)};
}
bool str_eq(struct str a, struct str b);
bool str_eqs(struct str a, const char *b);
int str_cmp(struct str a, struct str b); /* bytewise, as Go sorts */
bool str_has_prefix(struct str s, const char *prefix);
bool str_has_suffix(struct str s, const char *suffix);

/* The text of an object as JSON and its like write it; false when it has none. */
bool val_object_text(const struct val *v, struct buf *buf);

/* The class of a VAL_RECORD, or NULL. All classes lie in one program: 32 bits tell how far from this one. */
extern const struct val_class val_no_class;
static inline const struct val_class *val_class_of(const struct val *record)
{
    return record->map.class ? (const void *)((uintptr_t)&val_no_class + (uintptr_t)(intptr_t)record->map.class) : NULL;
}

/* Where a value was read; `file` is an index that its reader gives meaning to. */
void val_set_place(struct val *v, unsigned file, struct val_place place);

/* A key as wide as its program, and one in an arena, whose text is borrowed. */
#define VAL_TEXT(literal) {.kind = VAL_STRING, .s = {(literal), sizeof(literal) - 1}}
#define VAL_KEY(literal) ({ static const struct val key_ = VAL_TEXT(literal); &key_; })
const struct val *val_key(struct arena *arena, struct str text, struct err *err);

/* Makers that need no memory. Strings are borrowed. */
struct val val_null(void);
struct val val_bool(bool b);
struct val val_int(int64_t i);
struct val val_int64(int64_t i); /* Go int64 */
struct val val_uint(uint64_t u);
struct val val_float(double f);
struct val val_str(const char *data, size_t len);
struct val val_cstr(const char *s);
struct val val_number(const char *text, size_t len);
struct val val_list(const struct val *items, size_t len);    /* []interface {} */
struct val val_strings(const struct val *items, size_t len); /* []string; items are VAL_STRING */
struct val val_map(const struct val_pair *pairs, size_t len); /* pairs are sorted already: see val_sort_pairs() */
struct val val_record(const struct val_pair *fields, size_t len, const struct val_class *class); /* fields in declared order; NULL: a nil pointer */

/* A VAL_STRING with its own NUL-terminated copy in `arena`. */
int val_copy_str(struct arena *arena, const char *data, size_t len, struct val *ret, struct err *err) MUST_USE;
/* As a string; ERR_LIMIT for one that overflowed. */
int val_copy_buf(struct arena *arena, const struct buf *buf, struct val *ret, struct err *err) MUST_USE;
/* A deep copy of `v` into `arena`; what is nil stays nil. Depth is bounded by LIMIT_DEPTH. */
int val_copy(struct arena *arena, const struct val *v, struct val *ret, struct err *err) MUST_USE;

/* Sort by string key; equal keys keep their order. */
void val_sort_pairs(struct val_pair *pairs, size_t len);

/* The value under a string key of a map or field of a record, or NULL. NULL `map` and other kinds give NULL. */
const struct val *val_get(const struct val *map, const char *key);
const struct val *val_get_str(const struct val *map, struct str key);
/* The same for a VAL_MAP; *near is where the last such key was found in another map that may be alike. */
const struct val *val_get_near(const struct val *map, struct str key, uint16_t *near);
/* A path of keys, NULL-terminated: val_dig(reply, "data", "metadata", NULL). */
const struct val *val_dig(const struct val *map, ...) __attribute__((sentinel));

/* Shortcuts for readers of replies: the string's bytes or NULL; an integer out of VAL_INT, VAL_UINT or an integral VAL_NUMBER. */
const char *val_get_cstr(const struct val *map, const char *key);
bool val_get_int(const struct val *map, const char *key, int64_t *ret);
bool val_get_bool(const struct val *map, const char *key); /* false when missing */
bool val_as_int(const struct val *v, int64_t *ret);
bool val_is_nil(const struct val *v); /* NULL, missing or null */

/*
 * A map that a template may change is copied by value like any other, and all copies share one that is up to date (tpl/live.h makes them).
 * Whoever looks into a map that may come from a template asks for that one first.
 */
static inline const struct val *val_now(const struct val *v)
{
    return v->kind == VAL_MAP && v->live ? v->map.now : v;
}

/* Deep equality of data (positions ignored). */
bool val_equal(const struct val *a, const struct val *b);
/* "string", "list", … for messages about configuration. */
const char *val_kind_name(const struct val *v);

#endif
