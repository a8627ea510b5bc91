/*
 * yaml_stream: YAML text as a row of events; the only door to libyaml.
 *
 * yaml_stream_next() reads one event into the stream: its kind, and for scalars, aliases and starts of collections what they
 * carry. Strings live until the next call. What fails leaves libyaml's words and two lines in `trouble`; ERR_INPUT.
 */
#ifndef BASE_YAML_STREAM_H
#define BASE_YAML_STREAM_H

#include <stddef.h>

#include "base/val.h"

enum yaml_kind {
    YAML_NOTHING, /* before the first event, and behind a failed one */
    YAML_STREAM_START,
    YAML_STREAM_END,
    YAML_DOCUMENT_START,
    YAML_DOCUMENT_END,
    YAML_ALIAS,
    YAML_SCALAR,
    YAML_LIST_START,
    YAML_LIST_END,
    YAML_MAP_START,
    YAML_MAP_END,
};

struct yaml_trouble {
    const char *problem, *context; /* or NULL */
    size_t line, context_line;     /* from 0 */
    bool scanner;                  /* found while tokens were read, not later */
};

struct yaml_stream {
    struct yaml_reader *reader;
    enum yaml_kind kind;
    struct str value;       /* of a scalar */
    struct str tag, anchor; /* data is NULL: none; an alias has only `anchor` */
    bool implicit;          /* what a scalar means decides its text, not its tag or quotes */
    bool plain;             /* written without quotes */
    bool newer;             /* a document's start: it says %YAML 1.2 */
    struct val_place place; /* of the event, or of what failed */
    struct yaml_trouble trouble;
};

/* The text must outlive the stream. */
void yaml_stream_init(struct yaml_stream *stream, const char *text, size_t len);
void yaml_stream_done(struct yaml_stream *stream); /* zeroed structs are accepted */
#define _cleanup_yaml_stream_ _cleanup_(yaml_stream_done)

int yaml_stream_next(struct yaml_stream *stream, struct err *err) MUST_USE;

#endif
