/*
 * lex: template source as tokens.
 *
 * One token at a time, no look-ahead of its own, no memory: a token is a piece of the source. The same source always gives the
 * same tokens from the same place, which diag uses to print a piece of a template again. Errors are tokens too (TOKEN_ERROR);
 * their text lies in the lexer, and the lexer has ended. Rules and words are text/template's.
 */
#ifndef TPL_LEX_H
#define TPL_LEX_H

#include "tpl/lex_token.h"

/* NULL or empty delimiters are {{ and }}. The source is borrowed. */
void lex_init(struct lexer *lex, const char *text, size_t len, const char *left, const char *right);
void lex_done(struct lexer *lex);
struct lex_token lex_next(struct lexer *lex);
/* As many tokens as there is room for, up to the end or an error; at least one. Instead of TOKEN_SPACE what follows it is
 * `spaced`. */
unsigned lex_read(struct lexer *lex, struct lex_token *tokens, unsigned room);
/* Go on at `pos`, which is inside an action. */
void lex_seek(struct lexer *lex, size_t pos);

#endif
