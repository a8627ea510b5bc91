#include "tools/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "config/flags.h"
#include "config/load.h"
#include "inject/annot.h"
#include "inject/review.h"
#include "tools/calls.h"
#include "tools/cmd_check.h"
#include "tools/compare.h"

const char *verdict_name(enum verdict_outcome outcome)
{
    static const char *const names[VERDICT_COUNT] = {"same", "better", "different", "not supported", "refused", "not injected"};

    return names[outcome];
}

void verdict_done(struct verdict *verdict)
{
    json_decref(verdict->files);
    json_decref(verdict->notes);
    json_decref(verdict->operations);
}

static void note(struct verdict *verdict, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void note(struct verdict *verdict, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_array_append_new(verdict->notes, json_string_nocheck(text));
}

/* -------------------------------------------------------------------------------------------------------- reviewing */

static int answer(const struct settings *settings, json_t *pod, const char *namespace, struct review_note *ret_note, json_t **ret,
                  struct err *err)
{
    _cleanup_json_ json_t *review =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:O}}", "apiVersion", "admission.k8s.io/v1", "kind", "AdmissionReview", "request",
                  "uid", "explain", "namespace", namespace, "object", pod);
    char *text = json_dumps(review, JSON_COMPACT);
    _cleanup_buf_ struct buf out;
    json_error_t error;
    int status;

    buf_init(&out, LIMIT_REVIEW_ANSWER_BYTES);
    if (!text)
        return err_set(err, ERR_INPUT, "cannot be written as JSON");
    status = review_answer(settings, text, strlen(text), &out, ret_note);
    mem_free(text);
    if (status != 200)
        return err_set(err, ERR_INPUT, "%s", ret_note->text);
    *ret = json_loadb(out.data, out.len, JSON_ALLOW_NUL, &error);
    return *ret ? 0 : err_set(err, ERR_INPUT, "%s", error.text);
}

static json_t *decode_base64_json(const char *text)
{
    _cleanup_buf_ struct buf decoded;
    json_error_t error;
    struct err err;

    buf_init(&decoded, LIMIT_REVIEW_ANSWER_BYTES);
    if (base64_decode(text, strlen(text), &decoded, &err) != 0)
        return NULL;
    return json_loadb(decoded.data, decoded.len, JSON_ALLOW_NUL, &error);
}

/* ---------------------------------------------------------------------------------------- the agent's configuration */

static const char
    *checked_config; /* what VAULT_CONFIG says while one configuration is loaded: config_load() takes a plain getenv */

static char *config_env(const char *name)
{
    return strcmp(name, "VAULT_CONFIG") == 0 ? (char *)(uintptr_t)checked_config : NULL;
}

/* Everything that keeps the agent from doing what is asked becomes a note; false when it could not run. */
static bool check_config(struct verdict *verdict, const char *encoded)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;
    struct flags flags;

    flags_init(&flags);
    problems_init(&problems);
    checked_config = encoded;
    if (config_load(&config, &flags, config_env, &problems) == 0) {
        for (size_t i = 0; i < config.template_count; i++)
            config.templates[i].source = NULL; /* such files are in the agent's container, not here */
        check_templates(&config, &problems);
    }
    for (size_t i = 0; i < problems.len; i++)
        note(verdict, "agent: %s: %s", problems.items[i].path, problems.items[i].text);
    return problems.unusable == 0;
}

static void list_files(struct verdict *verdict, const json_t *config)
{
    size_t i;
    const json_t *template;

    json_array_foreach(json_object_get(config, "template"), i, template)
        json_array_append(verdict->files, json_object_get(template, "destination"));
}

/* Decode what is in the environment of one injected container, and check it. */
static bool open_container(struct verdict *verdict, json_t *container)
{
    bool usable = true;
    size_t i;
    json_t *variable;

    json_array_foreach(json_object_get(container, "env"), i, variable)
    {
        const char *name = json_string_value(json_object_get(variable, "name"));
        const char *value = json_string_value(json_object_get(variable, "value"));
        json_t *config = name && value && strcmp(name, "VAULT_CONFIG") == 0 ? decode_base64_json(value) : NULL;

        if (!config)
            continue;
        usable = check_config(verdict, value);
        list_files(verdict, config);
        verdict->missing += calls_missing(config, json_string_value(json_object_get(container, "image")), verdict->notes);
        json_object_set_new(variable, "value", config);
    }
    return usable;
}

/* What tells the containers of one login from those of another: their names' endings. */
static const char *login_of(const json_t *container)
{
    static const char init[] = "vault-agent-init", sidecar[] = "vault-agent";
    const char *name = json_string_value(json_object_get(container, "name"));

    if (name && strncmp(name, init, sizeof(init) - 1) == 0)
        return name + sizeof(init) - 1;
    return name && strncmp(name, sidecar, sizeof(sidecar) - 1) == 0 ? name + sizeof(sidecar) - 1 : "";
}

static bool open_operations(struct verdict *verdict)
{
    _cleanup_json_ json_t *checked = json_object();
    bool usable = true;
    size_t i;
    json_t *operation;

    json_array_foreach(verdict->operations, i, operation)
    {
        json_t *value = json_object_get(operation, "value");
        json_t *container = json_is_array(value) ? json_array_get(value, 0) : value;

        if (!json_object_get(container, "env") || !json_object_get(container, "image"))
            continue;
        /* Init and sidecar of one login have the same configuration but for when they end: problems are told once. */
        if (json_object_get(checked, login_of(container))) {
            compare_decode(container);
            continue;
        }
        json_object_set_new(checked, login_of(container), json_true());
        usable &= open_container(verdict, container);
    }
    return usable;
}

/* ------------------------------------------------------------------------------------------------------------ words */

static void set_text(struct verdict *verdict, enum verdict_outcome outcome, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void set_text(struct verdict *verdict, enum verdict_outcome outcome, const char *fmt, ...)
{
    va_list ap;

    verdict->outcome = outcome;
    va_start(ap, fmt);
    vsnprintf(verdict->text, sizeof(verdict->text), fmt, ap);
    va_end(ap);
}

static const char *shape_words(const struct review_note *reviewed)
{
    if (strcmp(reviewed->shape, "init_and_sidecar") == 0)
        return "an init container and a sidecar";
    return strcmp(reviewed->shape, "init_only") == 0 ? "an init container"
           : *reviewed->shape                        ? "a sidecar"
                                                     : "no container at all";
}

/* An annotation of ours although nothing asks for injection: most often agent-inject was forgotten or misspelt. */
static const char *stray_annotation(const json_t *pod)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(json_object_get(pod, "metadata"), "annotations"), key, value)
    {
        if (annot_suffix(str_of(key)).data)
            return key;
    }
    return NULL;
}

static bool is_word(const char *way, const char *word)
{
    size_t len = strlen(way), end = strlen(word);

    return len >= end && strcmp(way + len - end, word) == 0;
}

/* An annotation that stands where nobody looks for it. */
static void explain_stray(struct verdict *verdict, const struct workload *workload)
{
    const char *dot = *workload->path ? "." : "";

    if (!workload->stray)
        return;
    note(verdict, "%s is in %s, where %s: it belongs into %s%smetadata.annotations", workload->stray_key, workload->stray,
         is_word(workload->stray, "labels") ? "it is a label" : "nothing is read", workload->path, dot);
}

/* Its pods are made by somebody who alone knows how. */
static void explain_unknown(struct verdict *verdict, const struct workload *workload)
{
    set_text(
        verdict, VERDICT_UNSUPPORTED,
        "it has %s in %s, and explain does not know where the pods of a %.128s are: give it such a pod, kubectl get pod NAME -o yaml",
        workload->stray_key, workload->stray, *workload->kind ? workload->kind : "thing without a kind");
}

static void explain_skipped(struct verdict *verdict, const struct review_note *reviewed, const struct workload *workload)
{
    const char *stray = stray_annotation(workload->pod);

    if (strcmp(reviewed->reason, "already-injected") == 0)
        set_text(verdict, VERDICT_NOT_ASKED, "it says agent-inject-status: injected, so that every injector leaves it as it is");
    else if (strcmp(reviewed->reason, "disabled") == 0)
        set_text(verdict, VERDICT_NOT_ASKED, "agent-inject is not true");
    else if (stray)
        set_text(verdict, VERDICT_NOT_ASKED,
                 "it has %.200s, but nothing starts injection without vault.hashicorp.com/agent-inject: \"true\"", stray);
    else if (workload->stray)
        set_text(verdict, VERDICT_NOT_ASKED, "no annotation of its pods asks for it");
    else
        set_text(verdict, VERDICT_NOT_ASKED, "no annotation asks for it");
}

/* True when a mistake is pointed out, which the original would not do; policies are no mistakes. */
static bool add_warnings(struct verdict *verdict, const json_t *response)
{
    bool mistakes = false;
    size_t i;
    json_t *warning;

    json_array_foreach(json_object_get(response, "warnings"), i, warning)
    {
        json_array_append(verdict->notes, warning);
        mistakes |= strncmp(json_string_value(warning), "policy ", 7) != 0;
    }
    return mistakes;
}

static void explain_refused(struct verdict *verdict, const json_t *response, const struct workload *workload)
{
    const json_t *spec = json_object_get(workload->pod, "spec");

    set_text(verdict, VERDICT_REFUSED, "%s", json_string_value(json_object_get(json_object_get(response, "status"), "message")));
    if (strstr(verdict->text, "failed to find service account volume mount") &&
        json_is_false(json_object_get(spec, "automountServiceAccountToken")))
        note(verdict, "automountServiceAccountToken is false: ampule.dev/token-audience gives the agent a token of its own");
}

/* --------------------------------------------------------------------------------------------------------- reaching */

static void judge_found(struct verdict *verdict, const struct workload *workload, bool mended)
{
    size_t differences = compare_found(workload->found, workload->pod, verdict->operations, verdict->notes);

    if (differences)
        set_text(verdict, VERDICT_DIFFERENT, "%zu difference%s from the pod as it runs", differences,
                 differences == 1 ? "" : "s");
    else
        set_text(verdict, mended ? VERDICT_BETTER : VERDICT_SAME, "the pod would be injected as it is");
}

static void judge(struct verdict *verdict, const struct workload *workload, const struct review_note *reviewed, bool mended)
{
    size_t files = json_array_size(verdict->files);

    if (workload->found)
        judge_found(verdict, workload, mended);
    else if (workload->runs)
        set_text(verdict, VERDICT_DIFFERENT,
                 "it asks for injection and runs without: the injector did not see it when it was created");
    else
        set_text(verdict, mended ? VERDICT_BETTER : VERDICT_SAME, "%s would be injected, %zu file%s", shape_words(reviewed),
                 files, files == 1 ? "" : "s");
    if (verdict->missing && verdict->outcome != VERDICT_DIFFERENT)
        set_text(verdict, VERDICT_DIFFERENT, "%s would be injected, but its image has not what %zu command%s",
                 shape_words(reviewed), verdict->missing, verdict->missing == 1 ? " calls" : "s call");
}

int verdict_reach(const struct settings *settings, const struct workload *workload, const char *namespace, struct verdict *ret,
                  struct err *err)
{
    _cleanup_json_ json_t *reply = NULL;
    const json_t *response;
    const char *patch;
    struct review_note reviewed;
    bool mended;

    *ret = (struct verdict){.files = json_array(), .notes = json_array()};
    if (!workload->pod) {
        explain_unknown(ret, workload);
        return 0;
    }
    explain_stray(ret, workload);
    if (answer(settings, workload->pod, namespace, &reviewed, &reply, err) != 0)
        return -1;
    response = json_object_get(reply, "response");
    mended = add_warnings(ret, response);
    if (reviewed.verdict == REVIEW_SKIPPED) {
        explain_skipped(ret, &reviewed, workload);
        return 0;
    }
    if (reviewed.verdict == REVIEW_DENIED) {
        explain_refused(ret, response, workload);
        return 0;
    }
    patch = json_string_value(json_object_get(response, "patch"));
    ret->operations = patch ? decode_base64_json(patch) : NULL;
    if (!open_operations(ret))
        set_text(ret, VERDICT_UNSUPPORTED, "the agent cannot run with this configuration");
    else if (*reviewed.refusal.text)
        set_text(ret, reviewed.refusal.count ? VERDICT_REFUSED : VERDICT_UNSUPPORTED, "%s", reviewed.refusal.text);
    else
        judge(ret, workload, &reviewed, mended);
    return 0;
}
