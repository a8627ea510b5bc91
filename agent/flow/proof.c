#include "flow/proof.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/courier.h"
#include "flow/helper.h"

enum use { IDLE, LOGIN, LOOK };

struct proof {
    struct loop *loop;
    struct login *login;
    struct helper *helper;   /* NULL: the login has none */
    struct courier *courier; /* NULL: the login asks nobody else */
    struct proof_events events;
    struct loop_timer timer; /* of the next look */
    enum use use;            /* what is asked or described is for this */
    struct login_request request;
    unsigned char taken[DIGEST_SHA256_LEN]; /* the credential of the token in use */
};

static void forget(struct proof *proof)
{
    login_request_done(&proof->request);
    proof->request = (struct login_request){0};
    proof->use = IDLE;
}

static void failed(struct proof *proof, const struct err *err)
{
    enum use use = proof->use;

    forget(proof);
    if (use == LOGIN)
        proof->events.on_failure(proof->events.ctx, err);
    else
        log_debug("agent.auth", "no look for other credentials: error=%s", err->text);
}

/* A token that was handed over does not say whose it is: the first look is believed. */
static void looked(struct proof *proof)
{
    static const unsigned char nobody[sizeof(proof->taken)];
    bool other = memcmp(proof->taken, proof->request.credential, sizeof(nobody)) != 0;
    bool known = memcmp(proof->taken, nobody, sizeof(nobody)) != 0;

    if (!known)
        memcpy(proof->taken, proof->request.credential, sizeof(nobody));
    forget(proof);
    if (other && known)
        proof->events.on_other(proof->events.ctx);
}

/* The next request: `told` is the answer to the last, NULL begins. */
static void go_on(struct proof *proof, const struct told *told)
{
    enum use use = proof->use;
    struct err err;

    forget(proof);
    proof->use = use;
    if (login_next(proof->login, told, &proof->request, &err) != 0)
        failed(proof, &err);
    else if (proof->request.ask.method)
        courier_send(proof->courier, &proof->request.ask);
    else if (proof->request.help)
        helper_start(proof->helper);
    else if (use == LOOK)
        looked(proof);
    else
        proof->events.on_ready(proof->events.ctx);
}

static void on_told(void *ctx, const struct told *told)
{
    go_on(ctx, told);
}

static void on_time(void *ctx)
{
    struct proof *proof = ctx;

    timer_after(&proof->timer, login_look_ms(proof->login));
    if (proof->use != IDLE)
        return;
    proof->use = LOOK;
    go_on(proof, NULL);
}

struct proof *proof_new(struct loop *loop, struct login *login, const struct proof_events *events)
{
    struct proof *proof = mem_alloc(sizeof(*proof));

    proof->loop = loop;
    proof->login = login;
    proof->events = *events;
    proof->courier = login_asks(login) ? courier_new(loop, on_told, proof) : NULL;
    timer_init(&proof->timer, loop, on_time, proof);
    return proof;
}

void proof_help(struct proof *proof, struct launcher *launcher, unsigned program)
{
    proof->helper = helper_new(proof->loop, launcher, program, on_told, proof);
}

static void ask_nobody(struct proof *proof)
{
    if (proof->courier)
        courier_cancel(proof->courier);
    if (proof->helper)
        helper_cancel(proof->helper);
}

void proof_begin(struct proof *proof)
{
    ask_nobody(proof);
    proof->use = LOGIN;
    go_on(proof, NULL);
}

void proof_told(struct proof *proof, const struct told *told)
{
    go_on(proof, told);
}

const struct login_request *proof_request(const struct proof *proof)
{
    return &proof->request;
}

void proof_end(struct proof *proof, bool taken)
{
    if (taken)
        memcpy(proof->taken, proof->request.credential, sizeof(proof->taken));
    if (proof->use == LOGIN)
        forget(proof);
}

void proof_watch(struct proof *proof)
{
    if (login_look_ms(proof->login))
        timer_after(&proof->timer, login_look_ms(proof->login));
}

void proof_cancel(struct proof *proof)
{
    timer_stop(&proof->timer);
    ask_nobody(proof);
    forget(proof);
}

void proof_free(struct proof *proof)
{
    if (!proof)
        return;
    proof_cancel(proof);
    courier_free(proof->courier);
    helper_free(proof->helper);
    login_free(proof->login);
    mem_free(proof);
}

void proof_reach(const struct proof *proof, struct reach *reach)
{
    login_reach(proof->login, reach);
    if (proof->courier)
        courier_reach(reach);
}
