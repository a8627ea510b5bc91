#include "pod.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "chance.h"
#include "config/load.h"
#include "flaw.h"
#include "flow/programs.h"
#include "flow/sidecar.h"
#include "instant.h"
#include "os/file.h"
#include "outside.h"
#include "program.h"

#define FIRST_PAUSE (10 * SECOND) /* of a kubelet, which doubles it */
#define LAST_PAUSE  (5 * MINUTE)
#define LASTED      (10 * MINUTE)

static struct {
    const struct pod_plan *plan;
    char folder[64], path[POD_FILES][96];
    struct config config;
    struct programs programs;
    struct sidecar *sidecar;
    struct fiber *fiber;
    struct loop_timer restart;
    int64_t since, pause;
    unsigned starts, ends, program_ended, taken;
    enum pod_last last;
    bool fell;    /* the program, and takes the agent along */
    bool changed; /* a file, since the last look */
    int failed;
    struct err err;
    struct pod_view view[POD_VIEWS];
    struct stat stamp[POD_FILES];
    unsigned long moves; /* of files, that were looked at */
} pod;

/* ---------------------------------------------------------------------------------------------------- configuration */

static void add_secret(FILE *f, const char *name, unsigned n, const char *call, const char *first, const char *second)
{
    fprintf(f, "{{ with secret %s }}%s %u {{ .Data.%s }} {{ .Data.%s }}\n{{ end }}", call, name, n, first, second);
}

static void add_kv(FILE *f, unsigned n)
{
    char call[48];

    snprintf(call, sizeof(call), "\"secret/%sk%u\"", pod.plan->plain ? "" : "data/", n);
    add_secret(f, "kv", n, call, "data.v", "data.w");
}

static void add_numbered(FILE *f, const char *name, const char *path, const char *argument, unsigned count, const char *first,
                         const char *second)
{
    char call[64];

    for (unsigned n = 0; n < count; n++) {
        snprintf(call, sizeof(call), "\"%s%u\"%s", path, n, argument);
        add_secret(f, name, n, call, first, second);
    }
}

static void begin_template(FILE *f, unsigned file)
{
    fprintf(f, "template {\n  destination = \"%s\"\n", pod.path[file]);
    if (pod.plan->commands)
        fprintf(f, "  command = [\"reload\", \"%u\"]\n", file);
    fputs("  contents = <<EOT\n", f);
}

static void write_second(FILE *f)
{
    const struct pod_plan *plan = pod.plan;

    add_kv(f, 0);
    add_numbered(f, "db", "db/creds/r", "", plan->db, "username", "password");
    add_numbered(f, "rotated", "db/static-creds/s", "", plan->rotated, "username", "password");
    add_numbered(f, "certificate", "pki/issue/p", " \"common_name=x\"", plan->certificates, "certificate", "serial_number");
    fputs("end\nEOT\n}\n", f);
}

static void write_last(FILE *f)
{
    if (pod.last == POD_NOTHING)
        return;
    begin_template(f, 2);
    add_kv(f, POD_GUEST);
    if (pod.last == POD_CREDENTIAL)
        add_numbered(f, "db", "db/creds/r", "", 1, "username", "password");
    fputs("end\nEOT\n}\n", f);
}

static void write_program(FILE *f)
{
    fputs("exec {\n  command = [\"program\"]\n}\nenv_template \"" PROGRAM_VARIABLE "\" {\n  contents = <<EOT\n", f);
    write_second(f);
    if (pod.plan->by_signal)
        fputs("ampule {\n  restart_signal = \"SIGUSR2\"\n}\n", f);
}

static void write_templates(FILE *f)
{
    const struct pod_plan *plan = pod.plan;

    begin_template(f, 0);
    for (unsigned n = 0; n < plan->kv; n++)
        add_kv(f, n);
    add_numbered(f, "kv1", "kv1/k", "", plan->kv1, "v", "w");
    fputs("end\nEOT\n}\n", f);
    begin_template(f, 1);
    write_second(f);
    write_last(f);
    if (plan->program)
        write_program(f);
}

static FILE *file_in(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", pod.folder, name);
    return fopen(path, "w");
}

static int write_config(void)
{
    FILE *f = file_in("agent.hcl");

    if (!f)
        return -1;
    fprintf(f,
            "vault {\n  address = \"http://vault:8200\"\n}\nauto_auth {\n  method \"kubernetes\" {\n    config = {\n"
            "      role = \"app\"\n      token_path = \"%s/jwt\"\n    }\n  }\n",
            pod.folder);
    if (pod.plan->sink)
        fprintf(f, "  sink \"file\" {\n%s    config = {\n      path = \"%s/token\"\n    }\n  }\n",
                pod.plan->wrapped ? "    wrap_ttl = \"5m\"\n" : "", pod.folder);
    fprintf(f, "}\ntemplate_config {\n  exit_on_retry_failure = %s\n  static_secret_render_interval = \"%llds\"\n}\n",
            pod.plan->exit_on_failure ? "true" : "false", (long long)pod.plan->interval_s);
    write_templates(f);
    return fclose(f);
}

static int write_files(void)
{
    FILE *f;

    for (unsigned i = 0; i < POD_FILES; i++)
        snprintf(pod.path[i], sizeof(pod.path[i]), "%s/file%u", pod.folder, i);
    f = file_in("jwt");
    if (!f)
        return -1;
    fputs("service-account-token\n", f);
    return fclose(f) != 0 ? -1 : write_config();
}

static char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

/* A `config_source`: SIGHUP reads it again. */
static int load(void *ctx, struct config *ret, struct problems *problems)
{
    struct flags flags;
    char path[128];

    (void)ctx;
    snprintf(path, sizeof(path), "%s/agent.hcl", pod.folder);
    flags_init(&flags);
    flags.configs[flags.config_count++] = path;
    return config_load(ret, &flags, no_environment, problems);
}

static int read_config(void)
{
    _cleanup_problems_ struct problems problems;
    int failed;

    problems_init(&problems);
    failed = load(NULL, &pod.config, &problems);
    for (size_t i = 0; failed && i < problems.len; i++) {
        _cleanup_buf_ struct buf line;

        buf_init_clipped(&line, 1024);
        problem_write(&problems.items[i], &line);
        fprintf(stderr, "%s\n", line.data);
    }
    return failed;
}

unsigned pod_paths(const struct pod_plan *plan, const char **ret, unsigned most)
{
    static char text[5 * SERVER_SECRETS + 1][32];
    const struct {
        const char *path;
        unsigned count;
    } rows[] = {{"secret/data/k", plan->kv},
                {"kv1/k", plan->kv1},
                {"db/creds/r", plan->db},
                {"db/static-creds/s", plan->rotated},
                {"pki/issue/p", plan->certificates}};
    unsigned len = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned n = 0; n < rows[i].count && len < most; n++) {
            snprintf(text[len], sizeof(text[len]), "%s%u", rows[i].path, n);
            ret[len] = text[len];
            len++;
        }
    }
    if (plan->reloads && len < most) {
        snprintf(text[len], sizeof(text[len]), "secret/data/k%u", POD_GUEST);
        ret[len] = text[len];
        len++;
    }
    return len;
}

/* ------------------------------------------------------------------------------------------------------------- life */

static void live(void *ctx)
{
    int code = 0;

    (void)ctx;
    pod.failed = sidecar_run(pod.sidecar, &code, &pod.err);
}

static void end(void)
{
    if (!pod.sidecar)
        return;
    sidecar_free(steal(pod.sidecar));
    fiber_free(steal(pod.fiber));
    programs_stop(&pod.programs);
    pod.fell = false;
    pod.programs = (struct programs){0};
    pod.since = CLOCK_NEVER;
}

static void begin(void *ctx)
{
    static const struct harden_origin origin;
    const struct programs_options programs = {.config = &pod.config, .origin = &origin, .load = load};
    const struct sidecar_options options = {.config = &pod.config, .programs = &pod.programs, .load = load};

    (void)ctx;
    pod.starts++;
    pod.since = clock_now();
    config_done(&pod.config);
    if (read_config() != 0)
        abort();
    if (programs_start(&pod.programs, &programs, &pod.err) != 0 || sidecar_new(&options, &pod.sidecar, &pod.err) != 0) {
        fprintf(stderr, "the agent does not start: %s\n", pod.err.text);
        abort();
    }
    pod.fiber = fiber_new(live, NULL);
    fiber_go(pod.fiber);
}

int pod_start(const struct pod_plan *plan)
{
    static char sky;

    memset(&pod, 0, sizeof(pod));
    pod.plan = plan;
    pod.since = CLOCK_NEVER;
    snprintf(pod.folder, sizeof(pod.folder), "%s/ampule-simulation-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(pod.folder) || write_files() != 0)
        return -1;
    timer_init(&pod.restart, (struct loop *)&sky, begin, NULL);
    begin(NULL);
    return 0;
}

static void remove_file(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", pod.folder, name);
    unlink(path);
}

void pod_stop(void)
{
    static const char *const names[] = {"file0", "file1", "file2", "jwt", "token", "agent.hcl"};

    timer_stop(&pod.restart);
    end();
    config_done(&pod.config);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        remove_file(names[i]);
    rmdir(pod.folder);
}

static void hang_up(void)
{
    if (pod.fiber && !flawed(FLAW_UNHEARD))
        fiber_signal(pod.fiber, SIGHUP);
}

/* Sometimes somebody has made a mistake first. */
static void edit(void)
{
    FILE *f = chance_is(0.2) ? file_in("agent.hcl") : NULL;

    if (f) {
        fputs("vault {\n  address = \"http://vault:8200\n", f);
        fclose(f);
        hang_up();
    }
    pod.last = pod.plan->reloads ? (enum pod_last)chance_below(pod.plan->db ? 3 : 2) : POD_NOTHING;
    if (write_config() != 0)
        abort();
}

void pod_hangup(void)
{
    if (pod.plan->reloads)
        edit();
    hang_up();
}

enum pod_last pod_last(void)
{
    return pod.last;
}

void pod_end(void)
{
    if (pod.fiber)
        fiber_signal(pod.fiber, SIGTERM);
}

/* As a kubelet: at once after a long life, later and later after short ones. */
static void restart(void)
{
    bool lasted = pod.since != CLOCK_NEVER && clock_now() - pod.since > LASTED;

    pod.pause = lasted || !pod.pause ? FIRST_PAUSE : pod.pause * 2 > LAST_PAUSE ? LAST_PAUSE : pod.pause * 2;
    end();
    timer_after(&pod.restart, pod.pause);
}

/* ------------------------------------------------------------------------------------------------------------- sink */

unsigned pod_sink(void)
{
    _cleanup_buf_ struct buf text = {0};
    char path[128];
    struct err err;

    snprintf(path, sizeof(path), "%s/token", pod.folder);
    if (file_read(path, 4096, &text, &err) != 0)
        return 0;
    return pod.plan->wrapped ? server_wrapped_in(text.data) : server_token_number(text.data);
}

void pod_take(void)
{
    if (!pod.plan->wrapped || !pod_sink())
        return;
    pod.taken = pod_sink();
    remove_file("token");
}

unsigned pod_taken(void)
{
    return pod.taken;
}

/* ------------------------------------------------------------------------------------------------------------- life */

void pod_kill(void)
{
    if (pod.sidecar)
        restart();
}

/* ------------------------------------------------------------------------------------------------------------ files */

static void note_line(struct pod_view *view, const char *line)
{
    char name[16];
    unsigned n, first, second;

    if (sscanf(line, "%15s %u %u %u", name, &n, &first, &second) != 4 || n >= SERVER_SECRETS || first != second) {
        view->whole &= strcmp(line, "end") == 0;
        return;
    }
    if (strcmp(name, "kv") == 0)
        view->kv[n] = first;
    else if (strcmp(name, "kv1") == 0)
        view->kv1[n] = first;
    else if (strcmp(name, "db") == 0)
        view->db[n] = first;
    else if (strcmp(name, "rotated") == 0)
        view->rotated = first + 1;
    else if (strcmp(name, "certificate") == 0)
        view->certificate[n] = first;
}

/* Of the last file one of two, as it was when it was written. */
static bool is_line_count(unsigned index, unsigned lines)
{
    const struct pod_plan *plan = pod.plan;

    if (index == 2)
        return lines == 2 || lines == 3;
    return lines == 1 + (index == 0 ? plan->kv + plan->kv1 : 1 + plan->db + plan->rotated + plan->certificates);
}

/* Takes the text apart. */
static void note_text(unsigned index, char *text, size_t len)
{
    struct pod_view *view = &pod.view[index];
    uint64_t digest = 1469598103934665603u;
    unsigned seen = 0;
    char *save = NULL;

    view->there = view->whole = true;
    for (size_t i = 0; i < len; i++)
        digest = (digest ^ (unsigned char)text[i]) * 1099511628211u;
    view->digest = digest;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), seen++)
        note_line(view, line);
    view->whole &= is_line_count(index, seen);
}

static void read_view(unsigned file)
{
    _cleanup_buf_ struct buf text = {0};
    struct err err;

    pod.view[file] = (struct pod_view){.generation = pod.view[file].generation + 1};
    if (file_read(pod.path[file], 64 * 1024, &text, &err) == 0)
        note_text(file, text.data, text.len);
}

void pod_program_starts(const char *secrets)
{
    char text[4096];

    pod.view[POD_PROGRAM] = (struct pod_view){.generation = pod.view[POD_PROGRAM].generation + 1};
    if (!secrets)
        return;
    snprintf(text, sizeof(text), "%s", secrets);
    note_text(POD_PROGRAM, text, strlen(text));
}

void pod_program_ends(bool asked)
{
    pod.view[POD_PROGRAM] = (struct pod_view){.generation = pod.view[POD_PROGRAM].generation + 1};
    pod.fell |= !asked;
}

static bool look_at(unsigned file)
{
    struct stat *old = &pod.stamp[file], now = {0};

    if (stat(pod.path[file], &now) != 0)
        now = (struct stat){0};
    if (now.st_ino == old->st_ino && now.st_mtim.tv_sec == old->st_mtim.tv_sec && now.st_mtim.tv_nsec == old->st_mtim.tv_nsec)
        return false;
    *old = now;
    read_view(file);
    return true;
}

void pod_see(void)
{
    for (unsigned i = 0; i < POD_FILES && pod.moves != outside_moves(); i++)
        pod.changed |= look_at(i);
    pod.moves = outside_moves();
}

bool pod_look(void)
{
    bool changed;

    if (pod.fiber && fiber_wants(pod.fiber))
        fiber_go(pod.fiber);
    pod_see();
    if (pod.fiber && fiber_ended(pod.fiber)) {
        pod.ends += !pod.fell;
        pod.program_ended += pod.fell;
        restart();
    }
    changed = pod.changed;
    pod.changed = false;
    return changed;
}

const struct pod_view *pod_view(unsigned file)
{
    return &pod.view[file];
}

int64_t pod_since(void)
{
    return pod.since;
}

unsigned pod_starts(void)
{
    return pod.starts;
}

unsigned pod_ends(void)
{
    return pod.ends;
}

unsigned pod_program_ended(void)
{
    return pod.program_ended;
}

const char *pod_last_words(void)
{
    return pod.err.text;
}
