/*
 * render: one template of the configuration, from its text to finished bytes.
 *
 * The text is read and compiled when it is first needed; that may fail and be tried again (a source file that is not there yet).
 * render_run() evaluates against the store and causes no request. Afterwards render_deps() says what was used, fn.missing and fn.held what had no
 * answer yet: while something is missing (or a plugin runs) the output is not finished, and an error of the evaluation is put down to the missing data
 * (unless it is that of a limit).
 * The output is secret, and so are the files beside it (fn.asides); render_forget() wipes both.
 */
#ifndef FLOW_RENDER_H
#define FLOW_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "flow/config.h"
#include "flow/fn_vault.h"
#include "os/reach.h"
#include "tpl/tpl.h"

struct render {
    const struct config_template *template;
    struct fn_vault fn;
    struct tpl *tpl; /* NULL until the text was compiled */
    struct buf output;
};

void render_init(struct render *render, const struct config *config, const struct config_template *template, const struct store *store);
void render_done(struct render *render);

/* 0: evaluated; finished when render_finished(). ERR_INPUT: the template's own mistake. ERR_MISSING, ERR_DENIED: its source file. */
int render_run(struct render *render, struct err *err) MUST_USE;
bool render_finished(const struct render *render);
const struct dep_list *render_deps(const struct render *render);
void render_forget(struct render *render);
/* What the text and its functions open: `file` and `writeToFile` take computed names, so with one of them that is everything. */
void render_reach(const struct render *render, struct reach *reach);
/* Whether a word stands in the template's text; one that cannot be read yet may hold it. */
bool render_mentions(const struct config_template *template, const char *word);

#endif
