/* TOML. Source: consul-template; TOML as github.com/BurntSushi/toml. */
#include "fn/fn.h"
#include "go/toml_out.h"
#include "tpl/tpl.h"

static int body_to_toml(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str trimmed;

    if (toml_out(text, &call->argv[0], fn_redacts(call), call->err) != 0)
        return val_is_nil(&call->argv[0]) ? -1 : err_wrap(call->err, "%s", call->name);
    if (buf_check(text, call->name, call->err) != 0)
        return -1;
    trimmed = fn_trim_space((struct str){text->data, text->len});
    return val_copy_str(call->arena, trimmed.data, trimmed.len, ret, call->err);
}

static const struct func rows[] = {
    {"toTOML", "a", body_to_toml, "MAP", "The map as TOML.", COST_HARD},
};

const struct func_table fn_toml = {rows, ARRAY_LEN(rows)};
