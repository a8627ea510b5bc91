/*
 * uses: which templates use what, found from the secret or the file, so that a change costs what it concerns and no more.
 *
 * Belongs to flow/templates. What a template's newest evaluation used is noted behind it; until then what the one before used is
 * what it uses.
 */
#ifndef FLOW_USES_H
#define FLOW_USES_H

#include <stddef.h>

#include "base/text_map.h"
#include "fetch/dep_list.h"
#include "flow/one_template.h"

struct users {
    struct one_template **items;
    size_t len, room;
};

/* A zeroed struct knows nothing. */
struct uses {
    struct dep_list deps;
    struct users *of_deps; /* one a dep, in their order; deps.room of them */
    struct text_map files;
};

/* It was evaluated. */
void uses_note(struct uses *uses, struct one_template *one);
/* It is gone. */
void uses_forget(struct uses *uses, struct one_template *one);
/* NULL: nobody. Good until the next note. */
const struct users *uses_of_dep(const struct uses *uses, const struct dep *dep);
const struct users *uses_of_file(const struct uses *uses, const char *path);
void uses_done(struct uses *uses);

#endif
