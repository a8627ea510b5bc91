/*
 * yaml_node: the nodes of a YAML document, aliases tied to their anchors but not followed.
 *
 * All memory is the arena's. Errors are yaml.v2's words without "yaml: " in front; ERR_LIMIT for depth (LIMIT_DEPTH), nodes
 * (LIMIT_MEMBERS) and anchors (LIMIT_YAML_ANCHORS).
 */
#ifndef GO_YAML_NODE_H
#define GO_YAML_NODE_H

#include "base/arena.h"
#include "base/yaml_stream.h"

struct yaml_node {
    enum yaml_kind kind; /* YAML_SCALAR, YAML_ALIAS, YAML_LIST_START or YAML_MAP_START */
    struct str value;    /* of a scalar; the name of an alias */
    struct str tag;
    bool implicit;
    bool followed;                  /* an alias that is being read just now */
    struct yaml_node *target;       /* of an alias */
    struct yaml_node *first, *next; /* members (keys and values in turn); the next of its own list */
};

/* The root of the first document, or NULL when there is none. With `redact` names of anchors stay out of errors. */
int yaml_node_read(struct str text, bool redact, struct arena *arena, struct yaml_node **ret, struct err *err) MUST_USE;

#endif
