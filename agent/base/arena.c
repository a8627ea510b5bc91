#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_FIRST 2048 /* secret blocks are whole pages */
#define BLOCK_MOST  (256 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* of data[] */
    size_t text;       /* used at its end */
    alignas(max_align_t) char data[];
};

static size_t refused_lock;

size_t arena_unlocked(void)
{
    return refused_lock;
}

void arena_init(struct arena *arena, size_t max, const char *what)
{
    *arena = (struct arena){.max = max, .what = what};
}

void arena_init_secret(struct arena *arena, size_t max, const char *what)
{
    *arena = (struct arena){.max = max, .what = what, .secret = true};
}

/* Nothing is written to the memory before something is wanted of it. */
void arena_init_in(struct arena *arena, size_t max, const char *what, void *memory, size_t size)
{
    *arena = (struct arena){.max = max, .what = what, .first = memory};
    arena->first->size = size - sizeof(*arena->first);
}

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

/* Fork copies nothing of it, a core file holds nothing of it, and it does not reach swap. */
static struct arena_block *map_secret(size_t *size)
{
    void *p;

    *size = whole_pages(*size);
    p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, *size, MADV_DONTDUMP);
    madvise(p, *size, MADV_WIPEONFORK);
    if (mlock(p, *size) != 0)
        refused_lock += *size;
    return p;
}

static struct arena_block *block_new(const struct arena *arena, size_t need)
{
    size_t size = arena->head ? arena->head->size * 2 : arena->expected > BLOCK_FIRST ? arena->expected : BLOCK_FIRST;
    struct arena_block *block = arena->first;

    if (block && !arena->head && block->size >= need) {
        block->used = block->text = 0;
        return block;
    }
    if (size > BLOCK_MOST)
        size = BLOCK_MOST;
    if (size < need + sizeof(*block))
        size = need + sizeof(*block);
    block = arena->secret ? map_secret(&size) : mem_alloc(size);
    if (!block)
        return NULL;
    block->size = size - sizeof(*block);
    return block;
}

static void block_free(const struct arena *arena, struct arena_block *block)
{
    size_t size = block->size + sizeof(*block);

    mem_wipe(block->data, block->used); /* behind it are the zeroes that it came with, up to the texts */
    mem_wipe(block->data + block->size - block->text, block->text);
    if (arena->secret)
        munmap(block, size);
    else if (block != arena->first)
        mem_free(block);
}

void arena_reset(struct arena *arena)
{
    while (arena->head) {
        struct arena_block *next = arena->head->next;

        block_free(arena, arena->head);
        arena->head = next;
    }
    arena->used = 0;
    arena->failed = false;
}

static int fail(const struct arena *arena, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%s: more than %zu bytes of memory", arena->what, arena->max);
}

int arena_check(const struct arena *arena, struct err *err)
{
    return arena->failed ? fail(arena, err) : 0;
}

void arena_done(struct arena *arena)
{
    arena_reset(arena);
}

/* A block with room for `size` bytes, which are counted, or NULL. */
static struct arena_block *block_for(struct arena *arena, size_t size, struct err *err)
{
    struct arena_block *block = arena->head;

    if (arena->failed || size > arena->max || arena->used > arena->max - size) {
        arena->failed = true;
        fail(arena, err);
        return NULL;
    }
    if (!block || block->size - block->used - block->text < size) {
        block = block_new(arena, size);
        if (!block) {
            arena->failed = true;
            err_system(err, "%s: %zu bytes of memory", arena->what, size);
            return NULL;
        }
        block->next = arena->head;
        arena->head = block;
    }
    arena->used += size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size, struct err *err)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *block;
    void *p;

    if (size <= arena->max) /* else rounding up might wrap around */
        size = (size + align - 1) / align * align;
    block = block_for(arena, size, err);
    if (!block)
        return NULL;
    p = block->data + block->used;
    if (block == arena->first)
        memset(p, 0, size); /* the others come as zeroes */
    block->used += size;
    return p;
}

void *arena_array(struct arena *arena, size_t n, size_t size, struct err *err)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        total = SIZE_MAX;
    return arena_alloc(arena, total, err);
}

/* Text needs no alignment: it lies at the other end of the block. */
char *arena_strndup(struct arena *arena, const char *s, size_t len, struct err *err)
{
    struct arena_block *block = block_for(arena, len + 1, err);
    char *copy;

    if (!block)
        return NULL;
    block->text += len + 1;
    copy = block->data + block->size - block->text;
    if (len)
        memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

void *arena_regrow(struct arena *arena, const void *old, size_t n, size_t room, size_t size, struct err *err)
{
    void *p = arena_array(arena, room, size, err);

    if (p && n)
        memcpy(p, old, n * size);
    return p;
}
