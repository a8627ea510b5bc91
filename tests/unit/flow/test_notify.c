#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "flow/notify.h"

static struct loop *loop;
static struct launcher *launcher;
static struct notify *notify;
static struct err err;
static unsigned results, failures, signalled;
static int64_t last_wait;
static struct err last_err;
static struct loop_signal on_hup;
static bool stop_at_each, insist;

static int setup(void **state)
{
    results = failures = signalled = 0;
    stop_at_each = insist = false;
    launcher = launcher_new();
    return folder_make(state);
}

static int teardown(void **state)
{
    notify_free(notify);
    signal_stop(&on_hup);
    launcher_free(launcher);
    loop_free(loop);
    return folder_remove(state);
}

static void on_result(void *ctx, const struct notify_rule *rule, const struct notify_result *result)
{
    (void)ctx, (void)rule;
    results++;
    failures += result->err != NULL;
    last_wait = result->again_ms;
    if (result->err)
        last_err = *result->err;
    if (stop_at_each)
        loop_stop(loop);
}

static void on_idle(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

static void on_signal(void *ctx, int signo)
{
    (void)ctx, (void)signo;
    signalled++;
    loop_stop(loop);
}

static struct notify_rule line(const char *text)
{
    char where[128];
    const char *const env[] = {"PATH=/usr/bin:/bin", where, NULL};
    unsigned program = 0;

    snprintf(where, sizeof(where), "D=%s", folder);
    assert_int_equal(launcher_add(launcher, (const char *const[]){"sh", "-c", text, NULL}, env, &program, &err), 0);
    return (struct notify_rule){.label = "template[0]", .program = (int)program, .timeout_ms = 30000};
}

static void start(void)
{
    assert_int_equal(launcher_start(launcher, NULL, &err), 0);
    loop = loop_new(&err);
    assert_non_null(loop);
    assert_int_equal(launcher_attach(launcher, loop, &err), 0);
    assert_int_equal(signal_start(&on_hup, loop, SIGHUP, on_signal, NULL, &err), 0);
    notify = notify_new(&(struct notify_options){
        .loop = loop, .launcher = launcher, .insist = insist, .on_result = on_result, .on_idle = on_idle});
}

static void commands_run_in_order_and_identical_ones_once(void **state)
{
    struct notify_rule a = line("echo a >> $D/log"), b = line("echo b >> $D/log"), again = line("echo a >> $D/log");

    (void)state;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&a, &b, &again}, 3, &err), 0);
    assert_true(notify_busy(notify));
    assert_int_equal(loop_run(loop, &err), 0);
    assert_file(in_folder("log"), "a\nb\n");
    assert_int_equal(results, 2);
    assert_int_equal(failures, 0);
    assert_false(notify_busy(notify));
}

/* Whatever a command does, it is run once, told of, and holds up nothing. */
static void failed_command_waits_for_the_next_change(void **state)
{
    static const char *const lines[] = {"exit 4", "kill -KILL $$", "sleep 600", "exec /no/such/program"};
    static const char *const reasons[] = {"exit code 4", "ended by signal 9", "did not end within", "exit code 127"};
    struct notify_rule rules[ARRAY_LEN(lines)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        rules[i] = line(lines[i]);
        rules[i].timeout_ms = i == 2 ? 100 : 30000;
    }
    start();
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rules[i]}, 1, &err), 0);
        assert_int_equal(loop_run(loop, &err), 0);
        assert_int_equal(failures, i + 1);
        assert_non_null(strstr(last_err.text, reasons[i]));
        assert_int_equal(last_wait, NOTIFY_NOT_AGAIN);
        assert_int_equal(notify_failing(notify), 0);
        assert_false(notify_busy(notify));
    }
}

static void program_that_is_missing_is_a_failure_even_when_it_is_not_waited_for(void **state)
{
    struct notify_rule missing = {.label = "template[0]", .timeout_ms = 0}, there = line("exit 3"),
                       after = line("echo x > $D/log");
    unsigned program = 0;

    (void)state;
    there.timeout_ms = 0;
    assert_int_equal(
        launcher_add(launcher, (const char *const[]){"/no/such/program", NULL}, (const char *const[]){NULL}, &program, &err), 0);
    missing.program = (int)program;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&missing}, 1, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(failures, 1);
    assert_non_null(strstr(last_err.text, "not found"));
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&there, &after}, 2, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(failures, 1);
    assert_int_equal(results, 3);
    assert_file(in_folder("log"), "x\n");
}

static void failed_command_runs_again_by_itself_when_that_is_insisted_on(void **state)
{
    struct notify_rule rule = line("echo x >> $D/log; test -e $D/ready || { touch $D/ready; exit 4; }");

    (void)state;
    insist = true;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rule}, 1, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(failures, 1);
    assert_non_null(strstr(last_err.text, "exit code 4"));
    assert_true(last_wait >= 1000 && last_wait <= 2000);
    assert_int_equal(notify_failing(notify), 1);
    assert_false(notify_busy(notify));
    stop_at_each = true;
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(failures, 1);
    assert_int_equal(notify_failing(notify), 0);
    assert_file(in_folder("log"), "x\nx\n");
}

static void what_fails_by_a_rule_that_is_gone_is_forgotten(void **state)
{
    struct notify_rule gone = line("exit 1"), kept = line("exit 2");

    (void)state;
    insist = true;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&gone, &kept}, 2, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(notify_failing(notify), 2);
    notify_retain(notify, (const struct notify_rule *[]){&kept}, 1);
    assert_int_equal(notify_failing(notify), 1);
    notify_retain(notify, NULL, 0);
    assert_int_equal(notify_failing(notify), 0);
}

/* Its file has changed: who reads it is told, whatever becomes of the template meanwhile. */
static void what_waits_for_its_turn_is_told_though_its_rule_is_gone(void **state)
{
    char label[] = "template[0]";
    struct notify_rule rule = line("echo x > $D/log");

    (void)state;
    rule.label = label;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rule}, 1, &err), 0);
    memset(label, 0, sizeof(label));
    memset(&rule, 0, sizeof(rule));
    notify_retain(notify, NULL, 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_file(in_folder("log"), "x\n");
}

static void later_batch_runs_a_failed_command_at_once(void **state)
{
    struct notify_rule rule = line("echo x >> $D/log; exit 1");

    (void)state;
    insist = true;
    start();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rule}, 1, &err), 0);
        assert_int_equal(loop_run(loop, &err), 0);
    }
    assert_file(in_folder("log"), "x\nx\nx\n");
}

static void change_during_a_command_runs_it_once_more(void **state)
{
    struct notify_rule rule = line("echo x >> $D/log; echo > $D/up; cat $D/gate > /dev/null");
    char c;
    int up, gate;

    (void)state;
    assert_int_equal(mkfifo(in_folder("up"), 0600), 0);
    assert_int_equal(mkfifo(in_folder("gate"), 0600), 0);
    start();
    stop_at_each = true;
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rule}, 1, &err), 0);
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rule}, 1, &err), 0);
    up = open(in_folder("up"), O_RDWR);
    gate = open(in_folder("gate"), O_RDWR);
    for (int i = 0; i < 2; i++) {
        struct loop_timer soon;

        timer_init(&soon, loop, on_idle, NULL);
        timer_after(&soon, 0);
        assert_int_equal(loop_run(loop, &err), 0);
        assert_int_equal(read(up, &c, 1), 1);
        if (i == 0)
            assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&rule}, 1, &err), 0);
        close(gate);
        gate = open(in_folder("gate"), O_WRONLY);
        close(gate);
        assert_int_equal(loop_run(loop, &err), 0);
        gate = open(in_folder("gate"), O_RDWR);
        timer_stop(&soon);
    }
    close(up);
    close(gate);
    assert_file(in_folder("log"), "x\nx\n");
}

/* Passes a HUP on to us, who are never signalled ourselves. */
static pid_t start_application(void)
{
    pid_t pid, us = getpid();
    sigset_t hup;
    int signo;

    sigemptyset(&hup);
    sigaddset(&hup, SIGHUP);
    sigprocmask(SIG_BLOCK, &hup, NULL);
    pid = fork();
    if (pid != 0) {
        sigprocmask(SIG_UNBLOCK, &hup, NULL);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (sigwait(&hup, &signo) == 0)
        kill(us, signo);
    _exit(1);
}

static void signal_goes_to_its_target_once_and_after_the_commands(void **state)
{
    struct notify_rule hup = {.label = "template[0]", .program = NOTIFY_SIGNAL, .signo = SIGHUP};
    struct notify_rule command = line("echo x >> $D/log"), same;
    pid_t application = start_application();
    char text[32];

    (void)state;
    snprintf(text, sizeof(text), "%d", (int)application);
    put_file(in_folder("pid"), text);
    hup.pid_file = in_folder("pid");
    hup.process = (struct proc_want){NULL, PROC_ANY_UID, false, 0};
    same = hup;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&hup, &command, &same}, 3, &err), 0);
    while (signalled == 0)
        assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(signalled, 1);
    assert_int_equal(results, 2);
    assert_file(in_folder("log"), "x\n");
    kill(application, SIGKILL);
    assert_int_equal(waitpid(application, NULL, 0), application);
}

/* A pid file that a neighbour wrote, with our number or our launcher's. */
static void agent_and_launcher_are_never_signalled(void **state)
{
    struct notify_rule hup = {.label = "t", .program = NOTIFY_SIGNAL, .signo = SIGHUP, .process = {NULL, PROC_ANY_UID, false, 0}};
    pid_t pids[2] = {getpid()};
    char text[32];

    (void)state;
    start();
    pids[1] = launcher_pid(launcher);
    hup.pid_file = in_folder("pid");
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        snprintf(text, sizeof(text), "%d", (int)pids[i]);
        put_file(in_folder("pid"), text);
        assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&hup}, 1, &err), 0);
        assert_int_equal(loop_run(loop, &err), 0);
        assert_int_equal(failures, i + 1);
        assert_non_null(strstr(last_err.text, "this agent itself"));
    }
    assert_int_equal(signalled, 0);
}

static void target_that_is_missing_waits_for_the_next_change(void **state)
{
    struct notify_rule hup = {.label = "t", .program = NOTIFY_SIGNAL, .signo = SIGHUP, .pid_file = "/nonexistent/pid"};

    (void)state;
    start();
    assert_int_equal(notify_batch(notify, (const struct notify_rule *[]){&hup}, 1, &err), 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(last_err.code, ERR_MISSING);
    assert_int_equal(last_wait, NOTIFY_NOT_AGAIN);
    assert_int_equal(notify_failing(notify), 0);
    assert_false(notify_busy(notify));
}

static void queue_is_bounded(void **state)
{
    struct notify_rule *rules = mem_array(LIMIT_TEMPLATES + 1, sizeof(*rules));
    const struct notify_rule *one;

    (void)state;
    start();
    for (int i = 0; i <= LIMIT_TEMPLATES; i++) {
        rules[i] = (struct notify_rule){.label = "t", .program = NOTIFY_SIGNAL, .signo = i + 1};
        one = &rules[i];
        assert_int_equal(notify_batch(notify, &one, 1, &err), i < LIMIT_TEMPLATES ? 0 : -1);
    }
    assert_int_equal(err.code, ERR_LIMIT);
    notify_free(steal(notify));
    mem_free(rules);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(commands_run_in_order_and_identical_ones_once),
        in_a_folder(failed_command_waits_for_the_next_change),
        in_a_folder(program_that_is_missing_is_a_failure_even_when_it_is_not_waited_for),
        in_a_folder(failed_command_runs_again_by_itself_when_that_is_insisted_on),
        in_a_folder(what_fails_by_a_rule_that_is_gone_is_forgotten),
        in_a_folder(what_waits_for_its_turn_is_told_though_its_rule_is_gone),
        in_a_folder(later_batch_runs_a_failed_command_at_once),
        in_a_folder(change_during_a_command_runs_it_once_more),
        in_a_folder(signal_goes_to_its_target_once_and_after_the_commands),
        in_a_folder(agent_and_launcher_are_never_signalled),
        in_a_folder(target_that_is_missing_waits_for_the_next_change),
        in_a_folder(queue_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
