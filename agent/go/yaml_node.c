#include "go/yaml_node.h"

#include "base/limits.h"

struct anchor {
    struct str name;
    struct yaml_node *node;
    struct anchor *next;
};

struct reader {
    struct yaml_stream stream;
    struct arena *arena;
    struct anchor *anchors; /* newest first: a name may be used again */
    size_t nodes, anchor_count;
    bool redact;
    struct err *err;
};

static int read_node(struct reader *reader, unsigned depth, struct yaml_node **ret);

/* yaml.v2 counts lines from 0, those of the scanner from 1, and leaves the first out. */
static int fail_syntax(struct reader *reader)
{
    const struct yaml_trouble *trouble = &reader->stream.trouble;
    const char *problem = trouble->problem && *trouble->problem ? trouble->problem : "unknown problem parsing YAML content";
    size_t line = trouble->line ? trouble->line + trouble->scanner : trouble->context_line;

    if (line == 0)
        return err_set(reader->err, ERR_INPUT, "%s", problem);
    return err_set(reader->err, ERR_INPUT, "line %zu: %s", line, problem);
}

static int next(struct reader *reader)
{
    return yaml_stream_next(&reader->stream, reader->err) == 0 ? 0 : fail_syntax(reader);
}

static int keep_text(struct reader *reader, struct str from, struct str *to)
{
    if (!from.data)
        return 0;
    to->data = arena_strndup(reader->arena, from.data, from.len, reader->err);
    to->len = from.len;
    return to->data ? 0 : -1;
}

static int keep_anchor(struct reader *reader, struct yaml_node *node)
{
    struct anchor *anchor;

    if (!reader->stream.anchor.data)
        return 0;
    if (reader->anchor_count++ == LIMIT_YAML_ANCHORS)
        return err_set(reader->err, ERR_LIMIT, "more than %d anchors", LIMIT_YAML_ANCHORS);
    anchor = arena_alloc(reader->arena, sizeof(*anchor), reader->err);
    if (!anchor || keep_text(reader, reader->stream.anchor, &anchor->name) != 0)
        return -1;
    anchor->node = node;
    anchor->next = reader->anchors;
    reader->anchors = anchor;
    return 0;
}

static int find_target(struct reader *reader, struct yaml_node *node)
{
    struct anchor *anchor = reader->anchors;

    while (anchor && !str_eq(anchor->name, node->value))
        anchor = anchor->next;
    if (!anchor)
        return err_set(reader->err, ERR_INPUT, "unknown anchor '%s' referenced",
                       reader->redact ? "[redacted]" : node->value.data);
    node->target = anchor->node;
    return 0;
}

/* Members up to the end of the collection, whose event stays. */
static int read_members(struct reader *reader, struct yaml_node *node, unsigned depth)
{
    enum yaml_kind end = node->kind == YAML_LIST_START ? YAML_LIST_END : YAML_MAP_END;
    struct yaml_node **tail = &node->first;

    if (depth >= LIMIT_DEPTH)
        return err_set(reader->err, ERR_LIMIT, "exceeded max depth of %d", LIMIT_DEPTH);
    if (next(reader) != 0)
        return -1;
    while (reader->stream.kind != end) {
        if (read_node(reader, depth + 1, tail) != 0)
            return -1;
        tail = &(*tail)->next;
    }
    return 0;
}

/* The node of the event at hand; goes on to the one behind it. */
static int read_node(struct reader *reader, unsigned depth, struct yaml_node **ret)
{
    struct yaml_node *node = arena_alloc(reader->arena, sizeof(*node), reader->err);
    const struct yaml_stream *stream = &reader->stream;
    bool alias = stream->kind == YAML_ALIAS;

    if (!node)
        return -1;
    if (reader->nodes++ == LIMIT_MEMBERS)
        return err_set(reader->err, ERR_LIMIT, "more than %d members", LIMIT_MEMBERS);
    node->kind = stream->kind;
    node->implicit = stream->implicit;
    if (keep_text(reader, alias ? stream->anchor : stream->value, &node->value) != 0 ||
        keep_text(reader, stream->tag, &node->tag) != 0)
        return -1;
    if ((alias ? find_target(reader, node) : keep_anchor(reader, node)) != 0)
        return -1;
    if ((node->kind == YAML_LIST_START || node->kind == YAML_MAP_START) && read_members(reader, node, depth) != 0)
        return -1;
    *ret = node;
    return next(reader);
}

/* yaml.v2 reads YAML 1.1 and no other. */
static int check_version(struct reader *reader)
{
    if (!reader->stream.newer)
        return 0;
    reader->stream.trouble =
        (struct yaml_trouble){.problem = "found incompatible YAML document", .line = reader->stream.place.line - 1};
    return fail_syntax(reader);
}

/* The event behind the document has to be readable too. */
static int read_document(struct reader *reader, struct yaml_node **ret)
{
    struct yaml_node *root = NULL;

    if (next(reader) != 0 || next(reader) != 0 || check_version(reader) != 0)
        return -1;
    if (reader->stream.kind != YAML_STREAM_END && (next(reader) != 0 || read_node(reader, 0, &root) != 0))
        return -1;
    *ret = root;
    return 0;
}

int yaml_node_read(struct str text, bool redact, struct arena *arena, struct yaml_node **ret, struct err *err)
{
    struct reader reader = {.arena = arena, .redact = redact, .err = err};
    int result;

    yaml_stream_init(&reader.stream, text.data, text.len);
    result = read_document(&reader, ret);
    yaml_stream_done(&reader.stream);
    return result;
}
