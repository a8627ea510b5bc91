/*
 * journal: everything that the webhook's server says to its operator; no other file of serve/ logs.
 *
 * One function an event, in the order of a server's life. What reviews carry comes from anybody who reaches the port: of their
 * names only those are written that could be names in Kubernetes.
 */
#ifndef SERVE_JOURNAL_H
#define SERVE_JOURNAL_H

#include <stdint.h>

#include "inject/review.h"

/* The server itself. */
void journal_gap(const char *what, const char *reason); /* less confined than wanted */
void journal_listening(const char *address);
void journal_ending(int signo, int64_t grace_ms);

/* Requests. */
void journal_request(const char *method, const char *target);
void journal_review(const struct review_note *note);

/* Certificates: mounted files, then those made here. */
void journal_pair_taken(const char *file);
void journal_pair_refused(const struct err *err); /* the old one stays */
void journal_expired(const char *what);
void journal_step(const char *words);
void journal_secret_unfit(const struct err *err);
void journal_secret_restored(const char *namespace, const char *secret);
void journal_bundle(const char *webhook, size_t entries);
void journal_retry(const struct err *err, int64_t wait_ms);
void journal_watch_failed(const struct err *err);

#endif
