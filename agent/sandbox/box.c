/* The box itself: what a server has before anything is configured. */
#include "base/limits.h"
#include "sandbox/api.h"
#include "sandbox/lease.h"
#include "sandbox/mount.h"
#include "sandbox/token.h"

static char *random_text(const char *prefix, size_t len)
{
    struct buf text;

    buf_init_exact(&text, strlen(prefix) + len);
    buf_adds(&text, prefix);
    api_random(&text, len);
    return buf_take(&text);
}

static void root_make(struct sandbox *box)
{
    struct val policy = val_cstr("root"), policies = val_list(&policy, 1);
    struct token_spec spec = {
        .path = "auth/token/root", .display_name = "root", .policies = &policies, .forever = true, .id = box->root_token};
    struct buf none;

    buf_init_exact(&none, 0); /* what lasts for ever gives no warning */
    token_new(box, &spec, &none);
    buf_done(&none);
}

int sandbox_init(struct sandbox *box, struct loop *loop, const char *root_token, struct err *err)
{
    *box = (struct sandbox){.loop = loop};
    box->root_token = root_token ? mem_strdup(root_token) : random_text("hvs.", 24);
    box->unseal_key = random_text("", 44);
    if (policies_init(&box->policies, err) < 0 ||
        mount_add(box, "sys/", "system", 0, "system endpoints used for control, policy and debugging", err) < 0 ||
        mount_add(box, "auth/token/", "token", 0, "token based credentials", err) < 0) {
        sandbox_done(box);
        return -1;
    }
    root_make(box);
    return 0;
}

void sandbox_done(struct sandbox *box)
{
    mounts_done(box);
    tokens_done(box);
    leases_done(box);
    policies_done(&box->policies);
    mem_cleanup_wipe(&box->root_token);
    mem_cleanup_wipe(&box->unseal_key);
    *box = (struct sandbox){0};
}

static const char *no_param(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return NULL;
}

int sandbox_write(struct sandbox *box, const char *path, const struct val *body, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_call_ struct call call = {
        .box = box, .op = OP_WRITE, .path = path, .token_id = box->root_token, .body = body, .arena = &arena, .param = no_param};
    int status;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "seed");
    status = call_run(&call);
    if (status >= 400)
        return err_set(err, ERR_INPUT, "%s: refused with status %d: %s", path, status, call.error.data);
    return 0;
}
