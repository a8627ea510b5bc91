/* floor: inject */
/*
 * The annotations of an everyday pod: lines NAME=VALUE; a name without a slash gets upstream's prefix. The answer's patch is
 * read, and the configuration in it too: nothing that stands in an annotation may get out of its string.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "inject/review.h"

static const char
    before
        [] =
            "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\",\"namespace\":\"n\","
            "\"object\":{\"metadata\":{\"annotations\":{\"vault.hashicorp.com/agent-inject\":\"true\","
            "\"vault.hashicorp.com/role\":\"r\"",
  after[] =
      "}},\"spec\":{\"volumes\":[{\"name\":\"t\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"token\"}}]}}],"
      "\"containers\":[{\"name\":\"app\",\"securityContext\":{\"runAsUser\":7},\"volumeMounts\":[{\"name\":\"t\","
      "\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}]}],"
      "\"initContainers\":[{\"name\":\"first\"}]}}}}";

static char *from_nothing(const char *name)
{
    return strcmp(name, "AGENT_INJECT_VAULT_ADDR") == 0 ? (char *)(uintptr_t) "https://vault:8200" : NULL;
}

static void add_line(struct buf *body, const char *line, size_t len)
{
    const char *equals = memchr(line, '=', len);
    _cleanup_buf_ struct buf name = {0};

    if (!equals)
        return;
    buf_init(&name, len + 32);
    if (!memchr(line, '/', (size_t)(equals - line)))
        buf_adds(&name, "vault.hashicorp.com/");
    buf_add(&name, line, (size_t)(equals - line));
    buf_addc(body, ',');
    json_write_str(body, (struct str){name.data, name.len}, 0);
    buf_addc(body, ':');
    json_write_str(body, (struct str){equals + 1, len - (size_t)(equals + 1 - line)}, 0);
}

static void read_json(const char *text, size_t len, struct arena *arena, struct val *ret)
{
    struct err err;

    if (json_read(text, len, NULL, arena, ret, &err) != 0)
        abort();
}

static void read_base64(const struct val *text, struct arena *arena, struct val *ret)
{
    _cleanup_buf_ struct buf decoded = {0};
    struct err err;

    buf_init(&decoded, LIMIT_REVIEW_ANSWER_BYTES);
    if (base64_decode(text->s.data, text->s.len, &decoded, &err) != 0)
        abort();
    read_json(decoded.data, decoded.len, arena, ret);
}

static void read_configs(const struct val *patch, struct arena *arena)
{
    struct val config;

    for (size_t i = 0; i < patch->list.len; i++) {
        const struct val *value = val_get(&patch->list.items[i], "value"), *env;

        if (value && value->kind == VAL_LIST && value->list.len)
            value = &value->list.items[0];
        env = value && value->kind == VAL_MAP ? val_get(value, "env") : NULL;
        for (size_t k = 0; env && env->kind == VAL_LIST && k < env->list.len; k++) {
            const char *name = val_get_cstr(&env->list.items[k], "name");

            if (name && strcmp(name, "VAULT_CONFIG") == 0 && val_get_cstr(&env->list.items[k], "value"))
                read_base64(val_get(&env->list.items[k], "value"), arena, &config);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    const char *line = (const char *)data, *end = line + size;
    bool patched = size && memmem(data, size, "json-patch", 10);
    struct val answer, patch;
    struct buf body, out;
    struct arena arena;
    struct review_note note;
    struct err err;

    if (!settings.vault_address && settings_parse(&settings, 0, NULL, from_nothing, &err) != 0)
        abort();
    buf_init(&body, LIMIT_REVIEW_BYTES);
    buf_init(&out, LIMIT_REVIEW_ANSWER_BYTES);
    arena_init(&arena, MIB(256), "fuzz");
    buf_adds(&body, before);
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));

        add_line(&body, line, (size_t)((stop ? stop : end) - line));
        line = stop ? stop + 1 : end;
    }
    buf_adds(&body, after);
    if (review_answer(&settings, body.data, body.len, &out, &note) == 200) {
        read_json(out.data, out.len, &arena, &answer);
        if (note.verdict == REVIEW_INJECTED) {
            read_base64(val_dig(&answer, "response", "patch", NULL), &arena, &patch);
            if (!patched) /* a patch of the pod's own may have put anything there */
                read_configs(&patch, &arena);
        }
    }
    arena_done(&arena);
    buf_done(&out);
    buf_done(&body);
    return 0;
}
