/*
 * door: the client that a login goes through: the one of the secrets, or, when the login shows a certificate of its own, one that
 * nothing else uses but the renewals of its token, which the server takes from the same certificate only.
 *
 * Opened when it is needed first: its files may come later, and until then every login fails and says why. Each of its
 * connections ends with its answer, so that the next shows what is in the files then.
 */
#ifndef FLOW_DOOR_H
#define FLOW_DOOR_H

#include "base/err.h"
#include "os/loop.h"
#include "vault/client.h"
#include "vault/login.h"

struct door;

/* A client that shows this identity; the caller's to free. */
typedef int door_open(void *ctx, const struct login_identity *identity, struct client **ret, struct err *err);

/* `login` and `common` are borrowed. `open` NULL: nothing is shown that `common` does not show. */
struct door *door_new(struct loop *loop, const struct login *login, struct client *common, door_open *open, void *ctx);
void door_free(struct door *door); /* NULL is accepted */
/* The client to send with. */
int door_client(struct door *door, struct client **ret, struct err *err) MUST_USE;
/* What was sent is answered. */
void door_rest(struct door *door);

#endif
