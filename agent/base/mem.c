#include "base/mem.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "out of memory: %zu bytes refused\n", size);
    abort();
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        out_of_memory(size);
    return p;
}

void *mem_array(size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        out_of_memory((size_t)-1);
    return mem_alloc(total);
}

void *mem_grow(void *old, size_t old_size, size_t new_size)
{
    void *p = mem_alloc(new_size);

    if (old) {
        memcpy(p, old, old_size < new_size ? old_size : new_size);
        mem_wipe(old, old_size);
        mem_free(old);
    }
    return p;
}

void mem_free(void *p)
{
    free(p);
}

void mem_trim(void)
{
    malloc_trim(0);
}

char *mem_strndup(const char *s, size_t len)
{
    char *copy = mem_alloc(len + 1);

    memcpy(copy, s, len);
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

void mem_wipe(void *p, size_t len)
{
    if (len)
        explicit_bzero(p, len);
}

void mem_wipe_str(char *s)
{
    if (s)
        mem_wipe(s, strlen(s));
}

int mem_equal_secret(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    unsigned char differ = 0;

    for (size_t i = 0; i < len; i++)
        differ |= x[i] ^ y[i];
    return differ == 0;
}

void mem_cleanup_free(void *p)
{
    mem_free(*(void **)p);
}

void mem_cleanup_wipe(void *p)
{
    char *s = *(char **)p;

    mem_wipe_str(s);
    mem_free(s);
}

/* close() in a cleanup must not change the errno that is being reported. */
void mem_cleanup_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    errno = saved;
}
