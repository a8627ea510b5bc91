#include "sandbox/core.h"

#include "sandbox/random_id.h"

static void root_make(struct core *core)
{
    struct val policy = val_cstr("root"), policies = val_list(&policy, 1);
    struct token_spec spec = {
        .path = "auth/token/root", .display_name = "root", .policies = &policies, .forever = true, .id = core->root_token};
    struct buf none;

    buf_init_exact(&none, 0); /* what lasts for ever gives no warning */
    token_store_add(&core->tokens, &spec, &none);
    buf_done(&none);
}

int core_init(struct core *core, struct loop *loop, const struct engines *engines, const char *root_token, struct err *err)
{
    *core = (struct core){
        .loop = loop, .mounts.engines = engines, .leases.loop = loop, .tokens.loop = loop, .tokens.leases = &core->leases};
    core->root_token = root_token ? mem_strdup(root_token) : random_id_new("hvs.", 24);
    core->unseal_key = random_id_new("", 44);
    if (acl_init(&core->acl, err) != 0 ||
        mount_table_add(&core->mounts, "sys/", "system", 0, "system endpoints used for control, policy and debugging", err) !=
            0 ||
        mount_table_add(&core->mounts, "auth/token/", "token", 0, "token based credentials", err) != 0) {
        core_done(core);
        return -1;
    }
    root_make(core);
    return 0;
}

void core_done(struct core *core)
{
    token_store_done(&core->tokens);
    lease_store_done(&core->leases);
    mount_table_done(&core->mounts);
    acl_done(&core->acl);
    mem_cleanup_wipe(&core->root_token);
    mem_cleanup_wipe(&core->unseal_key);
    *core = (struct core){0};
}
