#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "serve/bundle.h"
#include "serve/keyring.h"
#include "tls/x509.h"

#define DAY  (INT64_C(86400) * 1000)
#define HOUR (INT64_C(3600) * 1000)

static const char *const names[] = {"injector.ns.svc", "127.0.0.1"};
static const struct keyring_hosts hosts = {names, 2};

static struct keyring ring;

static void apply(enum keyring_step step)
{
    struct err err;

    assert_int_equal(keyring_apply(&ring, step, &hosts, &ring, &err), 0);
}

static int fresh(void **state)
{
    (void)state;
    apply(KEYRING_RENEW_ALL);
    return 0;
}

static int wipe(void **state)
{
    (void)state;
    keyring_done(&ring);
    return 0;
}

static char *bundle_of(const struct keyring *of)
{
    struct buf buf;

    buf_init(&buf, MIB(1));
    keyring_bundle(of, &buf);
    return buf_take(&buf);
}

static size_t count(const char *text)
{
    size_t n = 0;

    while ((text = strstr(text, "-----BEGIN CERTIFICATE"))) {
        text++;
        n++;
    }
    return n;
}

/* What a ring made now needs at a later time; `days` may be parts. Rows with `next` had their next CA made at the start. */
static void each_age_has_its_step(void **state)
{
    static const struct {
        double days;
        bool next, published;
        enum keyring_step step;
    } rows[] = {
        {0, false, true, KEYRING_KEEP},        {0, false, false, KEYRING_KEEP},       {19, false, true, KEYRING_KEEP},
        {21, false, true, KEYRING_RENEW_LEAF}, {31, false, true, KEYRING_RENEW_LEAF}, /* the leaf is over, the CA is not */
        {-1, false, true, KEYRING_RENEW_ALL}, /* made in a future that our clock does not know */
        {0.9, true, true, KEYRING_KEEP},      /* not yet published long enough */
        {1.1, true, true, KEYRING_PROMOTE},    {1.1, true, false, KEYRING_KEEP}, /* nobody saw it published */
        {364.5, true, false, KEYRING_PROMOTE},                                   /* last chance */
        {366, false, true, KEYRING_RENEW_ALL}, {366, true, true, KEYRING_RENEW_ALL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum keyring_step step;

        wipe(NULL);
        fresh(NULL);
        if (rows[i].next)
            apply(KEYRING_ADD_NEXT);
        step = keyring_step(&ring, &hosts, clock_wall() + (int64_t)(rows[i].days * (double)DAY), rows[i].published);
        if (step != rows[i].step)
            fail_msg("row %zu: step %d, not %d", i, (int)step, (int)rows[i].step);
    }
}

static void a_ca_with_a_third_of_its_life_left_gets_a_successor(void **state)
{
    (void)state;
    assert_int_equal(keyring_step(&ring, &hosts, clock_wall() + 250 * DAY, true), KEYRING_RENEW_LEAF);
    /* With a leaf that is still good: as after its renewal. */
    ring.parts[KEYRING_CA].not_before -= 250 * DAY;
    ring.parts[KEYRING_CA].not_after -= 250 * DAY;
    assert_int_equal(keyring_step(&ring, &hosts, clock_wall(), true), KEYRING_ADD_NEXT);
}

static void a_change_publishes_two_and_loses_no_leaf(void **state)
{
    _cleanup_free_ char *first = mem_strdup(ring.parts[KEYRING_CA].cert), *second = NULL, *both = NULL;
    struct err err;

    (void)state;
    apply(KEYRING_ADD_NEXT);
    second = mem_strdup(ring.parts[KEYRING_NEXT].cert);
    both = bundle_of(&ring);
    assert_int_equal(count(both), 2);
    assert_int_equal(x509_check_issuer(ring.parts[KEYRING_LEAF].cert, first, &err), 0);
    apply(KEYRING_PROMOTE);
    mem_free(steal(both));
    both = bundle_of(&ring);
    assert_int_equal(count(both), 2);
    assert_non_null(strstr(both, first));
    assert_non_null(strstr(both, second));
    assert_int_equal(x509_check_issuer(ring.parts[KEYRING_LEAF].cert, second, &err), 0);
    assert_null(ring.parts[KEYRING_OLD].key);
    assert_int_equal(keyring_step(&ring, &hosts, clock_wall() + 23 * HOUR, true), KEYRING_KEEP);
    assert_int_equal(keyring_step(&ring, &hosts, clock_wall() + 25 * HOUR, true), KEYRING_DROP_OLD);
    apply(KEYRING_DROP_OLD);
    mem_free(steal(both));
    both = bundle_of(&ring);
    assert_string_equal(both, second);
}

static void another_name_asks_for_another_leaf(void **state)
{
    static const char *const more[] = {"injector.ns.svc", "127.0.0.1", "injector.other.svc"};
    const struct keyring_hosts wider = {more, 3};

    (void)state;
    assert_int_equal(keyring_step(&ring, &hosts, clock_wall(), true), KEYRING_KEEP);
    assert_int_equal(keyring_step(&ring, &wider, clock_wall(), true), KEYRING_RENEW_LEAF);
}

static void a_leaf_of_another_ca_is_renewed(void **state)
{
    struct keyring other = {0};
    struct err err;

    (void)state;
    assert_int_equal(keyring_apply(&other, KEYRING_RENEW_ALL, &hosts, &other, &err), 0);
    assert_int_equal(keyring_set(&ring, KEYRING_LEAF, other.parts[KEYRING_LEAF].cert, other.parts[KEYRING_LEAF].key, &err), 0);
    assert_int_equal(keyring_step(&ring, &hosts, clock_wall(), true), KEYRING_RENEW_LEAF);
    keyring_done(&other);
}

static void parts_that_do_not_fit_are_refused(void **state)
{
    struct keyring other = {0};
    struct err err;

    (void)state;
    assert_int_equal(keyring_apply(&other, KEYRING_RENEW_ALL, &hosts, &other, &err), 0);
    assert_int_equal(keyring_set(&ring, KEYRING_CA, ring.parts[KEYRING_CA].cert, other.parts[KEYRING_CA].key, &err), -1);
    assert_int_equal(keyring_set(&ring, KEYRING_CA, other.parts[KEYRING_LEAF].cert, other.parts[KEYRING_LEAF].key, &err), -1);
    assert_int_equal(keyring_set(&ring, KEYRING_LEAF, ring.parts[KEYRING_CA].cert, ring.parts[KEYRING_CA].key, &err), -1);
    assert_int_equal(keyring_set(&ring, KEYRING_CA, "nonsense", NULL, &err), -1);
    assert_null(strstr(err.text, "nonsense"));
    assert_true(keyring_is_usable(&ring));
    keyring_done(&other);
}

/* ------------------------------------------------------------------------------------------------------- the bundle */

static char *changed(const char *present, const char *ours, int64_t now)
{
    struct buf buf;

    buf_init(&buf, MIB(1));
    if (bundle_change(present, ours, now, &buf))
        return buf_take(&buf);
    buf_done(&buf);
    return NULL;
}

static void an_empty_or_broken_bundle_becomes_ours(void **state)
{
    static const char *const texts[] = {"", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    _cleanup_free_ char *ours = bundle_of(&ring);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        _cleanup_free_ char *got = changed(texts[i], ours, clock_wall());

        assert_string_equal(got, ours);
    }
}

static void a_bundle_that_holds_ours_is_right_whatever_else_is_in_it(void **state)
{
    struct keyring other = {0};
    _cleanup_free_ char *ours = bundle_of(&ring), *theirs = NULL;
    _cleanup_buf_ struct buf both;
    struct err err;

    (void)state;
    assert_int_equal(keyring_apply(&other, KEYRING_RENEW_ALL, &hosts, &other, &err), 0);
    theirs = bundle_of(&other);
    buf_init(&both, MIB(1));
    buf_addf(&both, "%s%s", ours, theirs);
    assert_null(changed(ours, ours, clock_wall()));
    assert_null(changed(both.data, ours, clock_wall()));
    keyring_done(&other);
}

static void the_ca_of_another_injector_stays_beside_ours_until_our_next_change(void **state)
{
    struct keyring other = {0};
    _cleanup_free_ char *ours = bundle_of(&ring), *theirs = NULL, *both = NULL, *later = NULL, *late = NULL;
    struct err err;

    (void)state;
    assert_int_equal(keyring_apply(&other, KEYRING_RENEW_ALL, &hosts, &other, &err), 0);
    theirs = bundle_of(&other);
    both = changed(theirs, ours, clock_wall());
    assert_int_equal(count(both), 2);
    assert_int_equal(strncmp(both, theirs, strlen(theirs)), 0);
    late = changed(theirs, ours, clock_wall() + 400 * DAY);
    assert_string_equal(late, ours);
    apply(KEYRING_ADD_NEXT);
    mem_free(steal(ours));
    ours = bundle_of(&ring);
    later = changed(both, ours, clock_wall());
    assert_string_equal(later, ours);
    keyring_done(&other);
}

static void what_is_given_to_publish_must_be_cas(void **state)
{
    _cleanup_free_ char *ours = bundle_of(&ring);
    struct err err;

    (void)state;
    assert_int_equal(bundle_check(ours, &err), 0);
    assert_int_equal(bundle_check("", &err), -1);
    assert_int_equal(bundle_check("nonsense", &err), -1);
    assert_int_equal(bundle_check(ring.parts[KEYRING_LEAF].cert, &err), -1);
    assert_non_null(strstr(err.text, "is no CA"));
}

static void a_bundle_past_its_limit_is_written_anew(void **state)
{
    _cleanup_free_ char *ours = bundle_of(&ring), *got = NULL;
    _cleanup_buf_ struct buf many;

    (void)state;
    buf_init(&many, MIB(1));
    for (int i = 0; i <= LIMIT_BUNDLE_CERTIFICATES; i++)
        buf_adds(&many, ours);
    got = changed(many.data, ours, clock_wall());
    assert_string_equal(got, ours);
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, fresh, wipe)
    const struct CMUnitTest tests[] = {
        RING_TEST(each_age_has_its_step),
        RING_TEST(a_ca_with_a_third_of_its_life_left_gets_a_successor),
        RING_TEST(a_change_publishes_two_and_loses_no_leaf),
        RING_TEST(another_name_asks_for_another_leaf),
        RING_TEST(a_leaf_of_another_ca_is_renewed),
        RING_TEST(parts_that_do_not_fit_are_refused),
        RING_TEST(an_empty_or_broken_bundle_becomes_ours),
        RING_TEST(a_bundle_that_holds_ours_is_right_whatever_else_is_in_it),
        RING_TEST(the_ca_of_another_injector_stays_beside_ours_until_our_next_change),
        RING_TEST(what_is_given_to_publish_must_be_cas),
        RING_TEST(a_bundle_past_its_limit_is_written_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
