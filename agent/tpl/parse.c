#include "tpl/parse.h"

#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "go/format.h"
#include "tpl/pipe.h"

#define EMIT        (&parser->gen)
#define PRINT_STEPS 3 /* of a whole number, beyond its op */

enum control_kind { CONTROL_IF, CONTROL_WITH, CONTROL_RANGE, CONTROL_DEFINE, CONTROL_BLOCK };

/* An open control structure. Jumps that wait for their target are chained through `arg`. */
struct control {
    enum control_kind kind;
    bool otherwise;             /* its else has been seen */
    bool chained;               /* by `else if` or `else with`: it ends with the one that it continues */
    struct scope before, after; /* its head */
    uint32_t skip;              /* the op that jumps to else or end */
    uint32_t ends;              /* jumps to the end */
    uint32_t next;              /* OP_NEXT of a loop */
    uint32_t head_end;          /* CONTROL_BLOCK: the last token of its head */
    uint32_t loop, body;        /* the loops that break and continue mean here, as numbers of controls, or NOTHING */
};

static int expect(struct parser *parser, enum token_kind kind, const char *context)
{
    struct lex_token token = parser_next(parser);

    return token.kind == kind ? 0 : parser_unexpected(parser, token, context);
}

/* --------------------------------------------------------------------------------------------------------- controls */

static struct control *top_control(struct parser *parser)
{
    return parser->controls.len ? &((struct control *)parser->controls.rows)[parser->controls.len - 1] : NULL;
}

static struct control *control_begin(struct parser *parser, enum control_kind kind)
{
    const struct control *outer = top_control(parser);
    uint32_t loop = outer ? outer->loop : NOTHING, body = outer ? outer->body : NOTHING;
    struct control *control;

    if (kind == CONTROL_DEFINE || kind == CONTROL_BLOCK)
        loop = body = NOTHING;
    control = codegen_row(EMIT, &parser->controls, sizeof(*control));
    if (!control)
        return NULL;
    *control = (struct control){.kind = kind, .skip = NOTHING, .ends = NOTHING, .loop = loop, .body = body};
    control->before = control->after = codegen_scope(EMIT);
    return control;
}

/* The jump over the body of `control` lands here. */
static void land_skip(struct parser *parser, struct control *control)
{
    uint32_t here = codegen_label(EMIT);

    if (control->skip == NOTHING)
        return;
    codegen_at(EMIT, control->skip)->arg = here;
    control->skip = NOTHING;
}

/* Jump unless the pipeline's value is true. A chain of fields that is only tested needs no slot. */
static uint32_t jump_unless(struct parser *parser, const struct pipe_end *pipe, bool value_needed)
{
    struct op *last = codegen_last(EMIT);

    if (!value_needed && last && last->code == OP_FIELDS && last->dst == pipe->slot && last->node && pipe->decls == 0) {
        last->code = OP_FALSE_FIELDS;
        return EMIT->unit->ops.len - 1;
    }
    return codegen_op(EMIT, (struct op){.code = OP_JUMP_FALSE, .src = pipe->slot});
}

static void range_begin(struct parser *parser, struct control *control, const struct pipe_end *pipe)
{
    uint32_t loop = codegen_slots(EMIT, LOOP_SLOTS), declared = pipe->assigned ? 0 : pipe->decls;

    control->skip = codegen_op(EMIT, (struct op){.code = OP_RANGE, .dst = loop, .src = pipe->slot, .count = pipe->decls});
    control->next = codegen_label(EMIT);
    codegen_op(EMIT, (struct op){.code = OP_NEXT,
                                 .dst = loop,
                                 .src = pipe->decls > 1,
                                 .count = declared,
                                 .arg = NOTHING,
                                 .extra = codegen_weight(EMIT)});
    if (pipe->assigned) {
        command_assign(parser, pipe->decl[0], loop + (pipe->decls > 1 ? LOOP_KEY : LOOP_DOT));
        if (pipe->decls > 1)
            command_assign(parser, pipe->decl[1], loop + LOOP_DOT);
    }
    control->loop = control->body = parser->controls.len - 1;
    if (!EMIT->failed)
        EMIT->unit->dot = loop + LOOP_DOT;
}

static void with_begin(struct parser *parser, const struct pipe_end *pipe)
{
    uint32_t dot = codegen_slots(EMIT, 1);

    codegen_op(EMIT, (struct op){.code = OP_MOVE, .dst = dot, .src = pipe->slot});
    if (!EMIT->failed)
        EMIT->unit->dot = dot;
}

/* The keyword has been taken: its pipeline, and what comes before its body. */
static int control_head(struct parser *parser, enum control_kind kind, bool chained)
{
    static const char *const names[] = {"if", "with", "range"};
    struct control *control = control_begin(parser, kind);
    struct pipe_end pipe;

    if (!control || pipe_parse(parser, names[kind], &pipe) != 0)
        return -1;
    control->chained = chained;
    control->after = codegen_scope(EMIT);
    if (kind == CONTROL_RANGE) {
        range_begin(parser, control, &pipe);
    } else {
        control->skip = jump_unless(parser, &pipe, kind == CONTROL_WITH);
        if (kind == CONTROL_WITH)
            with_begin(parser, &pipe);
    }
    parser_peek(parser);
    return 0;
}

/* The body of a loop is over: go round, and tell OP_NEXT how many steps it takes. */
static void range_turn(struct parser *parser, struct control *control)
{
    struct op *next = codegen_at(EMIT, control->next);

    if (EMIT->failed)
        return;
    next->extra = codegen_weight(EMIT) - next->extra + 1;
    codegen_op(EMIT, (struct op){.code = OP_JUMP, .arg = control->next});
    next = codegen_at(EMIT, control->next);
    next->arg = control->ends; /* leaving the loop passes over the else */
    control->ends = control->next;
}

static void control_else(struct parser *parser, struct control *control)
{
    const struct control *outer = control - 1;

    if (control->kind == CONTROL_RANGE) {
        range_turn(parser, control);
        control->body = parser->controls.len > 1 ? outer->body : NOTHING;
    } else {
        codegen_jump(EMIT, &control->ends);
    }
    land_skip(parser, control);
    codegen_scope_else(EMIT, control->after);
    if (!EMIT->failed)
        EMIT->unit->dot = control->before.dot;
    control->otherwise = true;
}

static void control_end(struct parser *parser, struct control *control)
{
    if (control->kind == CONTROL_RANGE && !control->otherwise)
        range_turn(parser, control);
    land_skip(parser, control);
    codegen_land(EMIT, control->ends);
    codegen_scope_end(EMIT, control->before);
}

/* ------------------------------------------------------------------------------------------------------------ units */

static int multiple_definition(struct parser *parser, struct str name)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    format_quote(&quoted, name);
    return parser_error(parser, "template: multiple definition of template %s", quoted.data);
}

static int unit_end(struct parser *parser)
{
    struct str name = EMIT->failed ? (struct str){"", 0} : EMIT->unit->name;

    return codegen_unit_end(EMIT) ? 0 : multiple_definition(parser, name);
}

static int template_name(struct parser *parser, struct lex_token token, const char *context, struct str *ret)
{
    struct err why = {0};

    if (token.kind != TOKEN_STRING && token.kind != TOKEN_RAW_STRING)
        return parser_unexpected(parser, token, context);
    if (literal_unquote(lex_token_text(&parser->lex, token), &EMIT->tpl->arena, ret, &why) != 0)
        return parser_error(parser, "%s", why.text);
    return 0;
}

static int read_define(struct parser *parser)
{
    static const char context[] = "define clause";
    struct str name;

    parser->action = NOTHING;
    if (template_name(parser, parser_next(parser), context, &name) != 0 || expect(parser, TOKEN_RIGHT, context) != 0)
        return -1;
    if (!control_begin(parser, CONTROL_DEFINE))
        return -1;
    codegen_unit_begin(EMIT, name);
    parser_peek(parser);
    return 0;
}

/* What `template` and `block` share: the call. Its pipeline is evaluated only when the unit can be entered. */
static int read_call(struct parser *parser, const char *context, bool pipeline_optional, struct str *ret_name)
{
    struct lex_token token = parser_next(parser);
    struct pipe_end pipe = {.slot = TEMP(0)};
    uint32_t node, unit;

    if (template_name(parser, token, context, ret_name) != 0)
        return -1;
    unit = codegen_unit_find(EMIT, *ret_name);
    node = codegen_node(EMIT, NODE_TEMPLATE, token.pos, 0, 0);
    codegen_op(EMIT, (struct op){.code = OP_ENTER, .arg = unit, .node = node});
    if (pipeline_optional && parser_next(parser).kind == TOKEN_RIGHT) {
        codegen_op(EMIT,
                   (struct op){.code = OP_CONST, .dst = codegen_temp(EMIT, 0), .arg = codegen_constant(EMIT, (struct val){0})});
    } else {
        if (pipeline_optional)
            parser_back(parser, 1);
        if (pipe_parse(parser, context, &pipe) != 0)
            return -1;
        codegen_node_at(EMIT, node)->start = codegen_node_at(EMIT, pipe.node)->start;
        codegen_node_at(EMIT, node)->end = codegen_node_at(EMIT, pipe.node)->end;
    }
    codegen_op(EMIT, (struct op){.code = OP_TEMPLATE, .arg = unit, .src = pipe.slot});
    return 0;
}

static int read_template(struct parser *parser)
{
    struct str name;

    return read_call(parser, "template clause", true, &name);
}

static int read_block(struct parser *parser)
{
    struct str name;

    if (read_call(parser, "block clause", false, &name) != 0 || !control_begin(parser, CONTROL_BLOCK))
        return -1;
    top_control(parser)->head_end = parser_newest(parser)->pos;
    codegen_unit_begin(EMIT, name);
    parser->action = NOTHING;
    parser_peek(parser);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- actions */

/* {{break}} in the else of a loop leaves that loop, but {{continue}} there means the next one out: so does Go. */
static int read_jump(struct parser *parser, bool is_break)
{
    const char *name = is_break ? "{{break}}" : "{{continue}}";
    struct lex_token token = parser_next(parser);
    const struct control *top = top_control(parser);
    struct control *controls = parser->controls.rows;

    if (token.kind != TOKEN_RIGHT)
        return parser_unexpected(parser, token, name);
    if (!top || top->body == NOTHING)
        return parser_error(parser, "%s outside {{range}}", name);
    if (is_break)
        codegen_jump(EMIT, &controls[top->loop].ends);
    else
        codegen_op(EMIT, (struct op){.code = OP_JUMP, .arg = controls[top->body].next});
    return 0;
}

/* {{end}} as a whole. */
static int close_control(struct parser *parser)
{
    struct control *control = top_control(parser);
    bool chained;

    parser->action = NOTHING;
    if (!control)
        return parser_error(parser, "unexpected {{end}}");
    do {
        control = top_control(parser);
        chained = control->chained;
        if (control->kind <= CONTROL_RANGE)
            control_end(parser, control);
        else if (unit_end(parser) != 0)
            return -1;
        parser->controls.len--;
    } while (chained);
    return 0;
}

static int read_end(struct parser *parser)
{
    return expect(parser, TOKEN_RIGHT, "end") != 0 ? -1 : close_control(parser);
}

static int unexpected_else(struct parser *parser, const struct control *control)
{
    if (!control)
        return parser_error(parser, "unexpected {{else}}");
    if (control->kind == CONTROL_BLOCK)
        parser_newest(parser)->pos = control->head_end; /* Go reports it from outside of the block */
    if (control->kind == CONTROL_DEFINE || control->kind == CONTROL_BLOCK)
        return parser_error(parser, "unexpected {{else}} in %s clause", control->kind == CONTROL_DEFINE ? "define" : "block");
    return parser_error(parser, "expected end; found {{else}}");
}

/* {{else}}, or as far as `next`, which begins another head. */
static int turn_control(struct parser *parser, enum token_kind next)
{
    struct control *control = top_control(parser);

    parser->action = NOTHING;
    if (!control || control->otherwise || control->kind > CONTROL_RANGE)
        return unexpected_else(parser, control);
    control_else(parser, control);
    if ((control->kind == CONTROL_IF && next == TOKEN_IF) || (control->kind == CONTROL_WITH && next == TOKEN_WITH)) {
        parser_next(parser);
        return control_head(parser, control->kind, true);
    }
    parser_peek(parser);
    return 0;
}

static int read_else(struct parser *parser)
{
    enum token_kind next = parser_peek(parser).kind;
    bool head = next == TOKEN_IF || next == TOKEN_WITH;

    return !head && expect(parser, TOKEN_RIGHT, "else") != 0 ? -1 : turn_control(parser, next);
}

static void codegen_content(struct codegen *gen)
{
    if (!gen->failed)
        gen->unit->content = true;
}

/* A chain of fields or a variable is printed from where it lies. */
static void codegen_print(struct parser *parser, uint32_t slot, uint32_t action)
{
    struct op *last = codegen_last(EMIT);

    codegen_weigh(EMIT, PRINT_STEPS);
    if (last && last->code == OP_FIELDS && last->dst == slot) {
        last->code = OP_PRINT_FIELDS;
        last->dst = action;
    } else if (last && last->code == OP_MOVE && last->dst == slot) {
        last->code = OP_PRINT;
        last->arg = action;
    } else {
        codegen_op(EMIT, (struct op){.code = OP_PRINT, .src = slot, .arg = action});
    }
}

/* An action that only prints a chain, as a whole. */
static int read_chain(struct parser *parser, struct lex_token token)
{
    EMIT->visited = 0;
    codegen_content(EMIT);
    codegen_label(EMIT);
    if (pipe_chain(parser, token) != 0)
        return -1;
    codegen_print(parser, TEMP(0), codegen_node(EMIT, NODE_ACTION, token.pos, token.pos, token.pos + token.len));
    return 0;
}

static int read_pipeline(struct parser *parser)
{
    struct pipe_end pipe;
    const struct node *node;

    if (pipe_parse(parser, "command", &pipe) != 0)
        return -1;
    if (pipe.decls > 0)
        return 0;
    node = codegen_node_at(EMIT, pipe.node);
    codegen_print(parser, pipe.slot, codegen_node(EMIT, NODE_ACTION, node->pos, node->start, node->end));
    return 0;
}

/* The left delimiter has been taken. Heads of control structures leave their action open for messages, as Go does. */
static int read_action(struct parser *parser)
{
    struct lex_token token = parser_next(parser);

    EMIT->visited = 0;
    if (token.kind != TOKEN_END && token.kind != TOKEN_ELSE)
        codegen_content(EMIT);
    switch (token.kind) {
    case TOKEN_BLOCK:
        return read_block(parser);
    case TOKEN_IF:
        return control_head(parser, CONTROL_IF, false);
    case TOKEN_WITH:
        return control_head(parser, CONTROL_WITH, false);
    case TOKEN_RANGE:
        return control_head(parser, CONTROL_RANGE, false);
    case TOKEN_ELSE:
        return read_else(parser);
    case TOKEN_END:
        return read_end(parser);
    case TOKEN_BREAK:
    case TOKEN_CONTINUE:
        if (read_jump(parser, token.kind == TOKEN_BREAK) != 0)
            return -1;
        break;
    case TOKEN_TEMPLATE:
        if (read_template(parser) != 0)
            return -1;
        break;
    default:
        parser_back(parser, 1);
        if (read_pipeline(parser) != 0)
            return -1;
    }
    parser->action = NOTHING;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- text */

static bool is_blank(struct str text)
{
    for (size_t at = 0; at < text.len;) {
        unsigned rune;
        size_t width = utf8_decode(text.data + at, text.len - at, &rune);

        if (width == 0 || !unicode_is_space(rune))
            return false;
        at += width;
    }
    return true;
}

static void read_text(struct parser *parser, struct lex_token token)
{
    if (EMIT->failed)
        return;
    if (!EMIT->unit->content)
        EMIT->unit->content = !is_blank(lex_token_text(&parser->lex, token));
    codegen_op(EMIT, (struct op){.code = OP_TEXT, .src = token.pos, .arg = token.len});
}

static int read_item(struct parser *parser, struct lex_token token)
{
    switch (token.kind) {
    case TOKEN_TEXT:
        read_text(parser, token);
        return 0;
    case TOKEN_CHAIN:
        return read_chain(parser, token);
    case TOKEN_ELSE:
        return turn_control(parser, TOKEN_RIGHT);
    case TOKEN_END:
        return close_control(parser);
    case TOKEN_LEFT:
        break;
    default:
        return parser_unexpected(parser, token, "input");
    }
    if (parser->controls.len == 0 && parser_peek(parser).kind == TOKEN_DEFINE) {
        parser_next(parser);
        return read_define(parser);
    }
    parser->action = token.pos;
    return read_action(parser);
}

static int read_all(struct parser *parser)
{
    struct lex_token token;

    codegen_unit_begin(EMIT, EMIT->tpl->name);
    while ((token = parser_next(parser)).kind != TOKEN_EOF) {
        if (read_item(parser, token) != 0 || EMIT->failed)
            return -1;
    }
    if (parser->controls.len > 0)
        return parser_error(parser, "unexpected EOF");
    if (unit_end(parser) != 0)
        return -1;
    EMIT->tpl->root = codegen_unit_find(EMIT, EMIT->tpl->name);
    return EMIT->failed ? -1 : 0;
}

/* Most templates are small: their tables are built here, and only what came of them goes to the arena. */
struct first_rows {
    struct control controls[8];
    struct pipe pipes[4];
    struct op ops[128];
    struct node nodes[128];
    struct val constants[32];
    struct str fields[32], names[16];
    struct variable vars[16];
    struct unit units[4];
    const struct func *functions[16];
};

static void lend(struct parser *parser, struct first_rows *first)
{
    parser->controls = TABLE_IN(first->controls);
    parser->pipes = TABLE_IN(first->pipes);
    EMIT->root_ops = TABLE_IN(first->ops);
    EMIT->nodes = TABLE_IN(first->nodes);
    codegen_node(EMIT, NODE_PLAIN, 0, 0, 0); /* number 0 means none */
    EMIT->constants = TABLE_IN(first->constants);
    EMIT->names_of_fields = TABLE_IN(first->fields);
    EMIT->names = TABLE_IN(first->names);
    EMIT->vars = TABLE_IN(first->vars);
    EMIT->units = TABLE_IN(first->units);
    EMIT->functions = TABLE_IN(first->functions);
}

/* The tables are complete. */
static int hand_over(struct codegen *gen)
{
    struct tpl *tpl = gen->tpl;

    tpl->units = codegen_settle(gen, &gen->units, sizeof(*tpl->units));
    tpl->unit_count = gen->units.len;
    tpl->constants = codegen_settle(gen, &gen->constants, sizeof(*tpl->constants));
    tpl->names = codegen_settle(gen, &gen->names_of_fields, sizeof(*tpl->names));
    tpl->functions = codegen_settle(gen, &gen->functions, sizeof(*tpl->functions));
    tpl->literals = codegen_settle(gen, &gen->literals, sizeof(*tpl->literals));
    tpl->nodes = codegen_settle(gen, &gen->nodes, sizeof(*tpl->nodes));
    return gen->failed ? -1 : 0;
}

int parse_template(struct tpl *tpl, const struct tpl_options *options, struct err *err)
{
    struct parser parser UNSET_AT_FIRST;
    struct first_rows first UNSET_AT_FIRST;
    int failed;

    memset(&parser, 0, offsetof(struct parser, tokens));
    parser.gen.tpl = tpl;
    parser.gen.err = parser.err = err;
    parser.action = NOTHING;
    parser.functions = options ? options->functions : NULL;
    parser.denied = options ? options->denied : NULL;
    lend(&parser, &first);
    lex_init(&parser.lex, tpl->source.data, tpl->source.len, tpl->left, tpl->right);
    failed = read_all(&parser) != 0 || hand_over(&parser.gen) != 0;
    lex_done(&parser.lex);
    return failed ? -1 : 0;
}
