#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "os/loop.h"

static struct loop *loop;
static struct err err;

static int setup(void **state)
{
    (void)state;
    loop = loop_new(&err);
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

/* A timer that writes its letter down; the one called '.' ends the loop. */
static char written[64];

struct letter {
    struct loop_timer timer;
    char c;
};

static void letter_write(void *ctx)
{
    struct letter *letter = ctx;
    size_t len = strlen(written);

    assert_int_equal(timer_armed(&letter->timer), 0);
    written[len] = letter->c;
    written[len + 1] = '\0';
    if (letter->c == '.')
        loop_stop(loop);
}

static void letter_init(struct letter *letter, char c)
{
    letter->c = c;
    timer_init(&letter->timer, loop, letter_write, letter);
}

static void run(void)
{
    written[0] = '\0';
    assert_int_equal(loop_run(loop, &err), 0);
}

static void timers_fire_in_the_order_of_their_deadlines(void **state)
{
    struct letter letters[6];
    const char names[] = "dbace.";

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        letter_init(&letters[i], names[i]);
        timer_after(&letters[i].timer, names[i] == '.' ? 9 : names[i] - 'a');
    }
    run();
    assert_string_equal(written, "abcde.");
}

static void timers_that_moved_or_stopped_keep_the_order(void **state)
{
    enum { N = 200 };
    struct letter *letters = mem_array(N, sizeof(*letters));
    struct letter last;
    int64_t now = clock_now();

    (void)state;
    for (size_t i = 0; i < N; i++) {
        letter_init(&letters[i], 'x');
        timer_at(&letters[i].timer, now + 100000 + (int64_t)digest_random_below(100000));
    }
    for (size_t i = 0; i < N; i++) {
        if (i % 3 == 0)
            timer_at(&letters[i].timer, now + 90000 + (int64_t)digest_random_below(100000));
        if (i % 5 == 0)
            timer_stop(&letters[i].timer);
    }
    timer_at(&letters[7].timer, now + 1);
    timer_at(&letters[8].timer, now + 2);
    letter_init(&last, '.');
    timer_at(&last.timer, now + 3);
    run();
    assert_string_equal(written, "xx.");
    for (size_t i = 0; i < N; i++)
        timer_stop(&letters[i].timer);
    mem_free(letters);
}

static void a_stopped_timer_does_not_fire(void **state)
{
    struct letter never, last;

    (void)state;
    letter_init(&never, 'n');
    letter_init(&last, '.');
    timer_after(&never.timer, 1);
    timer_after(&last.timer, 2);
    timer_stop(&never.timer);
    timer_stop(&never.timer);
    run();
    assert_string_equal(written, ".");
}

static void a_deadline_that_has_passed_fires_at_once(void **state)
{
    struct letter last;

    (void)state;
    letter_init(&last, '.');
    timer_at(&last.timer, clock_now() - 5000);
    run();
    assert_string_equal(written, ".");
}

static void never_is_not_a_deadline(void **state)
{
    struct letter letter;

    (void)state;
    letter_init(&letter, 'n');
    timer_at(&letter.timer, CLOCK_NEVER);
    assert_false(timer_armed(&letter.timer));
    timer_after(&letter.timer, INT64_MAX - 1);
    assert_false(timer_armed(&letter.timer));
}

/* Re-arms itself in the past for ever; the other timer must still get its turn. */
static void rearm(void *ctx)
{
    timer_at(&((struct letter *)ctx)->timer, 1);
}

static void a_timer_that_rearms_itself_does_not_starve_the_others(void **state)
{
    struct letter greedy, last;

    (void)state;
    timer_init(&greedy.timer, loop, rearm, &greedy);
    timer_at(&greedy.timer, 1);
    letter_init(&last, '.');
    timer_after(&last.timer, 2);
    run();
    assert_string_equal(written, ".");
    timer_stop(&greedy.timer);
}

static void stop_both(void *ctx)
{
    struct letter *others = ctx;

    timer_stop(&others[0].timer);
    timer_stop(&others[1].timer);
    memset(others, 0xAA, 2 * sizeof(*others));
}

static void a_callback_may_stop_timers_that_are_due_in_the_same_turn(void **state)
{
    struct letter others[2], last;
    struct loop_timer first;

    (void)state;
    timer_init(&first, loop, stop_both, others);
    timer_at(&first, 1);
    letter_init(&others[0], 'a');
    letter_init(&others[1], 'b');
    timer_at(&others[0].timer, clock_now() + 1);
    timer_at(&others[1].timer, clock_now() + 1);
    letter_init(&last, '.');
    timer_after(&last.timer, 3);
    clock_turn();
    run();
    assert_string_equal(written, ".");
}

static void loop_stop_before_the_run_ends_it_once(void **state)
{
    struct letter last;

    (void)state;
    loop_stop(loop);
    run();
    letter_init(&last, '.');
    timer_after(&last.timer, 0);
    run();
    assert_string_equal(written, ".");
}

struct pipe_reader {
    struct loop_fd fd;
    int ends[2];
    char got[8];
};

static void read_end(void *ctx, int ready)
{
    struct pipe_reader *reader = ctx;

    assert_int_equal(ready, LOOP_READ);
    assert_int_equal(read(reader->ends[0], reader->got, sizeof(reader->got)), 5);
    fd_stop(&reader->fd);
    fd_stop(&reader->fd);
    loop_stop(loop);
}

static void descriptors_report_what_can_be_done(void **state)
{
    struct pipe_reader reader = {.got = ""};

    (void)state;
    assert_int_equal(pipe(reader.ends), 0);
    assert_int_equal(fd_start(&reader.fd, loop, reader.ends[0], LOOP_READ, read_end, &reader, &err), 0);
    assert_int_equal(write(reader.ends[1], "hello", 5), 5);
    run();
    assert_memory_equal(reader.got, "hello", 5);
    close(reader.ends[0]);
    close(reader.ends[1]);
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct loop_fd fd;

    (void)state;
    assert_int_equal(fd_start(&fd, loop, 12345, LOOP_READ, read_end, NULL, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "descriptor 12345"));
}

static void caught(void *ctx, int signo)
{
    *(int *)ctx = signo;
    loop_stop(loop);
}

/* Nobody could wait for a file: it is found out when the loop hands its descriptors to the kernel. */
static void a_descriptor_that_the_kernel_does_not_watch_ends_the_loop(void **state)
{
    struct loop_fd fd;
    struct letter end;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    letter_init(&end, '.');
    timer_after(&end.timer, 20000);
    assert_int_equal(fd_start(&fd, loop, file, LOOP_READ, read_end, NULL, &err), 0);
    assert_int_equal(loop_run(loop, &err), -1);
    assert_string_equal(err.text, "event loop: the kernel does not watch a descriptor: Operation not permitted");
    assert_true(timer_armed(&end.timer)); /* and at once */
    timer_stop(&end.timer);
    fd_stop(&fd);
    close(file);
}

static void signals_arrive_as_callbacks(void **state)
{
    struct loop_signal sig;
    int got = 0;

    (void)state;
    assert_int_equal(signal_start(&sig, loop, SIGUSR1, caught, &got, &err), 0);
    raise(SIGUSR1);
    run();
    assert_int_equal(got, SIGUSR1);
    signal_stop(&sig);
    signal_stop(&sig);
}

static void note_now(void *ctx)
{
    *(int64_t *)ctx = clock_now();
}

static void every_callback_of_a_turn_sees_one_now_and_not_an_early_one(void **state)
{
    struct loop_timer a, b;
    struct letter last;
    int64_t seen_a = 0, seen_b = 0, due = clock_now() + 5;

    (void)state;
    timer_init(&a, loop, note_now, &seen_a);
    timer_init(&b, loop, note_now, &seen_b);
    letter_init(&last, '.');
    timer_at(&a, due);
    timer_at(&b, due);
    timer_at(&last.timer, due);
    run();
    assert_int_equal(seen_a, seen_b);
    assert_true(seen_a >= due);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(timers_fire_in_the_order_of_their_deadlines),
        T(timers_that_moved_or_stopped_keep_the_order),
        T(a_stopped_timer_does_not_fire),
        T(a_deadline_that_has_passed_fires_at_once),
        T(never_is_not_a_deadline),
        T(a_timer_that_rearms_itself_does_not_starve_the_others),
        T(a_callback_may_stop_timers_that_are_due_in_the_same_turn),
        T(loop_stop_before_the_run_ends_it_once),
        T(descriptors_report_what_can_be_done),
        T(a_bad_descriptor_is_an_error),
        T(a_descriptor_that_the_kernel_does_not_watch_ends_the_loop),
        T(signals_arrive_as_callbacks),
        T(every_callback_of_a_turn_sees_one_now_and_not_an_early_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
