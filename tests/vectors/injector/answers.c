/*
 * answers: what inject/ answers to many reviews, for run_injector.py.
 *
 * Standard input: a line a case, {"env": {NAME: VALUE}, "review": …}; "body" in place of "review" is posted as it stands.
 * Standard output: a line each, {"status": 200, "body": "…"}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "inject/review.h"

static const struct val *variables;

static char *from_case(const char *name)
{
    return (char *)(uintptr_t)val_get_cstr(variables, name);
}

static void ask(const struct val *asked, struct buf *answer, int *ret_status)
{
    const struct val *body = val_get(asked, "body"), *review = val_get(asked, "review");
    _cleanup_settings_ struct settings settings = {0};
    struct review_note note;
    struct buf text;
    struct err err;

    buf_init(&text, MIB(8));
    if (body)
        buf_add(&text, body->s.data, body->s.len);
    else if (json_write(&text, review, JSON_NO_HTML, &err) != 0)
        exit(2);
    variables = val_get(asked, "env");
    if (settings_parse(&settings, 0, NULL, from_case, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    *ret_status = review_answer(&settings, text.data, text.len, answer, &note);
    buf_done(&text);
}

static void one_case(const char *line, size_t len)
{
    struct arena arena;
    struct buf answer, out;
    struct val asked;
    struct err err;
    int status;

    arena_init(&arena, MIB(64), "case");
    buf_init(&answer, LIMIT_REVIEW_ANSWER_BYTES);
    buf_init(&out, 2 * LIMIT_REVIEW_ANSWER_BYTES);
    if (json_read(line, len, NULL, &arena, &asked, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
    ask(&asked, &answer, &status);
    json_text_open(&out, '{');
    json_text_key(&out, "status");
    json_text_int(&out, status);
    json_text_member(&out, "body", (struct str){answer.data, answer.len});
    json_text_close(&out, '}');
    puts(out.data);
    buf_done(&answer);
    buf_done(&out);
    arena_done(&arena);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    while ((len = getline(&line, &room, stdin)) > 0)
        one_case(line, (size_t)len);
    free(line);
    return 0;
}
