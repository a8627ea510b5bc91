#include "inject/hint.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 64 /* longer names are not compared: Kubernetes allows 63 */
#define NEAR     3  /* at most so many letters wrong */

/* ----------------------------------------------------------------------------------------------------- nearest name */

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(struct str a, struct str b)
{
    size_t row[WORD_MAX + 1];

    if (a.len > WORD_MAX || b.len > WORD_MAX || a.len > b.len + NEAR || b.len > a.len + NEAR)
        return WORD_MAX;
    for (size_t i = 0; i <= b.len; i++)
        row[i] = i;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            size_t above = row[k];

            row[k] = min3(row[k] + 1, row[k - 1] + 1, diagonal + (a.data[i - 1] != b.data[k - 1]));
            diagonal = above;
        }
    }
    return row[b.len];
}

/* The part of `suffix` that stands for a family's name: as many dashes as the family has. */
static struct str family_part(struct str suffix, const char *family)
{
    size_t dashes = 0, len = 0;

    for (const char *p = family; *p; p++)
        dashes += *p == '-';
    for (; len < suffix.len && !(suffix.data[len] == '-' && dashes == 0); len++)
        dashes -= suffix.data[len] == '-';
    return (struct str){suffix.data, len};
}

const struct annot_row *hint_nearest(struct str suffix)
{
    const struct annot_row *best = NULL;
    size_t nearest = NEAR + 1;

    for (size_t i = 0; i < ANNOT_COUNT; i++) {
        struct str name = str_of(annot_rows[i].name), given = suffix;
        size_t away;

        if (annot_rows[i].kind == ANNOT_FAMILY)
            given = family_part(suffix, annot_rows[i].name);
        away = distance(given, name);
        if (away < nearest && away * 3 <= name.len) {
            nearest = away;
            best = &annot_rows[i];
        }
    }
    return best;
}

void hint_unknown(const struct val *annotations, struct warnings *warnings)
{
    const char *name;

    for (size_t i = 0; annotations && i < annotations->map.len && !warn_full(warnings); i++) {
        struct str key = annotations->map.pairs[i].key->s, suffix = annot_suffix(key);
        const struct annot_row *nearest;

        if (!suffix.data || annot_find(suffix, &name))
            continue;
        nearest = hint_nearest(suffix);
        if (nearest)
            warn_add(warnings, "unknown annotation %.128s: did you mean %s%s?", key.data, nearest->name,
                     nearest->kind == ANNOT_FAMILY ? "-NAME" : "");
        else
            warn_add(warnings, "unknown annotation %.128s", key.data);
    }
}

/* ---------------------------------------------------------------------------------------------------------- orphans */

static const enum annot companions[] = {
    ANNOT_AGENT_INJECT_COMMAND,
    ANNOT_AGENT_INJECT_FILE,
    ANNOT_AGENT_INJECT_PERMS,
    ANNOT_AGENT_TEMPLATE_LEFT_DELIM,
    ANNOT_AGENT_TEMPLATE_RIGHT_DELIM,
    ANNOT_ERROR_ON_MISSING_KEY,
    ANNOT_PRESERVE_SECRET_CASE,
    ANNOT_SECRET_VOLUME_PATH,
    ANNOT_OWN_OWNER,
    ANNOT_OWN_SIGNAL,
    ANNOT_OWN_IDENTITY,
};

/* A declared name that differs in case only; data NULL when there is none. */
static struct str find_like(const struct plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->secret_count; i++) {
        if (plan->secrets[i].name.len == name.len && strncasecmp(plan->secrets[i].name.data, name.data, name.len) == 0)
            return plan->secrets[i].name;
    }
    return (struct str){NULL, 0};
}

static void hint_family(const struct plan *plan, enum annot family, struct warnings *warnings)
{
    size_t count, first = annots_family(plan->annots, family, &count), skip = strlen(annot_rows[family].name) + 1;

    for (size_t i = first; i < first + count && !warn_full(warnings); i++) {
        struct str key = plan->annots->map.map.pairs[i].key->s, name = {key.data + skip, key.len - skip}, like;
        const char *rest;
        const struct annot_row *row = annot_find(key, &rest);

        if (row != &annot_rows[family] || plan_secret_named(plan, name) ||
            (family == ANNOT_OWN_IDENTITY && plan_variable_named(plan, name)))
            continue;
        like = find_like(plan, name);
        if (like.data)
            warn_add(warnings, "annotation %.128s has no effect: the secret is named %.63s, in that case", key.data, like.data);
        else
            warn_add(warnings, "annotation %.128s has no effect: no agent-inject-secret-%.63s or -template-%.63s", key.data,
                     name.data, name.data);
    }
}

void hint_orphans(const struct plan *plan, struct warnings *warnings)
{
    for (size_t i = 0; i < ARRAY_LEN(companions); i++)
        hint_family(plan, companions[i], warnings);
}
