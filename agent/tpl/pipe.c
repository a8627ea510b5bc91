#include "tpl/parse.h"

#include <fnmatch.h>

#include "base/limits.h"
#include "tpl/check.h"
#include "tpl/diag.h"
#include "tpl/format.h"

enum step { STEP_STAGE, STEP_OPERAND, STEP_FIELDS, STEP_AFTER };

/* What a command begins with. */
enum head {
    HEAD_NONE,
    HEAD_VALUE,  /* something that takes no arguments; complete */
    HEAD_FUNC,
    HEAD_LOGIC,  /* and, or */
    HEAD_CALL,   /* call */
    HEAD_METHOD, /* a chain that ends in what must be a method, as it has arguments */
};

struct operand {
    struct token token;
    struct literal literal;   /* if it is one */
    uint32_t slot;            /* number of the temporary that takes its value */
    uint32_t fields, nfields; /* names that follow it; the first is the operand itself if it is a field */
    uint32_t pos, end;
};

struct command {
    enum head head;
    uint32_t start, end;    /* bytes of source */
    uint32_t code, visited; /* the state in which its code began */
    uint32_t node;          /* of its head */
    uint32_t base, argc;    /* temporaries of its arguments */
    uint32_t label;         /* HEAD_METHOD: its op; HEAD_LOGIC: newest of the chained jumps */
    const struct func *func;
    struct params params;
    struct operand first; /* argument, for `call` */
};

struct pipe {
    const char *context; /* NULL: parenthesised */
    enum step step;
    uint32_t node, end;
    uint32_t slot, stages, bad_stage;
    uint32_t decls;
    bool assigned;
    struct str decl[2];
    struct command command;
    struct operand operand;
};

#define EMIT (&parser->emit)

static const char *context_of(const struct pipe *pipe)
{
    return pipe->context ? pipe->context : "parenthesized pipeline";
}

static struct pipe *top_pipe(struct parser *parser)
{
    return &((struct pipe *)parser->pipes.rows)[parser->pipes.len - 1];
}

static uint32_t plain_node(struct parser *parser, uint32_t pos, uint32_t start, uint32_t end)
{
    return emit_node(EMIT, NODE_PLAIN, pos, start, end);
}

/* ------------------------------------------------------------------------------------------------------------ functions */

static int denied_body(struct call *call, struct val *ret)
{
    (void)ret;
    return err_set(call->err, ERR_INPUT, "function is disabled");
}

static const struct func logic_func = {"and, or", "vv*", NULL, "VALUE…", "short-circuit, so the evaluator does it"};
static const struct func call_func = {"call", "vv*", NULL, "FUNCTION ARGUMENT…", "no value of a template is a function"};

static bool is_builtin(struct str name)
{
    static const char *const names[] = {"and", "call", "eq",  "ge",    "gt",     "html",    "index", "js",      "le",
                                        "len", "lt",   "ne",  "not",   "or",     "print",   "printf", "println", "slice",
                                        "urlquery"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eqs(name, names[i]))
            return true;
    }
    return false;
}

/* function_denylist holds shell patterns; Go's own functions cannot be denied. */
static bool is_denied(const struct parser *parser, const struct func *func)
{
    for (const char *const *pattern = parser->denied; pattern && *pattern; pattern++) {
        if (fnmatch(*pattern, func->name, 0) == 0)
            return !is_builtin(str_of(func->name));
    }
    return false;
}

static const struct func *denied_func(struct parser *parser, const struct func *func)
{
    struct func *row = arena_alloc(&EMIT->tpl->arena, sizeof(*row), parser->err);

    if (!row) {
        EMIT->failed = true;
        return func;
    }
    *row = (struct func){.name = func->name, .params = "s*", .body = denied_body};
    return row;
}

static const struct func *find_function(struct parser *parser, struct str name)
{
    const struct func *func;

    if (str_eqs(name, "and") || str_eqs(name, "or"))
        return &logic_func;
    if (str_eqs(name, "call"))
        return &call_func;
    func = func_find(name);
    return func && is_denied(parser, func) ? denied_func(parser, func) : func;
}

/* `final`: the pipeline adds one. */
static bool arity_fits(const struct params *params, uint32_t argc, bool final)
{
    return params->variadic ? argc + final >= params->fixed : argc + final == params->fixed;
}

static void emit_arity(struct parser *parser, struct str name, const struct params *params, uint32_t argc, bool final, uint32_t node)
{
    emit_fail(EMIT, node, "wrong number of args for %.*s: want %s%u got %u", (int)name.len, name.data,
              params->variadic ? "at least " : "", params->fixed, params->variadic ? argc : argc + final);
}

/* ----------------------------------------------------------------------------------------------------------- variables */

/* The slot of a variable, or NOTHING and an op that fails. */
static uint32_t variable_slot(struct parser *parser, struct str name, uint32_t node)
{
    const struct variable *variable = emit_variable(EMIT, name);

    if (!variable)
        emit_fail(EMIT, node, "undefined variable: %.*s", (int)name.len, name.data);
    if (variable && variable->perhaps) {
        emit_fail(EMIT, node, "undefined variable: %.*s", (int)name.len, name.data);
        emit_last(EMIT)->code = OP_NEED_SET;
        emit_last(EMIT)->src = variable->slot;
    }
    return variable ? variable->slot : NOTHING;
}

void pipe_assign(struct parser *parser, struct str name, uint32_t slot)
{
    uint32_t to = variable_slot(parser, name, 0);

    if (to != NOTHING)
        emit_op(EMIT, (struct op){.code = OP_MOVE, .dst = to, .src = slot});
}

/* ------------------------------------------------------------------------------------------------------ values of terms */

static void emit_constant_or_fail(struct parser *parser, const struct literal *literal, uint32_t node, uint32_t dst, char fit)
{
    char letter = fit == FIT_RAW || fit == FIT_UNBOX ? 'a' : fit;
    struct err why = {0};
    struct val v;

    if (literal_as(literal, letter, &v, &why) != 0)
        emit_fail(EMIT, node, "%s", why.text);
    else
        emit_op(EMIT, (struct op){.code = OP_CONST, .dst = dst, .arg = emit_constant(EMIT, v), .node = node});
}

/* `src` and the names behind it, into `dst`. */
static void emit_chain(struct parser *parser, uint32_t src, uint32_t fields, uint32_t nfields, uint32_t node, uint32_t dst, char fit)
{
    if (nfields)
        emit_op(EMIT, (struct op){.code = OP_FIELDS, .fit = fit, .dst = dst, .src = src, .arg = fields, .count = nfields, .node = node});
    else if (src != dst || (fit != FIT_RAW && fit != FIT_UNBOX && fit != 'v'))
        emit_op(EMIT, (struct op){.code = OP_MOVE, .fit = fit, .dst = dst, .src = src, .node = node});
}

/* A function named where it gets no arguments. */
static bool emit_bare_call(struct parser *parser, struct str name, uint32_t node, uint32_t dst, char fit)
{
    const struct func *func = find_function(parser, name);
    struct params params = params_of(func->params);

    if (!arity_fits(&params, 0, false)) {
        emit_arity(parser, name, &params, 0, false, node);
        return false;
    }
    emit_op(EMIT, (struct op){.code = OP_CALL, .fit = fit, .dst = dst, .src = dst, .arg = emit_function(EMIT, func), .extra = node, .node = node});
    return true;
}

/* The operand with the first `nfields` of its names, into `dst`. Literals are done elsewhere. */
static void emit_operand(struct parser *parser, const struct operand *o, uint32_t nfields, uint32_t dst, char fit)
{
    struct str text = token_text(&parser->lex, o->token);
    uint32_t node, src;

    switch (o->token.kind) {
    case TOKEN_LPAREN:
        emit_chain(parser, TEMP(o->slot), o->fields, nfields, 0, dst, fit);
        break;
    case TOKEN_IDENTIFIER:
        node = plain_node(parser, o->token.pos, o->token.pos, o->token.pos + o->token.len);
        if (emit_bare_call(parser, text, node, dst, nfields ? FIT_RAW : fit) && nfields)
            emit_chain(parser, dst, o->fields, nfields, 0, dst, fit);
        break;
    case TOKEN_VARIABLE:
        node = plain_node(parser, o->pos, o->token.pos, o->end);
        src = variable_slot(parser, text, node);
        if (src != NOTHING)
            emit_chain(parser, src, o->fields, nfields, node, dst, fit);
        break;
    default: /* a field or the dot */
        node = plain_node(parser, o->pos, o->token.pos, o->end);
        emit_chain(parser, EMIT->failed ? 0 : EMIT->unit->dot, o->fields, nfields, node, dst, fit);
    }
}

static bool is_literal(enum token_kind kind)
{
    return kind == TOKEN_NIL || (kind >= TOKEN_BOOL && kind <= TOKEN_RAW_STRING);
}

/* ----------------------------------------------------------------------------------------------------------- arguments */

static void logic_jump(struct parser *parser, struct command *command)
{
    bool is_or = parser->lex.text[command->start] == 'o';

    command->label = emit_op(EMIT, (struct op){.code = is_or ? OP_JUMP_TRUE : OP_JUMP_FALSE,
                                               .src = TEMP(command->base),
                                               .arg = command->label,
                                               .extra = EMIT->vars.len});
}

/* Where the next argument goes. An operand of and/or is only reached when those before did not decide. */
static uint32_t argument_slot(struct parser *parser, struct command *command)
{
    if (command->head != HEAD_LOGIC)
        return command->base + command->argc + (command->head == HEAD_METHOD ? 2 : 0);
    if (command->argc > 0)
        logic_jump(parser, command);
    if (command->argc == 1 && !EMIT->failed)
        EMIT->unit->perhaps++;
    return command->base;
}

static char argument_letter(const struct command *command)
{
    return command->head == HEAD_FUNC ? params_letter(&command->params, command->argc) : 'v';
}

static void method_fit(struct parser *parser, const struct command *command, uint32_t dst, uint32_t index)
{
    emit_op(EMIT, (struct op){.code = OP_METHOD_FIT, .dst = dst, .src = TEMP(command->base), .count = index});
}

static void argument_done(struct parser *parser, struct command *command, const struct operand *o)
{
    uint32_t dst = emit_temp(EMIT, o->slot), node;
    char letter = argument_letter(command);

    if (is_literal(o->token.kind)) {
        node = plain_node(parser, o->token.pos, o->token.pos, o->end);
        if (command->head == HEAD_METHOD)
            emit_op(EMIT, (struct op){.code = OP_METHOD_CONST, .dst = dst, .src = TEMP(command->base), .count = command->argc,
                                      .arg = emit_literal(EMIT, &o->literal), .node = node});
        else
            emit_constant_or_fail(parser, &o->literal, node, dst, letter);
    } else {
        emit_operand(parser, o, o->nfields, dst, letter);
        if (command->head == HEAD_METHOD)
            method_fit(parser, command, dst, command->argc);
    }
    if (command->argc == 0)
        command->first = *o;
    command->argc++;
}

/* --------------------------------------------------------------------------------------------------------------- heads */

/* Does another operand follow? */
static bool operand_follows(struct parser *parser)
{
    struct token space = parse_peek(parser), next;

    if (space.kind != TOKEN_SPACE)
        return false;
    parse_next(parser);
    next = parse_peek(parser);
    parse_back2(parser, space);
    return token_is_term(next.kind);
}

/* The first word takes no arguments but has some. */
static void not_a_function(struct parser *parser, const struct command *command, const struct operand *o, uint32_t node)
{
    bool paren = o->token.kind == TOKEN_LPAREN;
    struct buf text;

    buf_init(&text, LIMIT_TEMPLATE_BYTES * 2);
    diag_print(EMIT->tpl, o->token.pos + paren, o->end - paren, false, &text);
    if (paren) {
        emit_truncate(EMIT, command->code);
        EMIT->visited = command->visited;
    }
    emit_fail(EMIT, node, "can't give argument to non-function %s", text.data);
    buf_done(&text);
}

static void head_function(struct parser *parser, struct command *command, const struct operand *o)
{
    struct str name = token_text(&parser->lex, o->token);

    command->func = find_function(parser, name);
    command->params = params_of(command->func->params);
    command->head = command->func == &logic_func ? HEAD_LOGIC : command->func == &call_func ? HEAD_CALL : HEAD_FUNC;
    command->label = NOTHING;
    command->node = plain_node(parser, o->token.pos, o->token.pos, o->end);
    EMIT->visited = command->node;
}

static void head_method(struct parser *parser, struct pipe *pipe, struct command *command, const struct operand *o)
{
    uint32_t receiver = emit_temp(EMIT, command->base);

    emit_temp(EMIT, command->base + 1);
    emit_operand(parser, o, o->nfields - 1, receiver, FIT_RAW);
    command->head = HEAD_METHOD;
    command->node = plain_node(parser, o->pos, o->token.pos, o->end);
    command->label = emit_op(EMIT, (struct op){.code = OP_METHOD, .fit = pipe->stages > 0, .dst = TEMP(pipe->slot), .src = receiver,
                                               .arg = o->fields + o->nfields - 1});
}

static void head_literal(struct parser *parser, struct pipe *pipe, const struct operand *o, bool arguments)
{
    uint32_t node = plain_node(parser, o->token.pos, o->token.pos, o->end);

    if (arguments)
        not_a_function(parser, &pipe->command, o, node);
    else if (o->literal.kind == LITERAL_NIL)
        emit_fail(EMIT, node, "nil is not a command");
    else
        emit_constant_or_fail(parser, &o->literal, node, TEMP(pipe->slot), FIT_UNBOX);
}

static void head_done(struct parser *parser, struct pipe *pipe)
{
    struct command *command = &pipe->command;
    const struct operand *o = &pipe->operand;
    enum token_kind kind = o->token.kind;
    bool arguments = pipe->stages > 0 || (kind != TOKEN_IDENTIFIER && operand_follows(parser));

    command->head = HEAD_VALUE;
    if (pipe->stages > 0 && pipe->bad_stage == 0 && (is_literal(kind) || kind == TOKEN_DOT))
        pipe->bad_stage = pipe->stages + 1;
    if (kind == TOKEN_IDENTIFIER && o->nfields)
        arguments = arguments || operand_follows(parser);
    if (is_literal(kind))
        head_literal(parser, pipe, o, arguments);
    else if (kind == TOKEN_IDENTIFIER && !o->nfields)
        head_function(parser, command, o);
    else if (o->nfields && arguments)
        head_method(parser, pipe, command, o);
    else if (arguments && kind == TOKEN_LPAREN)
        not_a_function(parser, command, o, 0);
    else if (arguments && (kind == TOKEN_DOT || emit_variable(EMIT, token_text(&parser->lex, o->token))))
        not_a_function(parser, command, o, plain_node(parser, o->pos, o->token.pos, o->end));
    else
        emit_operand(parser, o, o->nfields, TEMP(pipe->slot), FIT_UNBOX);
}

/* ------------------------------------------------------------------------------------------------------------ commands */

static void command_begin(struct parser *parser, struct pipe *pipe, struct token first)
{
    uint32_t base = pipe->slot + (pipe->stages > 0);

    emit_temp(EMIT, base);
    pipe->command = (struct command){.start = first.pos, .end = first.pos, .base = base, .visited = EMIT->visited};
    pipe->command.code = EMIT->failed ? 0 : emit_label(EMIT);
}

/* The value of the pipeline so far becomes the last argument. */
static void final_argument(struct parser *parser, struct pipe *pipe, uint32_t number, char fit)
{
    emit_op(EMIT, (struct op){.code = OP_MOVE, .fit = fit, .dst = emit_temp(EMIT, number), .src = TEMP(pipe->slot)});
}

static void function_end(struct parser *parser, struct pipe *pipe, struct command *command, uint32_t node)
{
    uint32_t in = command->argc + (pipe->stages > 0);

    if (pipe->stages > 0)
        final_argument(parser, pipe, command->base + command->argc, params_letter(&command->params, in - 1));
    emit_op(EMIT, (struct op){.code = OP_CALL, .fit = FIT_UNBOX, .dst = TEMP(pipe->slot), .src = TEMP(command->base), .count = in,
                              .arg = emit_function(EMIT, command->func), .extra = node});
}

/* Variables that jumps of and/or leave undeclared are marked so. */
static void logic_skips(struct parser *parser, struct command *command)
{
    uint32_t ends = emit_op(EMIT, (struct op){.code = OP_JUMP, .arg = NOTHING}), jump = command->label, label;

    while (jump != NOTHING && !EMIT->failed) {
        struct op *op = emit_at(EMIT, jump);
        uint32_t next = op->arg, first = op->extra;

        op->arg = emit_label(EMIT);
        for (uint32_t i = first; i < EMIT->vars.len; i++)
            emit_op(EMIT, (struct op){.code = OP_UNSET, .dst = ((struct variable *)EMIT->vars.rows)[i].slot});
        ends = emit_op(EMIT, (struct op){.code = OP_JUMP, .arg = ends});
        jump = next;
    }
    label = emit_label(EMIT);
    while (ends != NOTHING && !EMIT->failed) {
        uint32_t next = emit_at(EMIT, ends)->arg;

        emit_at(EMIT, ends)->arg = label;
        ends = next;
    }
}

static void logic_end(struct parser *parser, struct pipe *pipe, struct command *command)
{
    uint32_t jump, oldest = EMIT->vars.len, label;

    if (pipe->stages > 0) {
        if (command->argc > 0)
            logic_jump(parser, command);
        final_argument(parser, pipe, command->base, FIT_RAW);
    }
    if (command->argc > 1 && !EMIT->failed)
        EMIT->unit->perhaps--;
    for (jump = command->label; jump != NOTHING && !EMIT->failed; jump = emit_at(EMIT, jump)->arg)
        oldest = emit_at(EMIT, jump)->extra;
    if (oldest < EMIT->vars.len) {
        logic_skips(parser, command);
    } else {
        label = emit_label(EMIT);
        for (jump = command->label; jump != NOTHING && !EMIT->failed;) {
            struct op *op = emit_at(EMIT, jump);

            jump = op->arg;
            op->arg = label;
        }
    }
    emit_op(EMIT, (struct op){.code = OP_MOVE, .fit = FIT_UNBOX, .dst = TEMP(pipe->slot), .src = TEMP(command->base)});
}

static uint32_t callee_name(struct parser *parser, const struct operand *o)
{
    bool paren = o->token.kind == TOKEN_LPAREN && o->nfields == 0;
    struct str name;
    struct buf text;
    char *copy;

    buf_init(&text, LIMIT_TEMPLATE_BYTES * 2);
    diag_print(EMIT->tpl, o->token.pos + paren, o->end - paren, false, &text);
    copy = arena_strndup(&EMIT->tpl->arena, text.data, text.len, parser->err);
    name = (struct str){copy, text.len};
    buf_done(&text);
    if (!copy)
        EMIT->failed = true;
    return emit_constant(EMIT, val_str(name.data, name.len));
}

static void call_end(struct parser *parser, struct pipe *pipe, struct command *command, uint32_t node)
{
    if (pipe->stages > 0)
        final_argument(parser, pipe, command->base + command->argc, 'v');
    emit_op(EMIT, (struct op){.code = OP_CALL_VALUE, .src = TEMP(command->base), .extra = node,
                              .arg = command->argc ? callee_name(parser, &command->first) : NOTHING});
}

static void method_end(struct parser *parser, struct pipe *pipe, struct command *command)
{
    uint32_t in = command->argc, last = command->base + 2 + command->argc;
    struct op *method = emit_at(EMIT, command->label);
    uint32_t name = method->arg;

    method->count = command->argc;
    if (pipe->stages > 0) {
        final_argument(parser, pipe, last, FIT_RAW);
        method_fit(parser, command, TEMP(last), in++);
    }
    emit_op(EMIT, (struct op){.code = OP_METHOD_CALL, .fit = FIT_UNBOX, .dst = TEMP(pipe->slot), .src = TEMP(command->base), .count = in,
                              .arg = name, .extra = command->node});
    emit_at(EMIT, command->label)->extra = emit_label(EMIT);
}

static void command_end(struct parser *parser, struct pipe *pipe)
{
    struct command *command = &pipe->command;
    bool final = pipe->stages > 0, called = command->head >= HEAD_FUNC && command->head <= HEAD_CALL;
    uint32_t node = called ? plain_node(parser, command->start, command->start, command->end) : 0;
    struct str name = {parser->lex.text + command->start, emit_node_at(EMIT, command->node)->end - command->start};

    if (called && !arity_fits(&command->params, command->argc, final)) {
        emit_truncate(EMIT, command->code);
        emit_arity(parser, name, &command->params, command->argc, final, command->node);
    } else if (command->head == HEAD_FUNC) {
        function_end(parser, pipe, command, node);
    } else if (command->head == HEAD_LOGIC) {
        logic_end(parser, pipe, command);
    } else if (command->head == HEAD_CALL) {
        call_end(parser, pipe, command, node);
    } else if (command->head == HEAD_METHOD) {
        method_end(parser, pipe, command);
    }
    pipe->end = command->end;
    pipe->stages++;
}

/* ----------------------------------------------------------------------------------------------------------- pipelines */

static int pipe_begin(struct parser *parser, const char *context, uint32_t slot);

static int read_parenthesis(struct parser *parser, const struct operand *o)
{
    if (parser->pipes.len > LIMIT_TEMPLATE_PARENTHESES)
        return parse_error(parser, "max expression depth exceeded");
    return pipe_begin(parser, NULL, o->slot);
}

/* What the parser knows before it looks further. */
static int check_term(struct parser *parser, struct token token)
{
    struct str text = token_text(&parser->lex, token);
    _cleanup_buf_ struct buf quoted;

    buf_init(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    if (token.kind == TOKEN_IDENTIFIER && !find_function(parser, text)) {
        format_quote(&quoted, text);
        return parse_error(parser, "function %s not %s", quoted.data, func_is_planned(text) ? "supported yet" : "defined");
    }
    if (token.kind == TOKEN_VARIABLE && !emit_name_known(EMIT, text)) {
        format_quote(&quoted, text);
        return parse_error(parser, "undefined variable %s", quoted.data);
    }
    return 0;
}

static int read_literal(struct parser *parser, struct operand *o)
{
    struct err why = {0};

    if (literal_parse(o->token.kind, token_text(&parser->lex, o->token), &EMIT->tpl->arena, &o->literal, &why) == 0)
        return 0;
    if (why.code == ERR_LIMIT)
        return err_set(parser->err, ERR_LIMIT, "%s", why.text);
    return parse_error(parser, "%s", why.text);
}

/* A term, or nothing: then the command goes on with whatever stands there. */
static int read_term(struct parser *parser, struct pipe *pipe)
{
    struct command *command = &pipe->command;
    struct token token = parse_next_nonspace(parser);
    struct str text = token_text(&parser->lex, token);

    if (!token_is_term(token.kind)) {
        parse_back(parser);
        pipe->step = STEP_AFTER;
        return 0;
    }
    if (check_term(parser, token) != 0)
        return -1;
    pipe->operand = (struct operand){.token = token, .pos = token.pos, .end = token.pos + token.len};
    pipe->operand.slot = command->head == HEAD_NONE ? command->base : argument_slot(parser, command);
    pipe->step = STEP_FIELDS;
    if (token.kind == TOKEN_FIELD) {
        pipe->operand.fields = emit_field(EMIT, (struct str){text.data + 1, text.len - 1});
        pipe->operand.nfields = 1;
    }
    emit_temp(EMIT, pipe->operand.slot);
    if (is_literal(token.kind))
        return read_literal(parser, &pipe->operand);
    return token.kind == TOKEN_LPAREN ? read_parenthesis(parser, &pipe->operand) : 0;
}

static int dot_after_literal(struct parser *parser, const struct operand *o)
{
    _cleanup_buf_ struct buf quoted;

    buf_init(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    format_quote(&quoted, token_text(&parser->lex, o->token));
    return parse_error(parser, "unexpected . after term %s", quoted.data);
}

/* The fields glued to a term; the chain's place is that of the first of them. */
static int read_fields(struct parser *parser, struct pipe *pipe)
{
    struct operand *o = &pipe->operand;
    bool glued = false;

    while (parse_peek(parser).kind == TOKEN_FIELD) {
        struct token token = parse_next(parser);
        struct str text = token_text(&parser->lex, token);
        uint32_t name = emit_field(EMIT, (struct str){text.data + 1, text.len - 1});

        if (!glued)
            o->pos = token.pos;
        if (o->nfields++ == 0)
            o->fields = name;
        o->end = token.pos + token.len;
        glued = true;
    }
    if (glued && (is_literal(o->token.kind) || o->token.kind == TOKEN_DOT))
        return dot_after_literal(parser, o);
    pipe->step = STEP_AFTER;
    pipe->command.end = o->end;
    if (pipe->command.head == HEAD_NONE)
        head_done(parser, pipe);
    else
        argument_done(parser, &pipe->command, o);
    return 0;
}

static int after_operand(struct parser *parser, struct pipe *pipe)
{
    struct token token = parse_next(parser);

    switch (token.kind) {
    case TOKEN_SPACE:
        parse_peek_nonspace(parser);
        pipe->step = STEP_OPERAND;
        return 0;
    case TOKEN_RIGHT:
    case TOKEN_RPAREN:
        parse_back(parser);
        break;
    case TOKEN_PIPE:
        break;
    default:
        return parse_unexpected(parser, token, "operand");
    }
    command_end(parser, pipe);
    pipe->step = STEP_STAGE;
    return 0;
}

static void declare_variables(struct parser *parser, const struct pipe *pipe)
{
    for (uint32_t i = 0; i < pipe->decls; i++) {
        if (pipe->assigned)
            pipe_assign(parser, pipe->decl[i], TEMP(pipe->slot));
        else
            emit_op(EMIT, (struct op){.code = OP_MOVE, .dst = emit_declare(EMIT, pipe->decl[i]), .src = TEMP(pipe->slot)});
    }
}

/* The token that ends it has been taken. */
static int pipe_end(struct parser *parser, struct pipe *pipe, struct token end)
{
    if (pipe->stages == 0)
        return parse_error(parser, "missing value for %s", context_of(pipe));
    if (pipe->bad_stage)
        return parse_error(parser, "non executable command in pipeline stage %u", pipe->bad_stage);
    emit_node_at(EMIT, pipe->node)->end = pipe->end;
    declare_variables(parser, pipe);
    parser->pipes.len--;
    if (!pipe->context) {
        struct pipe *outer = top_pipe(parser);

        outer->operand.end = end.pos + end.len;
    }
    return 0;
}

static int next_stage(struct parser *parser, struct pipe *pipe)
{
    struct token token = parse_next_nonspace(parser);

    if (token.kind == (pipe->context ? TOKEN_RIGHT : TOKEN_RPAREN))
        return pipe_end(parser, pipe, token);
    if (!token_is_term(token.kind))
        return parse_unexpected(parser, token, context_of(pipe));
    parse_back(parser);
    command_begin(parser, pipe, token);
    pipe->step = STEP_OPERAND;
    return 0;
}

static void add_decl(struct parser *parser, struct pipe *pipe, struct token variable)
{
    struct str name = token_text(&parser->lex, variable);

    pipe->decl[pipe->decls++] = name;
    emit_name(EMIT, name);
}

/* 1: another variable may follow; 0: the declarations are over. */
static int read_comma(struct parser *parser, struct pipe *pipe)
{
    enum token_kind next;

    if (!pipe->context || strcmp(pipe->context, "range") != 0 || pipe->decls > 1)
        return parse_error(parser, "too many declarations in %s", context_of(pipe));
    next = parse_peek_nonspace(parser).kind;
    if (next != TOKEN_VARIABLE && next != TOKEN_RIGHT && next != TOKEN_RPAREN)
        return parse_error(parser, "range can only initialize variables");
    emit_node_at(EMIT, pipe->node)->kind = NODE_KEY_ONLY;
    return 1;
}

/* `$x :=`, `$x =`, and in a range `$k, $v :=`. A variable that is none of these is an operand and goes back. */
static int read_decls(struct parser *parser, struct pipe *pipe)
{
    struct token variable = parse_peek_nonspace(parser), after, next;

    if (variable.kind != TOKEN_VARIABLE)
        return 0;
    parse_next(parser);
    after = parse_peek(parser);
    next = parse_peek_nonspace(parser);
    if (next.kind == TOKEN_ASSIGN || next.kind == TOKEN_DECLARE) {
        pipe->assigned = next.kind == TOKEN_ASSIGN;
        parse_next_nonspace(parser);
        add_decl(parser, pipe, variable);
        emit_node_at(EMIT, pipe->node)->kind = NODE_PLAIN;
    } else if (next.kind == TOKEN_CHAR && parser->lex.text[next.pos] == ',') {
        parse_next_nonspace(parser);
        add_decl(parser, pipe, variable);
        return read_comma(parser, pipe);
    } else if (after.kind == TOKEN_SPACE) {
        parse_back3(parser, variable, after);
    } else {
        parse_back2(parser, variable);
    }
    return 0;
}

static int pipe_begin(struct parser *parser, const char *context, uint32_t slot)
{
    struct pipe *pipe = emit_row(EMIT, &parser->pipes, sizeof(*pipe));
    uint32_t start = parse_peek_nonspace(parser).pos;
    int more;

    if (!pipe)
        return -1;
    *pipe = (struct pipe){.context = context, .slot = slot, .end = start};
    pipe->node = plain_node(parser, start, start, start);
    EMIT->visited = pipe->node;
    emit_temp(EMIT, slot);
    do
        more = read_decls(parser, pipe);
    while (more > 0);
    return more;
}

static int pipe_step(struct parser *parser, struct pipe *pipe)
{
    switch (pipe->step) {
    case STEP_STAGE:
        return next_stage(parser, pipe);
    case STEP_OPERAND:
        return read_term(parser, pipe);
    case STEP_FIELDS:
        return read_fields(parser, pipe);
    case STEP_AFTER:
        return after_operand(parser, pipe);
    }
    return -1;
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
