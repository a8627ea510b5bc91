#include "inject/telemetry.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"

enum telemetry_type { TEXT, NUMBER, SWITCH, TEXTS };

/* In the order in which they are written. */
static const struct telemetry_row {
    const char *name;
    enum telemetry_type type;
} rows[] = {
    {"usage_gauge_period", TEXT},
    {"maximum_gauge_cardinality", NUMBER},
    {"disable_hostname", SWITCH},
    {"enable_hostname_label", SWITCH},
    {"lease_metrics_epsilon", TEXT},
    {"num_lease_metrics_buckets", NUMBER},
    {"add_lease_metrics_namespace_labels", SWITCH},
    {"filter_default", SWITCH},
    {"prefix_filter", TEXTS},
    {"statsite_address", TEXT},
    {"statsd_address", TEXT},
    {"circonus_api_token", TEXT},
    {"circonus_api_app", TEXT},
    {"circonus_api_url", TEXT},
    {"circonus_submission_interval", TEXT},
    {"circonus_submission_url", TEXT},
    {"circonus_check_id", TEXT},
    {"circonus_check_force_metric_activation", SWITCH},
    {"circonus_check_instance_id", TEXT},
    {"circonus_check_search_tag", TEXT},
    {"circonus_check_display_name", TEXT},
    {"circonus_check_tags", TEXT},
    {"circonus_broker_id", TEXT},
    {"circonus_broker_select_tag", TEXT},
    {"dogstatsd_addr", TEXT},
    {"dogstatsd_tags", TEXTS},
    {"prometheus_retention_time", TEXT},
    {"stackdriver_project_id", TEXT},
    {"stackdriver_location", TEXT},
    {"stackdriver_namespace", TEXT},
    {"stackdriver_debug_logs", SWITCH},
};

/* Does NAME with dashes for underscores name this row, in any case? */
static bool is_row(const struct telemetry_row *row, struct str name)
{
    if (strlen(row->name) != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i] == '-' ? '_' : name.data[i];

        if (strncasecmp(&c, row->name + i, 1) != 0)
            return false;
    }
    return true;
}

static bool is_texts(const struct val *v)
{
    if (v->kind != VAL_LIST)
        return false;
    for (size_t i = 0; i < v->list.len; i++) {
        if (v->list.items[i].kind != VAL_STRING && v->list.items[i].kind != VAL_NULL)
            return false;
    }
    return true;
}

static bool fits(const struct telemetry_row *row, const struct val *v)
{
    switch (row->type) {
    case TEXT:
        return v->kind == VAL_STRING || v->kind == VAL_NULL;
    case NUMBER:
        return v->kind == VAL_NULL || (v->kind == VAL_FLOAT && trunc(v->f) == v->f && v->f > -0x1p63 && v->f < 0x1p63);
    case SWITCH:
        return v->kind == VAL_BOOL || v->kind == VAL_NULL;
    case TEXTS:
        return v->kind == VAL_NULL || is_texts(v);
    }
    return false;
}

static void write_texts(const char *key, const struct val *list, struct buf *out)
{
    if (list->list.len == 0)
        return;
    json_text_key(out, key);
    json_text_open(out, '[');
    for (size_t i = 0; i < list->list.len; i++)
        json_text_str(out, list->list.items[i].kind == VAL_STRING ? list->list.items[i].s : STR(""));
    json_text_close(out, ']');
}

static void write_row(const struct telemetry_row *row, const struct val *v, struct buf *out)
{
    if (v->kind == VAL_STRING)
        json_text_member_if(out, row->name, v->s);
    else if (v->kind == VAL_BOOL)
        json_text_flag_if(out, row->name, v->b);
    else if (v->kind == VAL_LIST)
        write_texts(row->name, v, out);
    else if (v->kind == VAL_FLOAT && v->f != 0) {
        json_text_key(out, row->name);
        json_text_int(out, (int64_t)v->f);
    }
}

static struct val decode(struct str text, struct arena *arena)
{
    const struct json_options options = {.flags = JSON_FLOATS | JSON_REPLACE_UTF8};
    struct val v;
    struct err err;

    return json_read(text.data, text.len, &options, arena, &v, &err) == 0 ? v : val_str(text.data, text.len);
}

/* False when one value has a wrong type. */
static bool collect(const struct annots *annots, size_t first, size_t count, struct val *values, struct arena *arena)
{
    size_t skip = strlen(annot_rows[ANNOT_AGENT_TELEMETRY].name) + 1;

    for (size_t i = first; i < first + count; i++) {
        const struct val_pair *pair = &annots->map.map.pairs[i];
        struct str name = {pair->key->s.data + skip, pair->key->s.len - skip};

        for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
            if (!is_row(&rows[r], name))
                continue;
            values[r] = decode(pair->value.s, arena);
            if (!fits(&rows[r], &values[r]))
                return false;
        }
    }
    return true;
}

void telemetry_write(const struct annots *annots, struct buf *out, struct arena *arena)
{
    size_t count, first = annots_family(annots, ANNOT_AGENT_TELEMETRY, &count);
    struct val values[ARRAY_LEN(rows)] = {0};

    if (count == 0 || !collect(annots, first, count, values, arena))
        return;
    json_text_key(out, "telemetry");
    json_text_open(out, '{');
    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        write_row(&rows[r], &values[r], out);
    json_text_close(out, '}');
}
