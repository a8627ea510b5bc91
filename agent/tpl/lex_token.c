#include "tpl/lex_token.h"

#include "base/utf8.h"
#include "go/format.h"

bool lex_token_is_term(enum token_kind kind)
{
    return (kind >= TOKEN_IDENTIFIER && kind <= TOKEN_RAW_STRING) || kind == TOKEN_LPAREN || kind == TOKEN_DOT ||
           kind == TOKEN_NIL;
}

bool lex_token_is_literal(enum token_kind kind)
{
    return kind == TOKEN_NIL || (kind >= TOKEN_BOOL && kind <= TOKEN_RAW_STRING);
}

/* The first ten code points. */
static struct str first_runes(struct str text)
{
    size_t at = 0;

    for (int i = 0; i < 10 && at < text.len; i++) {
        unsigned rune;
        size_t width = utf8_decode(text.data + at, text.len - at, &rune);

        at += width ? width : 1;
    }
    return (struct str){text.data, at};
}

void lex_token_describe(const struct lexer *lex, struct lex_token token, struct buf *out)
{
    struct str text = lex_token_text(lex, token);

    if (token.kind == TOKEN_EOF) {
        buf_adds(out, "EOF");
    } else if (token.kind == TOKEN_ERROR) {
        buf_add(out, lex->error.data, lex->error.len);
    } else if (token.kind > TOKEN_KEYWORD) {
        buf_addc(out, '<');
        buf_add(out, text.data, text.len);
        buf_addc(out, '>');
    } else if (text.len > 10) {
        format_quote(out, first_runes(text));
        buf_adds(out, "...");
    } else {
        format_quote(out, text);
    }
}
