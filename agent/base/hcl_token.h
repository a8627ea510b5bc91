/*
 * hcl_token: the words of HCL version 1, one at a time.
 *
 * Comments and blanks are skipped. A literal's text is borrowed from the source and is decoded by
 * hcl_token_value(), which copies it into the arena. Errors carry no text of literals.
 */
#ifndef BASE_HCL_TOKEN_H
#define BASE_HCL_TOKEN_H

#include "base/arena.h"
#include "base/val.h"

enum hcl_kind {
    HCL_END,
    HCL_NAME,
    HCL_BOOL,
    HCL_INTEGER,
    HCL_FLOAT,
    HCL_STRING,
    HCL_HEREDOC,
    HCL_COMMA,
    HCL_ASSIGN,
    HCL_OPEN_BRACE,
    HCL_CLOSE_BRACE,
    HCL_OPEN_BRACKET,
    HCL_CLOSE_BRACKET,
};

struct hcl_token {
    enum hcl_kind kind;
    struct str text; /* as written; a string with its quotes, a heredoc with both markers */
    struct val_place place;
};

struct hcl_lexer {
    const char *p, *end, *line_start;
    uint32_t line;
    struct val_place *place; /* filled when something fails; never NULL */
    struct err *err;
};

int hcl_token_next(struct hcl_lexer *lexer, struct hcl_token *ret) MUST_USE;
/* The value of a literal: bool, integer, float, string or heredoc. */
int hcl_token_value(struct hcl_lexer *lexer, const struct hcl_token *token, struct arena *arena, struct val *ret) MUST_USE;
/* For messages: "a string", "'{'". */
const char *hcl_kind_name(enum hcl_kind kind);
/* Fill the lexer's place and error (ERR_INPUT); returns -1. */
int hcl_fail(struct hcl_lexer *lexer, struct val_place place, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
