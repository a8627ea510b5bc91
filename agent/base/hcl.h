/*
 * hcl: HashiCorp's configuration language, version 1, and its JSON dialect.
 *
 * The result is a VAL_MAP whose nodes know line and column. Integers are VAL_INT (0644 is octal),
 * floats VAL_FLOAT, objects VAL_MAP, written lists VAL_LIST. Of several assignments of one key the
 * last counts; several objects of one key become one VAL_LIST of type HCL_BLOCKS, in their order.
 * A block's label is a VAL_MAP of type HCL_LABEL with one pair: the label, and the body.
 * In JSON a list of objects is such blocks too, and null is "" (as the original reads it).
 * Bounded by LIMIT_DEPTH, LIMIT_MEMBERS and the arena. Error texts hold no text of strings.
 */
#ifndef BASE_HCL_H
#define BASE_HCL_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"

/* Types of values, see base/val.h. */
enum hcl_type {
    HCL_BLOCKS = VAL_T_USER, /* a list of the objects that were given for one key */
    HCL_LABEL,               /* a map of one pair: a block's label and its body */
};

/*
 * Read one file: JSON when its first byte that is not blank is '{', else HCL. `file` is stamped
 * on every node; *ret_place says where reading failed (line 0: nowhere in particular).
 */
int hcl_read(const char *text, size_t len, uint16_t file, struct arena *arena, struct val *ret, struct val_place *ret_place,
             struct err *err) MUST_USE;

/* The shape described above, for a tree that was read as JSON or YAML. */
int hcl_shape(const struct val *v, struct arena *arena, struct val *ret, struct err *err) MUST_USE;

/* The blocks under `v` (from val_get(); may be NULL): one for an object, all for HCL_BLOCKS. */
size_t hcl_block_count(const struct val *v);
const struct val *hcl_block(const struct val *v, size_t i);

#endif
