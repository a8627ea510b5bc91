/*
 * stanza: the tables of the configuration's stanzas, one family a file; used by config/load only.
 *
 * Each reader is an option_reader: it takes one value of the top level and puts what it says into
 * the struct config at `into`. Replaced whole by a later file: vault, auto_auth, template_config, exec,
 * api_proxy, cache, telemetry. Added to: template, env_template, listener,
 * ampule.atomic_group. Whatever is wrong goes to reading->problems.
 */
#ifndef CONFIG_STANZA_H
#define CONFIG_STANZA_H

#include "config/config.h"
#include "config/option.h"

option_reader stanza_vault, stanza_auto_auth, stanza_template, stanza_template_config, stanza_env_template, stanza_exec,
    stanza_listener, stanza_api_proxy, stanza_cache, stanza_telemetry, stanza_atomic_group;

/* What templates of both kinds have in common. */
struct config_template stanza_template_default(void);
void stanza_template_place(struct reading *reading, struct config_template *t, const struct val *block, const char *path);
void stanza_template_add(struct reading *reading, struct config *config, const struct config_template *template);
/* One element with arguments in it is a line for the shell. */
void stanza_command(struct reading *reading, const char *const *words, struct config_command *ret);
/* What it may take unless that is given. */
#define STANZA_COMMAND_MS (INT64_C(30) * 1000)
/* "HUP" or "SIGHUP"; 0: there is none of that name. */
int stanza_signal(const char *name);

/* A member of disable_idle_connections. */
bool stanza_subsystem(struct str name);

/* One file's top level. */
void stanza_file(struct reading *reading, const struct val *root, struct config *config);

/* What contradicts itself or is missing, over all files, flags and variables. */
void stanza_check(const struct config *config, struct problems *problems);

/* A block with one label; in JSON, whose objects are labels too, any number of names. */
bool stanza_has_names(const struct val *v);
/* In lower case, in the arena. */
const char *stanza_lower(struct arena *arena, const char *s);

/* "a/b/" for "/a/b", "" for nothing. */
const char *stanza_namespace(struct arena *arena, const char *name);

#endif
