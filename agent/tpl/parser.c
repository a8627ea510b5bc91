#include "tpl/parser.h"

#include "base/limits.h"

#define EMIT (&parser->gen)

/* ----------------------------------------------------------------------------------------------------------- tokens */

void parser_refill(struct parser *parser)
{
    unsigned keep = parser->next < TOKENS_BACK ? parser->next : TOKENS_BACK;

    memmove(parser->tokens, parser->tokens + parser->next - keep, keep * sizeof(*parser->tokens));
    parser->next = parser->seen = keep;
    parser->filled = keep + lex_read(&parser->lex, parser->tokens + keep, ARRAY_LEN(parser->tokens) - keep);
}

/* ----------------------------------------------------------------------------------------------------------- errors */

static unsigned line_of(const struct parser *parser, uint32_t pos)
{
    unsigned line = 1;
    const char *at = parser->lex.text, *end = at + pos;

    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        line++;
        at++;
    }
    return line;
}

int parser_error(struct parser *parser, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_vset(parser->err, ERR_INPUT, fmt, ap);
    va_end(ap);
    return err_wrap(parser->err, "template: %s:%u", EMIT->tpl->name.data, line_of(parser, parser_newest(parser)->pos));
}

int parser_unexpected(struct parser *parser, struct lex_token token, const char *context)
{
    _cleanup_buf_ struct buf text;
    unsigned line = line_of(parser, token.pos);

    buf_init_clipped(&text, LIMIT_TEMPLATE_BYTES);
    lex_token_describe(&parser->lex, token, &text);
    if (token.kind != TOKEN_ERROR)
        return parser_error(parser, "unexpected %s in %s", text.data, context);
    if (parser->action != NOTHING && line_of(parser, parser->action) != line) {
        const char *what = strcmp(text.data, "unclosed action") == 0 ? "" : " in action";

        buf_addf(&text, "%s started at %s:%u", what, EMIT->tpl->name.data, line_of(parser, parser->action));
    }
    return parser_error(parser, "%s", text.data);
}
