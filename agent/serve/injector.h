/*
 * injector: everything of ampule-injector that runs, tied together: where certificates come from, the server, its end by SIGTERM
 * or SIGINT.
 *
 * Certificates are files (-tls-cert-file, -tls-key-file; with -tls-auto and -tls-ca-cert-file their CA is published, too), or
 * made and kept here
 * (-tls-auto). The listener opens with the first certificate; ready is who serves one that the API server trusts, as far as that
 * is ours to see.
 */
#ifndef SERVE_INJECTOR_H
#define SERVE_INJECTOR_H

#include "inject/settings.h"

/* Runs until it is told to end. `namespace`: where the certificates' Secret is. */
int injector_run(const struct settings *settings, const char *namespace, struct err *err) MUST_USE;

#endif
