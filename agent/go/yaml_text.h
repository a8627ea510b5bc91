/*
 * yaml_text: one scalar of YAML, in the style and with the folding of yaml.v2.
 *
 * The page knows where the pen is; the text decides between plain, quoted and block style by what is in it and where it stands.
 */
#ifndef GO_YAML_TEXT_H
#define GO_YAML_TEXT_H

#include "base/buf.h"
#include "base/val.h"

struct yaml_page {
    struct buf *buf;
    int indent;      /* of the collection that is open; -1 outside of all */
    size_t column;   /* in code points */
    bool whitespace; /* the last thing was a space, or a line has begun */
    bool indention;  /* nothing but indentation and indicators on this line */
};

/* What a scalar will look like. */
struct yaml_text {
    struct str value;
    bool binary;    /* value is base64 of bytes that are no UTF-8 */
    bool quoted;    /* plain would be read as something else than a string */
    bool literal;   /* has a line feed: block style if possible */
    bool multiline; /* has a line break of any kind */
    bool plain_allowed, single_allowed, block_allowed;
};

/* What can be done with a text of UTF-8. */
void yaml_text_analyze(struct yaml_text *text);
/* As a key on the line of its value? */
bool yaml_text_is_simple_key(const struct yaml_text *text);
void yaml_text_write(struct yaml_page *page, const struct yaml_text *text, bool simple_key);

/* Begin a line at the page's indent, unless the pen is there already. */
void yaml_page_indent(struct yaml_page *page);
/* "-", ":" and the like; `lead`: a space before it if there is none. */
void yaml_page_indicator(struct yaml_page *page, const char *indicator, bool lead, bool indention);

#endif
