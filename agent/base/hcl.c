#include "base/hcl.h"

#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/hcl_token.h"
#include "base/json.h"
#include "base/mem.h"

struct parser {
    struct hcl_lexer lexer;
    struct hcl_token token; /* the next one, not taken yet */
    struct build build;
    uint16_t file;
};

static void parser_done(struct parser *parser)
{
    build_done(&parser->build);
}

/* -------------------------------------------------------------------------------------------- one value for one key */

static bool is_block(const struct val *v)
{
    return v->kind == VAL_MAP || (v->kind == VAL_LIST && v->type == HCL_BLOCKS);
}

size_t hcl_block_count(const struct val *v)
{
    if (!v || !is_block(v))
        return 0;
    return v->kind == VAL_MAP ? 1 : v->list.len;
}

const struct val *hcl_block(const struct val *v, size_t i)
{
    return v->kind == VAL_MAP ? v : &v->list.items[i];
}

static int join_blocks(const struct val_pair *pairs, size_t len, struct arena *arena, struct val *ret, struct err *err)
{
    struct val *items, joined = pairs[0].value;
    size_t total = 0, n = 0;

    for (size_t i = 0; i < len; i++)
        total += hcl_block_count(&pairs[i].value);
    items = arena_array(arena, total, sizeof(*items), err);
    if (!items)
        return -1;
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < hcl_block_count(&pairs[i].value); k++)
            items[n++] = *hcl_block(&pairs[i].value, k);
    }
    joined.kind = VAL_LIST;
    joined.type = HCL_BLOCKS;
    joined.list.items = items;
    joined.list.len = total;
    *ret = joined;
    return 0;
}

static size_t equal_run(const struct val_pair *pairs, size_t len)
{
    size_t n = 1;

    while (n < len && str_eq(pairs[0].key->s, pairs[n].key->s))
        n++;
    return n;
}

/* Sort; of equal keys make one: blocks add up, of anything else the last counts. */
static int fold(struct val_pair *pairs, size_t *len, struct arena *arena, struct err *err)
{
    size_t kept = 0;

    if (*len > 0)
        val_sort_pairs(pairs, *len);
    for (size_t i = 0, run; i < *len; i += run) {
        struct val_pair last;

        run = equal_run(pairs + i, *len - i);
        last = pairs[i + run - 1];
        if (run > 1 && is_block(&last.value) && join_blocks(pairs + i, run, arena, &last.value, err) != 0)
            return -1;
        pairs[kept++] = last;
    }
    *len = kept;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------------- HCL */

static int parse_value(struct parser *parser, struct val *ret);

static int fail_token(struct parser *parser, const char *wanted)
{
    return hcl_fail(&parser->lexer, parser->token.place, "expected %s, found %s", wanted, hcl_kind_name(parser->token.kind));
}

static int advance(struct parser *parser)
{
    return hcl_token_next(&parser->lexer, &parser->token);
}

static void stamp(const struct parser *parser, struct val_place place, struct val *v)
{
    val_set_place(v, parser->file, place);
}

static int open_level(struct parser *parser, size_t *ret_mark)
{
    if (build_open(&parser->build, ret_mark, parser->lexer.err) == 0)
        return 0;
    *parser->lexer.place = parser->token.place;
    return -1;
}

static int add_member(struct parser *parser, const struct val *key, const struct val *value)
{
    if (build_push_copy(&parser->build, key, value, parser->lexer.err) == 0)
        return 0;
    *parser->lexer.place = parser->token.place;
    return -1;
}

static int close_object(struct parser *parser, size_t mark, struct val *ret)
{
    size_t len;
    struct val_pair *pairs = build_members(&parser->build, mark, &len);

    if (fold(pairs, &len, parser->build.arena, parser->lexer.err) != 0)
        return -1;
    build_keep(&parser->build, mark, len);
    return build_map(&parser->build, mark, ret, parser->lexer.err);
}

static int parse_key(struct parser *parser, struct val *ret)
{
    const struct hcl_token *token = &parser->token;
    struct arena *arena = parser->build.arena;

    if (token->kind == HCL_STRING) {
        if (hcl_token_value(&parser->lexer, token, arena, ret) != 0)
            return -1;
    } else if (val_copy_str(arena, token->text.data, token->text.len, ret, parser->lexer.err) != 0) {
        return -1;
    }
    stamp(parser, token->place, ret);
    return advance(parser);
}

static bool at_key(const struct parser *parser)
{
    return parser->token.kind == HCL_NAME || parser->token.kind == HCL_STRING;
}

static int parse_object(struct parser *parser, struct val *ret);

/* From a label on: `"label" "label" { … }` as one map in another. */
static int parse_block(struct parser *parser, struct val *ret)
{
    struct val_place place = parser->token.place;
    struct val key, value;
    size_t mark, len;

    if (!at_key(parser))
        return parser->token.kind == HCL_OPEN_BRACE ? parse_object(parser, ret) : fail_token(parser, "'{' or '='");
    if (open_level(parser, &mark) != 0 || parse_key(parser, &key) != 0 || parse_block(parser, &value) != 0 ||
        add_member(parser, &key, &value) != 0)
        return -1;
    build_members(&parser->build, mark, &len);
    if (build_map(&parser->build, mark, ret, parser->lexer.err) != 0)
        return -1;
    ret->type = HCL_LABEL;
    stamp(parser, place, ret);
    return 0;
}

/* "key =" as the last words of a file is accepted and means nothing: the original reads it so. */
static bool at_ignored_end(const struct parser *parser)
{
    return parser->token.kind == HCL_END && parser->build.depth == 1;
}

static int parse_item(struct parser *parser)
{
    struct val key, value;

    if (!at_key(parser))
        return fail_token(parser, "a name");
    if (parse_key(parser, &key) != 0)
        return -1;
    if (parser->token.kind == HCL_ASSIGN) {
        if (advance(parser) != 0)
            return -1;
        if (at_ignored_end(parser))
            return 0;
        if (parse_value(parser, &value) != 0)
            return -1;
    } else if (parse_block(parser, &value) != 0) {
        return -1;
    }
    return add_member(parser, &key, &value);
}

/* Items up to `close`; one comma may follow each. */
static int parse_items(struct parser *parser, enum hcl_kind close)
{
    while (parser->token.kind != close) {
        if (parse_item(parser) != 0)
            return -1;
        if (parser->token.kind == HCL_COMMA && advance(parser) != 0)
            return -1;
    }
    return 0;
}

static int parse_object(struct parser *parser, struct val *ret)
{
    struct val_place place = parser->token.place;
    size_t mark;

    if (open_level(parser, &mark) != 0 || advance(parser) != 0 || parse_items(parser, HCL_CLOSE_BRACE) != 0 ||
        close_object(parser, mark, ret) != 0)
        return -1;
    stamp(parser, place, ret);
    return advance(parser);
}

/* Commas may be doubled, and need not follow a list in a list: the original reads it so. */
static int parse_list_items(struct parser *parser)
{
    bool need_comma = false;
    struct val item;

    while (parser->token.kind != HCL_CLOSE_BRACKET) {
        if (parser->token.kind == HCL_COMMA) {
            need_comma = false;
            if (advance(parser) != 0)
                return -1;
            continue;
        }
        if (need_comma)
            return fail_token(parser, "',' or ']'");
        need_comma = parser->token.kind != HCL_OPEN_BRACKET;
        if (parse_value(parser, &item) != 0 || add_member(parser, NULL, &item) != 0)
            return -1;
    }
    return 0;
}

static int parse_list(struct parser *parser, struct val *ret)
{
    struct val_place place = parser->token.place;
    size_t mark;

    if (open_level(parser, &mark) != 0 || advance(parser) != 0 || parse_list_items(parser) != 0 ||
        build_list(&parser->build, mark, ret, parser->lexer.err) != 0)
        return -1;
    stamp(parser, place, ret);
    return advance(parser);
}

static int parse_literal(struct parser *parser, struct val *ret)
{
    if (hcl_token_value(&parser->lexer, &parser->token, parser->build.arena, ret) != 0)
        return -1;
    stamp(parser, parser->token.place, ret);
    return advance(parser);
}

static int parse_value(struct parser *parser, struct val *ret)
{
    switch (parser->token.kind) {
    case HCL_BOOL:
    case HCL_INTEGER:
    case HCL_FLOAT:
    case HCL_STRING:
    case HCL_HEREDOC:
        return parse_literal(parser, ret);
    case HCL_OPEN_BRACE:
        return parse_object(parser, ret);
    case HCL_OPEN_BRACKET:
        return parse_list(parser, ret);
    case HCL_NAME:
        return hcl_fail(&parser->lexer, parser->token.place, "expected a value, found a bare word: put it in double quotes");
    default:
        return fail_token(parser, "a value");
    }
}

static int parse_file(struct parser *parser, struct val *ret)
{
    size_t mark;

    if (advance(parser) != 0 || open_level(parser, &mark) != 0 || parse_items(parser, HCL_END) != 0)
        return -1;
    return close_object(parser, mark, ret);
}

/* Files written on Windows mean the same: line ends become "\n" before anything is looked at. */
static int plain_newlines(struct arena *arena, const char **text, size_t *len, struct err *err)
{
    char *copy;
    size_t n = 0;

    if (*len == 0 || !memmem(*text, *len, "\r\n", 2))
        return 0;
    copy = arena_alloc(arena, *len, err);
    if (!copy)
        return -1;
    for (size_t i = 0; i < *len; i++) {
        if ((*text)[i] != '\r' || i + 1 == *len || (*text)[i + 1] != '\n')
            copy[n++] = (*text)[i];
    }
    *text = copy;
    *len = n;
    return 0;
}

static int read_hcl(const char *text, size_t len, uint16_t file, struct arena *arena, struct val *ret,
                    struct val_place *ret_place, struct err *err)
{
    _cleanup_(parser_done) struct parser parser = {.file = file};

    build_init(&parser.build, arena);
    if (plain_newlines(arena, &text, &len, err) != 0)
        return -1;
    parser.lexer = (struct hcl_lexer){text, text + len, text, 1, ret_place, err};
    return parse_file(&parser, ret);
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

/* Integers and floats as HCL has them; one that fits neither stays text, and no option takes that. */
static struct val shape_number(const struct val *v)
{
    struct val number = *v;
    int64_t i;

    if (val_as_int(v, &i)) {
        number.kind = VAL_INT;
        number.i = i;
    } else if (memchr(v->s.data, '.', v->s.len) || memchr(v->s.data, 'e', v->s.len) || memchr(v->s.data, 'E', v->s.len)) {
        number.kind = VAL_FLOAT;
        number.f = strtod(v->s.data, NULL);
    }
    return number;
}

static int shape_list(const struct val *v, struct arena *arena, struct val *ret, struct err *err)
{
    struct val *items = arena_array(arena, v->list.len, sizeof(*items), err);
    bool blocks = v->list.len > 0;

    if (!items)
        return -1;
    for (size_t i = 0; i < v->list.len; i++) {
        if (hcl_shape(&v->list.items[i], arena, &items[i], err) != 0)
            return -1;
        blocks = blocks && items[i].kind == VAL_MAP;
    }
    *ret = *v;
    ret->list.items = items;
    ret->type = blocks ? HCL_BLOCKS : VAL_T_NATURAL;
    return 0;
}

static int shape_map(const struct val *v, struct arena *arena, struct val *ret, struct err *err)
{
    struct val_pair *pairs = arena_array(arena, v->map.len, sizeof(*pairs), err);
    size_t len = v->map.len;

    if (!pairs)
        return -1;
    for (size_t i = 0; i < len; i++) {
        pairs[i].key = v->map.pairs[i].key;
        if (hcl_shape(&v->map.pairs[i].value, arena, &pairs[i].value, err) != 0)
            return -1;
    }
    if (fold(pairs, &len, arena, err) != 0)
        return -1;
    *ret = *v;
    ret->map.pairs = pairs;
    ret->map.len = len;
    return 0;
}

/* Recursion is as deep as the reader that made `v` allowed: LIMIT_DEPTH. */
int hcl_shape(const struct val *v, struct arena *arena, struct val *ret, struct err *err)
{
    if (v->kind == VAL_MAP)
        return shape_map(v, arena, ret, err);
    if (v->kind == VAL_LIST)
        return shape_list(v, arena, ret, err);
    *ret = v->kind == VAL_NUMBER ? shape_number(v) : *v;
    if (v->kind == VAL_NULL) {
        ret->kind = VAL_STRING;
        ret->s = STR("");
    }
    return 0;
}

static int read_json(const char *text, size_t len, uint16_t file, struct arena *arena, struct val *ret,
                     struct val_place *ret_place, struct err *err)
{
    struct json_options options = {.flags = JSON_HCL | JSON_ALL_KEYS, .file = file, .place = ret_place};
    struct val v;

    if (json_read(text, len, &options, arena, &v, err) != 0)
        return -1;
    return hcl_shape(&v, arena, ret, err);
}

int hcl_read(const char *text, size_t len, uint16_t file, struct arena *arena, struct val *ret, struct val_place *ret_place,
             struct err *err)
{
    size_t blank = 0;

    *ret_place = (struct val_place){0, 0};
    while (blank < len && memchr(" \t\r\n", text[blank], 4))
        blank++;
    if (blank < len && text[blank] == '{')
        return read_json(text, len, file, arena, ret, ret_place, err);
    return read_hcl(text, len, file, arena, ret, ret_place, err);
}
