/*
 * stanza: the tables of the configuration's stanzas, one family a file; used by config only.
 *
 * Each reader is an option_reader: it takes one value of the top level and puts what it says into
 * the struct config at `into`. Replaced whole by a later file: vault, auto_auth, template_config.
 * Added to: template. Whatever is wrong goes to reading->problems.
 */
#ifndef FLOW_STANZA_H
#define FLOW_STANZA_H

#include "flow/config.h"
#include "flow/option.h"

option_reader stanza_vault, stanza_auto_auth, stanza_template, stanza_template_config;

/* Values before any file is read. */
void stanza_vault_default(struct config *config);
void stanza_template_config_default(struct config *config);

/* One file's top level. */
void stanza_file(struct reading *reading, const struct val *root, struct config *config);

/* What contradicts itself or is missing, over all files, flags and variables. */
void stanza_check(const struct config *config, struct problems *problems);

/* "a/b/" for "/a/b", "" for nothing. */
const char *stanza_namespace(struct arena *arena, const char *name);

#endif
