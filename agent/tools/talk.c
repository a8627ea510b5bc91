#include "tools/talk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/retry.h"
#include "config/server_options.h"

static const struct retry_policy asking = {RETRY_ANYWHERE, .first_ms = 1000, .most_ms = 1000, .tries = 3};

/* ---------------------------------------------------------------------------------------------------------- waiting */

static void on_note(const char *text)
{
    fprintf(stderr, "ampule: %s\n", text);
}

static void on_interrupt(void *ctx, int signo)
{
    struct talk *talk = ctx;

    (void)signo;
    talk->interrupted = true;
    loop_stop(talk->loop);
}

int talk_open(struct talk *talk, const struct config_vault *vault, struct err *err)
{
    struct client_options options = {.http = server_options(vault), .namespace = vault->namespace};

    options.http.on_note = on_note;
    *talk = (struct talk){.vault = vault, .loop = loop_new(err)};
    if (!talk->loop || signal_start(&talk->interrupt, talk->loop, SIGINT, on_interrupt, talk, err) != 0)
        return -1;
    return client_new(talk->loop, &options, &talk->client, err);
}

void talk_close(struct talk *talk)
{
    if (talk->client)
        client_free(talk->client);
    signal_stop(&talk->interrupt);
    if (talk->loop)
        loop_free(talk->loop);
    *talk = (struct talk){0};
}

int talk_wait(struct talk *talk, const bool *done, struct err *err)
{
    while (!*done) {
        if (talk->interrupted)
            return err_set(err, ERR_INPUT, "interrupted");
        if (loop_run(talk->loop, err) != 0)
            return -1;
    }
    return 0;
}

struct pause {
    struct talk *talk;
    bool over;
};

static void on_over(void *ctx)
{
    struct pause *pause = ctx;

    pause->over = true;
    loop_stop(pause->talk->loop);
}

int talk_pause(struct talk *talk, int64_t ms, struct err *err)
{
    struct pause pause = {.talk = talk};
    struct loop_timer timer;
    int status;

    timer_init(&timer, talk->loop, on_over, &pause);
    timer_after(&timer, ms);
    status = talk_wait(talk, &pause.over, err);
    timer_stop(&timer);
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- asking */

void talk_plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

/* The original shows all of it, on several lines. */
static void add_words(const struct reply *reply, struct err *err)
{
    const struct val *errors = val_get(&reply->body, "errors");
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, ERR_TEXT_MAX);
    for (size_t i = 0; errors && errors->kind == VAL_LIST && i < errors->list.len; i++)
        if (errors->list.items[i].kind == VAL_STRING && errors->list.items[i].s.len)
            buf_addf(&text, "%s%s", text.len ? "; " : "", errors->list.items[i].s.data);
    if (text.len == 0)
        return;
    for (char *c = text.data; *c; c++)
        if (*c == '\n' || *c == '\t')
            *c = ' ';
    talk_plain(text.data);
    err_set(err, err->code, "%d: %s", reply->status, text.data);
}

struct answer {
    struct talk *talk;
    struct reply *reply;
    struct err err;
    bool done;
};

static void on_answer(void *ctx, struct reply *reply, const struct err *err)
{
    struct answer *answer = ctx;

    answer->err = err ? *err : (struct err){.code = ERR_NONE};
    *answer->reply = *reply;
    *reply = (struct reply){0};
    answer->done = true;
    loop_stop(answer->talk->loop);
}

int talk_try(struct talk *talk, const struct request *request, struct reply *ret, struct err *err)
{
    struct answer answer = {.talk = talk, .reply = ret};
    struct client_call *call;

    *ret = (struct reply){0};
    call = client_send(talk->client, request, on_answer, &answer);
    if (talk_wait(talk, &answer.done, err) != 0) {
        client_cancel(call);
        return -1;
    }
    if (answer.err.code == ERR_NONE)
        return 0;
    *err = answer.err;
    add_words(ret, err);
    return -1;
}

int talk_ask(struct talk *talk, const struct request *request, struct reply *ret, struct err *err)
{
    struct retry retry;
    int64_t wait;

    retry_init(&retry, &asking);
    while (talk_try(talk, request, ret, err) != 0) {
        wait = err->code == ERR_RETRY ? retry_next(&retry, clock_now(), NULL) : -1;
        if (wait < 0 || retry_gave_up(&retry))
            return -1;
        reply_done(ret);
        if (talk_pause(talk, wait, err) != 0)
            return -1;
    }
    return 0;
}
