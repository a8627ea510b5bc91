/*
 * asking: tests put a pod before review_answer() and look at what comes back.
 *
 * Annotations are "NAME=VALUE" with upstream's prefix left out (names with a slash keep theirs). One question at a time:
 * asking_done() is the teardown of every test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/limits.h"
#include "inject/review.h"

#define TOKEN_VOLUME  "{\"name\":\"tok\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"token\"}}]}}"
#define TOKEN_MOUNT   "{\"name\":\"tok\",\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}"
#define EVERYDAY_SPEC "{\"volumes\":[" TOKEN_VOLUME "],\"containers\":[{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT "]}]}"

static struct asking {
    struct settings settings;
    struct arena arena;
    struct buf body, out, config;
    struct review_note note;
    int status;
    struct val answer, patch;
} asked;

static const char *const *asking_variables; /* NAME=VALUE of the injector, NULL-terminated; NULL: only the address */

static inline char *asking_env(const char *name)
{
    static const char *const usual[] = {"AGENT_INJECT_VAULT_ADDR=https://vault:8200", "AGENT_INJECT_VAULT_IMAGE=agent:1", NULL};
    size_t len = strlen(name);

    for (const char *const *v = asking_variables ? asking_variables : usual; *v; v++) {
        if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
            return (char *)(uintptr_t)(*v + len + 1);
    }
    return asking_variables && strcmp(name, "AGENT_INJECT_VAULT_ADDR") == 0 ? (char *)(uintptr_t) "https://vault:8200" : NULL;
}

static inline int asking_done(void **state)
{
    (void)state;
    settings_done(&asked.settings);
    arena_done(&asked.arena);
    buf_done(&asked.body);
    buf_done(&asked.out);
    buf_done(&asked.config);
    asked = (struct asking){0};
    asking_variables = NULL;
    return 0;
}

static inline void asking_read(const char *text, size_t len, struct val *ret)
{
    struct err err;

    if (json_read(text, len, NULL, &asked.arena, ret, &err) != 0)
        fail_msg("%s in %.200s", err.text, text);
}

/* Decoded into asked.config. */
static inline void asking_decode(const char *base64)
{
    struct err err;

    buf_reset(&asked.config);
    assert_int_equal(base64_decode(base64, strlen(base64), &asked.config, &err), 0);
}

static inline void ask_body(const char *body, size_t len)
{
    const char *patch;
    struct err err;

    arena_done(&asked.arena);
    arena_init(&asked.arena, MIB(64), "test");
    if (!asked.out.max) {
        buf_init(&asked.out, LIMIT_REVIEW_ANSWER_BYTES);
        buf_init(&asked.config, LIMIT_REVIEW_ANSWER_BYTES);
    }
    if (!asked.settings.vault_address && settings_parse(&asked.settings, 0, NULL, asking_env, &err) != 0)
        fail_msg("%s", err.text);
    asked.status = review_answer(&asked.settings, body, len, &asked.out, &asked.note);
    asked.answer = asked.patch = (struct val){0};
    if (asked.status != 200)
        return;
    asking_read(asked.out.data, asked.out.len, &asked.answer);
    patch = val_get_cstr(val_get(&asked.answer, "response"), "patch");
    if (patch) {
        asking_decode(patch);
        asking_read(asked.config.data, asked.config.len, &asked.patch);
    }
}

static inline void asking_annotation(const char *pair)
{
    const char *equals = strchr(pair, '=');
    char name[512];

    snprintf(name, sizeof(name), "%s%.*s", memchr(pair, '/', (size_t)(equals - pair)) ? "" : "vault.hashicorp.com/",
             (int)(equals - pair), pair);
    if (asked.body.data[asked.body.len - 1] != '{')
        buf_addc(&asked.body, ',');
    json_write_str(&asked.body, str_of(name), 0);
    buf_addc(&asked.body, ':');
    json_write_str(&asked.body, str_of(equals + 1), 0);
}

/* A pod with this spec and these annotations, NULL at the end. */
static inline void ask_pod(const char *spec, ...)
{
    const char *pair;
    va_list ap;

    buf_done(&asked.body);
    buf_init(&asked.body, LIMIT_REVIEW_BYTES);
    buf_adds(&asked.body, "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u-1\","
                          "\"namespace\":\"shop\",\"object\":{\"metadata\":{\"name\":\"web\",\"annotations\":{");
    va_start(ap, spec);
    while ((pair = va_arg(ap, const char *)))
        asking_annotation(pair);
    va_end(ap);
    buf_addf(&asked.body, "}},\"spec\":%s}}}", spec);
    ask_body(asked.body.data, asked.body.len);
}

/* The everyday pod: injected, with a role. */
#define ask(...) ask_pod(EVERYDAY_SPEC, "agent-inject=true", "role=web", __VA_ARGS__, NULL)

static inline const char *denial(void)
{
    const char *text = val_get_cstr(val_dig(&asked.answer, "response", "status", NULL), "message");

    return text ? text : "";
}

static inline bool allowed(void)
{
    return val_get_bool(val_get(&asked.answer, "response"), "allowed");
}

static inline bool warned(const char *part)
{
    const struct val *warnings = val_dig(&asked.answer, "response", "warnings", NULL);

    for (size_t i = 0; warnings && i < warnings->list.len; i++) {
        if (strstr(warnings->list.items[i].s.data, part))
            return true;
    }
    return false;
}

/* The value of the operation that adds a named thing to the list at `path`; NULL when there is none. */
static inline const struct val *added(const char *path, const char *name)
{
    for (size_t i = 0; i < asked.patch.list.len; i++) {
        const struct val *op = &asked.patch.list.items[i], *value = val_get(op, "value");

        if (strncmp(val_get_cstr(op, "path"), path, strlen(path)) != 0 ||
            strstr(val_get_cstr(op, "path") + strlen(path), "volumeMounts"))
            continue;
        if (value && value->kind == VAL_LIST && value->list.len)
            value = &value->list.items[0];
        if (value && value->kind == VAL_MAP && val_get_cstr(value, "name") && strcmp(val_get_cstr(value, "name"), name) == 0)
            return value;
    }
    return NULL;
}

static inline const struct val *init_container(void)
{
    return added("/spec/initContainers", "vault-agent-init");
}

static inline const struct val *sidecar(void)
{
    return added("/spec/containers", "vault-agent");
}

static inline const char *variable(const struct val *container, const char *name)
{
    const struct val *env = val_get(container, "env");

    for (size_t i = 0; env && i < env->list.len; i++) {
        if (strcmp(val_get_cstr(&env->list.items[i], "name"), name) == 0)
            return val_get_cstr(&env->list.items[i], "value");
    }
    return NULL;
}

/* The text of a container's configuration. */
static inline const char *config_text(const struct val *container)
{
    asking_decode(variable(container, "VAULT_CONFIG"));
    return asked.config.data;
}

/* "add /spec/volumes/-\n…", the operations by their paths. */
static inline void operations(char *to, size_t size)
{
    size_t len = 0;

    to[0] = '\0';
    for (size_t i = 0; i < asked.patch.list.len; i++)
        len += (size_t)snprintf(to + len, size - len, "%s %s\n", val_get_cstr(&asked.patch.list.items[i], "op"),
                                val_get_cstr(&asked.patch.list.items[i], "path"));
}
