#include "tpl/diag.h"

#include "base/limits.h"
#include "go/format.h"
#include "tpl/lex.h"
#include "tpl/say.h"

/* Only what fits into an error is worth printing; a name may be quoted at five bytes a byte. */
#define PRINT_MAX (LIMIT_TEMPLATE_BYTES * 5)

/* What Go prints between and for tokens other than operands; spaces between operands are single. */
static const char *separator(enum token_kind kind, bool key_only)
{
    switch (kind) {
    case TOKEN_PIPE:
        return " | ";
    case TOKEN_DECLARE:
        return " := ";
    case TOKEN_ASSIGN:
        return " = ";
    case TOKEN_CHAR:
        return key_only ? " := " : ", ";
    default:
        return NULL;
    }
}

void diag_print(const struct tpl *tpl, uint32_t start, uint32_t end, bool key_only, struct buf *out)
{
    const char *between = "";
    bool after_paren = true; /* or at the start: no space here */
    struct lexer lex;
    struct lex_token token;

    lex_init(&lex, tpl->source.data, end, tpl->left, tpl->right);
    lex_seek(&lex, start);
    while (lex.pos < end && (token = lex_next(&lex)).kind != TOKEN_ERROR) {
        if (token.kind == TOKEN_SPACE) {
            between = *between || after_paren ? between : " ";
        } else if (separator(token.kind, key_only)) {
            between = separator(token.kind, key_only);
        } else {
            /* a pipe before a closing parenthesis is not printed */
            buf_adds(out, token.kind == TOKEN_RPAREN ? "" : between);
            buf_add(out, tpl->source.data + token.pos, token.len);
            between = "";
            after_paren = token.kind == TOKEN_LPAREN;
        }
    }
    lex_done(&lex);
}

static void print_template(const struct tpl *tpl, const struct node *node, struct buf *out)
{
    struct arena arena;
    struct err ignored;
    struct lexer lex;
    struct str name = {"", 0};

    lex_init(&lex, tpl->source.data, tpl->source.len, tpl->left, tpl->right);
    lex_seek(&lex, node->pos);
    arena_init(&arena, LIMIT_TEMPLATE_BYTES * 4, "template name");
    if (literal_unquote(lex_token_text(&lex, lex_next(&lex)), &arena, &name, &ignored) == 0) {
        buf_adds(out, "{{template ");
        format_quote(out, name);
    }
    if (node->end > node->start) {
        buf_addc(out, ' ');
        diag_print(tpl, node->start, node->end, false, out);
    }
    buf_adds(out, "}}");
    arena_done(&arena);
    lex_done(&lex);
}

void diag_print_node(const struct tpl *tpl, const struct node *node, struct buf *out)
{
    if (node->kind == NODE_TEMPLATE) {
        print_template(tpl, node, out);
        return;
    }
    if (node->kind == NODE_ACTION)
        buf_adds(out, "{{");
    diag_print(tpl, node->start, node->end, node->kind == NODE_KEY_ONLY, out);
    if (node->kind == NODE_ACTION)
        buf_adds(out, "}}");
}

static void place(const struct tpl *tpl, uint32_t pos, struct buf *out)
{
    unsigned line = 1, column = 0;

    for (uint32_t i = 0; i < pos; i++) {
        column++;
        if (tpl->source.data[i] == '\n') {
            line++;
            column = 0;
        }
    }
    buf_addf(out, "%u:%u", line, column);
}

int diag_wrap(const struct tpl *tpl, const struct unit *unit, uint32_t node, struct buf *whole, struct err *err)
{
    _cleanup_buf_ struct buf where;

    buf_init_clipped(&where, PRINT_MAX);
    buf_adds(&where, "template: ");
    buf_add(&where, tpl->name.data, tpl->name.len);
    buf_addc(&where, ':');
    place(tpl, tpl->nodes[node].pos, &where);
    buf_adds(&where, ": executing ");
    format_quote(&where, unit->name);
    buf_adds(&where, " at <");
    diag_print_node(tpl, &tpl->nodes[node], &where);
    buf_addc(&where, '>');
    if (whole) {
        buf_reset(whole);
        buf_add(whole, where.data, where.len);
        buf_adds(whole, ": ");
        buf_adds(whole, err->text);
    }
    return err_wrap(err, "%s", where.data);
}

int diag_not_defined(struct str name, struct err *err)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, PRINT_MAX);
    format_quote(&quoted, name);
    return err_set(err, ERR_INPUT, "template %s not defined", quoted.data);
}

int diag_not_associated(const struct tpl *tpl, struct str name, bool redact, struct err *err)
{
    _cleanup_buf_ struct buf own;
    _cleanup_say_ struct say say;

    buf_init_clipped(&own, PRINT_MAX);
    format_quote(&own, tpl->name);
    say_init(&say, redact);
    say_text(&say, "template: no template ");
    say_quoted(&say, name);
    say_text(&say, " associated with template %s", own.data);
    return say_fail(&say, err);
}
