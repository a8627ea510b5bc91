/*
 * token_helper: where a person's token is kept between commands, as the originals' commands find it.
 *
 * A file, ~/.vault-token or what BAO_TOKEN_PATH or VAULT_TOKEN_PATH names, or the program that `token_helper` names in ~/.vault
 * (or in the file of BAO_CONFIG_PATH or VAULT_CONFIG_PATH), which is given "store" and the token on its standard input. The file
 * is replaced as a whole, 0600 and ours whatever stood there: a link, a file of others', one with more rights.
 */
#ifndef TOOLS_TOKEN_HELPER_H
#define TOOLS_TOKEN_HELPER_H

#include "base/err.h"
#include "base/mem.h"
#include "config/override.h"

struct token_helper {
    char *program; /* NULL: a file */
    char *file;
};

/* Says which; nothing is written. ERR_INPUT, ERR_MISSING. */
int token_helper_find(struct token_helper *helper, config_getenv *getenv, struct err *err) MUST_USE;
void token_helper_done(struct token_helper *helper); /* zeroed structs are accepted */
#define _cleanup_token_helper_ _cleanup_(token_helper_done)

int token_helper_store(const struct token_helper *helper, const char *token, struct err *err) MUST_USE;
/* Whether others may put another file into the token's place: it is not read by them, but not sure to stay. */
bool token_helper_exposed(const struct token_helper *helper);

#endif
