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
#include "flow/programs.h"
#include "flow/sidecar.h"
#include "instant.h"
#include "os/file.h"
#include "outside.h"

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
    unsigned starts, ends;
    int failed;
    struct err err;
    struct pod_view view[POD_FILES];
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

static void write_templates(FILE *f)
{
    const struct pod_plan *plan = pod.plan;

    begin_template(f, 0);
    for (unsigned n = 0; n < plan->kv; n++)
        add_kv(f, n);
    add_numbered(f, "kv1", "kv1/k", "", plan->kv1, "v", "w");
    fputs("end\nEOT\n}\n", f);
    begin_template(f, 1);
    add_kv(f, 0);
    add_numbered(f, "db", "db/creds/r", "", plan->db, "username", "password");
    add_numbered(f, "rotated", "db/static-creds/s", "", plan->rotated, "username", "password");
    add_numbered(f, "certificate", "pki/issue/p", " \"common_name=x\"", plan->certificates, "certificate", "serial_number");
    fputs("end\nEOT\n}\n", f);
}

static int write_files(void)
{
    char path[128];
    FILE *f;

    for (unsigned i = 0; i < POD_FILES; i++)
        snprintf(pod.path[i], sizeof(pod.path[i]), "%s/file%u", pod.folder, i);
    snprintf(path, sizeof(path), "%s/jwt", pod.folder);
    f = fopen(path, "w");
    if (!f)
        return -1;
    fputs("service-account-token\n", f);
    fclose(f);
    snprintf(path, sizeof(path), "%s/agent.hcl", pod.folder);
    f = fopen(path, "w");
    if (!f)
        return -1;
    fprintf(f,
            "vault {\n  address = \"http://vault:8200\"\n}\nauto_auth {\n  method \"kubernetes\" {\n    config = {\n"
            "      role = \"app\"\n      token_path = \"%s/jwt\"\n    }\n  }\n",
            pod.folder);
    if (pod.plan->sink)
        fprintf(f, "  sink \"file\" {\n    config = {\n      path = \"%s/token\"\n    }\n  }\n", pod.folder);
    fprintf(f, "}\ntemplate_config {\n  exit_on_retry_failure = %s\n  static_secret_render_interval = \"%llds\"\n}\n",
            pod.plan->exit_on_failure ? "true" : "false", (long long)pod.plan->interval_s);
    write_templates(f);
    return fclose(f);
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
    static char text[5 * SERVER_SECRETS][32];
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
    if (!mkdtemp(pod.folder) || write_files() != 0 || read_config() != 0)
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
    static const char *const names[] = {"file0", "file1", "jwt", "token", "agent.hcl"};

    timer_stop(&pod.restart);
    end();
    config_done(&pod.config);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        remove_file(names[i]);
    rmdir(pod.folder);
}

void pod_hangup(void)
{
    if (pod.fiber)
        fiber_signal(pod.fiber, SIGHUP);
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

static void read_view(unsigned file)
{
    struct pod_view *view = &pod.view[file];
    const struct pod_plan *plan = pod.plan;
    unsigned lines = file == 0 ? plan->kv + plan->kv1 : 1 + plan->db + plan->rotated + plan->certificates, seen = 0;
    uint64_t generation = view->generation + 1, digest = 1469598103934665603u;
    _cleanup_buf_ struct buf text = {0};
    struct err err;
    char *save = NULL;

    *view = (struct pod_view){.generation = generation};
    if (file_read(pod.path[file], 64 * 1024, &text, &err) != 0)
        return;
    view->there = view->whole = true;
    for (size_t i = 0; i < text.len; i++)
        digest = (digest ^ (unsigned char)text.data[i]) * 1099511628211u;
    view->digest = digest;
    for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save), seen++)
        note_line(view, line);
    view->whole &= seen == lines + 1;
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

bool pod_look(void)
{
    bool changed = false;

    if (pod.fiber && fiber_wants(pod.fiber))
        fiber_go(pod.fiber);
    for (unsigned i = 0; i < POD_FILES && pod.moves != outside_moves(); i++)
        changed |= look_at(i);
    pod.moves = outside_moves();
    if (pod.fiber && fiber_ended(pod.fiber)) {
        pod.ends++;
        restart();
    }
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

const char *pod_last_words(void)
{
    return pod.err.text;
}
