/* Semantic versions. Source: sprig, Masterminds/semver. */
#include "fn/fn.h"
#include "go/semver_range.h"
#include "tpl/tpl.h"

#define PATTERNS_STEPS 6000 /* to compile the patterns that constraints are read by */
#define BYTE_STEPS     200  /* to search them in a byte of a constraint */

static int body_semver(struct call *call, struct val *ret)
{
    struct semver version;

    if (semver_parse(call->argv[0].s, fn_redacts(call), &version, call->err) != 0)
        return -1;
    return semver_value(call->arena, &version, ret, call->err);
}

static int body_semver_compare(struct call *call, struct val *ret)
{
    struct semver_range *range;
    struct semver version;

    if (call_spend(call, PATTERNS_STEPS + call->argv[0].s.len * BYTE_STEPS) != 0 ||
        semver_range_parse(call->arena, call->argv[0].s, fn_redacts(call), &range, call->err) != 0 ||
        semver_parse(call->argv[1].s, fn_redacts(call), &version, call->err) != 0)
        return -1;
    return fn_return_bool(semver_range_has(range, &version), ret);
}

static const struct func rows[] = {
    {"sprig_semver", "s", body_semver, "VERSION",
     "The version: .Major .Minor .Patch .Prerelease .Metadata .Original .Compare ...", COST_HARD},
    {"sprig_semverCompare", "ss", body_semver_compare, "CONSTRAINT VERSION",
     "True when the version is as wanted: \"^1.2 || >= 3\".", COST_HARD},
};

const struct func_table fn_sprig_semver = {rows, ARRAY_LEN(rows)};
