#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow/agenda.h"

#define MANY 500

static struct turn turns[MANY];
static struct agenda agenda;

static int64_t first_due(void)
{
    int64_t due = CLOCK_NEVER;

    for (size_t i = 0; i < MANY; i++)
        if (turns[i].agenda && turns[i].due < due)
            due = turns[i].due;
    return due;
}

static void an_empty_agenda_has_nobody(void **state)
{
    struct turn turn = {0};

    (void)state;
    assert_null(agenda_first(&agenda));
    agenda_leave(&turn);
    agenda_done(&agenda);
}

/* Whatever is planned anew and whoever leaves, the first is the first. */
static void the_first_is_the_first(void **state)
{
    (void)state;
    srandom(1);
    for (size_t i = 0; i < MANY; i++) {
        agenda_join(&agenda, &turns[i], &turns[i], random() % 3 ? random() % 1000 : CLOCK_NEVER);
        assert_int_equal(agenda_first(&agenda)->due, first_due());
    }
    for (size_t i = 0; i < 10 * MANY; i++) {
        agenda_plan(&turns[random() % MANY], random() % 3 ? random() % 1000 : CLOCK_NEVER);
        assert_int_equal(agenda_first(&agenda)->due, first_due());
    }
    for (size_t left = MANY; left > 0; left--) {
        assert_ptr_equal(agenda_first(&agenda)->owner, agenda_first(&agenda));
        assert_int_equal(agenda_first(&agenda)->due, first_due());
        agenda_leave(left % 2 ? agenda_first(&agenda) : agenda.heap[left / 2]);
    }
    assert_null(agenda_first(&agenda));
    agenda_done(&agenda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_agenda_has_nobody),
        cmocka_unit_test(the_first_is_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
