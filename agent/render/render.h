/*
 * render: one template of the configuration, from its text to finished bytes.
 *
 * The text is read and compiled when it is first needed; that may fail and be tried again (a source file that is not there yet).
 * What stands in the configuration is compiled anew for each evaluation, unless it is long.
 * render_run() evaluates against the store and causes no request; everything that came of it is in the outcome: while that is not
 * finished an error of the evaluation is put down to the missing data (unless it is that of a limit).
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "config/config.h"
#include "os/reach.h"
#include "render/fn_vault.h"
#include "render/outcome.h"
#include "tpl/tpl.h"

struct render {
    const struct config_template *template;
    struct fn_vault fn;
    struct tpl *tpl;                         /* NULL: the text is still to be compiled */
    unsigned char digest[DIGEST_SHA256_LEN]; /* of the source file's text, as it was compiled */
};

void render_init(struct render *render, const struct config *config, const struct config_template *template,
                 const struct store *store);
void render_done(struct render *render);

/* 0: evaluated; finished when outcome_finished(). ERR_INPUT: the template's own mistake. ERR_MISSING, ERR_DENIED: its source
 * file, and the outcome is as it was. */
/* Reads and compiles the text, unless that was done: the text is not as it is compiled later than this. */
int render_compile(struct render *render, struct err *err) MUST_USE;
/* Whether its source file holds another text than was compiled. */
bool render_is_stale(const struct render *render);
/* The same template in another configuration. */
void render_move(struct render *render, const struct config *config, const struct config_template *template);
int render_run(struct render *render, struct outcome *outcome, struct err *err) MUST_USE;
/* What `sockaddr` chooses from; borrowed. */
void render_interfaces(struct render *render, const struct interface *interfaces, size_t count);
/* What the text and its functions open: `file` and `writeToFile` take computed names, so with one of them that is everything. */
void render_reach(const struct config_template *template, struct reach *reach);
/* Whether a word stands in the template's text; one that cannot be read yet may hold it. */
bool render_mentions(const struct config_template *template, const char *word);

#endif
