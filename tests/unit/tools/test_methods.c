#include "inject/asking.h"

#include "vault/login.h"

static const char *const own_image[] = {"AGENT_INJECT_VAULT_IMAGE=ampule/agent-compat:1", NULL};

static void is_warned_of(const char *type, bool expected)
{
    char annotation[64];

    snprintf(annotation, sizeof(annotation), "auth-type=%s", type);
    ask_pod(EVERYDAY_SPEC, "agent-inject=true", "role=web", "agent-inject-secret-a=x", annotation, NULL);
    if (warned("cannot log in that way") != expected)
        fail_msg("%s: %s", annotation, asked.out.data);
}

/* The injector may not look into vault/, and has names of its own. What only a library can do the image cannot. */
static void the_injector_knows_the_agent_s_methods(void **state)
{
    size_t count;
    const struct login_method *const *methods = login_methods(&count);

    (void)state;
    asking_variables = own_image;
    for (size_t i = 0; i < count; i++)
        is_warned_of(methods[i]->type, methods[i]->helper != NULL);
    is_warned_of("oci", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_injector_knows_the_agent_s_methods, asking_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
