/*
 * load: how a configuration comes about: files, environment and flags in, one plain struct out.
 *
 * Reads Vault Agent's configuration (HCL, JSON or YAML; files and directories; VAULT_CONFIG). Precedence: flag, environment
 * (BAO_*, then VAULT_*), file, default. All problems are collected, each with file, line, column and path; the struct may be
 * given to config_done() in either case, and after a failure holds what could be understood.
 * Limits: LIMIT_CONFIG_BYTES a file, LIMIT_CONFIG_FILES files, LIMIT_CONFIG_TREE_BYTES in all.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/flags.h"
#include "config/override.h"
#include "config/problem.h"

/* Load everything. `flags` says which files, and overrides. Problems are appended; 0 when the agent can run with it, -1 when
 * problems->unusable; with -test-verify-only -1 for problems->errors alone, as the original. */
int config_load(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems) MUST_USE;
/* The server, its TLS and the token alone, out of flags and environment: for commands that read no configuration. */
int config_load_vault(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems)
    MUST_USE;

#endif
