/*
 * outcome: what one evaluation of a template came to: its bytes, what it used and what it lacked, what others shall do for it.
 *
 * Owned by whoever has a template rendered, one a template; render_run() forgets the last evaluation and fills it anew, and keeps
 * nothing of it. Deps are references, the rest is the outcome's own. Bytes (`output`, `to_write`) are secret and lie there from
 * an evaluation to outcome_wipe(). `plugins` alone outlive an evaluation: what they answered is good until the template is
 * written or has failed, then plugin_clear(). `used` stays good for asking who uses a dep until the next evaluation.
 */
#ifndef RENDER_OUTCOME_H
#define RENDER_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text_list.h"
#include "fetch/dep_list.h"
#include "render/plugin.h"
#include "render/write_to_file.h"

struct outcome {
    struct dep_list used;               /* after an evaluation that failed also what the last good one used */
    struct dep_list missing;            /* of these, those without an answer */
    struct dep_list held;               /* without an answer too, and not to be asked for yet */
    struct text_list files;             /* paths that `file` read; at most LIMIT_TEMPLATE_FILES */
    struct plugin_list plugins;         /* to start, running, ended */
    bool plugin_held;                   /* one is not to be run yet */
    struct buf output;                  /* the destination's bytes; nothing unless outcome_finished() */
    struct write_to_file_list to_write; /* the files beside it, as `writeToFile` asked */
    struct dep_list good;               /* used by the last evaluation that ended well, while one that did not came after it */
    bool failed;
};

void outcome_init(struct outcome *outcome);
void outcome_done(struct outcome *outcome);

/* Nothing had to be left out: the bytes are the template's. */
bool outcome_finished(const struct outcome *outcome);
/* The bytes are written, or nobody wants them. */
void outcome_wipe(struct outcome *outcome);

/* The side that evaluates: before an evaluation; after one that ended with an error: what it did not reach may still be wanted.
 */
void outcome_begin(struct outcome *outcome);
void outcome_failed(struct outcome *outcome);
int outcome_note_file(struct outcome *outcome, const char *path, struct err *err) MUST_USE;

#endif
