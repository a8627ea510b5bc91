/*
 * child: one run of a command: started, watched, stopped in time.
 *
 * After `timeout_ms` its process group gets SIGTERM, after CHILD_GRACE_MS more SIGKILL: a program that ignores signals or forks leaves nothing.
 * The callback comes exactly once, from the loop, when the program is gone; the child frees itself after it.
 * Output goes where ours goes and is never read. Errors never carry the command's arguments beyond argv[0].
 */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/launcher.h"
#include "os/loop.h"

#define CHILD_GRACE_MS 5000

struct child;

struct child_spec {
    const char *const *argv; /* NULL-terminated; child_words() makes it from configuration */
    const char *const *envp; /* NULL-terminated; child_env() makes it */
    int64_t timeout_ms;      /* 0 = no limit */
};

/* NULL `err` is success: exit code 0. Else ERR_RETRY with the reason: "exit code 3", "ended by signal 9", "did not end within 30s", "not found". */
typedef void child_done(void *ctx, const struct launch_exit *exit, const struct err *err);

/* Everything in `spec` is copied. */
int child_start(struct loop *loop, struct launcher *launcher, const struct child_spec *spec, child_done *done, void *ctx, struct child **ret,
                struct err *err) MUST_USE;
int child_signal(struct child *child, int signo, struct err *err) MUST_USE;
/* SIGKILL to its group, no callback. NULL is accepted. */
void child_free(struct child *child);

/*
 * argv of a configured command: one element with white space runs as `sh -c`, all others directly (PATH lookup). Source: consul-template's runner.
 * The array is the caller's (free it with mem_free); the strings stay the configuration's.
 */
const char **child_words(const char *const *words, size_t count) MUST_USE;

/*
 * The environment of children: `base` (our own) without the names in `drop`, with `add` ("NAME=value") replacing or added. NULL-terminated lists,
 * NULL is an empty one. Tokens (VAULT_TOKEN, BAO_TOKEN) are always dropped. Array and strings by mem_alloc; free with child_env_free().
 */
char **child_env(char *const *base, const char *const *drop, const char *const *add) MUST_USE;
void child_env_free(char **env);

#endif
