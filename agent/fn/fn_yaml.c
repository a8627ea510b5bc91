/* YAML. Source: consul-template; YAML as gopkg.in/yaml.v2. */
#include "fn/fn.h"
#include "go/yaml_in.h"
#include "go/yaml_out.h"
#include "tpl/tpl.h"

static int body_parse_yaml(struct call *call, struct val *ret)
{
    static const struct val_pair none[1];
    struct str s = call->argv[0].s;

    if (s.len == 0) {
        *ret = val_map(none, 0);
        return 0;
    }
    return yaml_in(s, fn_redacts(call), call->arena, ret, call->err);
}

static int body_to_yaml(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str trimmed;

    if (yaml_out(text, &call->argv[0], call->err) != 0 || buf_check(text, call->name, call->err) != 0)
        return -1;
    trimmed = fn_trim_space((struct str){text->data, text->len});
    return val_copy_str(call->arena, trimmed.data, trimmed.len, ret, call->err);
}

static const struct func rows[] = {
    {"parseYAML", "s", body_parse_yaml, "TEXT", "The value that YAML text describes.", COST_HARD},
    {"toYAML", "a", body_to_yaml, "VALUE", "The value as YAML.", COST_HARD},
};

const struct func_table fn_yaml = {rows, ARRAY_LEN(rows)};
