/*
 * ask: one request to somebody else than the Vault server, described and not sent; and what was answered.
 *
 * Metadata services, token endpoints, STS. Whoever needs several answers is a machine that is given the last answer (`struct
 * told`, NULL to begin) and describes the next request; flow/courier sends them, one after the other. Everything secret lies in
 * secret buffers and ends with the description.
 */
#ifndef IDENTITY_ASK_H
#define IDENTITY_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/val.h"

enum { ASK_HEADERS = 8 };

struct ask {
    const char *method; /* "GET", "PUT", "POST"; NULL: no description */
    bool near;          /* metadata of this machine: no proxy, answered within seconds or not at all */
    bool once;          /* a refusal is news, and not tried again */
    char *origin;       /* "https://host:port" */
    struct buf path;    /* secret: begins with "/", escaped, with its query */
    struct {
        const char *name; /* static storage */
        struct buf value; /* secret */
    } headers[ASK_HEADERS];
    size_t header_count;
    bool has_body;
    struct buf body;      /* secret */
    const char *ca_file;  /* whom to believe instead of the system's authorities; borrowed, "" or NULL for those */
    const char *ca_pem;   /* the same as text */
    const char *tls_name; /* instead of the host of `origin`; borrowed */
};

/* What came back. */
struct told {
    int status;               /* 0: nothing, `err` says why */
    struct str body;          /* secret, NUL-terminated; its owner's until the next call */
    const char *challenge;    /* WWW-Authenticate, "" for none */
    const struct err *err;    /* of no answer */
    const struct val *object; /* the body, where it was read already: of the server's answers */
};

/* Begin a description: `url` is absolute, its path escaped. */
int ask_begin(struct ask *ask, const char *method, const char *url, struct err *err) MUST_USE;
void ask_done(struct ask *ask); /* zeroed structs are accepted */
#define _cleanup_ask_ _cleanup_(ask_done)
/* `name` stays borrowed. */
void ask_header(struct ask *ask, const char *name, const char *value);
/* One more pair of a query, and of a form. */
void ask_query(struct ask *ask, const char *name, const char *value);
void ask_form(struct ask *ask, const char *name, const char *value);
/* 0, or -1 when something did not fit. */
int ask_check(const struct ask *ask, struct err *err) MUST_USE;

/* The answer to `ask` is a 2xx, or an error that names `what` and the status: never the body. */
int told_check(const struct told *told, const char *what, struct err *err) MUST_USE;
/* The body is a JSON object, read into the secret `arena`. */
int told_read(const struct told *told, struct arena *arena, struct val *ret, struct err *err) MUST_USE;
/* Both. */
int told_object(const struct told *told, const char *what, struct arena *arena, struct val *ret, struct err *err) MUST_USE;

#endif
