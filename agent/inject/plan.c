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

const struct plan_secret *plan_secret_named(const struct plan *plan, struct str name)
{
    return plan->secret_count ? bsearch(&name, plan->secrets, plan->secret_count, sizeof(*plan->secrets), compare_secret) : NULL;
}
