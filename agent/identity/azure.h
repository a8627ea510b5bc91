/*
 * azure: tokens of Entra ID, found where Azure's own tools find them.
 *
 * Of a managed identity (the machine's metadata service, or the service of App Service, Container Apps and Arc), or of the
 * environment: a client secret, a workload identity's file (in AKS also through the proxy of identity bindings), a managed
 * identity; the first that is set counts. A machine: azure_next() is given the last answer and describes the next request.
 * Nothing is cached.
 */
#ifndef IDENTITY_AZURE_H
#define IDENTITY_AZURE_H

#include "identity/ask.h"
#include "os/reach.h"

struct azure_options {
    const char *resource;              /* "https://vault.example" */
    const char *scope;                 /* NULL or "": resource/.default */
    const char *object_id, *client_id; /* which of several managed identities; NULL or "": the one there is; not both */
    bool environment;
};

struct azure;

struct azure *azure_new(const struct azure_options *options); /* texts stay borrowed */
void azure_free(struct azure *azure);
/* 1: the token is there; 0: `ask` is to be sent, and its answer comes back as `told`; -1. `told` NULL begins a round. */
int azure_next(struct azure *azure, const struct told *told, struct ask *ask, struct err *err) MUST_USE;
/* Secret, until the next round. */
const char *azure_token(const struct azure *azure);
/* What the machine's metadata service says of the machine: describe the question. */
int azure_ask_instance(struct ask *ask, struct err *err) MUST_USE;
/* The files of the environment. */
void azure_reach(const struct azure *azure, struct reach *reach);

#endif
