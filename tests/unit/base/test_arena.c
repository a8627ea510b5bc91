#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"

static void arena_gives_zeroed_aligned_memory(void **state)
{
    _cleanup_arena_ struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, KIB(64), "test");
    for (size_t size = 1; size < 200; size++) {
        unsigned char *p = arena_alloc(&arena, size, &err);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
    }
}

static void arena_refuses_more_than_its_maximum(void **state)
{
    _cleanup_arena_ struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 100, "template data");
    assert_non_null(arena_alloc(&arena, 60, &err));
    assert_null(arena_alloc(&arena, 60, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "template data: more than 100 bytes of memory");
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3, &err));
}

static void arena_can_be_used_again_after_a_reset(void **state)
{
    _cleanup_arena_ struct arena arena;
    struct err err;

    (void)state;
    arena_init_secret(&arena, KIB(64), "test");
    for (int round = 0; round < 100; round++) {
        assert_non_null(arena_strndup(&arena, "hunter2", 7, &err));
        assert_non_null(arena_alloc(&arena, KIB(40), &err));
        arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
}

static void arena_keeps_blocks_larger_than_a_page(void **state)
{
    _cleanup_arena_ struct arena arena;
    struct err err;
    char *small, *large;

    (void)state;
    arena_init_secret(&arena, MIB(4), "test");
    small = arena_strndup(&arena, "before", 6, &err);
    large = arena_alloc(&arena, MIB(2), &err);
    assert_non_null(large);
    memset(large, 1, MIB(2));
    assert_string_equal(small, "before");
}

static void arena_begins_in_lent_memory_and_leaves_it_wiped(void **state)
{
    _Alignas(max_align_t) unsigned char lent[256];
    struct arena arena;
    struct err err;
    unsigned char *first, *second;

    (void)state;
    memset(lent, 0xAA, sizeof(lent));
    arena_init_in(&arena, KIB(64), "test", lent, sizeof(lent));
    first = arena_alloc(&arena, 100, &err);
    assert_true(first > lent && first < lent + sizeof(lent));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(first[i], 0);
    memset(first, 'x', 100);
    second = arena_alloc(&arena, 1000, &err);
    assert_non_null(second);
    assert_true(second < lent || second >= lent + sizeof(lent));
    arena_done(&arena);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(first[i], 0);
}

static void arena_that_refused_once_refuses_until_it_is_reset(void **state)
{
    _cleanup_arena_ struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 100, "thing");
    assert_non_null(arena_alloc(&arena, 16, &err));
    assert_int_equal(arena_check(&arena, &err), 0);
    assert_null(arena_alloc(&arena, 1000, &err));
    assert_null(arena_strndup(&arena, "a", 1, &err));
    err.text[0] = '\0';
    assert_int_equal(arena_check(&arena, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "thing: more than 100 bytes of memory");
    arena_reset(&arena);
    assert_int_equal(arena_check(&arena, &err), 0);
    assert_non_null(arena_strndup(&arena, "a", 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_that_refused_once_refuses_until_it_is_reset),
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_refuses_more_than_its_maximum),
        cmocka_unit_test(arena_can_be_used_again_after_a_reset),
        cmocka_unit_test(arena_keeps_blocks_larger_than_a_page),
        cmocka_unit_test(arena_begins_in_lent_memory_and_leaves_it_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
