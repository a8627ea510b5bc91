/*
 * metrics: what the injector counted, printed as Prometheus text. No I/O but for the process's own figures.
 *
 * vault_agent_injector_* are the names, labels and buckets of the original, so that dashboards go on; ampule_injector_* are ours,
 * in seconds. Namespaces are labels of the originals' series, and anybody who reaches the port may name some: past
 * LIMIT_METRIC_NAMESPACES they are counted together under "", as is what is no name, until one that has not been seen for an hour
 * makes room (its counts go to "", too).
 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "inject/review.h"

enum { METRICS_IDLE_MS = 3600000, METRICS_BUCKETS = 13, METRICS_SHAPES = 3, METRICS_REASONS = 64, METRICS_VERDICTS = 4 };

struct metrics_namespace {
    char *name;
    uint64_t injected[METRICS_SHAPES], failed;
    int64_t seen; /* by clock_now() */
};

struct metrics_reason {
    enum review_verdict verdict;
    const char *reason; /* static storage */
    uint64_t count;
};

struct metrics_histogram {
    uint64_t buckets[METRICS_BUCKETS], count, sum_us;
};

struct metrics {
    struct metrics_namespace *namespaces; /* sorted by name */
    size_t namespace_count, namespace_room;
    struct metrics_reason reasons[METRICS_REASONS];
    size_t reason_count;
    struct metrics_histogram upstream, ours;
    uint64_t warnings;
    /* Set by their owners. */
    uint64_t certificate_changes, bundle_repairs, kubernetes_errors;
    int64_t leaf_expires, ca_expires; /* ms since 1970; 0: none */
    size_t connections, in_flight;
    bool ready;
};

void metrics_init(struct metrics *metrics);
void metrics_done(struct metrics *metrics);

/* One answered review that took `us` microseconds. */
void metrics_count(struct metrics *metrics, const struct review_note *note, int64_t us);
void metrics_print(const struct metrics *metrics, struct buf *buf);

#endif
