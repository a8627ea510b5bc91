/*
 * Linked into the programs with -Wl,--wrap=free,--wrap=realloc: every block is wiped when it is given back, whoever allocated it.
 * Allocator hooks of the libraries would miss nghttp2, libyaml and libevent; the linker misses nobody.
 */
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void __real_free(void *p);
void __wrap_free(void *p);
void *__wrap_realloc(void *p, size_t size);

/*
 * Large blocks are mapped, and go back one by one. Left to itself the allocator gives that up after the first large one that is
 * freed, and what grows by doubling leaves holes in its heap.
 */
__attribute__((constructor)) static void map_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

void __wrap_free(void *p)
{
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    __real_free(p);
}

/* Never in place: a shrinking or moving realloc() would leave a copy of the tail or of the whole behind. */
void *__wrap_realloc(void *p, size_t size)
{
    size_t old = p ? malloc_usable_size(p) : 0;
    void *q;

    if (p && size <= old && size > old / 2)
        return p;
    q = malloc(size ? size : 1);
    if (q && p) {
        memcpy(q, p, old < size ? old : size);
        __wrap_free(p);
    }
    return q;
}
