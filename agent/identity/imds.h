/*
 * imds: EC2's metadata service, version 2, and where it allows it version 1.
 *
 * A session's token first, then texts by their paths below /latest/. Which service: AWS_EC2_METADATA_SERVICE_ENDPOINT, else the
 * link-local address of AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE.
 */
#ifndef IDENTITY_IMDS_H
#define IDENTITY_IMDS_H

#include "identity/ask.h"

struct imds {
    struct buf token; /* secret; empty: version 1 */
};

/* AWS_EC2_METADATA_DISABLED */
bool imds_disabled(void);
void imds_done(struct imds *imds); /* zeroed structs are accepted */
/* Begin a session. */
int imds_open(struct imds *imds, struct ask *ask, struct err *err) MUST_USE;
/* Take the answer to that. */
int imds_opened(struct imds *imds, const struct told *told, struct err *err) MUST_USE;
/* "meta-data/placement/region" */
int imds_get(const struct imds *imds, const char *path, struct ask *ask, struct err *err) MUST_USE;

#endif
