#include "flow/helper.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/capture.h"
#include "os/environ.h"
#include "vault/login.h"

#define TIMEOUT_MS ((int64_t)30 * 1000)

struct helper {
    struct loop *loop;
    struct launcher *launcher;
    unsigned number;
    struct capture *capture;
    struct loop_timer late; /* hands on that it could not be started */
    struct err err;
    helper_done *done;
    void *ctx;
};

/* -------------------------------------------------------------------------------------------------- where it stands */

bool helper_needed(const struct config_method *method)
{
    const struct login_method *row = login_method_find(method->type);

    return row && row->helper;
}

/* "" where it cannot be told. */
static void own_folder(char *ret, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", ret, size - 1);
    char *end;

    ret[len > 0 ? len : 0] = '\0';
    end = strrchr(ret, '/');
    if (end)
        *end = '\0';
}

static int find(const char *name, struct buf *ret, const char *out, struct err *err)
{
    char own[PATH_MAX];
    const char *const folders[] = {own, "/usr/libexec/ampule", "/usr/local/libexec/ampule"};

    own_folder(own, sizeof(own));
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        buf_reset(ret);
        buf_addf(ret, "%s/%s", folders[i], name);
        if (access(ret->data, X_OK) == 0)
            return 0;
    }
    return err_set(err, ERR_MISSING, "%s is neither in %s nor in %s: %s", name, own, folders[1], out);
}

static int add(struct launcher *launcher, const struct login_helper *found, const char *const *environment, int *ret_number,
               struct err *err)
{
    _cleanup_buf_ struct buf path;
    const char *argv[LOGIN_HELPER_ARGUMENTS + 2] = {NULL};
    const char *const more[] = {found->variable.data, NULL};
    const char **own;
    unsigned number;
    int failed;

    buf_init(&path, PATH_MAX);
    if (find(found->program, &path, found->out, err) != 0)
        return -1;
    argv[0] = path.data;
    for (size_t i = 0; i < LOGIN_HELPER_ARGUMENTS; i++)
        argv[i + 1] = found->arguments[i].data;
    own = environ_build(environment, NULL, more);
    failed = launcher_add(launcher, argv, own, &number, err);
    environ_free(own);
    if (!failed)
        *ret_number = (int)number;
    return failed;
}

int helper_add(struct launcher *launcher, const struct config_method *method, const char *const *environment, int *ret_number,
               struct err *err)
{
    struct login_helper found;
    int failed = login_helper_of(method->type, &method->config, &found, err);

    if (!failed)
        failed = add(launcher, &found, environment, ret_number, err);
    login_helper_done(&found);
    return failed ? err_wrap(err, "auto_auth.method \"%s\"", method->type) : 0;
}

/* ---------------------------------------------------------------------------------------------------------- one run */

static void tell(struct helper *helper, const struct buf *output, const struct err *err)
{
    const struct told told = {.challenge = "", .body = {output ? output->data : "", output ? output->len : 0}, .err = err};

    helper->done(helper->ctx, &told);
}

/* Of one that printed why it ends, that is the reason. */
static void on_done(void *ctx, const struct buf *output, const struct err *err)
{
    struct helper *helper = ctx;
    struct err why = {0};

    helper->capture = NULL;
    if (!err) {
        tell(helper, output, NULL);
        return;
    }
    why = *err;
    if (output->len && output->len < ERR_TEXT_MAX / 2)
        err_set(&why, ERR_RETRY, "%.*s", (int)strcspn(output->data, "\n"), output->data);
    tell(helper, NULL, &why);
}

static void on_late(void *ctx)
{
    struct helper *helper = ctx;

    tell(helper, NULL, &helper->err);
}

struct helper *helper_new(struct loop *loop, struct launcher *launcher, unsigned number, helper_done *done, void *ctx)
{
    struct helper *helper = mem_alloc(sizeof(*helper));

    *helper = (struct helper){.loop = loop, .launcher = launcher, .number = number, .done = done, .ctx = ctx};
    timer_init(&helper->late, loop, on_late, helper);
    return helper;
}

void helper_start(struct helper *helper)
{
    if (capture_program(helper->loop, helper->launcher, helper->number, 2 * LIMIT_TOKEN_BYTES, TIMEOUT_MS, on_done, helper,
                        &helper->capture, &helper->err) != 0)
        timer_after(&helper->late, 0);
}

void helper_cancel(struct helper *helper)
{
    timer_stop(&helper->late);
    capture_free(steal(helper->capture));
}

void helper_free(struct helper *helper)
{
    if (!helper)
        return;
    helper_cancel(helper);
    mem_free(helper);
}
