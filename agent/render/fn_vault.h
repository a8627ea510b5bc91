/*
 * fn_vault: what templates ask of the outside, answered from what is already here.
 *
 * During one evaluation it notes in the outcome every dep that was used, those the store has no answer for (they are nil to the
 * template), the files that `file` read and what `writeToFile` shall write. It causes no request: the outcome goes up, sidecar
 * gives what is in it to fetch.
 *
 * While something is missing, what is evaluated behind it may be an `else` that nobody will want, or made of values that are not
 * there. To read that is harmless. What changes something (a write, a certificate, a plugin) is held until nothing before it is
 * missing, so that it is sent exactly when the final evaluation sends it; one exception: what a 404 said is not there may be
 * written by the same template. Values borrowed from the store are good for that evaluation only.
 */
#ifndef RENDER_FN_VAULT_H
#define RENDER_FN_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "fetch/store.h"
#include "net/interfaces.h"
#include "render/outcome.h"
#include "tpl/tpl.h"
#include "vault/dep.h"

struct fn_vault {
    const struct config *config;
    const struct config_template *template;
    const struct store *store;
    const struct tpl *tpl;              /* the compiled template, borrowed; NULL: nothing that it names counts as written in it */
    const struct interface *interfaces; /* what `sockaddr` chooses from; borrowed */
    size_t interface_count;
    bool wants_key;          /* the template's text speaks of a Key: a certificate without one is no answer to it */
    struct outcome *outcome; /* of the evaluation that runs */
};

void fn_vault_init(struct fn_vault *fn, const struct config *config, const struct config_template *template,
                   const struct store *store);
/* The callbacks for tpl_execute(), which note into `outcome`; `env` borrows both. */
void fn_vault_env(struct fn_vault *fn, struct outcome *outcome, struct tpl_env *ret_env);

#endif
