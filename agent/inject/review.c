#include "inject/review.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "inject/advice.h"
#include "inject/effort.h"
#include "inject/hint.h"
#include "inject/patch.h"
#include "inject/plan_make.h"
#include "inject/policy.h"
#include "inject/refusal.h"
#include "inject/value.h"

struct reviewing {
    const struct settings *settings;
    struct arena arena;
    struct val review;
    const struct val *request;
    struct str namespace;
    struct pod pod;
    struct annots annots;
    struct effort effort;
    struct plan plan;
    struct buf patch;
    struct warnings warnings;
    struct review_note *note;
};

/* ---------------------------------------------------------------------------------------------------------- reading */

static int unreadable(struct buf *out, struct review_note *note, const char *text)
{
    note->verdict = REVIEW_UNREADABLE;
    note->reason = "unreadable";
    snprintf(note->text, sizeof(note->text), "%.*s", (int)sizeof(note->text) - 1, text);
    buf_reset(out);
    buf_adds(out, text);
    return 400;
}

static int read_review(struct reviewing *r, const char *body, size_t len, struct err *err)
{
    const struct json_options options = {.flags = JSON_REPLACE_UTF8, .members = LIMIT_REVIEW_MEMBERS};

    if (len == 0)
        return err_set(err, ERR_INPUT, "Empty request body");
    if (len > LIMIT_REVIEW_BYTES)
        return err_set(err, ERR_LIMIT, "error decoding admission request: more than %zu bytes", LIMIT_REVIEW_BYTES);
    if (json_read(body, len, &options, &r->arena, &r->review, err) != 0)
        return err_wrap(err, "error decoding admission request");
    r->request = val_get(&r->review, "request");
    if (!r->request || r->request->kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "error decoding admission request: it has no request");
    r->namespace = pod_text(r->request, "namespace");
    return 0;
}

static void copy_name(char *to, size_t size, struct str from)
{
    snprintf(to, size, "%.*s", (int)(from.len < size ? from.len : size - 1), from.data);
}

/* --------------------------------------------------------------------------------------------------------- deciding */

static int skip(struct review_note *note, const char *reason)
{
    note->verdict = REVIEW_SKIPPED;
    note->reason = reason;
    return 0;
}

/* *ret is false when the pod did not ask, was served already, or runs. */
static int wants_injection(struct reviewing *r, bool *ret, struct err *err)
{
    struct str inject = r->annots.value[ANNOT_AGENT_INJECT], status = r->annots.value[ANNOT_AGENT_INJECT_STATUS];

    *ret = false;
    if (!inject.data)
        return skip(r->note, "no-annotation");
    if (value_bool(inject, ret, err) != 0)
        return err_wrap(err, "error checking if should inject agent");
    if (!*ret)
        return skip(r->note, "disabled");
    *ret = !str_eqs(status, "injected") && (r->pod.phase.len == 0 || str_eqs(r->pod.phase, "Pending"));
    return *ret ? 0 : skip(r->note, str_eqs(status, "injected") ? "already-injected" : "running");
}

/* The API server would refuse the pod for it, after whatever had been made of them. */
static int check_size(const struct val *annotations, struct err *err)
{
    size_t bytes = 0;

    for (size_t i = 0; annotations && i < annotations->map.len; i++)
        bytes += annotations->map.pairs[i].key->s.len + annotations->map.pairs[i].value.s.len;
    if (bytes > LIMIT_REVIEW_ANNOTATION_BYTES)
        return err_set(err, ERR_LIMIT, "metadata.annotations: %zu bytes; Kubernetes takes at most %zu", bytes,
                       LIMIT_REVIEW_ANNOTATION_BYTES);
    return 0;
}

static int check_namespace(const struct reviewing *r, struct err *err)
{
    static const char *const system[] = {"kube-system", "kube-public"};

    for (size_t i = 0; i < ARRAY_LEN(system); i++) {
        if (str_eqs(r->namespace, system[i]))
            return err_set(err, ERR_DENIED, "error with request namespace: cannot inject into system namespaces: %s", system[i]);
    }
    return 0;
}

static const char *shape_of(const struct plan *plan)
{
    if (plan->native)
        return "sidecar_only";
    return plan_has_init(plan)      ? (plan_has_sidecar(plan) ? "init_and_sidecar" : "init_only")
           : plan_has_sidecar(plan) ? "sidecar_only"
                                    : "";
}

/* Where the effort is left for it: who is not warned is refused by the API server all the same. */
static void foresee(struct reviewing *r)
{
    struct err too_much;

    if (effort_spend(&r->effort, r->patch.len, &too_much) == 0)
        refusal_foresee(val_get(r->request, "object"), (struct str){r->patch.data, r->patch.len}, &r->arena, &r->warnings,
                        &r->note->refusal);
}

static int inject(struct reviewing *r, struct err *err)
{
    r->note->reason = "namespace";
    if (check_namespace(r, err) != 0)
        return -1;
    r->note->reason = "annotation";
    if (plan_make(&r->plan, &r->annots, &r->pod, r->settings, r->namespace, &r->arena, err) != 0)
        return -1;
    r->note->reason = "policy";
    if (policy_check(&r->plan, &r->warnings, err) != 0)
        return -1;
    r->note->reason = "annotation";
    if (patch_write(&r->plan, &r->effort, &r->patch, &r->arena, err) != 0)
        return err_wrap(err, "error creating patch for agent");
    foresee(r);
    if (r->settings->annotation_warnings) {
        hint_orphans(&r->plan, &r->warnings);
        advice_give(&r->plan, &r->warnings);
    }
    r->note->verdict = REVIEW_INJECTED;
    r->note->reason = "injected";
    r->note->shape = shape_of(&r->plan);
    return 0;
}

/* Before anything can be refused, since a misspelt annotation often is why. */
static void hint(struct reviewing *r)
{
    if (!r->settings->annotation_warnings)
        return;
    hint_unknown(r->pod.annotations, &r->warnings);
    advice_before(&r->annots, &r->pod, r->settings, &r->warnings);
    if (r->annots.conflict)
        warn_add(&r->warnings, "annotation %.128s is there under two prefixes with different values; vault.hashicorp.com/ wins",
                 r->annots.conflict);
}

/* What exists already keeps its containers: an API server refuses changes of those. */
static bool is_creation(const struct reviewing *r)
{
    struct str operation = pod_text(r->request, "operation");

    return operation.len == 0 || str_eqs(operation, "CREATE");
}

static int decide(struct reviewing *r, struct err *err)
{
    bool wanted;

    copy_name(r->note->pod, sizeof(r->note->pod), pod_text(r->request, "name"));
    if (!is_creation(r))
        return skip(r->note, "operation");
    r->note->reason = "pod";
    if (pod_read(&r->pod, val_get(r->request, "object"), err) != 0)
        return -1;
    copy_name(r->note->pod, sizeof(r->note->pod), r->pod.name);
    r->note->reason = "annotation";
    if (annots_read(&r->annots, r->pod.annotations, &r->settings->defaults, &r->arena, err) != 0 ||
        wants_injection(r, &wanted, err) != 0)
        return -1;
    if (!wanted)
        return 0;
    if (check_size(r->pod.annotations, err) != 0)
        return -1;
    hint(r);
    return inject(r, err);
}

/* -------------------------------------------------------------------------------------------------------- answering */

static void write_warnings(const struct warnings *warnings, struct buf *out)
{
    if (warnings->count == 0)
        return;
    json_text_key(out, "warnings");
    json_text_open(out, '[');
    for (size_t i = 0; i < warnings->count; i++)
        json_text_cstr(out, warnings->text[i]);
    json_text_close(out, ']');
}

static void write_response(const struct reviewing *r, const struct err *err, struct buf *out)
{
    bool allowed = r->note->verdict != REVIEW_DENIED;

    json_text_key(out, "response");
    json_text_open(out, '{');
    json_text_member(out, "uid", pod_text(r->request, "uid"));
    json_text_key(out, "allowed");
    json_text_bool(out, allowed);
    if (!allowed) {
        buf_adds(out, ",\"status\":{\"metadata\":{}");
        json_text_member(out, "message", str_of(err->text));
        json_text_close(out, '}');
    }
    if (r->note->verdict == REVIEW_INJECTED) {
        buf_adds(out, ",\"patch\":\"");
        base64_encode(r->patch.data, r->patch.len, out);
        buf_adds(out, "\",\"patchType\":\"JSONPatch\"");
    }
    write_warnings(&r->warnings, out);
    json_text_close(out, '}');
}

static void write_answer(const struct reviewing *r, const struct err *err, struct buf *out)
{
    struct str kind = pod_text(&r->review, "kind"), version = pod_text(&r->review, "apiVersion");

    buf_reset(out);
    json_text_open(out, '{');
    json_text_member(out, "kind", kind.len ? kind : STR("AdmissionReview"));
    json_text_member(out, "apiVersion", version.len ? version : STR("admission.k8s.io/v1"));
    write_response(r, err, out);
    json_text_close(out, '}');
}

static int answer(struct reviewing *r, const char *body, size_t len, struct buf *out)
{
    struct err err = {.code = ERR_NONE, .text = ""};

    if (read_review(r, body, len, &err) != 0)
        return unreadable(out, r->note, err.text);
    copy_name(r->note->namespace, sizeof(r->note->namespace), r->namespace);
    if (decide(r, &err) != 0) {
        r->note->verdict = REVIEW_DENIED;
        r->note->reason = err.code == ERR_LIMIT ? "limit" : r->note->reason;
        copy_name(r->note->text, sizeof(r->note->text), str_of(err.text));
    }
    r->note->warnings = (unsigned)r->warnings.count;
    write_answer(r, &err, out);
    return buf_check(out, "answer", &err) == 0 ? 200 : 500;
}

int review_answer(const struct settings *settings, const char *body, size_t len, struct buf *out, struct review_note *note)
{
    struct reviewing r = {.settings = settings, .note = note};
    int status;

    *note = (struct review_note){.shape = "", .reason = ""};
    effort_init(&r.effort, len);
    arena_init(&r.arena, LIMIT_REVIEW_TREE_BYTES, "admission review");
    buf_init(&r.patch, LIMIT_REVIEW_ANSWER_BYTES);
    status = answer(&r, body, len, out);
    buf_done(&r.patch);
    arena_done(&r.arena);
    return status;
}
