#include "tpl/command.h"

#include <fnmatch.h>

#include "base/limits.h"
#include "tpl/diag.h"

#define EMIT (&parser->gen)

static uint32_t plain_node(struct parser *parser, uint32_t pos, uint32_t start, uint32_t end)
{
    return codegen_node(EMIT, NODE_PLAIN, pos, start, end);
}

/* -------------------------------------------------------------------------------------------------------- functions */

static int denied_body(struct call *call, struct val *ret)
{
    (void)ret;
    return err_set(call->err, ERR_INPUT, "function is disabled");
}

static const struct func logic_func = {"and, or", "vv*", NULL, "VALUE…", "short-circuit, so the evaluator does it"};
static const struct func call_func = {"call", "vv*", NULL, "FUNCTION ARGUMENT…", "no value of a template is a function"};

static bool is_builtin(struct str name)
{
    static const char *const names[] = {"and", "call", "eq",  "ge", "gt",    "html",   "index",   "js",    "le",      "len",
                                        "lt",  "ne",   "not", "or", "print", "printf", "println", "slice", "urlquery"};

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

/* Without a call: every function's name is asked. */
#define IS_WORD(name, word) ((name).len == sizeof(word) - 1 && memcmp((name).data, word, sizeof(word) - 1) == 0)

static bool changes_map(const struct func *func)
{
    const char *letter = func->params;

    while (*letter && *letter != 'D')
        letter++;
    return *letter;
}

const struct func *command_function(struct parser *parser, struct str name)
{
    const struct func *func;

    if (IS_WORD(name, "and") || IS_WORD(name, "or"))
        return &logic_func;
    if (IS_WORD(name, "call"))
        return &call_func;
    func = parser->functions ? parser->functions->find(name) : NULL;
    if (!func)
        return NULL;
    EMIT->tpl->changes |= changes_map(func);
    return is_denied(parser, func) ? denied_func(parser, func) : func;
}

/* `final`: the pipeline adds one. */
static bool arity_fits(const struct params *params, uint32_t argc, bool final)
{
    return params->variadic ? argc + final >= params->fixed : argc + final == params->fixed;
}

static void codegen_arity(struct parser *parser, struct str name, const struct params *params, uint32_t argc, bool final,
                          uint32_t node)
{
    codegen_fail(EMIT, node, "wrong number of args for %.*s: want %s%u got %u", (int)name.len, name.data,
                 params->variadic ? "at least " : "", params->fixed, params->variadic ? argc : argc + final);
}

/* -------------------------------------------------------------------------------------------------------- variables */

static void undefined(struct parser *parser, struct str name, uint32_t node)
{
    codegen_fail(EMIT, node, "undefined variable: %.*s", (int)name.len, name.data);
}

/*
 * Copy between `slot` and the innermost variable of that name that is declared on the path taken: those that and/or may have
 * skipped are asked from the inside out.
 */
static void move_variable(struct parser *parser, struct str name, uint32_t slot, bool assign, uint32_t node)
{
    const struct variable *variable;
    uint32_t below = NOTHING, ends = NOTHING, unset = NOTHING;

    while ((variable = codegen_variable(EMIT, name, &below))) {
        bool perhaps = variable->perhaps;
        uint32_t from = assign ? slot : variable->slot, to = assign ? variable->slot : slot;

        if (perhaps)
            unset = codegen_op(EMIT, (struct op){.code = OP_JUMP_UNSET, .src = variable->slot, .arg = NOTHING, .node = node});
        codegen_op(EMIT, (struct op){.code = OP_MOVE, .dst = to, .src = from, .node = node});
        if (!perhaps)
            break;
        codegen_jump(EMIT, &ends);
        codegen_land(EMIT, unset);
    }
    if (!variable)
        undefined(parser, name, node);
    codegen_land(EMIT, ends);
}

/* The slot of a variable, or NOTHING and an op that fails. */
static uint32_t variable_slot(struct parser *parser, struct str name, uint32_t node)
{
    const struct variable *variable = codegen_variable(EMIT, name, NULL);
    uint32_t slot;

    if (!variable) {
        undefined(parser, name, node);
        return NOTHING;
    }
    if (!variable->perhaps)
        return variable->slot;
    slot = codegen_slots(EMIT, 1);
    move_variable(parser, name, slot, false, node);
    return slot;
}

void command_assign(struct parser *parser, struct str name, uint32_t slot)
{
    move_variable(parser, name, slot, true, 0);
}

/* -------------------------------------------------------------------------------------------------- values of terms */

static void codegen_constant_or_fail(struct parser *parser, const struct literal *literal, uint32_t node, uint32_t dst, char fit)
{
    char letter = fit == FIT_RAW || fit == FIT_UNBOX ? 'a' : fit;
    struct err why UNSET_AT_FIRST;
    uint32_t constant = codegen_constant_of(EMIT, literal, letter, &why);

    if (constant == NOTHING)
        codegen_fail(EMIT, node, "%s", why.text);
    else
        codegen_op(EMIT, (struct op){.code = OP_CONST, .dst = dst, .arg = constant, .node = node});
}

/* `src` and the names behind it, into `dst`. Go visits the node of a chain behind parentheses too early for errors, except of
 * methods. */
static void codegen_chain(struct parser *parser, const struct operand *o, uint32_t src, uint32_t nfields, uint32_t node,
                          uint32_t dst, char fit)
{
    uint32_t chain = node || !nfields ? node : plain_node(parser, o->pos, o->start, o->end);

    codegen_weigh(EMIT, nfields);
    if (nfields)
        codegen_op(EMIT, (struct op){.code = OP_FIELDS,
                                     .fit = fit,
                                     .dst = dst,
                                     .src = src,
                                     .extra = o->fields,
                                     .count = nfields,
                                     .arg = chain,
                                     .node = node});
    else if (src != dst || (fit != FIT_RAW && fit != FIT_UNBOX && fit != 'v'))
        codegen_op(EMIT, (struct op){.code = OP_MOVE, .fit = fit, .dst = dst, .src = src, .node = node});
}

/* A function named where it gets no arguments. */
static bool codegen_bare_call(struct parser *parser, const struct operand *o, uint32_t node, uint32_t dst, char fit)
{
    const struct func *func = o->func;
    struct params params = params_of(func->params);

    if (!arity_fits(&params, 0, false)) {
        codegen_arity(parser, operand_text(parser, o), &params, 0, false, node);
        return false;
    }
    codegen_op(EMIT, (struct op){.code = OP_CALL,
                                 .fit = fit,
                                 .dst = dst,
                                 .src = dst,
                                 .arg = codegen_function(EMIT, func),
                                 .extra = node,
                                 .node = node});
    return true;
}

/* The operand with the first `nfields` of its names, into `dst`. Literals are done elsewhere. */
static void codegen_operand(struct parser *parser, const struct operand *o, uint32_t nfields, uint32_t dst, char fit)
{
    struct str text = operand_text(parser, o);
    uint32_t node, src;

    switch (o->kind) {
    case TOKEN_LPAREN:
        codegen_chain(parser, o, TEMP(o->slot), nfields, 0, dst, fit);
        break;
    case TOKEN_IDENTIFIER:
        node = plain_node(parser, o->start, o->start, o->start + o->len);
        if (codegen_bare_call(parser, o, node, dst, nfields ? FIT_RAW : fit) && nfields)
            codegen_chain(parser, o, dst, nfields, 0, dst, fit);
        break;
    case TOKEN_VARIABLE:
        node = plain_node(parser, o->pos, o->start, o->end);
        src = variable_slot(parser, text, node);
        if (src != NOTHING)
            codegen_chain(parser, o, src, nfields, node, dst, fit);
        break;
    default: /* a field or the dot */
        node = plain_node(parser, o->pos, o->start, o->end);
        codegen_chain(parser, o, EMIT->failed ? 0 : EMIT->unit->dot, nfields, node, dst, fit);
    }
}

/* -------------------------------------------------------------------------------------------------------- arguments */

static void logic_jump(struct parser *parser, struct command *command)
{
    bool is_or = parser->lex.text[command->start] == 'o';

    command->label = codegen_op(EMIT, (struct op){.code = is_or ? OP_JUMP_TRUE : OP_JUMP_FALSE,
                                                  .src = TEMP(command->base),
                                                  .arg = command->label,
                                                  .extra = EMIT->vars.len});
}

/* Where the next argument goes. An operand of and/or is only reached when those before did not decide. */
uint32_t command_operand_slot(struct parser *parser, struct command *command)
{
    if (command->head == HEAD_NONE)
        return command->base;
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
    codegen_op(EMIT, (struct op){.code = OP_METHOD_FIT, .dst = dst, .src = TEMP(command->base), .count = index});
}

static void argument_done(struct parser *parser, struct command *command, const struct operand *o, const struct literal *literal)
{
    uint32_t dst = codegen_temp(EMIT, o->slot), node;
    char letter = argument_letter(command);

    if (lex_token_is_literal(o->kind)) {
        node = plain_node(parser, o->start, o->start, o->end);
        if (command->head == HEAD_METHOD)
            codegen_op(EMIT, (struct op){.code = OP_METHOD_CONST,
                                         .dst = dst,
                                         .src = TEMP(command->base),
                                         .count = command->argc,
                                         .arg = codegen_literal(EMIT, literal),
                                         .node = node});
        else
            codegen_constant_or_fail(parser, literal, node, dst, letter);
    } else {
        codegen_operand(parser, o, o->nfields, dst, letter);
        if (command->head == HEAD_METHOD)
            method_fit(parser, command, dst, command->argc);
    }
    if (command->head == HEAD_CALL && command->argc == 0)
        command->first = *o;
    command->argc++;
}

/* ------------------------------------------------------------------------------------------------------------ heads */

/* Does another operand follow? */
static bool operand_follows(struct parser *parser)
{
    return !parser_glued(parser) && lex_token_is_term(parser_peek(parser).kind);
}

/* The first word takes no arguments but has some. */
static void not_a_function(struct parser *parser, const struct command *command, const struct operand *o, uint32_t node)
{
    bool paren = o->kind == TOKEN_LPAREN;
    struct buf text;

    buf_init_clipped(&text, LIMIT_TEMPLATE_BYTES * 2);
    diag_print(EMIT->tpl, o->start + paren, o->end - paren, false, &text);
    if (paren) {
        codegen_truncate(EMIT, command->code);
        EMIT->visited = command->visited;
    }
    codegen_fail(EMIT, node, "can't give argument to non-function %s", text.data);
    buf_done(&text);
}

static void head_function(struct parser *parser, struct command *command, const struct operand *o)
{
    command->func = o->func;
    command->params = params_of(command->func->params);
    command->head = command->func == &logic_func ? HEAD_LOGIC : command->func == &call_func ? HEAD_CALL : HEAD_FUNC;
    command->label = NOTHING;
    command->node = plain_node(parser, o->start, o->start, o->end);
    EMIT->visited = command->node;
}

static void head_method(struct parser *parser, struct pipe *pipe, struct command *command, const struct operand *o)
{
    uint32_t receiver = codegen_temp(EMIT, command->base);

    codegen_temp(EMIT, command->base + 1);
    codegen_operand(parser, o, o->nfields - 1, receiver, FIT_RAW);
    command->head = HEAD_METHOD;
    command->node = plain_node(parser, o->pos, o->start, o->end);
    command->label = codegen_op(EMIT, (struct op){.code = OP_METHOD,
                                                  .fit = pipe->stages > 0,
                                                  .dst = TEMP(pipe->slot),
                                                  .src = receiver,
                                                  .extra = o->fields + o->nfields - 1});
}

static void head_literal(struct parser *parser, struct pipe *pipe, const struct operand *o, bool arguments)
{
    uint32_t node = plain_node(parser, o->start, o->start, o->end);

    if (arguments)
        not_a_function(parser, &pipe->command, o, node);
    else if (pipe->literal.kind == LITERAL_NIL)
        codegen_fail(EMIT, node, "nil is not a command");
    else
        codegen_constant_or_fail(parser, &pipe->literal, node, TEMP(pipe->slot), FIT_UNBOX);
}

/* With arguments, which no variable takes; one that and/or skipped is told so first. */
static void head_variable(struct parser *parser, struct command *command, const struct operand *o)
{
    uint32_t node = plain_node(parser, o->pos, o->start, o->end);

    variable_slot(parser, operand_text(parser, o), node);
    not_a_function(parser, command, o, node);
}

static void head_done(struct parser *parser, struct pipe *pipe)
{
    struct command *command = &pipe->command;
    const struct operand *o = &pipe->operand;
    enum token_kind kind = o->kind;
    bool arguments = pipe->stages > 0 || (kind != TOKEN_IDENTIFIER && operand_follows(parser));

    command->head = HEAD_VALUE;
    if (pipe->stages > 0 && pipe->bad_stage == 0 && (lex_token_is_literal(kind) || kind == TOKEN_DOT))
        pipe->bad_stage = pipe->stages + 1;
    if (kind == TOKEN_IDENTIFIER && o->nfields)
        arguments = arguments || operand_follows(parser);
    if (lex_token_is_literal(kind))
        head_literal(parser, pipe, o, arguments);
    else if (kind == TOKEN_IDENTIFIER && !o->nfields)
        head_function(parser, command, o);
    else if (o->nfields && arguments)
        head_method(parser, pipe, command, o);
    else if (arguments && kind == TOKEN_LPAREN)
        not_a_function(parser, command, o, 0);
    else if (arguments && kind == TOKEN_DOT)
        not_a_function(parser, command, o, plain_node(parser, o->pos, o->start, o->end));
    else if (arguments && codegen_variable(EMIT, operand_text(parser, o), NULL))
        head_variable(parser, command, o);
    else
        codegen_operand(parser, o, o->nfields, TEMP(pipe->slot), FIT_UNBOX);
}

/* --------------------------------------------------------------------------------------------------------- commands */

/* A chain's first term: a dot, a field or a variable. */
static void head_of_chain(struct operand *o, struct str text)
{
    const char *end = memchr(text.data + 1, '.', text.len - 1);

    o->kind = text.data[0] == '$' ? TOKEN_VARIABLE : text.len == 1 ? TOKEN_DOT : TOKEN_FIELD;
    o->len = end ? (uint32_t)(end - text.data) : (uint32_t)text.len;
}

void command_chain(struct parser *parser, struct lex_token token)
{
    struct str text = lex_token_text(&parser->lex, token);
    struct operand o = {.start = token.pos, .pos = token.pos, .end = token.pos + token.len};
    size_t at;

    head_of_chain(&o, text);
    at = o.kind == TOKEN_FIELD ? 0 : o.len;
    while (at < text.len) {
        const char *name = text.data + at + 1, *end = memchr(name, '.', text.len - at - 1);
        size_t len = end ? (size_t)(end - name) : text.len - at - 1;
        uint32_t field = codegen_field(EMIT, (struct str){name, len});

        if (o.nfields++ == 0)
            o.fields = field;
        if (at > 0 && o.pos == token.pos)
            o.pos = token.pos + (uint32_t)at;
        at += len + 1;
    }
    codegen_operand(parser, &o, o.nfields, codegen_temp(EMIT, 0), FIT_UNBOX);
}

void command_operand(struct parser *parser, struct pipe *pipe)
{
    pipe->command.end = pipe->operand.end;
    if (pipe->command.head == HEAD_NONE)
        head_done(parser, pipe);
    else
        argument_done(parser, &pipe->command, &pipe->operand, &pipe->literal);
}

void command_begin(struct parser *parser, struct pipe *pipe, struct lex_token first)
{
    struct command *command = &pipe->command;

    command->head = HEAD_NONE;
    command->start = command->end = first.pos;
    command->base = pipe->slot + (pipe->stages > 0);
    command->node = command->argc = 0;
    command->visited = EMIT->visited;
    command->code = codegen_label(EMIT);
    codegen_temp(EMIT, command->base);
}

/* The value of the pipeline so far becomes the last argument. */
static void final_argument(struct parser *parser, struct pipe *pipe, uint32_t number, char fit)
{
    codegen_op(EMIT, (struct op){.code = OP_MOVE, .fit = fit, .dst = codegen_temp(EMIT, number), .src = TEMP(pipe->slot)});
}

static void function_end(struct parser *parser, struct pipe *pipe, struct command *command, uint32_t node)
{
    uint32_t in = command->argc + (pipe->stages > 0);

    if (pipe->stages > 0)
        final_argument(parser, pipe, command->base + command->argc, params_letter(&command->params, in - 1));
    codegen_op(EMIT, (struct op){.code = OP_CALL,
                                 .fit = FIT_UNBOX,
                                 .dst = TEMP(pipe->slot),
                                 .src = TEMP(command->base),
                                 .count = in,
                                 .arg = codegen_function(EMIT, command->func),
                                 .extra = node});
}

/* Each jump of and/or passes by the variables that later operands would have declared. */
static void logic_skips(struct parser *parser, struct command *command)
{
    uint32_t ends = NOTHING, jump = command->label;

    codegen_jump(EMIT, &ends);
    while (jump != NOTHING && !EMIT->failed) {
        struct op *op = codegen_at(EMIT, jump);
        uint32_t declared = op->extra;

        jump = op->arg;
        op->arg = codegen_label(EMIT);
        for (uint32_t i = declared; i < EMIT->vars.len; i++)
            codegen_op(EMIT, (struct op){.code = OP_UNSET, .dst = ((struct variable *)EMIT->vars.rows)[i].slot});
        codegen_jump(EMIT, &ends);
    }
    codegen_land(EMIT, ends);
}

static void logic_end(struct parser *parser, struct pipe *pipe, struct command *command)
{
    uint32_t declared = EMIT->vars.len;

    if (pipe->stages > 0) {
        if (command->argc > 0)
            logic_jump(parser, command);
        final_argument(parser, pipe, command->base, FIT_RAW);
    }
    if (command->argc > 1 && !EMIT->failed)
        EMIT->unit->perhaps--;
    for (uint32_t jump = command->label; jump != NOTHING && !EMIT->failed; jump = codegen_at(EMIT, jump)->arg)
        declared = codegen_at(EMIT, jump)->extra;
    if (declared < EMIT->vars.len)
        logic_skips(parser, command);
    else
        codegen_land(EMIT, command->label);
    codegen_op(EMIT, (struct op){.code = OP_MOVE, .fit = FIT_UNBOX, .dst = TEMP(pipe->slot), .src = TEMP(command->base)});
}

static uint32_t callee_name(struct parser *parser, const struct operand *o)
{
    bool paren = o->kind == TOKEN_LPAREN && o->nfields == 0;
    struct str name;
    struct buf text;
    char *copy;

    buf_init_clipped(&text, LIMIT_TEMPLATE_BYTES * 2);
    diag_print(EMIT->tpl, o->start + paren, o->end - paren, false, &text);
    copy = arena_strndup(&EMIT->tpl->arena, text.data, text.len, parser->err);
    name = (struct str){copy, text.len};
    buf_done(&text);
    if (!copy)
        EMIT->failed = true;
    return codegen_constant(EMIT, val_str(name.data, name.len));
}

static void call_end(struct parser *parser, struct pipe *pipe, struct command *command, uint32_t node)
{
    if (pipe->stages > 0)
        final_argument(parser, pipe, command->base + command->argc, 'v');
    codegen_op(EMIT, (struct op){.code = OP_CALL_VALUE,
                                 .src = TEMP(command->base),
                                 .extra = node,
                                 .arg = command->argc ? callee_name(parser, &command->first) : NOTHING});
}

static void method_end(struct parser *parser, struct pipe *pipe, struct command *command)
{
    uint32_t in = command->argc, last = command->base + 2 + command->argc;
    struct op *method = codegen_at(EMIT, command->label);

    method->count = command->argc;
    if (pipe->stages > 0) {
        final_argument(parser, pipe, last, FIT_RAW);
        method_fit(parser, command, TEMP(last), in++);
    }
    codegen_op(EMIT, (struct op){.code = OP_METHOD_CALL,
                                 .fit = FIT_UNBOX,
                                 .dst = TEMP(pipe->slot),
                                 .src = TEMP(command->base),
                                 .count = in,
                                 .extra = command->node});
    codegen_at(EMIT, command->label)->arg = codegen_label(EMIT);
}

void command_end(struct parser *parser, struct pipe *pipe)
{
    struct command *command = &pipe->command;
    bool final = pipe->stages > 0, called = command->head >= HEAD_FUNC && command->head <= HEAD_CALL;
    uint32_t node = called ? plain_node(parser, command->start, command->start, command->end) : 0;
    struct str name = {parser->lex.text + command->start, codegen_node_at(EMIT, command->node)->end - command->start};

    if (called && !arity_fits(&command->params, command->argc, final)) {
        codegen_truncate(EMIT, command->code);
        codegen_arity(parser, name, &command->params, command->argc, final, command->node);
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
