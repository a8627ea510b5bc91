/* Time. Source: consul-template. */
#include "fn/fn.h"
#include "go/time_layout.h"
#include "tpl/tpl.h"

static int body_timestamp(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct moment now = moment_of_ms(call->env ? call->env->now_ms : 0);

    if (call->argc > 1)
        return err_set(call->err, ERR_INPUT, "timestamp: wrong number of arguments, expected 0 or 1, but got %zu", call->argc);
    if (call->argc == 1 && str_eqs(call->argv[0].s, "unix"))
        buf_addf(text, "%lld", (long long)now.seconds);
    else
        time_layout(text, &now, call->argc == 1 ? call->argv[0].s : TIME_LAYOUT_RFC3339);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"timestamp", "s*", body_timestamp, "[LAYOUT]", "The time in UTC: RFC 3339, \"unix\" seconds, or as a Go layout says.",
     COST_SLOW},
};

const struct func_table fn_time = {rows, ARRAY_LEN(rows)};
