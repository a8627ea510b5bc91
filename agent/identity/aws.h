/*
 * aws: keys of AWS, found where AWS's own tools find them.
 *
 * The configuration, the environment, a web identity (STS), the profile files, a container's service (ECS, Pod Identity), and the
 * machine's metadata (EC2); the first place that has something counts, and its failure is the failure. A machine: aws_next() is
 * given the last answer and describes the next request. Every round begins anew, files are read again, nothing is cached.
 */
#ifndef IDENTITY_AWS_H
#define IDENTITY_AWS_H

#include "identity/ask.h"
#include "identity/sigv4.h"
#include "os/reach.h"

struct aws_options {
    const char *access_key, *secret_key, *session_token; /* of the configuration; NULL or "": none; borrowed */
    const char *region;                                  /* "" or NULL: whatever the surroundings say */
};

struct aws;

struct aws *aws_new(const struct aws_options *options);
void aws_free(struct aws *aws);
/* 1: the keys are there; 0: `ask` is to be sent, and its answer comes back as `told`; -1. `told` NULL begins a round. */
int aws_next(struct aws *aws, const struct told *told, struct ask *ask, struct err *err) MUST_USE;
/* What the last round found; its memory is secret and stays until the next begins. */
const struct sigv4_key *aws_key(const struct aws *aws);
/* Where it was found: "the environment". */
const char *aws_source(const struct aws *aws);
/* When the keys end, in ms since 1970; CLOCK_NEVER when nobody says so. */
int64_t aws_ends_at(const struct aws *aws);
/* The region of the options, the environment or the profile; NULL when none says. */
const char *aws_region(const struct aws *aws);
/* The files of all these places. */
void aws_reach(const struct aws *aws, struct reach *reach);

/* "https://sts.eu-west-1.amazonaws.com/": NULL is the endpoint of all regions. */
void aws_sts_url(struct buf *ret, const char *region);

#endif
