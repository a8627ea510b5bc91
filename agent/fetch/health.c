#include "fetch/health.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define VERSION 1

void health_init(struct health *health)
{
    *health = (struct health){.version = VERSION, .trouble_ms = -1};
}

void health_note(struct health *health, int64_t since, const char *text)
{
    int64_t age = clock_now() - since > 0 ? clock_now() - since : 0;

    if (age <= health->trouble_ms)
        return;
    health->trouble_ms = age;
    snprintf(health->trouble, sizeof(health->trouble), "%s", text);
}

void health_note_trouble(struct health *health, const struct trouble *trouble)
{
    if (trouble->err.code)
        health_note(health, trouble->since, trouble->err.text);
}

void trouble_begin(struct trouble *trouble, const struct err *err)
{
    if (!trouble->err.code)
        trouble->since = clock_now();
    trouble->err = *err;
}

void trouble_end(struct trouble *trouble)
{
    err_clear(&trouble->err);
}

bool health_read(const void *data, size_t len, struct health *ret)
{
    if (len != sizeof(*ret))
        return false;
    memcpy(ret, data, len);
    ret->trouble[sizeof(ret->trouble) - 1] = ret->behind[sizeof(ret->behind) - 1] = '\0';
    return ret->version == VERSION;
}

int health_purpose(const char *word, enum health_purpose *ret, struct err *err)
{
    static const char *const words[] = {
        [HEALTH_STARTUP] = "startup", [HEALTH_READINESS] = "readiness", [HEALTH_LIVENESS] = "liveness"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum health_purpose)i;
            return 0;
        }
    }
    return err_set(err, ERR_INPUT, "flag -for: startup, readiness or liveness is expected");
}

int health_judge(const struct health *health, enum health_purpose purpose, int64_t patience_ms, struct err *err)
{
    if (purpose == HEALTH_LIVENESS)
        return 0;
    if (!health->rendered)
        return err_set(err, ERR_RETRY, "not everything is on disk: %s", health->behind);
    if (purpose == HEALTH_STARTUP)
        return 0;
    if (!health->token)
        return err_set(err, ERR_RETRY, "no valid token%s%s", health->trouble_ms >= 0 ? ": " : "", health->trouble);
    if (health->trouble_ms >= 0 && health->trouble_ms >= patience_ms)
        return err_set(err, ERR_RETRY, "for %lld s: %s", (long long)(health->trouble_ms / 1000), health->trouble);
    return 0;
}
