#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "serve/metrics.h"

static char *printed(const struct metrics *metrics)
{
    struct buf buf;

    buf_init(&buf, LIMIT_METRICS_BYTES);
    metrics_print(metrics, &buf);
    return buf_take(&buf);
}

static void count(struct metrics *metrics, enum review_verdict verdict, const char *namespace, const char *shape, int64_t us)
{
    struct review_note note = {.verdict = verdict, .shape = shape, .reason = "why"};

    snprintf(note.namespace, sizeof(note.namespace), "%s", namespace);
    metrics_count(metrics, &note, us);
}

static void the_originals_series_keep_their_names_and_labels(void **state)
{
    static const char *const lines[] = {
        "vault_agent_injector_request_queue_length 0\n",
        "vault_agent_injector_request_processing_duration_ms_bucket{le=\"5\"} 2\n",
        "vault_agent_injector_request_processing_duration_ms_bucket{le=\"10\"} 3\n",
        "vault_agent_injector_request_processing_duration_ms_bucket{le=\"+Inf\"} 3\n",
        "vault_agent_injector_request_processing_duration_ms_count 3\n",
        "vault_agent_injector_request_processing_duration_ms_sum 7.5\n",
        "vault_agent_injector_injections_by_namespace_total{injection_type=\"init_only\",namespace=\"shop\"} 1\n",
        "vault_agent_injector_failed_injections_by_namespace_total{namespace=\"shop\"} 1\n",
        "ampule_injector_request_duration_seconds_sum 0.0075\n",
        "ampule_injector_reviews_total{verdict=\"denied\",reason=\"why\"} 1\n",
        "ampule_injector_reviews_total{verdict=\"skipped\",reason=\"why\"} 1\n",
    };
    _cleanup_free_ char *text = NULL;
    struct metrics metrics;

    (void)state;
    metrics_init(&metrics);
    count(&metrics, REVIEW_INJECTED, "shop", "init_only", 1000);
    count(&metrics, REVIEW_DENIED, "shop", "", 500);
    count(&metrics, REVIEW_SKIPPED, "shop", "", 6000);
    text = printed(&metrics);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (!strstr(text, lines[i]))
            fail_msg("missing: %s in\n%s", lines[i], text);
    metrics_done(&metrics);
}

static void what_was_only_let_through_counts_in_no_namespace(void **state)
{
    _cleanup_free_ char *text = NULL;
    struct metrics metrics;

    (void)state;
    metrics_init(&metrics);
    count(&metrics, REVIEW_SKIPPED, "quiet", "", 1);
    count(&metrics, REVIEW_UNREADABLE, "quiet", "", 1);
    text = printed(&metrics);
    assert_null(strstr(text, "quiet"));
    metrics_done(&metrics);
}

static void namespaces_past_the_limit_are_counted_together(void **state)
{
    _cleanup_free_ char *text = NULL;
    struct metrics metrics;
    char name[32];

    (void)state;
    metrics_init(&metrics);
    for (int i = 0; i < LIMIT_METRIC_NAMESPACES + 100; i++) {
        snprintf(name, sizeof(name), "ns-%d", i);
        count(&metrics, REVIEW_DENIED, name, "", 1);
    }
    assert_int_equal(metrics.namespace_count, LIMIT_METRIC_NAMESPACES);
    text = printed(&metrics);
    assert_non_null(strstr(text, "failed_injections_by_namespace_total{namespace=\"\"} 101\n"));
    metrics_done(&metrics);
}

/* So that who names thousands of them once takes nobody's place for ever. */
static void a_namespace_of_an_hour_ago_makes_room(void **state)
{
    _cleanup_free_ char *text = NULL;
    struct metrics metrics;
    char name[32];

    (void)state;
    metrics_init(&metrics);
    for (int i = 0; i < LIMIT_METRIC_NAMESPACES; i++) {
        snprintf(name, sizeof(name), "ns-%d", i);
        count(&metrics, REVIEW_DENIED, name, "", 1);
    }
    for (size_t i = 0; i < metrics.namespace_count; i++)
        metrics.namespaces[i].seen -= strcmp(metrics.namespaces[i].name, "ns-7") ? 0 : METRICS_IDLE_MS;
    count(&metrics, REVIEW_DENIED, "shop", "", 1);
    count(&metrics, REVIEW_DENIED, "later", "", 1);
    assert_int_equal(metrics.namespace_count, LIMIT_METRIC_NAMESPACES);
    text = printed(&metrics);
    assert_non_null(strstr(text, "{namespace=\"shop\"} 1\n"));
    assert_null(strstr(text, "\"ns-7\""));
    assert_null(strstr(text, "later"));
    assert_non_null(strstr(text, "{namespace=\"\"} 3\n"));
    metrics_done(&metrics);
}

/* Who can reach the port can post any review. */
static void what_is_no_name_is_no_label(void **state)
{
    _cleanup_free_ char *text = NULL;
    struct metrics metrics;

    (void)state;
    metrics_init(&metrics);
    count(&metrics, REVIEW_DENIED, "x\"} 1\nforged{a=\"", "", 1);
    count(&metrics, REVIEW_DENIED, "shop", "", 1);
    text = printed(&metrics);
    assert_null(strstr(text, "forged"));
    assert_non_null(strstr(text, "failed_injections_by_namespace_total{namespace=\"\"} 1\n"));
    assert_non_null(strstr(text, "failed_injections_by_namespace_total{namespace=\"shop\"} 1\n"));
    metrics_done(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_originals_series_keep_their_names_and_labels),
        cmocka_unit_test(what_was_only_let_through_counts_in_no_namespace),
        cmocka_unit_test(namespaces_past_the_limit_are_counted_together),
        cmocka_unit_test(a_namespace_of_an_hour_ago_makes_room),
        cmocka_unit_test(what_is_no_name_is_no_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
