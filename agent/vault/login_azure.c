#include "base/limits.h"
#include "base/mem.h"
#include "identity/azure.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"role", LOGIN_TEXT, true, NULL, "the role of the server's Azure login"},
    {"resource", LOGIN_TEXT, true, NULL, "whom the token is for, as the server's configuration has it"},
    {"object_id", LOGIN_TEXT, false, NULL, "which of several managed identities"},
    {"client_id", LOGIN_TEXT, false, NULL, "the same, by its client"},
    {"scope", LOGIN_TEXT, false, NULL, "from the environment: for what; the resource's /.default"},
    {"authenticate_from_environment", LOGIN_FLAG, false, "false",
     "take a client secret, a workload identity or what else is set there"},
};

struct own {
    struct azure *azure;
    bool placed; /* the machine's own data are asked for */
};

static int check(const struct val *config, struct err *err)
{
    const char *object = val_get_cstr(config, "object_id"), *client = val_get_cstr(config, "client_id");

    if (object && *object && client && *client)
        return err_set(err, ERR_INPUT, "object_id or client_id, not both");
    return 0;
}

static void begin(struct login *login)
{
    const struct azure_options azure = {.resource = login_text(login, "resource"),
                                        .scope = login_text(login, "scope"),
                                        .object_id = login_text(login, "object_id"),
                                        .client_id = login_text(login, "client_id"),
                                        .environment = login_flag(login, "authenticate_from_environment")};
    struct own *own = mem_alloc(sizeof(*own));

    own->azure = azure_new(&azure);
    login->own = own;
}

static void end(struct login *login)
{
    struct own *own = login->own;

    azure_free(own->azure);
    mem_free(own);
}

static void reach(const struct login *login, struct reach *reach)
{
    azure_reach(((const struct own *)login->own)->azure, reach);
}

/* A role that is bound to groups, subscriptions or machines needs these; for others an empty text is as good. */
static int describe(struct login *login, const struct told *told, struct login_request *request)
{
    static const char what[] = "Azure: machine";
    const struct own *own = login->own;
    const struct val *compute = NULL;
    _cleanup_arena_ struct arena arena;
    const char *names[] = {"name", "vmScaleSetName", "resourceGroupName", "subscriptionId"};
    struct val object;
    struct err ignored;

    arena_init_secret(&arena, 4 * LIMIT_TOLD_BYTES, what);
    if (told_object(told, what, &arena, &object, &ignored) == 0)
        compute = val_get(&object, "compute");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        names[i] = val_get_cstr(compute, names[i]);
        names[i] = names[i] ? names[i] : "";
    }
    login_describe_put(login, request, "jwt", azure_token(own->azure), "resource_group_name", names[2], "role",
                       login_text(login, "role"), "subscription_id", names[3], "vm_name", names[0], "vmss_name", names[1], NULL);
    return 0;
}

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    struct own *own = login->own;
    int found;

    if (told && own->placed)
        return describe(login, told, request);
    own->placed = false;
    found = azure_next(own->azure, told, &request->ask, err);
    if (found <= 0)
        return found;
    own->placed = true;
    return azure_ask_instance(&request->ask, err);
}

const struct login_method login_azure = {"azure", options, ARRAY_LEN(options), next, NULL, check, begin, end, reach};
