/*
 * lex_plain: tokens of plain ASCII that end where they should, as nearly all do, read in one go; for tpl/lex.c only.
 *
 * Gives what lex.c would give and leaves to it whatever needs a second thought: delimiters, escapes, signs, other letters,
 * errors.
 */
#ifndef TPL_LEX_PLAIN_H
#define TPL_LEX_PLAIN_H

#include "tpl/lex_token.h"

/* What ASCII characters are; words may have other letters and digits too. */
enum { LEX_SPACE = 1, LEX_WORD = 2, LEX_ENDS_WORD = 4 };
extern const unsigned char lex_classes[256];

/* Is the byte none that a plain token may begin with? Only then can a right delimiter begin with it. */
bool lex_plain_free(char c);
/* Plain tokens from the cursor, inside an action, as many as there are and room; as lex_read() gives them. */
unsigned lex_plain(struct lexer *lex, struct lex_token *tokens, unsigned room);
/*
 * The left delimiter and its marker have been taken. Is the whole action one of `.a.b`, `$v.a`, a dot, `else` and `end`, and
 * blanks around it? Then the cursor goes to its right delimiter.
 */
bool lex_whole(struct lexer *lex, struct lex_token *ret);
/* A keyword, or an identifier. */
enum token_kind lex_word_kind(struct str word);

#endif
