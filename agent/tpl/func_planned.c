/*
 * Names that Vault Agent knows and this version does not: a template that uses one is told so, instead of that no such function exists.
 * A row leaves this file when its function enters a table of fn_*.c.
 */
#include <stdlib.h>
#include <string.h>

#include "tpl/func.h"

static const char *const agent_names[] = {
    "add", "base64URLDecode", "base64URLEncode", "byKey", "byMeta", "byPort", "byTag", "caLeaf", "caRoots", "connect",
    "containsAll", "containsAny", "containsNone", "containsNotAll", "datacenters", "divide", "envOrDefault",
    "executeTemplate", "explode", "explodeMap", "exportedServices", "hmacSHA256Hex", "importedServices", "in", "key",
    "keyExists", "keyOrDefault", "loop", "ls", "maximum", "md5sum", "mergeMap", "mergeMapWithOverride", "minimum", "modulo",
    "multiply", "mustEnv", "node", "nodes", "nomadService", "nomadServices", "nomadVar", "nomadVarExists", "nomadVarList",
    "nomadVarListSafe", "parseBool", "parseFloat", "parseInt", "parseUint", "parseYAML", "partitions", "peerings", "plugin",
    "safeLs", "safeTree", "scratch", "service", "services", "sha256Hex", "sockaddr",
    "spew_dump", "spew_printf", "spew_sdump", "spew_sprintf", "splitToMap", "subtract", "toTOML", "toTitle",
    "toUnescapedJSON", "toUnescapedJSONPretty", "toYAML", "tree", "trimPrefix", "trimSuffix", "writeToFile",
};

/* Under the prefix "sprig_". */
static const char *const sprig_names[] = {
    "abbrev", "abbrevboth", "add", "add1", "add1f", "addf", "adler32sum", "ago", "all", "any", "append", "atoi", "b32dec",
    "b32enc", "b64dec", "b64enc", "base", "bcrypt", "biggest", "buildCustomCert", "camelcase", "cat", "ceil", "chunk",
    "clean", "coalesce", "compact", "concat", "contains", "decryptAES", "deepCopy", "deepEqual", "default",
    "derivePassword", "dict", "dig", "dir", "div", "divf", "duration", "durationRound", "empty", "encryptAES", "ext",
    "fail", "first", "float64", "floor", "fromJson", "genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert",
    "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "get", "has", "hasKey", "hasPrefix", "hasSuffix",
    "hello", "htpasswd", "indent", "initial", "initials", "int", "int64", "isAbs", "join", "kebabcase", "keys", "kindIs",
    "kindOf", "last", "list", "lower", "max", "maxf", "merge", "mergeOverwrite", "min", "minf", "mod", "mul", "mulf",
    "mustAppend", "mustChunk", "mustCompact", "mustDateModify", "mustDeepCopy", "mustFirst", "mustFromJson", "mustHas",
    "mustInitial", "mustLast", "mustMerge", "mustMergeOverwrite", "mustPrepend", "mustPush",
    "mustRest",
    "mustReverse", "mustSlice", "mustToDate", "mustToJson", "mustToPrettyJson", "mustToRawJson", "mustUniq", "mustWithout",
    "must_date_modify", "nindent", "nospace", "omit", "osBase", "osClean", "osDir", "osExt", "osIsAbs", "pick", "pluck",
    "plural", "prepend", "push", "quote", "randInt",
    "repeat", "replace", "rest", "reverse", "round", "semver",
    "semverCompare", "seq", "set", "sha1sum", "sha256sum", "sha512sum", "shuffle", "slice", "snakecase", "sortAlpha",
    "split", "splitList", "splitn", "squote", "sub", "subf", "substr", "swapcase", "ternary", "title", "toDate",
    "toDecimal", "toJson", "toPrettyJson", "toRawJson", "toString", "toStrings", "trim", "trimAll", "trimPrefix",
    "trimSuffix", "trimall", "trunc", "tuple", "typeIs", "typeIsLike", "typeOf", "uniq", "unixEpoch", "unset", "until",
    "untilStep", "untitle", "upper", "urlJoin", "urlParse", "values", "without", "wrap", "wrapWith",
};

static int compare_name(const void *name, const void *row)
{
    return str_cmp(*(const struct str *)name, str_of(*(const char *const *)row));
}

bool func_is_planned(struct str name)
{
    static const char prefix[] = "sprig_";
    struct str rest = {name.data + sizeof(prefix) - 1, name.len - (sizeof(prefix) - 1)};

    if (!str_has_prefix(name, prefix))
        return bsearch(&name, agent_names, ARRAY_LEN(agent_names), sizeof(agent_names[0]), compare_name) != NULL;
    return bsearch(&rest, sprig_names, ARRAY_LEN(sprig_names), sizeof(sprig_names[0]), compare_name) != NULL;
}
