#include "pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "flaw.h"

#define PAGE      ((size_t)4096)
#define POOL      ((size_t)4 << 30) /* of addresses, not of memory */
#define RUN_MOST  1024
#define HEAD_SIZE 64 /* what the arena itself notes in front; the rest is what it was asked to hold */

static char *pool;
static size_t used, held;
static unsigned long dirty;
static void *spare[RUN_MOST + 1]; /* by their number of pages, each holding the next */

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *address, size_t size);
int __real_mlock(const void *address, size_t size);
int __real_madvise(void *address, size_t size, int advice);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *address, size_t size);
int __wrap_mlock(const void *address, size_t size);
int __wrap_madvise(void *address, size_t size, int advice);
int __wrap_malloc_trim(size_t kept);

size_t pages_held(void)
{
    return held;
}

unsigned long pages_dirty(void)
{
    return dirty;
}

static bool is_ours(const void *address)
{
    return pool && (const char *)address >= pool && (const char *)address < pool + POOL;
}

static bool is_clean(const char *data, size_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    size_t run = (size + PAGE - 1) / PAGE;
    void *found;

    if (fd >= 0 || address || flags != (MAP_PRIVATE | MAP_ANONYMOUS) || run > RUN_MOST)
        return __real_mmap(address, size, protection, flags, fd, offset);
    if (!pool)
        pool = __real_mmap(NULL, POOL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool == MAP_FAILED)
        return MAP_FAILED;
    found = spare[run];
    if (found) {
        memcpy(&spare[run], found, sizeof(void *));
        memset(found, 0, HEAD_SIZE);
    } else {
        found = pool + used * PAGE;
        used += run;
    }
    held += run;
    return found;
}

int __wrap_munmap(void *address, size_t size)
{
    size_t run = (size + PAGE - 1) / PAGE;

    if (!is_ours(address))
        return __real_munmap(address, size);
    if (flawed(FLAW_LEAKY))
        ((char *)address)[size - 1] = 's';
    dirty += !is_clean((char *)address + HEAD_SIZE, size - HEAD_SIZE);
    memset((char *)address + HEAD_SIZE, 0, size - HEAD_SIZE);
    memcpy(address, &spare[run], sizeof(void *));
    spare[run] = address;
    held -= run;
    return 0;
}

int __wrap_mlock(const void *address, size_t size)
{
    return is_ours(address) ? 0 : __real_mlock(address, size);
}

/* The heap of thousands of lives is not looked through after each batch. */
int __wrap_malloc_trim(size_t kept)
{
    (void)kept;
    return 0;
}

int __wrap_madvise(void *address, size_t size, int advice)
{
    return is_ours(address) ? 0 : __real_madvise(address, size, advice);
}
