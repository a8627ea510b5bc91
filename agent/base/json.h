/*
 * json: JSON text in, JSON text out; values are struct val in the caller's arena.
 *
 * The reader is strict JSON with line and column on every node. By default numbers keep their
 * spelling (VAL_NUMBER), the last of duplicate keys wins, and strings must be UTF-8; flags change
 * that. It may be given hostile text: time and memory are linear, depth ends at LIMIT_DEPTH,
 * members at LIMIT_MEMBERS, the rest at the arena's maximum.
 * Error texts are those of Go's encoding/json ("invalid character 'x' after top-level value"), as
 * templates show them. For secret documents JSON_SECRET leaves every character of the text out.
 * The writer prints as Go's json.Marshal and json.MarshalIndent(v, "", "  ") do.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

enum json_read_flag {
    JSON_FLOATS = 1 << 0,       /* numbers become VAL_FLOAT, as Go decodes into interface{} */
    JSON_REPLACE_UTF8 = 1 << 1, /* bad bytes and lone surrogates become U+FFFD, as Go does */
    JSON_SECRET = 1 << 2,       /* error texts say positions, never characters, keys or numbers */
    JSON_UNIQUE_KEYS = 1 << 3,  /* a duplicate key is an error */
    JSON_ALL_KEYS = 1 << 4,     /* duplicate keys are all kept, in their order, side by side */
    JSON_HCL = 1 << 5,          /* HCL's dialect, as loose as the original: commas, escapes, controls, the end */
    JSON_UNFIT_NULL = 1 << 6,   /* a number that no float64 holds is null, and no error */
};

struct json_options {
    unsigned flags;          /* enum json_read_flag */
    uint16_t file;           /* stamped on every node */
    size_t members;          /* at most so many of all objects and lists together; 0: LIMIT_MEMBERS */
    struct val_place *place; /* if not NULL: where reading failed */
};

/* Read one document. NULL options are all zero. ERR_INPUT for bad text, ERR_LIMIT for too much. */
int json_read(const char *text, size_t len, const struct json_options *options, struct arena *arena, struct val *ret,
              struct err *err) MUST_USE;

enum json_write_flag {
    JSON_PRETTY = 1 << 0,  /* two spaces a level */
    JSON_NO_HTML = 1 << 1, /* keep < > & as they are (Go's SetEscapeHTML(false)) */
};

/*
 * Append `v` to `buf`; whether everything fitted says buf_check(). Lists, maps and records without
 * memory (NULL, not only empty) are Go's nil: null. Fails with Go's words for what
 * JSON cannot say: complex numbers, NaN and infinities, maps with keys of any type.
 */
int json_write(struct buf *buf, const struct val *v, unsigned flags, struct err *err) MUST_USE;
/* One string in double quotes, escaped as json_write() does. */
void json_write_str(struct buf *buf, struct str s, unsigned flags);

#endif
