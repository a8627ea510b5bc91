/*
 * literal: the constants of a template: numbers, characters, strings, true, false, nil.
 *
 * A number is kept as everything it can be (Go's ideal constants); the parameter that it meets decides. Without one its spelling
 * does. Errors are the words of Go's parser ("illegal number syntax: …"), without a position.
 */
#ifndef TPL_LITERAL_H
#define TPL_LITERAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/val.h"
#include "tpl/lex.h"

enum literal_kind { LITERAL_NIL, LITERAL_BOOL, LITERAL_STRING, LITERAL_NUMBER };

struct literal {
    enum literal_kind kind;
    struct str text;  /* as written */
    struct str value; /* LITERAL_STRING: unquoted */
    bool truth;       /* LITERAL_BOOL */
    bool is_int, is_uint, is_float, is_complex;
    int64_t i;
    uint64_t u;
    double f, imaginary; /* the real part of a complex number is f */
};

/* `text` is that of a token that is a literal, and must live as long as the literal. */
int literal_parse(enum token_kind kind, struct str text, struct arena *arena, struct literal *ret, struct err *err) MUST_USE;

/*
 * The literal as an argument for a parameter of `letter` (tpl/func.h), or 'a' for no parameter at all.
 * What cannot be is an error in Go's words ("expected integer; found …").
 */
int literal_as(const struct literal *literal, char letter, struct val *ret, struct err *err) MUST_USE;

/* The unquoted value of a TOKEN_STRING or TOKEN_RAW_STRING. */
int literal_unquote(struct str text, struct arena *arena, struct str *ret, struct err *err) MUST_USE;

#endif
