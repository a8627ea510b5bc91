#include "inject/wrap.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_text.h"
#include "base/log.h"
#include "inject/plan_variable.h"

#define USUAL_GRACE 30 /* seconds; of Kubernetes, and of the agent's supervisor */

static void word(struct buf *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void word(struct buf *out, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_text_cstr(out, text);
}

static void write_variables(const struct plan *plan, struct buf *out)
{
    for (size_t i = 0; i < plan->variable_count; i++) {
        const struct plan_secret *variable = &plan->variables[i];

        word(out, "-variable=%.*s=%.*s", (int)variable->name.len, variable->name.data, (int)variable->destination.len,
             variable->destination.data);
    }
}

/* What the agent itself would not understand is left out. */
static void write_log(const struct plan *plan, struct buf *out)
{
    struct str level = plan->annots->value[ANNOT_LOG_LEVEL];
    enum log_level ignored;
    struct err err;

    if (level.len && log_level_parse(level.data, &ignored, &err) == 0)
        word(out, "-log-level=%s", level.data);
    if (str_eqs(plan_text(plan, ANNOT_LOG_FORMAT), "json"))
        word(out, "-log-format=json");
}

void wrap_command(const struct plan *plan, const struct val *command, struct buf *out)
{
    json_text_open(out, '[');
    word(out, PLAN_PROGRAM_PATH "/ampule-agent");
    word(out, "exec");
    write_variables(plan, out);
    if (!plan->restart_on_change)
        word(out, "-restart=false");
    if (plan->pod->grace > USUAL_GRACE)
        word(out, "-grace=%" PRId64 "s", plan->pod->grace);
    write_log(plan, out);
    word(out, "--");
    for (size_t i = 0; i < command->list.len; i++)
        json_text_val(out, &command->list.items[i]);
    json_text_close(out, ']');
}
