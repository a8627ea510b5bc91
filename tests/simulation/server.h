/*
 * server: a model of Vault: tokens and leases that end, engines that hand out secrets; what is refused and in which words.
 *
 * It knows nothing of faults (weather) and never wakes: what is alive is a question of the clock. Its own clock is right,
 * whatever the pod's wall clock says. Tokens and leases have numbers from 1 on; nothing is forgotten while a run lasts, so that a
 * judge may ask about all of them.
 */
#ifndef SIMULATION_SERVER_H
#define SIMULATION_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

#define SERVER_SECRETS 8 /* of each engine */

/* What its operator has configured; seconds, 0: without such a limit. */
struct server_rules {
    int64_t token_ttl, token_max, token_uses;
    bool token_renewable; /* false: a batch token */
    int64_t lease_ttl, lease_max;
    bool lease_renewable;
    int64_t rotation, certificate_ttl, kv1_ttl;
    bool terse; /* of a bad token it says "permission denied" and no more, as OpenBao does */
    bool no_lookup, no_token_renewal, no_lease_renewal, no_wrapping; /* by the policy */
};

struct server_token {
    int64_t born, end, last; /* CLOCK_NEVER: without */
    int64_t uses_left;       /* -1: without */
    bool revoked;
};

struct server_lease {
    unsigned token;
    int64_t born, end, last, full_ms;
    bool revoked, capped; /* capped: the last grant was shortened by `last` */
    int64_t would_end;    /* had nobody revoked it */
    unsigned secret;
};

void server_reset(const struct server_rules *rules);
struct server_rules *server_rules(void);
void server_serve(const struct wire_request *request, struct wire_answer *answer);

/* By its operator. */
void server_change(unsigned secret); /* another version, in both KV engines */
void server_revoke_tokens(void);
void server_revoke_leases(void);
/* A restart from a snapshot that is older than all of them. */
void server_forget(void);

/* The number in "hvs.SIM7"; 0: none. */
unsigned server_token_number(const char *token);
/* The token that lies in the wrapping token of this text, wherever in it that begins; 0: there is none. */
unsigned server_wrapped_in(const char *text);
const struct server_token *server_token(unsigned token);
const struct server_lease *server_lease(unsigned lease);
bool server_token_alive(unsigned token);
bool server_lease_alive(unsigned lease);
/* Newest token and lease. */
unsigned server_tokens(void);
unsigned server_leases(void);
/* Version of a KV secret as of `at`; how often a static password was rotated until then. */
unsigned server_version(unsigned secret, int64_t at);
unsigned server_rotations(int64_t at);
int64_t server_certificate_end(unsigned certificate); /* by clock_now() */

#endif
