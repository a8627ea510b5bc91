#include "tpl/pipe.h"

#include "base/limits.h"
#include "go/format.h"

#define EMIT (&parser->gen)

static const char *context_of(const struct pipe *pipe)
{
    return pipe->context ? pipe->context : "parenthesized pipeline";
}

static struct pipe *top_pipe(struct parser *parser)
{
    return &((struct pipe *)parser->pipes.rows)[parser->pipes.len - 1];
}

static int pipe_begin(struct parser *parser, const char *context, uint32_t slot);

static int read_parenthesis(struct parser *parser, struct pipe *pipe)
{
    if (parser->pipes.len > LIMIT_TEMPLATE_PARENTHESES)
        return parser_error(parser, "max expression depth exceeded");
    pipe->step = STEP_FIELDS;
    return pipe_begin(parser, NULL, pipe->operand.slot);
}

static int unknown_function(struct parser *parser, struct str name)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    format_quote(&quoted, name);
    return parser_error(parser, "function %s %s", quoted.data,
                        parser->functions ? parser->functions->absence(name) : "not defined");
}

static int unknown_variable(struct parser *parser, struct str name)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    format_quote(&quoted, name);
    return parser_error(parser, "undefined variable %s", quoted.data);
}

/* What the parser knows before it looks further. */
static int check_term(struct parser *parser, struct operand *o, struct str text)
{
    if (o->kind == TOKEN_IDENTIFIER) {
        o->func = command_function(parser, text);
        return o->func ? 0 : unknown_function(parser, text);
    }
    if (o->kind == TOKEN_VARIABLE && !codegen_name_known(EMIT, text))
        return unknown_variable(parser, text);
    return 0;
}

static int read_literal(struct parser *parser, struct pipe *pipe)
{
    const struct operand *o = &pipe->operand;
    struct err why UNSET_AT_FIRST;

    if (literal_parse(o->kind, operand_text(parser, o), &EMIT->tpl->arena, &pipe->literal, &why) == 0)
        return 0;
    if (why.code == ERR_LIMIT)
        return err_set(parser->err, ERR_LIMIT, "%s", why.text);
    return parser_error(parser, "%s", why.text);
}

static inline void operand_begin(struct operand *o, struct lex_token token)
{
    o->kind = token.kind;
    o->start = token.pos;
    o->len = token.len;
    o->func = NULL;
    o->slot = o->fields = o->nfields = 0;
    o->pos = token.pos;
    o->end = token.pos + token.len;
}

static int dot_after_literal(struct parser *parser, const struct operand *o)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    format_quote(&quoted, operand_text(parser, o));
    return parser_error(parser, "unexpected . after term %s", quoted.data);
}

static void declare_variables(struct parser *parser, const struct pipe *pipe)
{
    for (uint32_t i = 0; i < pipe->decls; i++) {
        if (pipe->assigned)
            command_assign(parser, pipe->decl[i], TEMP(pipe->slot));
        else
            codegen_op(EMIT, (struct op){.code = OP_MOVE, .dst = codegen_declare(EMIT, pipe->decl[i]), .src = TEMP(pipe->slot)});
    }
}

/* The token that ends it has been taken. */
static int pipe_end(struct parser *parser, struct pipe *pipe, struct lex_token end)
{
    if (pipe->stages == 0)
        return parser_error(parser, "missing value for %s", context_of(pipe));
    if (pipe->bad_stage)
        return parser_error(parser, "non executable command in pipeline stage %u", pipe->bad_stage);
    codegen_node_at(EMIT, pipe->node)->end = pipe->end;
    declare_variables(parser, pipe);
    parser->pipes.len--;
    if (!pipe->context) {
        struct pipe *outer = top_pipe(parser);

        outer->operand.end = end.pos + end.len;
    }
    return 0;
}

/* `token` has been taken: the pipeline's end, or the first term of its next command. */
static int next_stage(struct parser *parser, struct pipe *pipe, struct lex_token token)
{
    if (token.kind == (pipe->context ? TOKEN_RIGHT : TOKEN_RPAREN))
        return pipe_end(parser, pipe, token);
    if (!lex_token_is_term(token.kind))
        return parser_unexpected(parser, token, context_of(pipe));
    parser_back(parser, 1);
    command_begin(parser, pipe, token);
    pipe->step = STEP_OPERAND;
    return 0;
}

/* No operand follows: `token`, which has been taken, ends the command. */
static int end_command(struct parser *parser, struct pipe *pipe, struct lex_token token)
{
    if (token.kind != TOKEN_PIPE && token.kind != TOKEN_RIGHT && token.kind != TOKEN_RPAREN)
        return parser_unexpected(parser, token, "operand");
    command_end(parser, pipe);
    if (token.kind != TOKEN_PIPE)
        return next_stage(parser, pipe, token);
    pipe->step = STEP_STAGE;
    return 0;
}

/* The fields glued to a term, whose place is that of the first of them, and what comes then. */
static int read_fields(struct parser *parser, struct pipe *pipe)
{
    struct operand *o = &pipe->operand;
    bool glued = false;

    while (parser_glued(parser) && parser_peek(parser).kind == TOKEN_FIELD) {
        struct lex_token token = parser_next(parser);
        struct str text = lex_token_text(&parser->lex, token);
        uint32_t name = codegen_field(EMIT, (struct str){text.data + 1, text.len - 1});

        if (!glued)
            o->pos = token.pos;
        if (o->nfields++ == 0)
            o->fields = name;
        o->end = token.pos + token.len;
        glued = true;
    }
    if (glued && (lex_token_is_literal(o->kind) || o->kind == TOKEN_DOT))
        return dot_after_literal(parser, o);
    command_operand(parser, pipe);
    if (parser_glued(parser))
        return end_command(parser, pipe, parser_next(parser));
    pipe->step = STEP_OPERAND;
    return 0;
}

/* A term with its fields, or the end of the command. */
static int read_term(struct parser *parser, struct pipe *pipe)
{
    struct lex_token token = parser_next(parser);
    struct str text = lex_token_text(&parser->lex, token);

    if (!lex_token_is_term(token.kind))
        return end_command(parser, pipe, token);
    operand_begin(&pipe->operand, token);
    if (check_term(parser, &pipe->operand, text) != 0)
        return -1;
    pipe->operand.slot = command_operand_slot(parser, &pipe->command);
    if (token.kind == TOKEN_FIELD) {
        pipe->operand.fields = codegen_field(EMIT, (struct str){text.data + 1, text.len - 1});
        pipe->operand.nfields = 1;
    }
    codegen_temp(EMIT, pipe->operand.slot);
    if (token.kind == TOKEN_LPAREN)
        return read_parenthesis(parser, pipe);
    if (lex_token_is_literal(token.kind) && read_literal(parser, pipe) != 0)
        return -1;
    return read_fields(parser, pipe);
}

static void add_decl(struct parser *parser, struct pipe *pipe, struct lex_token variable)
{
    struct str name = lex_token_text(&parser->lex, variable);

    pipe->decl[pipe->decls++] = name;
    codegen_name(EMIT, name);
}

/* 1: another variable may follow; 0: the declarations are over. */
static int read_comma(struct parser *parser, struct pipe *pipe)
{
    enum token_kind next;

    if (!pipe->context || strcmp(pipe->context, "range") != 0 || pipe->decls > 1)
        return parser_error(parser, "too many declarations in %s", context_of(pipe));
    next = parser_peek(parser).kind;
    if (next != TOKEN_VARIABLE && next != TOKEN_RIGHT && next != TOKEN_RPAREN)
        return parser_error(parser, "range can only initialize variables");
    codegen_node_at(EMIT, pipe->node)->kind = NODE_KEY_ONLY;
    return 1;
}

/* `$x :=`, `$x =`, and in a range `$k, $v :=`. A variable that is none of these is an operand and goes back. */
static int read_decls(struct parser *parser, struct pipe *pipe)
{
    struct lex_token variable = parser_peek(parser), next;

    if (variable.kind != TOKEN_VARIABLE)
        return 0;
    parser_next(parser);
    next = parser_peek(parser);
    if (next.kind == TOKEN_ASSIGN || next.kind == TOKEN_DECLARE) {
        pipe->assigned = next.kind == TOKEN_ASSIGN;
        parser_next(parser);
        add_decl(parser, pipe, variable);
        codegen_node_at(EMIT, pipe->node)->kind = NODE_PLAIN;
    } else if (next.kind == TOKEN_CHAR && parser->lex.text[next.pos] == ',') {
        parser_next(parser);
        add_decl(parser, pipe, variable);
        return read_comma(parser, pipe);
    } else {
        parser_back(parser, 1);
    }
    return 0;
}

static int pipe_begin(struct parser *parser, const char *context, uint32_t slot)
{
    struct pipe *pipe = codegen_row(EMIT, &parser->pipes, sizeof(*pipe));
    uint32_t start = parser_peek(parser).pos;
    int more;

    if (!pipe)
        return -1;
    pipe->context = context;
    pipe->step = STEP_STAGE;
    pipe->slot = slot;
    pipe->end = start;
    pipe->stages = pipe->bad_stage = pipe->decls = 0;
    pipe->assigned = false;
    pipe->node = codegen_node(EMIT, NODE_PLAIN, start, start, start);
    EMIT->visited = pipe->node;
    codegen_temp(EMIT, slot);
    do
        more = read_decls(parser, pipe);
    while (more > 0);
    return more;
}

static int pipe_step(struct parser *parser, struct pipe *pipe)
{
    switch (pipe->step) {
    case STEP_STAGE:
        return next_stage(parser, pipe, parser_next(parser));
    case STEP_OPERAND:
        return read_term(parser, pipe);
    case STEP_FIELDS:
        return read_fields(parser, pipe);
    }
    return -1;
}

int pipe_chain(struct parser *parser, struct lex_token token)
{
    struct str text = lex_token_text(&parser->lex, token);
    const char *dot = memchr(text.data, '.', text.len);
    struct str variable = {text.data, dot ? (size_t)(dot - text.data) : text.len};

    if (variable.len > 0 && !codegen_name_known(EMIT, variable))
        return unknown_variable(parser, variable);
    command_chain(parser, token);
    return 0;
}

int pipe_parse(struct parser *parser, const char *context, struct pipe_end *ret)
{
    struct pipe *pipe;

    if (pipe_begin(parser, context, 0) != 0)
        return -1;
    while (parser->pipes.len > 0) {
        if (EMIT->failed || pipe_step(parser, top_pipe(parser)) != 0)
            return -1;
    }
    pipe = parser->pipes.rows; /* just closed: the row is still there */
    *ret = (struct pipe_end){.node = pipe->node, .decls = pipe->decls, .slot = TEMP(0), .assigned = pipe->assigned};
    memcpy(ret->decl, pipe->decl, sizeof(ret->decl));
    return 0;
}
