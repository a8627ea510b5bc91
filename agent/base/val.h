/*
 * val: the one value tree, for configuration, server replies and templates.
 *
 * Small, immutable once built, its memory in an arena that must outlive it. Passed by pointer or copied by value (a copy shares
 * its children). Numbers read from text keep their spelling (VAL_NUMBER); maps are pairs sorted by key; *missing* is a value of
 * its own, not NULL; every node knows the line and column it was read from (0 where it was computed) and the file by an index
 * that its reader gives meaning to.
 *
 * Whoever makes a tree may know more of its values than is said here: which of its own types a kind is (`type`, from VAL_T_USER
 * on), a note of its own (`mark`), what it remembers of a list (`list.user`), what a record or an object is to it (a struct that
 * begins with struct val_class). Nothing here reads these bits; values are compared with their type and copied with type and
 * mark, but without `list.user`. See base/hcl.h for configuration, go/typed.h for templates.
 */
#ifndef BASE_VAL_H
#define BASE_VAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum val_kind {
    VAL_MISSING, /* nothing there; must stay 0 */
    VAL_NULL,
    VAL_BOOL,
    VAL_INT,  /* signed */
    VAL_UINT, /* unsigned */
    VAL_FLOAT,
    VAL_COMPLEX,
    VAL_NUMBER, /* text of a number as written */
    VAL_STRING, /* any bytes */
    VAL_LIST,
    VAL_MAP,    /* pairs sorted by key, unless `type` says otherwise */
    VAL_RECORD, /* named fields in declared order; class says which */
    VAL_OPAQUE, /* an object that only its class understands */
};

enum val_type {
    VAL_T_NATURAL, /* what the kind says */
    VAL_T_BYTES,   /* a VAL_STRING that is no text: JSON has it in base64 */
    VAL_T_ANY_KEY, /* a VAL_MAP whose keys are values of any kind, as they were written */
    VAL_T_USER,    /* from here on: types of whoever made the tree */
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

/* 24 bytes: replies and the data of templates are many small values. A position past 2^VAL_PLACE_BITS is told as the last one
 * that fits. */
#define VAL_PLACE_BITS 20
struct val {
    uint64_t kind : 8;  /* enum val_kind */
    uint64_t type : 5;  /* enum val_type, or the maker's */
    uint64_t mark : 1;  /* the maker's */
    uint64_t ref : 1;   /* VAL_MAP: `target` counts instead of pairs and len, see val_target() */
    uint64_t grown : 1; /* VAL_LIST: put together item by item, by a reader that did not know how many come */
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
            uint64_t user : 40; /* the maker's */
        } list;
        struct {
            union {
                const struct val_pair *pairs;
                const struct val *target;
            };
            uint32_t len;
            int32_t class; /* VAL_RECORD: see val_class_of() */
        } map;             /* VAL_MAP, VAL_RECORD */
        struct {
            void *self;
            const struct val_class *class;
        } opaque;
    };
};
_Static_assert(sizeof(struct val) == 24, "of values there are many");

struct val_pair {
    const struct val *key; /* VAL_STRING except under VAL_T_ANY_KEY; maps that are alike share theirs */
    struct val value;
};

/* What a VAL_RECORD or VAL_OPAQUE is. Static storage, and the first member of what its maker knows of it. */
struct val_class {
    const char *name;                                      /* for messages */
    void (*text)(const struct val *self, struct buf *buf); /* of a VAL_OPAQUE: what JSON and its like write; NULL: they cannot */
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
static inline struct str str_of(const char *s)
{
    return (struct str){s, __builtin_strlen(s)};
}
bool str_eq(struct str a, struct str b);
bool str_eqs(struct str a, const char *b);
int str_cmp(struct str a, struct str b);    /* bytewise, as Go sorts */
int str_sort(const void *a, const void *b); /* the same of two struct str, for qsort() and bsearch() */
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
#define VAL_TEXT(literal)                                          \
    {                                                              \
        .kind = VAL_STRING, .s = {(literal), sizeof(literal) - 1 } \
    }
#define VAL_KEY(literal)                                  \
    ({                                                    \
        static const struct val key_ = VAL_TEXT(literal); \
        &key_;                                            \
    })
const struct val *val_key(struct arena *arena, struct str text, struct err *err);

/* Makers that need no memory. Strings are borrowed. */
struct val val_null(void);
struct val val_bool(bool b);
struct val val_int(int64_t i);
struct val val_uint(uint64_t u);
struct val val_float(double f);
struct val val_str(const char *data, size_t len);
struct val val_cstr(const char *s);
struct val val_number(const char *text, size_t len);
struct val val_list(const struct val *items, size_t len);
struct val val_map(const struct val_pair *pairs, size_t len); /* pairs are sorted already: see val_sort_pairs() */
struct val val_record(const struct val_pair *fields, size_t len,
                      const struct val_class *class); /* fields in declared order; NULL: none, not even empty ones */
struct val val_object(void *self, const struct val_class *class);

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
 * A map may be a reference to another, which is up to date: its owner changes that one, and all copies of the reference see it
 * (go/live.h). Whoever looks into a map that may be one asks for its target first; that is none itself.
 */
static inline const struct val *val_target(const struct val *v)
{
    return v->kind == VAL_MAP && v->ref ? v->map.target : v;
}

/* Deep equality of data (positions ignored). */
bool val_equal(const struct val *a, const struct val *b);
/* "string", "list", … for messages about configuration. */
const char *val_kind_name(const struct val *v);

#endif
