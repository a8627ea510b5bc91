/*
 * What one input may take of the processor and of memory, for every target: a parser that does not crash can still stop the
 * program that it is in.
 *
 * Counted are milliseconds of this thread and bytes asked of the heap while the target runs. Both may grow with the input, by far
 * more than any target needs under sanitizers; what is past that grows with its square, or for ever. FUZZ_METER=0 switches it
 * off, as for a debugger.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sanitizer/allocator_interface.h>

/* A review of 64 KiB may make 1.3 MB of bytes, which are held in several forms; a template may run to the end of its steps. */
enum { BASE_MS = 3000, MS_PER_KIB = 50 };
#define BASE_BYTES     ((uint64_t)512 << 20)
#define BYTES_PER_BYTE 4096

int fuzz_one(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t bytes;

static void on_malloc(const volatile void *p, size_t size)
{
    (void)p;
    bytes += size;
}

static void on_free(const volatile void *p)
{
    (void)p;
}

static uint64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void check(const char *what, uint64_t used, uint64_t most)
{
    if (used <= most)
        return;
    fprintf(stderr, "meter: this input took %llu %s, at most %llu are allowed for its size\n", (unsigned long long)used, what,
            (unsigned long long)most);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int on = -1;
    uint64_t start;
    int r;

    if (on < 0) {
        const char *set = getenv("FUZZ_METER");

        on = !set || strcmp(set, "0") != 0;
        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    }
    start = milliseconds();
    bytes = 0;
    r = fuzz_one(data, size);
    if (on) {
        check("ms", milliseconds() - start, BASE_MS + (uint64_t)MS_PER_KIB * (size / 1024));
        check("bytes of memory", bytes, BASE_BYTES + BYTES_PER_BYTE * (uint64_t)size);
    }
    return r;
}
