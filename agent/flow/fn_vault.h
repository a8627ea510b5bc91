/*
 * fn_vault: what templates ask of the outside, answered from what is already here.
 *
 * During one evaluation it notes every dep that was used, counts those the store has no answer for (they are nil to the template), and
 * remembers the files that `file` read and what `writeToFile` shall write. It causes no request: the notes go up, sidecar gives them to fetch.
 * Values borrowed from the store are good for that evaluation only.
 */
#ifndef FLOW_FN_VAULT_H
#define FLOW_FN_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/aside.h"
#include "flow/config.h"
#include "flow/plugin.h"
#include "flow/store.h"
#include "os/interfaces.h"
#include "tpl/tpl.h"
#include "vault/dep.h"

/* Deps in order of their first use, each once; holds references. */
struct dep_list {
    struct dep **items;
    size_t len, room;
};

void dep_list_clear(struct dep_list *list);
bool dep_list_has(const struct dep_list *list, const struct dep *dep);

struct fn_vault {
    const struct config *config;
    const struct config_template *template;
    const struct store *store;
    const struct interface *interfaces; /* what `sockaddr` chooses from; borrowed */
    size_t interface_count;
    struct dep_list used, missing;
    char **files; /* paths that `file` read, each once */
    size_t file_count;
    struct aside_list asides; /* what `writeToFile` was asked for */
    struct plugin_list plugins; /* outlives an evaluation: until the template is finished or has failed */
};

void fn_vault_init(struct fn_vault *fn, const struct config *config, const struct config_template *template, const struct store *store);
void fn_vault_done(struct fn_vault *fn);
/* Forget the notes of the last evaluation. */
void fn_vault_begin(struct fn_vault *fn);
/* The callbacks for tpl_execute(); `env` borrows `fn`. */
void fn_vault_env(struct fn_vault *fn, struct tpl_env *ret_env);

#endif
