/*
 * keeper: certificates that every replica can make and renew, without a leader.
 *
 * The keyring lies in a Secret; each write names the resourceVersion that was read, so of several replicas one wins (409 for the
 * others, who read again). The caBundle of the MutatingWebhookConfiguration is looked at after every change of either object and
 * put right; a certificate is handed out only when its CA is published, or when there is no configuration to publish it in yet.
 * While the API server is away all stays as it is. Without a Secret the keyring lives in memory only. With `bundle` (PEM) nothing
 * is made: that bundle is published and kept right.
 */
#ifndef SERVE_KEEPER_H
#define SERVE_KEEPER_H

#include "kube/kube.h"
#include "serve/keyring.h"
#include "serve/metrics.h"

struct keeper;

struct keeper_options { /* all borrowed */
    struct kube *kube;
    const char *namespace, *secret; /* `secret` NULL: none */
    const char *webhook;            /* name of the configuration */
    struct keyring_hosts hosts;
    const char *bundle; /* NULL: certificates are made here */
    struct metrics *metrics;
    /* A certificate to serve with from now on. */
    int (*on_certificate)(void *ctx, const char *chain, const char *key, struct err *err);
    /* The API server has our CAs: for the first time, and again when they are others. */
    void (*on_published)(void *ctx);
    void *ctx;
};

int keeper_start(struct loop *loop, const struct keeper_options *options, struct keeper **ret, struct err *err) MUST_USE;
void keeper_set_bundle(struct keeper *keeper, const char *bundle); /* another one to publish; copied */
void keeper_stop(struct keeper *keeper);                           /* NULL is accepted */

#endif
