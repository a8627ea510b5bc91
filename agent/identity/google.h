/*
 * google: who a process is to Google Cloud, found where Google's own tools find it.
 *
 * A key of a service account or a federation file (of the configuration, GOOGLE_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS or
 * gcloud's folder), else the machine's metadata service. It answers with a signed JWT of its own making: a key signs here; the
 * others fetch an access token, and have Google sign for the service account. A machine: google_sign() is given the last answer
 * and describes the next request. Nothing is cached.
 */
#ifndef IDENTITY_GOOGLE_H
#define IDENTITY_GOOGLE_H

#include "identity/ask.h"
#include "os/reach.h"

struct google_options {
    const char *credentials;     /* JSON; NULL or "": wherever it is found */
    const char *service_account; /* NULL or "": the one the credentials are of */
};

struct google;

struct google *google_new(const struct google_options *options); /* texts stay borrowed */
void google_free(struct google *google);
/* 1: the JWT is there; 0: `ask` is to be sent, and its answer comes back as `told`; -1. `told` NULL begins a round, for a token
 * of `life_s` seconds that is meant for `audience`. */
int google_sign(struct google *google, const char *audience, int64_t life_s, const struct told *told, struct ask *ask,
                struct err *err) MUST_USE;
/* Secret, until the next round. */
const char *google_jwt(const struct google *google);
/* The machine's own token for an audience, from its metadata service: describe the question. */
int google_ask_identity(const char *service_account, const char *audience, struct ask *ask, struct err *err) MUST_USE;
/* The files of all these places. */
void google_reach(const struct google *google, struct reach *reach);

#endif
