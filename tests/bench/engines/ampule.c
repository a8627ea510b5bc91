/*
 * One shape through Ampule's template engine, for tests/bench/templates:
 *
 *   bench-templates TEMPLATE DATA print          the output
 *   bench-templates TEMPLATE DATA execute MS     one line of JSON: parsed once, executed for MS milliseconds of processor time
 *   bench-templates TEMPLATE DATA whole MS       the same, parsed anew for every execution
 *
 * Built and linked as the programs are: same flags, wiping free(), secret output buffer. The other engines' programs say and do
 * the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/tpl.h"

static uint64_t allocations, allocated;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

/* All heap memory of the engine comes from here, see base/mem.c. */
void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    allocated += n * size;
    return __real_calloc(n, size);
}

struct bench {
    struct buf source, data, out;
    struct arena arena;
    struct val root;
    struct tpl *tpl;
    struct err err;
};

static int read_file(const char *path, struct buf *ret)
{
    FILE *file = fopen(path, "r");
    size_t got = 1;

    buf_init(ret, LIMIT_REPLY_BYTES);
    while (file && got > 0) {
        char *room = buf_room(ret, KIB(64));

        got = room ? fread(room, 1, KIB(64), file) : 0;
        ret->len += got;
    }
    return file ? fclose(file) : -1;
}

static int parse(struct bench *bench)
{
    return tpl_parse(bench->source.data, bench->source.len, &(struct tpl_options){.functions = &functions_all}, &bench->tpl,
                     &bench->err);
}

static int execute(struct bench *bench)
{
    buf_reset(&bench->out);
    return tpl_execute(bench->tpl, &bench->root, NULL, &bench->out, &bench->err);
}

static int parse_and_execute(struct bench *bench)
{
    tpl_free(steal(bench->tpl));
    return parse(bench) != 0 ? -1 : execute(bench);
}

/* Resident memory at most, in KiB. */
static long peak(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    if (file)
        fclose(file);
    return kib;
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Batches that double until one takes all of the processor time. */
static int measure(struct bench *bench, int (*once)(struct bench *bench), int64_t ms)
{
    int64_t took, cpu;
    uint64_t runs = 1, counted, bytes;

    for (;; runs *= 2) {
        int64_t begin = now_ns(CLOCK_MONOTONIC), cpu_begin = now_ns(CLOCK_PROCESS_CPUTIME_ID);

        counted = allocations;
        bytes = allocated;
        for (uint64_t i = 0; i < runs; i++) {
            if (once(bench) != 0)
                return -1;
        }
        cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
        took = now_ns(CLOCK_MONOTONIC) - begin;
        if (cpu >= ms * 1000000)
            break;
    }
    printf("{\"ns\": %.1f, \"cpu_ns\": %.1f, \"runs\": %" PRIu64 ", \"allocations\": %.2f, \"bytes\": %.1f, \"peak_kib\": %ld}\n",
           (double)took / (double)runs, (double)cpu / (double)runs, runs, (double)(allocations - counted) / (double)runs,
           (double)(allocated - bytes) / (double)runs, peak());
    return 0;
}

static int run(struct bench *bench, const char *mode, int64_t ms)
{
    if (parse(bench) != 0 || execute(bench) != 0)
        return -1;
    if (strcmp(mode, "print") == 0)
        return fwrite(bench->out.data, 1, bench->out.len, stdout) == bench->out.len ? 0 : -1;
    return measure(bench, strcmp(mode, "whole") == 0 ? parse_and_execute : execute, ms);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    int failed;

    if (argc < 4 || read_file(argv[1], &bench.source) != 0 || read_file(argv[2], &bench.data) != 0)
        return 2;
    arena_init(&bench.arena, LIMIT_REPLY_TREE_BYTES, "data");
    buf_init_secret(&bench.out, LIMIT_OUTPUT_BYTES);
    failed = json_read(bench.data.data, bench.data.len, NULL, &bench.arena, &bench.root, &bench.err) != 0;
    buf_done(&bench.data);
    failed = failed || run(&bench, argv[3], argc > 4 ? strtol(argv[4], NULL, 10) : 0) != 0;
    if (failed)
        fprintf(stderr, "%s\n", bench.err.text);
    return failed;
}
