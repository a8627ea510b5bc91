/*
 * one_template: one template and everything that belongs to it: its evaluation, its file, whom to tell, when it is due.
 *
 * Belongs to flow/templates, which walks over all of them. They do not know each other: a failing one holds up nobody.
 */
#ifndef FLOW_ONE_TEMPLATE_H
#define FLOW_ONE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/retry.h"
#include "base/text_list.h"
#include "config/config.h"
#include "fetch/dep_list.h"
#include "fetch/store.h"
#include "flow/agenda.h"
#include "flow/notify.h"
#include "os/file.h"
#include "os/reach.h"
#include "render/outcome.h"
#include "render/render.h"
#include "render/write.h"
#include "render/write_to_file.h"

struct file_group;

struct one_template {
    char label[48]; /* "template[2] (…end/of/destination)" */
    const struct config_template *config;
    struct render render;
    struct outcome outcome;      /* of its last evaluation */
    struct write_target *target; /* NULL until the destination could be opened */
    struct notify_rule rules[2]; /* command, signal */
    size_t rule_count;
    struct file_group *group; /* whose files switch together with its own; NULL: none */
    struct retry retry;
    struct err *last; /* why it is not on disk; NULL: waits for data */
    int64_t failing;  /* since when there is a `last` */
    struct turn turn; /* when it is due */
    int64_t latest;   /* `wait`: not later than this */
    int64_t news_at;  /* when something came that the last evaluation did not know */
    bool news;
    size_t settled;          /* of what was missing, from the first on: answered meanwhile, or tried in vain */
    bool shadowed;           /* a later template has the same destination, and is the one that is rendered */
    bool finished;           /* bytes wait to be written */
    bool written;            /* at least once */
    bool changed;            /* a file was replaced, and nobody told yet */
    struct file_stamp stamp; /* of the destination, as it was left */
    struct write_to_file_marks marks;
    bool running;           /* waits for a plugin */
    size_t place;           /* among all of them: the order in which they are walked over */
    struct dep_list uses;   /* as flow/uses knows it */
    struct text_list files; /* the same, of files that it reads */
    struct dep_list claims; /* what was said to be wanted */
    int64_t written_at;     /* last */
};

/* Template `index` of the configuration, borrowed as the store is; `program`: its command's number. It joins the agenda; a
 * shadowed one is never due. */
struct one_template *one_template_new(const struct config *config, size_t index, bool shadowed, int program,
                                      const struct store *store, struct held *held, struct agenda *agenda);
void one_template_free(struct one_template *one);
/* What a template opens: its text, its destination, the file that says whom to signal. */
void one_template_want(const struct config_template *template, struct reach *reach);
/* It goes on as template `index` of another configuration, which says the same of it. */
void one_template_move(struct one_template *one, const struct config *config, size_t index, int program);

/* Its destination, if it has one and it is not open yet. */
int one_template_open(struct one_template *one, struct held *held, struct err *err) MUST_USE;
/* It could not be rendered or written: the time until it is due again. */
int64_t one_template_fail(struct one_template *one, const struct err *err);
/* Something that it uses is another: due, now or as `wait` says. */
void one_template_change(struct one_template *one);
/* Something that it lacked last time is still on its way: evaluating again would mostly tell the same. */
bool one_template_lacks(struct one_template *one, const struct store *store);
/* `wait`: changes are held until they have been quiet for `min`, at most for `max`; the first render is not held. */
bool one_template_held(const struct one_template *one);
/* It is on disk. */
void one_template_settle(struct one_template *one);
/* Its group was switched: the file is another one with the same bytes. */
void one_template_stamp(struct one_template *one);
/* Somebody else has changed or removed one of its files since. */
bool one_template_touched(const struct one_template *one);

/* What is to be written: the files beside the destination, then the destination itself; as many as one_template_count(). */
size_t one_template_count(const struct one_template *one);
size_t one_template_items(const struct one_template *one, struct write_item *ret_items);

/* A line: where it goes, how it is, when it was last rendered, its error. */
void one_template_status(const struct one_template *one, struct buf *out);

#endif
