/*
 * fn_vault: what templates ask of the outside, answered from what is already here.
 *
 * During one evaluation it notes every dep that was used, counts those the store has no answer for (they are nil to the template), and
 * remembers the files that `file` read and what `writeToFile` shall write. It causes no request: the notes go up, sidecar gives them to fetch.
 *
 * While something is missing, what is evaluated behind it may be an `else` that nobody will want, or made of values that are not there. To read
 * that is harmless. What changes something (a write, a certificate, a plugin) is held until nothing before it is missing, so that it is sent
 * exactly when the final evaluation sends it; one exception: what a 404 said is not there may be written by the same template.
 * Values borrowed from the store are good for that evaluation only.
 */
#ifndef FLOW_FN_VAULT_H
#define FLOW_FN_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/aside.h"
#include "flow/config.h"
#include "flow/dep_list.h"
#include "flow/plugin.h"
#include "flow/store.h"
#include "os/interfaces.h"
#include "tpl/tpl.h"
#include "vault/dep.h"

struct fn_vault {
    const struct config *config;
    const struct config_template *template;
    const struct store *store;
    const struct tpl *tpl; /* the compiled template, borrowed; NULL: nothing that it names counts as written in it */
    const struct interface *interfaces; /* what `sockaddr` chooses from; borrowed */
    size_t interface_count;
    bool wants_key; /* the template's text speaks of a Key: a certificate without one is no answer to it */
    struct dep_list used;
    struct dep_list missing; /* of these, those without an answer */
    struct dep_list held;    /* without an answer too, and not to be asked for yet */
    struct dep_list good;    /* used by the last evaluation that ended well, while one that did not came after it */
    bool failed;
    bool plugin_held; /* a plugin is not to be run yet */
    char **files; /* paths that `file` read, each once */
    size_t file_count;
    struct aside_list asides; /* what `writeToFile` was asked for */
    struct plugin_list plugins; /* outlives an evaluation: until the template is finished or has failed */
};

void fn_vault_init(struct fn_vault *fn, const struct config *config, const struct config_template *template, const struct store *store);
void fn_vault_done(struct fn_vault *fn);
/* Forget the notes of the last evaluation. */
void fn_vault_begin(struct fn_vault *fn);
/* The evaluation ended with an error: what it did not reach may still be wanted. */
void fn_vault_failed(struct fn_vault *fn);
/* Whether something had no answer. */
bool fn_vault_lacks(const struct fn_vault *fn);
/* The callbacks for tpl_execute(); `env` borrows `fn`. */
void fn_vault_env(struct fn_vault *fn, struct tpl_env *ret_env);

#endif
