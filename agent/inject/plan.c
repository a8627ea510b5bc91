#include "inject/plan.h"

#include <stdlib.h>

struct str plan_text(const struct plan *plan, enum annot annot)
{
    return plan->text[annot].data ? plan->text[annot] : STR("");
}

bool plan_has_init(const struct plan *plan)
{
    return plan->prepopulate;
}

bool plan_has_sidecar(const struct plan *plan)
{
    return !plan->prepopulate_only;
}

bool plan_wants_container(const struct plan *plan, struct str container)
{
    return !plan->wanted || bsearch(&container, plan->wanted, plan->wanted_count, sizeof(container), str_sort);
}

static int compare_secret(const void *name, const void *secret)
{
    return str_cmp(*(const struct str *)name, ((const struct plan_secret *)secret)->name);
}

static const struct plan_secret *find(const struct plan_secret *list, size_t count, struct str name)
{
    return count ? bsearch(&name, list, count, sizeof(*list), compare_secret) : NULL;
}

const struct plan_secret *plan_secret_named(const struct plan *plan, struct str name)
{
    return find(plan->secrets, plan->secret_count, name);
}

const struct plan_secret *plan_variable_named(const struct plan *plan, struct str name)
{
    return find(plan->variables, plan->variable_count, name);
}
