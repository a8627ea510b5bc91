#include "config/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define TEXT_MAX 1024

void problems_init(struct problems *problems)
{
    *problems = (struct problems){.len = 0};
    arena_init(&problems->arena, LIMIT_PROBLEMS_BYTES, "problems of the configuration");
}

void problems_done(struct problems *problems)
{
    arena_done(&problems->arena);
    *problems = (struct problems){.len = 0};
}

static void count(struct problems *problems, enum problem_severity severity)
{
    problems->errors += severity == PROBLEM_ERROR;
    problems->unusable += severity != PROBLEM_WARNING;
}

/* NULL when there is no room: the counters still tell that there was something. */
static struct problem *next_item(struct problems *problems, struct err *err)
{
    if (problems->len == problems->room) {
        size_t room = problems->room ? problems->room * 2 : 8;
        struct problem *items = arena_regrow(&problems->arena, problems->items, problems->len, room, sizeof(*items), err);

        if (!items)
            return NULL;
        problems->items = items;
        problems->room = room;
    }
    return &problems->items[problems->len];
}

static const char *keep(struct problems *problems, const char *s, struct err *err)
{
    const char *copy = arena_strndup(&problems->arena, s, strlen(s), err);

    return copy ? copy : "";
}

static void add_text(struct problems *problems, struct problem problem)
{
    struct err ignored;
    struct problem *item = next_item(problems, &ignored);

    if (!item)
        return;
    *item = problem;
    item->file = keep(problems, problem.file, &ignored);
    item->path = keep(problems, problem.path, &ignored);
    item->text = keep(problems, problem.text, &ignored);
    if (arena_check(&problems->arena, &ignored) == 0)
        problems->len++;
}

void problems_add(struct problems *problems, enum problem_severity severity, const char *file, struct val_place place,
                  const char *path, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    count(problems, severity);
    if (problems->len > LIMIT_PROBLEMS)
        return;
    if (problems->len == LIMIT_PROBLEMS) {
        add_text(problems, (struct problem){severity, "", 0, 0, "", "there are more problems than these"});
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    add_text(problems, (struct problem){severity, file, place.line, place.column, path, text});
}

static void write_plain(struct buf *buf, const char *s)
{
    for (; *s; s++)
        buf_addc(buf, (unsigned char)*s < 0x20 || *s == 0x7F ? '?' : *s);
}

void problem_write(const struct problem *problem, struct buf *buf)
{
    write_plain(buf, problem->file);
    if (problem->line)
        buf_addf(buf, ":%u:%u", problem->line, problem->column);
    if (problem->file[0])
        buf_adds(buf, ": ");
    buf_adds(buf, problem->severity == PROBLEM_WARNING ? "warning: " : "error: ");
    if (problem->path[0]) {
        write_plain(buf, problem->path);
        buf_adds(buf, ": ");
    }
    write_plain(buf, problem->text);
}
