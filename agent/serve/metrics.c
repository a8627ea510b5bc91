#include "serve/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kube/kube.h"
#include "os/file.h"

static const char *const shapes[METRICS_SHAPES] = {"init_and_sidecar", "init_only", "sidecar_only"};
static const char *const verdicts[METRICS_VERDICTS] = {"skipped", "injected", "denied", "unreadable"};

/* Upper ends in microseconds, and as they are printed: the original's in milliseconds, ours in seconds from a tenth of a
 * millisecond up. */
static const struct {
    int64_t us;
    const char *name;
} upstream_buckets[METRICS_BUCKETS] =
    {
        {5000, "5"},       {10000, "10"},     {25000, "25"},       {50000, "50"},     {75000, "75"},
        {100000, "100"},   {250000, "250"},   {500000, "500"},     {1000000, "1000"}, {2500000, "2500"},
        {5000000, "5000"}, {7500000, "7500"}, {10000000, "10000"},
},
  our_buckets[METRICS_BUCKETS] = {
      {50, "5e-05"},   {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"},
      {10000, "0.01"}, {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"}, {500000, "0.5"}, {1000000, "1"},
};

void metrics_init(struct metrics *metrics)
{
    *metrics = (struct metrics){0};
}

void metrics_done(struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->namespace_count; i++)
        mem_free(metrics->namespaces[i].name);
    mem_free(metrics->namespaces);
    *metrics = (struct metrics){0};
}

/* --------------------------------------------------------------------------------------------------------- counting */

/* Where `name` is, or where it belongs. */
static size_t namespace_place(const struct metrics *metrics, const char *name, bool *ret_found)
{
    size_t low = 0, high = metrics->namespace_count;

    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, metrics->namespaces[middle].name);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct metrics_namespace *namespace_add(struct metrics *metrics, const char *name)
{
    bool found;
    size_t at = namespace_place(metrics, name, &found), size = sizeof(*metrics->namespaces);

    if (found)
        return &metrics->namespaces[at];
    if (metrics->namespace_count == metrics->namespace_room) {
        size_t room = metrics->namespace_room ? 2 * metrics->namespace_room : 16;

        metrics->namespaces = mem_grow(metrics->namespaces, metrics->namespace_room * size, room * size);
        metrics->namespace_room = room;
    }
    memmove(&metrics->namespaces[at + 1], &metrics->namespaces[at], (metrics->namespace_count - at) * size);
    metrics->namespaces[at] = (struct metrics_namespace){.name = mem_strdup(name)};
    metrics->namespace_count++;
    return &metrics->namespaces[at];
}

/* The sums stay right. */
static void namespace_fold(struct metrics_namespace *rest, const struct metrics_namespace *row)
{
    for (size_t i = 0; i < METRICS_SHAPES; i++)
        rest->injected[i] += row->injected[i];
    rest->failed += row->failed;
}

/* Is there room for one more name? One row stays free for "". */
static bool namespace_room(struct metrics *metrics)
{
    struct metrics_namespace *row, *oldest = NULL, *rest, last;

    if (metrics->namespace_count < LIMIT_METRIC_NAMESPACES - 1)
        return true;
    for (row = metrics->namespaces; row < metrics->namespaces + metrics->namespace_count; row++)
        if (*row->name && (!oldest || row->seen < oldest->seen))
            oldest = row;
    if (!oldest || clock_now() - oldest->seen < METRICS_IDLE_MS)
        return false;
    last = *oldest;
    metrics->namespace_count--;
    memmove(oldest, oldest + 1, (size_t)(metrics->namespaces + metrics->namespace_count - oldest) * sizeof(*oldest));
    rest = namespace_add(metrics, "");
    namespace_fold(rest, &last);
    mem_free(last.name);
    return metrics->namespace_count < LIMIT_METRIC_NAMESPACES;
}

/* What anybody may post as a name to break the page is counted under "", too. */
static struct metrics_namespace *namespace_of(struct metrics *metrics, const char *name)
{
    struct metrics_namespace *row;
    struct err ignored;
    bool found;

    (void)namespace_place(metrics, name, &found);
    if (!found && *name && (kube_name_check("namespace", name, &ignored) != 0 || !namespace_room(metrics)))
        name = "";
    row = namespace_add(metrics, name);
    row->seen = clock_now();
    return row;
}

static void reason_count(struct metrics *metrics, enum review_verdict verdict, const char *reason)
{
    struct metrics_reason *row;

    for (row = metrics->reasons; row < metrics->reasons + metrics->reason_count; row++)
        if (row->verdict == verdict && !strcmp(row->reason, reason)) {
            row->count++;
            return;
        }
    if (metrics->reason_count < METRICS_REASONS)
        metrics->reasons[metrics->reason_count++] = (struct metrics_reason){verdict, reason, 1};
}

static void histogram_add(struct metrics_histogram *histogram, int64_t us, int64_t (*end)(size_t i))
{
    for (size_t i = 0; i < METRICS_BUCKETS; i++)
        histogram->buckets[i] += us <= end(i);
    histogram->count++;
    histogram->sum_us += (uint64_t)us;
}

static int64_t upstream_end(size_t i)
{
    return upstream_buckets[i].us;
}

static int64_t our_end(size_t i)
{
    return our_buckets[i].us;
}

void metrics_count(struct metrics *metrics, const struct review_note *note, int64_t us)
{
    histogram_add(&metrics->upstream, us, upstream_end);
    histogram_add(&metrics->ours, us, our_end);
    reason_count(metrics, note->verdict, note->reason);
    metrics->warnings += note->warnings;
    if (note->verdict == REVIEW_DENIED)
        namespace_of(metrics, note->namespace)->failed++;
    if (note->verdict != REVIEW_INJECTED)
        return;
    for (size_t i = 0; i < METRICS_SHAPES; i++)
        if (!strcmp(shapes[i], note->shape))
            namespace_of(metrics, note->namespace)->injected[i]++;
}

/* --------------------------------------------------------------------------------------------------------- printing */

static void print_head(struct buf *buf, const char *name, const char *type, const char *help)
{
    buf_addf(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_one(struct buf *buf, const char *name, const char *type, const char *help, double value)
{
    print_head(buf, name, type, help);
    buf_addf(buf, "%s %.15g\n", name, value);
}

static void print_namespaces(const struct metrics *metrics, struct buf *buf)
{
    static const char injected[] = "vault_agent_injector_injections_by_namespace_total";
    static const char failed[] = "vault_agent_injector_failed_injections_by_namespace_total";

    print_head(buf, injected, "counter", "Total count of Agent Sidecar injections by namespace");
    for (size_t i = 0; i < metrics->namespace_count; i++)
        for (size_t s = 0; s < METRICS_SHAPES; s++)
            if (metrics->namespaces[i].injected[s])
                buf_addf(buf, "%s{injection_type=\"%s\",namespace=\"%s\"} %llu\n", injected, shapes[s],
                         metrics->namespaces[i].name, (unsigned long long)metrics->namespaces[i].injected[s]);
    print_head(buf, failed, "counter", "Total count of failed Agent Sidecar injections by namespace");
    for (size_t i = 0; i < metrics->namespace_count; i++)
        if (metrics->namespaces[i].failed)
            buf_addf(buf, "%s{namespace=\"%s\"} %llu\n", failed, metrics->namespaces[i].name,
                     (unsigned long long)metrics->namespaces[i].failed);
}

static void print_histogram(const struct metrics_histogram *histogram, const char *name, bool ours, struct buf *buf)
{
    for (size_t i = 0; i < METRICS_BUCKETS; i++)
        buf_addf(buf, "%s_bucket{le=\"%s\"} %llu\n", name, ours ? our_buckets[i].name : upstream_buckets[i].name,
                 (unsigned long long)histogram->buckets[i]);
    buf_addf(buf, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)histogram->count);
    buf_addf(buf, "%s_sum %.15g\n", name, (double)histogram->sum_us / (ours ? 1e6 : 1e3));
    buf_addf(buf, "%s_count %llu\n", name, (unsigned long long)histogram->count);
}

static void print_requests(const struct metrics *metrics, struct buf *buf)
{
    static const char upstream[] = "vault_agent_injector_request_processing_duration_ms";
    static const char ours[] = "ampule_injector_request_duration_seconds";
    static const char reviews[] = "ampule_injector_reviews_total";

    print_one(buf, "vault_agent_injector_request_queue_length", "gauge", "Total count of webhook requests in the queue",
              (double)metrics->in_flight);
    print_head(buf, upstream, "histogram", "Histogram of webhook request processing times in milliseconds");
    print_histogram(&metrics->upstream, upstream, false, buf);
    print_head(buf, ours, "histogram", "Time from a whole request to its answer.");
    print_histogram(&metrics->ours, ours, true, buf);
    print_head(buf, reviews, "counter", "Admission reviews by what became of them, and why.");
    for (size_t i = 0; i < metrics->reason_count; i++)
        buf_addf(buf, "%s{verdict=\"%s\",reason=\"%s\"} %llu\n", reviews, verdicts[metrics->reasons[i].verdict],
                 metrics->reasons[i].reason, (unsigned long long)metrics->reasons[i].count);
}

/* The resident size is the second number of statm, in pages. */
static double resident_bytes(void)
{
    _cleanup_buf_ struct buf text = {0};
    struct err err;
    struct cursor cur;
    uint64_t pages = 0;

    if (file_read("/proc/self/statm", KIB(4), &text, &err) != 0)
        return 0;
    cur = cursor_of(text.data, text.len);
    if (!cursor_uint(&cur, 10, UINT32_MAX, &pages) || !cursor_skip(&cur, " ") || !cursor_uint(&cur, 10, UINT32_MAX, &pages))
        return 0;
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void print_process(struct buf *buf)
{
    struct rusage used = {0};

    getrusage(RUSAGE_SELF, &used);
    print_one(buf, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
              (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                  (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    print_one(buf, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", resident_bytes());
}

static void print_certificates(const struct metrics *metrics, struct buf *buf)
{
    static const char expiry[] = "ampule_injector_certificate_expiry_timestamp_seconds";

    print_head(buf, expiry, "gauge", "When the certificate in use ends, in seconds since 1970.");
    if (metrics->leaf_expires)
        buf_addf(buf, "%s{certificate=\"server\"} %lld\n", expiry, (long long)(metrics->leaf_expires / 1000));
    if (metrics->ca_expires)
        buf_addf(buf, "%s{certificate=\"ca\"} %lld\n", expiry, (long long)(metrics->ca_expires / 1000));
}

void metrics_print(const struct metrics *metrics, struct buf *buf)
{
    const struct {
        const char *name, *type, *help;
        double value;
    } rows[] = {
        {"ampule_injector_admission_warnings_total", "counter", "Warnings that users were shown.", (double)metrics->warnings},
        {"ampule_injector_certificate_changes_total", "counter", "Certificates taken into use.",
         (double)metrics->certificate_changes},
        {"ampule_injector_ca_bundle_repairs_total", "counter", "Times that caBundle was written.",
         (double)metrics->bundle_repairs},
        {"ampule_injector_kubernetes_errors_total", "counter", "Failed calls to the API server.",
         (double)metrics->kubernetes_errors},
        {"ampule_injector_connections", "gauge", "Open connections.", (double)metrics->connections},
        {"ampule_injector_ready", "gauge", "1 while ready to admit.", metrics->ready},
    };

    print_requests(metrics, buf);
    print_namespaces(metrics, buf);
    print_certificates(metrics, buf);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        print_one(buf, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
    print_head(buf, "ampule_injector_build_info", "gauge", "1; the version is in the label.");
    buf_adds(buf, "ampule_injector_build_info{version=\"" AMPULE_VERSION "\"} 1\n");
    print_process(buf);
}
