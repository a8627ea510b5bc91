/*
 * Names that have no row in any table, and why: a template that uses one is told so, instead of that no such function exists.
 * A name leaves `agent_names` and `sprig_names` when its function enters a table of fn_*.c.
 */
#include <stdlib.h>
#include <string.h>

#include "tpl/func.h"

static const char *const consul_names[] = {
    "byKey", "byMeta", "byPort", "byTag", "caLeaf", "caRoots", "connect", "datacenters", "explode", "exportedServices",
    "importedServices", "key", "keyExists", "keyOrDefault", "ls", "node", "nodes", "partitions", "peerings", "safeLs",
    "safeTree", "service", "services", "tree",
};

static const char *const nomad_names[] = {
    "nomadService", "nomadServices", "nomadVar", "nomadVarExists", "nomadVarList", "nomadVarListSafe",
};

static const char *const agent_names[] = {
    "parseYAML", "toTOML", "toYAML",
};

/* Under the prefix "sprig_". */
static const char *const sprig_names[] = {
    "abbrev", "abbrevboth", "add", "add1", "add1f", "addf", "ago", "all", "any", "append", "atoi", "b32dec", "b32enc",
    "base", "bcrypt", "biggest", "buildCustomCert", "camelcase", "cat", "ceil", "chunk", "clean", "coalesce", "compact",
    "concat", "contains", "decryptAES", "deepCopy", "deepEqual", "default", "derivePassword", "dict", "dig", "dir",
    "div", "divf", "duration", "durationRound", "empty", "encryptAES", "ext", "fail", "first", "float64", "floor",
    "fromJson", "genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
    "genSignedCert", "genSignedCertWithKey", "get", "has", "hasKey", "hasPrefix", "hasSuffix", "hello", "htpasswd",
    "indent", "initial", "initials", "int", "int64", "isAbs", "join", "kebabcase", "keys", "kindIs", "kindOf", "last",
    "list", "lower", "max", "maxf", "merge", "mergeOverwrite", "min", "minf", "mod", "mul", "mulf", "mustAppend",
    "mustChunk", "mustCompact", "mustDateModify", "mustDeepCopy", "mustFirst", "mustFromJson", "mustHas", "mustInitial",
    "mustLast", "mustMerge", "mustMergeOverwrite", "mustPrepend", "mustPush",
    "mustRest", "mustReverse",
    "mustSlice", "mustToDate", "mustToJson", "mustToPrettyJson", "mustToRawJson", "mustUniq", "mustWithout",
    "must_date_modify", "nindent", "nospace", "omit", "osBase", "osClean", "osDir", "osExt", "osIsAbs", "pick", "pluck",
    "plural", "prepend", "push", "quote", "randInt",
    "repeat", "replace", "rest", "reverse", "round",
    "semver", "semverCompare", "seq", "set", "shuffle", "slice", "snakecase", "sortAlpha", "split", "splitList",
    "splitn", "squote", "sub", "subf", "substr", "swapcase", "ternary", "title", "toDate", "toDecimal", "toJson",
    "toPrettyJson", "toRawJson", "toString", "toStrings", "trim", "trimAll", "trimPrefix", "trimSuffix", "trimall",
    "trunc", "tuple", "typeIs", "typeIsLike", "typeOf", "uniq", "unixEpoch", "unset", "until", "untilStep", "untitle",
    "upper", "urlJoin", "urlParse", "values", "without", "wrap", "wrapWith",
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

const char *func_absence(struct str name)
{
    static const char prefix[] = "sprig_";
    struct str rest = {name.data + sizeof(prefix) - 1, name.len - (sizeof(prefix) - 1)};

    if (str_has_prefix(name, prefix))
        return AMONG(rest, sprig_names) ? "not supported yet" : "not defined";
    if (AMONG(name, agent_names))
        return "not supported yet";
    if (AMONG(name, consul_names))
        return "asks Consul, which is not supported: this agent asks Vault";
    if (AMONG(name, nomad_names))
        return "asks Nomad, which is not supported: this agent asks Vault";
    return "not defined";
}
