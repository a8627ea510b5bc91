/*
 * ssh_cert: until when an OpenSSH certificate is good, out of the line that ssh-keygen and a server's SSH engine write.
 *
 * All key types of OpenSSH 9. Nothing is verified: whoever signed it was asked for it. Limit: LIMIT_SSH_CERT_BYTES of text.
 */
#ifndef GO_SSH_CERT_H
#define GO_SSH_CERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/val.h"

/* Seconds since 1970; UINT64_MAX for ever. False: it is none. */
bool ssh_cert_valid_before(struct str line, uint64_t *ret);

#endif
