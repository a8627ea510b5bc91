/*
 * Names that have no row in any table, and why: a template that uses one is told so, instead of that no such function exists.
 */
#include <stdlib.h>
#include <string.h>

#include "fn/functions.h"

static const char *const consul_names[] = {
    "byKey",   "byMeta",           "byPort",           "byTag",  "caLeaf",    "caRoots",      "connect",  "datacenters",
    "explode", "exportedServices", "importedServices", "key",    "keyExists", "keyOrDefault", "ls",       "node",
    "nodes",   "partitions",       "peerings",         "safeLs", "safeTree",  "service",      "services", "tree",
};

static const char *const nomad_names[] = {
    "nomadService", "nomadServices", "nomadVar", "nomadVarExists", "nomadVarList", "nomadVarListSafe",
};

static int compare_name(const void *name, const void *row)
{
    return str_cmp(*(const struct str *)name, str_of(*(const char *const *)row));
}

static bool is_among(struct str name, const char *const *names, size_t count)
{
    return bsearch(&name, names, count, sizeof(names[0]), compare_name) != NULL;
}

#define AMONG(name, names) is_among(name, names, ARRAY_LEN(names))

const char *functions_absence(struct str name)
{
    if (AMONG(name, consul_names))
        return "asks Consul, which is not supported: this agent asks Vault";
    if (AMONG(name, nomad_names))
        return "asks Nomad, which is not supported: this agent asks Vault";
    return "not defined";
}
