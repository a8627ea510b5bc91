#include "base/yaml_stream.h"

#include <yaml.h>

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event;
};

_Static_assert((int)YAML_SCALAR == YAML_SCALAR_EVENT && (int)YAML_MAP_END == YAML_MAPPING_END_EVENT,
               "kinds are numbered as libyaml's events");

void yaml_stream_init(struct yaml_stream *stream, const char *text, size_t len)
{
    *stream = (struct yaml_stream){.reader = mem_alloc(sizeof(*stream->reader))};
    if (yaml_parser_initialize(&stream->reader->parser))
        yaml_parser_set_input_string(&stream->reader->parser, (const unsigned char *)text, len);
}

void yaml_stream_done(struct yaml_stream *stream)
{
    if (!stream->reader)
        return;
    yaml_event_delete(&stream->reader->event);
    yaml_parser_delete(&stream->reader->parser);
    mem_free(stream->reader);
    *stream = (struct yaml_stream){0};
}

static struct val_place place_of(yaml_mark_t mark)
{
    return (struct val_place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static struct str text_of(const yaml_char_t *text)
{
    return text ? str_of((const char *)text) : (struct str){NULL, 0};
}

static int fail(struct yaml_stream *stream, struct err *err)
{
    const yaml_parser_t *parser = &stream->reader->parser;

    stream->kind = YAML_NOTHING;
    stream->place = place_of(parser->problem_mark);
    stream->trouble = (struct yaml_trouble){.problem = parser->problem,
                                            .context = parser->context,
                                            .line = parser->problem_mark.line,
                                            .context_line = parser->context_mark.line,
                                            .scanner = parser->error == YAML_SCANNER_ERROR};
    return err_set(err, ERR_INPUT, "%s%s%s", parser->problem ? parser->problem : "not YAML", parser->context ? " " : "",
                   parser->context ? parser->context : "");
}

static void show_scalar(struct yaml_stream *stream, const yaml_event_t *event)
{
    stream->value = (struct str){(const char *)event->data.scalar.value, event->data.scalar.length};
    stream->tag = text_of(event->data.scalar.tag);
    stream->anchor = text_of(event->data.scalar.anchor);
    stream->implicit = event->data.scalar.plain_implicit;
    stream->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

int yaml_stream_next(struct yaml_stream *stream, struct err *err)
{
    yaml_event_t *event = &stream->reader->event;

    yaml_event_delete(event);
    if (!yaml_parser_parse(&stream->reader->parser, event)) {
        memset(event, 0, sizeof(*event));
        return fail(stream, err);
    }
    stream->kind = (enum yaml_kind)event->type;
    stream->place = place_of(event->start_mark);
    stream->value = stream->tag = stream->anchor = (struct str){NULL, 0};
    stream->implicit = stream->plain = stream->newer = false;
    if (stream->kind == YAML_SCALAR)
        show_scalar(stream, event);
    else if (stream->kind == YAML_DOCUMENT_START)
        stream->newer = event->data.document_start.version_directive && event->data.document_start.version_directive->minor > 1;
    else if (stream->kind == YAML_ALIAS)
        stream->anchor = text_of(event->data.alias.anchor);
    else if (stream->kind == YAML_LIST_START)
        stream->anchor = text_of(event->data.sequence_start.anchor);
    else if (stream->kind == YAML_MAP_START)
        stream->anchor = text_of(event->data.mapping_start.anchor);
    return 0;
}
