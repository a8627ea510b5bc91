#include "inject/plan_variable.h"

#include <string.h>

#include "base/limits.h"
#include "inject/plan_secret.h"

#define FAMILY "ampule.dev/env"

/* As a shell takes it; Kubernetes takes dots and dashes too, which no shell can name. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool letter = (s.data[i] >= 'a' && s.data[i] <= 'z') || (s.data[i] >= 'A' && s.data[i] <= 'Z') || s.data[i] == '_';

        if (!letter && !(i && s.data[i] >= '0' && s.data[i] <= '9'))
            return false;
    }
    return s.len > 0;
}

/* The line's end of a block of YAML is not meant. */
static struct str without_end(struct str text)
{
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static int identify(struct plan *plan, struct plan_secret *variable, struct err *err)
{
    struct str identity = annots_named(plan->annots, ANNOT_OWN_IDENTITY, variable->name);

    if (identity.len)
        return plan_identify(plan, identity, &variable->identity, err);
    plan->identities[0].used = true;
    return 0;
}

static int fill(struct plan *plan, struct plan_secret *variable, const struct val_pair *pair, struct arena *arena,
                struct err *err)
{
    size_t skip = sizeof(FAMILY "-") - 1;

    *variable = (struct plan_secret){.name = {pair->key->s.data + skip, pair->key->s.len - skip},
                                     .contents = without_end(pair->value.s),
                                     .left = STR("{{"),
                                     .right = STR("}}"),
                                     .volume_path = STR(PLAN_ENVIRONMENT_PATH),
                                     .perms = plan_text(plan, ANNOT_OWN_PERMS),
                                     .error_on_missing_key = true};
    if (!is_name(variable->name))
        return err_set(err, ERR_INPUT,
                       FAMILY "-%.63s: not a name that a variable may have: letters, digits and _, and no digit first",
                       variable->name.data);
    if (variable->contents.len == 0)
        return err_set(err, ERR_INPUT, FAMILY "-%.63s: is empty: the template of its value is expected", variable->name.data);
    variable->destination = plan_join(variable->volume_path, variable->name, arena, err);
    if (!variable->destination.data || plan_owner(variable, plan_text(plan, ANNOT_OWN_OWNER), err) != 0)
        return -1;
    return identify(plan, variable, err);
}

int plan_variables(struct plan *plan, struct arena *arena, struct err *err)
{
    size_t count, first = annots_family(plan->annots, ANNOT_OWN_ENV, &count);

    if (count == 0)
        return 0;
    if (count > LIMIT_EXEC_VARIABLES)
        return err_set(err, ERR_LIMIT, FAMILY ": %zu variables in one pod: at most %d", count, LIMIT_EXEC_VARIABLES);
    plan->variables = arena_array(arena, count, sizeof(*plan->variables), err);
    if (!plan->variables)
        return -1;
    plan->identities[0].used &= plan->secret_count > 0;
    for (size_t i = 0; i < count; i++) {
        if (fill(plan, &plan->variables[i], &plan->annots->map.map.pairs[first + i], arena, err) != 0)
            return -1;
    }
    plan->variable_count = count;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- containers */

const struct val *plan_command(const struct val *container)
{
    const struct val *command = val_get(container, "command");

    return command && command->kind == VAL_LIST && command->list.len ? command : NULL;
}

static int check_container(const struct plan *plan, const struct val *container, struct err *err)
{
    struct str name = pod_text(container, "name");

    if (!plan_wants_container(plan, name) || plan_command(container))
        return 0;
    return err_set(err, ERR_INPUT,
                   FAMILY "-%.63s: container %.63s has no command, and what its image starts cannot be seen from here: give it "
                          "the image's own entrypoint as command, or leave it out with agent-inject-containers",
                   plan->variables[0].name.data, name.len ? name.data : "without a name");
}

int plan_variables_check(const struct plan *plan, struct err *err)
{
    const struct val *containers = plan->pod->containers;

    if (plan->variable_count == 0)
        return 0;
    if (plan_text(plan, ANNOT_AGENT_CONFIGMAP).len)
        return err_set(err, ERR_INPUT, FAMILY ": cannot be combined with agent-configmap");
    if (!plan_has_init(plan) && !plan_has_sidecar(plan))
        return err_set(err, ERR_INPUT, FAMILY ": needs an agent: take agent-pre-populate: false or agent-pre-populate-only away");
    for (size_t i = 0; i < containers->list.len; i++) {
        if (check_container(plan, &containers->list.items[i], err) != 0)
            return -1;
    }
    return 0;
}
