#include "fetch/fetch_answer.h"

#include "base/clock.h"
#include "base/log.h"
#include "fetch/list_answer.h"
#include "fetch/pki.h"
#include "vault/answer.h"

static struct refresh_options rules_of(const struct fetch_options *options)
{
    return (struct refresh_options){.static_interval_ms = options->static_interval_ms, .threshold = options->renewal_threshold};
}

/* Takes the secret. */
static int plan(const struct dep *dep, struct secret *secret, const struct fetch_options *options, struct fetch_answer *ret,
                struct err *err)
{
    const struct refresh_options rules = rules_of(options);
    struct refresh refresh = secret_refresh(dep, secret, &rules);

    if (refresh.retry) {
        secret_free(secret);
        return err_set(err, ERR_RETRY, "%s: the server is rotating it (ttl 0)", dep->key);
    }
    if (secret->lease.renewable)
        lease_next(&secret->lease, &refresh.at);
    log_debug("agent.fetch", "answered: dep=%s next=%s in_ms=%lld", dep->key, refresh.why,
              refresh.at == CLOCK_NEVER ? -1LL : (long long)(refresh.at - clock_now()));
    *ret = (struct fetch_answer){secret, refresh.at};
    return 0;
}

/* As it is kept: a listing becomes its names. */
static int shape(const struct dep *dep, struct reply *reply, const struct fetch_asked *asked, struct err *err)
{
    if (dep->kind == DEP_LIST && reply->status == 404) {
        list_answer_empty(reply);
        return 0;
    }
    if (answer_check(dep, reply, asked->wrapped, asked->held, err) != 0)
        return -1;
    return dep->kind == DEP_LIST ? list_answer_from_reply(reply, err) : 0;
}

int fetch_answer_from_reply(const struct dep *dep, struct reply *reply, const struct fetch_asked *asked,
                            const struct fetch_options *options, struct fetch_answer *ret, struct err *err)
{
    if (dep->kind == DEP_PKI) {
        if (pki_from_reply(reply, options->renewal_threshold, &ret->secret, &ret->next_at, err) != 0)
            return err_wrap(err, "%s", dep->key);
        return 0;
    }
    if (shape(dep, reply, asked, err) != 0)
        return err_wrap(err, "%s", dep->key);
    return plan(dep, secret_take(dep, reply, asked->at), options, ret, err);
}

bool fetch_answer_from_file(const struct dep *dep, const struct fetch_options *options, struct fetch_answer *ret)
{
    const char *name = dep_arg(dep, "common_name");
    struct fetch_answer answer = {0};

    answer.secret = pki_from_file(dep->destination, name, options->renewal_threshold, &answer.next_at);
    if (answer.secret && pki_lost_key(dep, answer.secret)) {
        secret_free(answer.secret);
        return false;
    }
    if (answer.secret)
        *ret = answer;
    return answer.secret != NULL;
}

int fetch_answer_from_handed(const struct dep *dep, struct secret *handed, const struct fetch_options *options,
                             struct fetch_answer *ret, struct err *err)
{
    struct fetch_answer answer = {0};

    if (dep->kind != DEP_PKI)
        return plan(dep, handed, options, ret, err);
    answer.secret = pki_from_handed(dep, handed, options->renewal_threshold, &answer.next_at);
    if (!answer.secret)
        return err_set(err, ERR_MISSING, "%s: the certificate that was handed over is not good any more", dep->key);
    *ret = answer;
    return 0;
}

bool fetch_answer_time(const struct dep *dep, const struct secret *secret, const struct fetch_options *options, int64_t *ret)
{
    const struct refresh_options rules = rules_of(options);
    struct refresh refresh;

    if (dep->kind == DEP_PKI || secret->lease.renewable)
        return false;
    refresh = secret_refresh(dep, secret, &rules);
    if (refresh.at == CLOCK_NEVER || refresh.retry)
        return false;
    *ret = refresh.at;
    return true;
}
