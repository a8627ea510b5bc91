/* ampule.dev/env-NAME: what becomes of the pod. */
#include "asking.h"

#define CONTAINER(name, more) "{\"name\":\"" name "\",\"volumeMounts\":[" TOKEN_MOUNT "]" more "}"
#define COMMAND               ",\"command\":[\"/app\",\"--\",\"$(HOME)\"],\"args\":[\"serve\"]"
#define POD(containers)       "{\"volumes\":[" TOKEN_VOLUME "],\"containers\":[" containers "]}"

static const char template[] =
    "ampule.dev/env-DB_PASSWORD={{ with secret \"secret/data/db\" }}{{ .Data.data.password }}{{ end }}";

/* A pod with that template, and more annotations. */
#define ask_variable(spec, ...) ask_pod(spec, "agent-inject=true", "role=web", template, __VA_ARGS__, NULL)

/* The operation at exactly that path, the last one. */
static const struct val *value_at(const char *path)
{
    const struct val *found = NULL;

    for (size_t i = 0; i < asked.patch.list.len; i++) {
        if (strcmp(val_get_cstr(&asked.patch.list.items[i], "path"), path) == 0)
            found = val_get(&asked.patch.list.items[i], "value");
    }
    return found;
}

/* "A B C", the words of a list. */
static const char *words(const struct val *list)
{
    static char text[2048];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; list && i < list->list.len; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "", list->list.items[i].s.data);
    return text;
}

static bool mounts(const char *path, const char *volume, bool read_only)
{
    for (size_t i = 0; i < asked.patch.list.len; i++) {
        const struct val *op = &asked.patch.list.items[i], *value = val_get(op, "value");

        if (value && value->kind == VAL_LIST) /* the first mount makes the list */
            value = value->list.items;
        if (strncmp(val_get_cstr(op, "path"), path, strlen(path)) == 0 && value && value->kind == VAL_MAP &&
            val_get_cstr(value, "mountPath") && strcmp(val_get_cstr(value, "name"), volume) == 0)
            return val_get_bool(value, "readOnly") == read_only;
    }
    return false;
}

static void the_agent_s_program_stands_before_the_command(void **state)
{
    (void)state;
    ask_variable(POD(CONTAINER("app", COMMAND)), "ampule.dev/env-API_KEY={{ file \"/x\" }}\n");
    assert_true(allowed());
    assert_string_equal(words(value_at("/spec/containers/0/command")),
                        "/ampule/program/ampule-agent exec -variable=API_KEY=/ampule/environment/API_KEY "
                        "-variable=DB_PASSWORD=/ampule/environment/DB_PASSWORD -- /app -- $(HOME)");
    assert_null(value_at("/spec/containers/0/args"));
    assert_true(mounts("/spec/containers/0/volumeMounts", "ampule-program", true));
    assert_true(mounts("/spec/containers/0/volumeMounts", "ampule-environment", true));
}

static void the_agents_render_it_into_a_tmpfs_and_an_init_container_brings_the_program(void **state)
{
    static const char text[] =
        "{\"destination\":\"/ampule/environment/DB_PASSWORD\",\"contents\":\"{{ with secret \\\"secret/data/db\\\" }}"
        "{{ .Data.data.password }}{{ end }}\",\"left_delimiter\":\"{{\",\"right_delimiter\":\"}}\",\"error_on_missing_key\":true}";
    const struct val *program;

    (void)state;
    ask_variable(POD(CONTAINER("app", COMMAND)), "ampule.dev/secrets-size=1Mi");
    assert_non_null(strstr(config_text(init_container()), text));
    assert_non_null(strstr(config_text(sidecar()), text));
    assert_string_equal(val_get_cstr(val_get(added("/spec/volumes", "ampule-environment"), "emptyDir"), "medium"), "Memory");
    assert_string_equal(val_get_cstr(val_get(added("/spec/volumes", "ampule-environment"), "emptyDir"), "sizeLimit"), "1Mi");
    assert_int_equal(val_get(added("/spec/volumes", "ampule-program"), "emptyDir")->map.len, 0);
    program = added("/spec/initContainers", "ampule-program");
    assert_string_equal(words(val_get(program, "command")), "/bin/ampule-agent copy /ampule/program/ampule-agent");
    assert_string_equal(val_get_cstr(program, "image"), "agent:1");
    assert_int_equal(val_get(program, "volumeMounts")->list.len, 1);
    assert_true(val_get_bool(val_get(program, "securityContext"), "readOnlyRootFilesystem"));
    assert_non_null(val_dig(program, "resources", "limits", NULL));
}

static void every_shape_of_agent_does(void **state)
{
    static const char spec[] =
        "{\"volumes\":[" TOKEN_VOLUME "],\"containers\":[" CONTAINER("app", COMMAND) "],\"initContainers\":["
                                                                                     "{\"name\":\"one\"}]}";
    static const char *const shapes[] = {"agent-pre-populate=false", "agent-pre-populate-only=true", "agent-init-first=true",
                                         "ampule.dev/native-sidecar=true", "ampule.dev/handover=true"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        ask_variable(spec, shapes[i]);
        assert_true(allowed());
        assert_int_equal(asked.note.refusal.count, 0);
        assert_non_null(added("/spec/initContainers", "ampule-program"));
        assert_non_null(value_at("/spec/containers/0/command"));
    }
    ask_variable(spec, "agent-init-first=true");
    assert_true(mounts("/spec/initContainers/2/volumeMounts", "vault-secrets", false)); /* behind program and agent */
    assert_false(mounts("/spec/initContainers/2/volumeMounts", "ampule-environment", true));
    ask_variable(spec, "agent-pre-populate=false", "agent-pre-populate-only=true");
    assert_string_equal(denial(),
                        "error creating new agent sidecar: ampule.dev/env: needs an agent: take agent-pre-populate: false or "
                        "agent-pre-populate-only away");
}

static void a_container_without_a_command_is_named(void **state)
{
    (void)state;
    ask_variable(POD(CONTAINER("app", COMMAND) "," CONTAINER("proxy", "")), "log-level=info");
    assert_string_equal(
        denial(), "error creating new agent sidecar: ampule.dev/env-DB_PASSWORD: container proxy has no command, and what its "
                  "image starts cannot be seen from here: give it the image's own entrypoint as command, or leave it out with "
                  "agent-inject-containers");
    ask_variable(POD(CONTAINER("app", ",\"command\":[]")), "log-level=info");
    assert_non_null(strstr(denial(), "container app has no command"));
    ask_variable(POD(CONTAINER("app", COMMAND) "," CONTAINER("proxy", "")), "agent-inject-containers=app");
    assert_true(allowed());
    assert_null(value_at("/spec/containers/1/command"));
    assert_false(mounts("/spec/containers/1/volumeMounts", "ampule-environment", true));
}

static void names_and_texts_are_checked(void **state)
{
    static const char spec[] = POD(CONTAINER("app", COMMAND));

    (void)state;
    ask_pod(spec, "agent-inject=true", "role=web", "ampule.dev/env-1ST=x", NULL);
    assert_string_equal(denial(),
                        "error creating new agent sidecar: ampule.dev/env-1ST: not a name that a variable may have: letters, "
                        "digits and _, and no digit first");
    ask_pod(spec, "agent-inject=true", "role=web", "ampule.dev/env-DB-HOST=x", NULL);
    assert_non_null(strstr(denial(), "env-DB-HOST: not a name"));
    ask_pod(spec, "agent-inject=true", "role=web", "ampule.dev/env-A=\n", NULL);
    assert_non_null(strstr(denial(), "ampule.dev/env-A: is empty"));
    ask_variable(spec, "agent-configmap=mine");
    assert_non_null(strstr(denial(), "ampule.dev/env: cannot be combined with agent-configmap"));
}

static void as_many_as_the_agent_takes(void **state)
{
    _cleanup_buf_ struct buf body = {0};

    (void)state;
    for (size_t count = LIMIT_EXEC_VARIABLES; count <= LIMIT_EXEC_VARIABLES + 1; count++) {
        buf_done(&body);
        buf_init(&body, LIMIT_REVIEW_BYTES);
        buf_adds(&body,
                 "{\"kind\":\"AdmissionReview\",\"request\":{\"namespace\":\"shop\",\"object\":{\"metadata\":{\"annotations\":{"
                 "\"vault.hashicorp.com/agent-inject\":\"true\",\"vault.hashicorp.com/role\":\"web\"");
        for (size_t i = 0; i < count; i++)
            buf_addf(&body, ",\"ampule.dev/env-V%zu\":\"{{ 1 }}\"", i);
        buf_addf(&body, "}},\"spec\":%s}}}", POD(CONTAINER("app", COMMAND)));
        ask_body(body.data, body.len);
        assert_int_equal(allowed(), count == LIMIT_EXEC_VARIABLES);
    }
    assert_non_null(strstr(denial(), "ampule.dev/env: 257 variables in one pod: at most 256"));
}

static void what_the_program_is_told(void **state)
{
    static const char patient[] = "{\"terminationGracePeriodSeconds\":90,\"volumes\":[" TOKEN_VOLUME
                                  "],\"containers\":[" CONTAINER("app", ",\"command\":[\"a\"]") "]}";

    (void)state;
    ask_variable(patient, "ampule.dev/restart-on-change=false", "log-level=debug", "log-format=json");
    assert_string_equal(words(value_at("/spec/containers/0/command")),
                        "/ampule/program/ampule-agent exec -variable=DB_PASSWORD=/ampule/environment/DB_PASSWORD -restart=false "
                        "-grace=90s -log-level=debug -log-format=json -- a");
    ask_variable(patient, "ampule.dev/restart-on-change=true", "log-level=loud", "log-format=standard");
    assert_string_equal(
        words(value_at("/spec/containers/0/command")),
        "/ampule/program/ampule-agent exec -variable=DB_PASSWORD=/ampule/environment/DB_PASSWORD -grace=90s -- a");
}

static void another_identity_may_fetch_it(void **state)
{
    static const char spec[] = POD(CONTAINER("app", COMMAND));
    static const char other[] = "ampule.dev/identity-DB_PASSWORD=pay", role[] = "ampule.dev/identity-role-pay=r2";

    (void)state;
    ask_variable(spec, other, role, "agent-inject-secret-db=x");
    assert_non_null(strstr(config_text(added("/spec/containers", "vault-agent-pay")), "/ampule/environment/DB_PASSWORD"));
    assert_null(strstr(config_text(sidecar()), "/ampule/environment"));
    assert_false(warned("has no effect"));
    ask_pod(spec, "agent-inject=true", template, other, role, NULL); /* nothing is left for the first */
    assert_true(allowed());
    assert_null(sidecar());
    ask_variable(spec, "ampule.dev/identity-OTHER=pay");
    assert_true(warned("ampule.dev/identity-OTHER has no effect"));
}

static void owners_and_modes_are_those_of_all_files(void **state)
{
    (void)state;
    ask_variable(POD(CONTAINER("app", COMMAND)), "ampule.dev/perms=0400", "ampule.dev/owner=7:8");
    assert_non_null(
        strstr(config_text(sidecar()), "\"perms\":\"0400\",\"error_on_missing_key\":true,\"user\":\"7\",\"group\":\"8\""));
}

static void what_may_surprise_is_told(void **state)
{
    static const char env[] = ",\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"x\"},{\"name\":\"B\"}]";
    char spec[1024];

    (void)state;
    snprintf(spec, sizeof(spec),
             "{\"volumes\":[" TOKEN_VOLUME "],\"containers\":[{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT
             "],\"command\":[\"a\"]%s}]}",
             env);
    ask_variable(spec, "ampule.dev/env-PLAIN=secret/data/db");
    assert_true(
        warned("container app has a variable DB_PASSWORD of its own: that of ampule.dev/env-DB_PASSWORD takes its place"));
    assert_true(warned("ampule.dev/env-PLAIN is no template"));
    assert_false(warned("DB_PASSWORD is no template"));
    assert_false(warned("variable B "));
    ask_pod(spec, "agent-inject=true", "role=web", "ampule.dev/envs-A=x", NULL);
    assert_true(warned("did you mean ampule.dev/env-NAME?"));
}

static void mounts_of_the_pod_s_own_there_are_told(void **state)
{
    static const char spec[] = POD("{\"name\":\"app\",\"command\":[\"a\"],\"volumeMounts\":[" TOKEN_MOUNT
                                   ",{\"name\":\"tok\",\"mountPath\":\"/ampule/program\"}]}");

    (void)state;
    ask_variable(spec, "log-level=info");
    assert_true(warned("Kubernetes refuses: container app mounts two volumes at /ampule/program"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_agent_s_program_stands_before_the_command, asking_done),
        cmocka_unit_test_teardown(the_agents_render_it_into_a_tmpfs_and_an_init_container_brings_the_program, asking_done),
        cmocka_unit_test_teardown(every_shape_of_agent_does, asking_done),
        cmocka_unit_test_teardown(a_container_without_a_command_is_named, asking_done),
        cmocka_unit_test_teardown(names_and_texts_are_checked, asking_done),
        cmocka_unit_test_teardown(as_many_as_the_agent_takes, asking_done),
        cmocka_unit_test_teardown(what_the_program_is_told, asking_done),
        cmocka_unit_test_teardown(another_identity_may_fetch_it, asking_done),
        cmocka_unit_test_teardown(owners_and_modes_are_those_of_all_files, asking_done),
        cmocka_unit_test_teardown(what_may_surprise_is_told, asking_done),
        cmocka_unit_test_teardown(mounts_of_the_pod_s_own_there_are_told, asking_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
