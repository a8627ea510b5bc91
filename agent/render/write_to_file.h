/*
 * write_to_file: the files that one evaluation of a template asked for with `writeToFile`, beside the one that it renders.
 *
 * Only noted while the template runs. An evaluation that lacked data is thrown away with its notes; those of the final one are
 * written in the same batch as the destination, so that all appear together or none. Several calls for one file make one write.
 * No symbolic link is followed: neither the file nor its folder may be one (the original's words).
 * Limits: LIMIT_TEMPLATE_FILES files, LIMIT_OUTPUT_BYTES in all.
 */
#ifndef RENDER_WRITE_TO_FILE_H
#define RENDER_WRITE_TO_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "os/file.h"
#include "render/write.h"
#include "tpl/tpl.h"

struct write_to_file {
    char *path, *user, *group;
    unsigned mode;
    bool append;                 /* the first call wants what the file holds already kept */
    bool computed;               /* as in struct tpl_file */
    bool grown;                  /* so it was: others may go on writing there */
    struct buf content;          /* secret */
    struct write_target *target; /* once write_to_file_open() has opened it */
};

struct write_to_file_list {
    struct write_to_file *items;
    size_t len;
};

void write_to_file_clear(struct write_to_file_list *list);
int write_to_file_note(struct write_to_file_list *list, const struct tpl_file *file, struct err *err) MUST_USE;
/* Open every file's place and read what is appended to; what is open already stays as it is. `label` opens error texts:
 * "template[2]". */
int write_to_file_open(struct write_to_file_list *list, struct held *held, const char *label, struct err *err) MUST_USE;
/* What they look like, once they are written; into `ret`, which write_to_file_marks_done() empties. */
struct write_to_file_marks {
    struct write_to_file_mark {
        char *path;
        bool grown;
        struct file_stamp stamp;
    } * items;
    size_t len;
};
void write_to_file_mark(const struct write_to_file_list *list, struct write_to_file_marks *ret);
/* Somebody else has changed or removed one since. One that others may write to counts only when it is gone. */
bool write_to_file_touched(const struct write_to_file_marks *marks);
void write_to_file_marks_done(struct write_to_file_marks *marks);
/* As items of a batch, list->len of them; the list keeps what they point to. */
void write_to_file_items(const struct write_to_file_list *list, struct write_item *ret_items);

#endif
