#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/keeper_turn.h"

static void what_is_done_follows_from_the_secret_and_from_what_is_held(void **state)
{
    static const struct {
        enum keeper_source source;
        bool held;
        enum keeper_act act;
    } rows[] = {
        {SOURCE_NONE, false, ACT_MAKE},      {SOURCE_NONE, true, ACT_HOLD},   {SOURCE_MISSING, false, ACT_MAKE},
        {SOURCE_MISSING, true, ACT_RESTORE}, {SOURCE_EMPTY, false, ACT_MAKE}, {SOURCE_EMPTY, true, ACT_RESTORE},
        {SOURCE_GOOD, false, ACT_ADOPT},     {SOURCE_GOOD, true, ACT_ADOPT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(keeper_act(rows[i].source, rows[i].held), rows[i].act);
}

static void answers_are_told_apart(void **state)
{
    const struct err retry = {.code = ERR_RETRY}, missing = {.code = ERR_MISSING};

    (void)state;
    assert_int_equal(keeper_event_of(200, NULL), KEEPER_DONE);
    assert_int_equal(keeper_event_of(409, &retry), KEEPER_CONFLICT);
    assert_int_equal(keeper_event_of(422, &retry), KEEPER_UNFIT);
    assert_int_equal(keeper_event_of(404, &missing), KEEPER_MISSING);
    assert_int_equal(keeper_event_of(500, &retry), KEEPER_FAILED);
    assert_int_equal(keeper_event_of(0, &retry), KEEPER_FAILED);
}

static void a_good_answer_leads_to_the_next_call(void **state)
{
    (void)state;
    assert_int_equal(keeper_turn(PHASE_IDLE, KEEPER_DUE), KEEPER_BEGIN);
    assert_int_equal(keeper_turn(PHASE_SECRET, KEEPER_DONE), KEEPER_TAKE_SECRET);
    assert_int_equal(keeper_turn(PHASE_WRITE, KEEPER_DONE), KEEPER_WRITTEN);
    assert_int_equal(keeper_turn(PHASE_WEBHOOK, KEEPER_DONE), KEEPER_TAKE_WEBHOOK);
    assert_int_equal(keeper_turn(PHASE_PATCH, KEEPER_DONE), KEEPER_PATCHED);
}

static void what_is_missing_is_made_where_it_can_be(void **state)
{
    (void)state;
    assert_int_equal(keeper_turn(PHASE_SECRET, KEEPER_MISSING), KEEPER_LACK_SECRET);
    assert_int_equal(keeper_turn(PHASE_WEBHOOK, KEEPER_MISSING), KEEPER_LACK_WEBHOOK);
    assert_int_equal(keeper_turn(PHASE_WRITE, KEEPER_MISSING), KEEPER_NOT_WRITTEN);
    assert_int_equal(keeper_turn(PHASE_PATCH, KEEPER_MISSING), KEEPER_FAIL);
}

/* A patch tests the version it was made for: an API server says 422 where it is another. */
static void only_of_a_write_can_somebody_be_faster(void **state)
{
    (void)state;
    for (enum keeper_phase phase = PHASE_SECRET; phase < KEEPER_PHASES; phase++) {
        assert_int_equal(keeper_turn(phase, KEEPER_CONFLICT) == KEEPER_ANEW, phase == PHASE_WRITE || phase == PHASE_PATCH);
        assert_int_equal(keeper_turn(phase, KEEPER_UNFIT) == KEEPER_ANEW, phase == PHASE_PATCH);
    }
    assert_int_equal(keeper_turn(PHASE_WRITE, KEEPER_UNFIT), KEEPER_NOT_WRITTEN);
}

/* An event that is not expected is an entry like others. Nothing that fails is passed over, or a turn would never end. */
static void a_turn_that_runs_begins_no_other_and_misses_no_answer(void **state)
{
    (void)state;
    for (enum keeper_phase phase = PHASE_SECRET; phase < KEEPER_PHASES; phase++) {
        assert_int_equal(keeper_turn(phase, KEEPER_DUE), KEEPER_IGNORE);
        assert_int_equal(keeper_turn(phase, KEEPER_CHANGED), KEEPER_AGAIN);
        for (enum keeper_event event = KEEPER_DONE; event < KEEPER_EVENTS; event++)
            assert_int_not_equal(keeper_turn(phase, event), KEEPER_IGNORE);
    }
    assert_int_equal(keeper_turn(PHASE_IDLE, KEEPER_CHANGED), KEEPER_SOON);
    for (enum keeper_event event = KEEPER_DONE; event < KEEPER_EVENTS; event++)
        assert_int_equal(keeper_turn(PHASE_IDLE, event), KEEPER_IGNORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_follows_from_the_secret_and_from_what_is_held),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(a_good_answer_leads_to_the_next_call),
        cmocka_unit_test(what_is_missing_is_made_where_it_can_be),
        cmocka_unit_test(only_of_a_write_can_somebody_be_faster),
        cmocka_unit_test(a_turn_that_runs_begins_no_other_and_misses_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
