/*
 * calls: the programs that a template's command calls, as far as its text says, and which of them the agent's image has not.
 *
 * A reader of the shell's text, not a shell: it knows words, quotes, lists, pipes, substitutions, redirections and keywords, and
 * leaves out what only a run can tell (variables, here-documents). Only Ampule's own images are judged; what is in agent-compat
 * stands in applets.def.
 */
#ifndef TOOLS_CALLS_H
#define TOOLS_CALLS_H

#include <jansson.h>
#include <stddef.h>

typedef void calls_on_program(void *context, const char *name);

/* Every program that the line calls, in order; builtins and keywords are none. */
void calls_in(const char *line, calls_on_program *on_program, void *context);

/* Looks at the templates of an agent's configuration (as JSON) that would run in that image. Adds a note for each program that it
 * has not, and returns how many. */
size_t calls_missing(const json_t *config, const char *image, json_t *notes);

#endif
