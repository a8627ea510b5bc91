#include "tools/token_report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "go/duration.h"
#include "go/quote.h"
#include "go/yaml_out.h"
#include "tools/talk.h"

int report_format_find(const char *name, enum report_format *ret, struct err *err)
{
    static const struct {
        const char *name;
        enum report_format format;
    } rows[] = {{"table", REPORT_TABLE}, {"json", REPORT_JSON}, {"yaml", REPORT_YAML}, {"yml", REPORT_YAML}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            *ret = rows[i].format;
            return 0;
        }
    }
    return err_set(err, ERR_INPUT, "-format: must be table, json or yaml, not \"%.32s\"", name);
}

/* ------------------------------------------------------------------------------------------------------- the fields */

enum field_kind { TEXT, LIST, FLAG, SECONDS, LIFETIME, NUMBER };

/* In the order of the table. */
static const struct field {
    const char *name, *key;
    enum field_kind kind;
} auth_fields[] =
    {
        {"token", "client_token", TEXT},
        {"token_accessor", "accessor", TEXT},
        {"token_duration", "lease_duration", LIFETIME},
        {"token_renewable", "renewable", FLAG},
        {"token_policies", "token_policies", LIST},
        {"identity_policies", "identity_policies", LIST},
        {"policies", "policies", LIST},
},
  wrap_fields[] = {
      {"wrapping_token", "token", TEXT},
      {"wrapping_accessor", "accessor", TEXT},
      {"wrapping_token_ttl", "ttl", SECONDS},
      {"wrapping_token_creation_time", "creation_time", TEXT},
      {"wrapping_token_creation_path", "creation_path", TEXT},
      {"wrapped_accessor", "wrapped_accessor", TEXT},
};

static const struct val *part_of(const struct reply *reply, const char *name)
{
    const struct val *part = val_get(&reply->body, name);

    return part && part->kind == VAL_MAP ? part : NULL;
}

/* ------------------------------------------------------------------------------------------------------------ table */

/* "768h", "1h30m": Go's words without the zeros at their end. */
static void add_lifetime(struct buf *buf, int64_t seconds)
{
    _cleanup_buf_ struct buf text;
    char *hour;

    buf_init_clipped(&text, 64);
    duration_print(&text, seconds * DURATION_SECOND);
    if (text.len > 3 && str_has_suffix((struct str){text.data, text.len}, "m0s"))
        buf_cut(&text, text.len - 2);
    hour = strstr(text.data, "h0m");
    if (hour)
        memmove(hour + 1, hour + 3, strlen(hour + 3) + 1);
    buf_adds(buf, text.data);
}

static void add_list(struct buf *buf, const struct val *list)
{
    buf_addc(buf, '[');
    for (size_t i = 0; list && list->kind == VAL_LIST && i < list->list.len; i++) {
        if (i)
            buf_addc(buf, ' ');
        quote_str(buf, list->list.items[i].kind == VAL_STRING ? list->list.items[i].s : STR(""), false);
    }
    buf_addc(buf, ']');
}

static void add_value(struct buf *buf, const struct val *v, enum field_kind kind)
{
    int64_t number = 0;

    if (kind == FLAG)
        buf_adds(buf, v && v->kind == VAL_BOOL && v->b ? "true" : "false");
    else if (kind == LIST)
        add_list(buf, v);
    else if (kind == TEXT && v && v->kind == VAL_STRING)
        buf_add(buf, v->s.data, v->s.len);
    else if (kind == TEXT && v && v->kind == VAL_BOOL)
        buf_adds(buf, v->b ? "true" : "false");
    else if (kind == NUMBER && val_as_int(v, &number))
        buf_add_int(buf, number);
    else if ((kind == LIFETIME || kind == SECONDS) && val_as_int(v, &number) && number)
        add_lifetime(buf, number);
    else if (kind == LIFETIME)
        buf_adds(buf, "∞");
}

enum { ROWS = 64 };

struct table {
    struct buf names[ROWS], values[ROWS];
    size_t count, width;
};

static void table_done(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        buf_done(&table->names[i]);
        buf_done(&table->values[i]);
    }
}

/* The value is to be filled in. */
static struct buf *table_row(struct table *table, const char *prefix, const char *name)
{
    size_t i = table->count;

    if (i == ROWS)
        return NULL;
    table->count++;
    buf_init_clipped(&table->names[i], 256);
    buf_init_secret(&table->values[i], LIMIT_REPLY_BYTES);
    buf_addf(&table->names[i], "%s%s", prefix, name);
    if (table->names[i].len > table->width)
        table->width = table->names[i].len;
    return &table->values[i];
}

static void table_print(const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        talk_plain(table->values[i].data);
        printf("%-*s    %s\n", (int)table->width, table->names[i].data, table->values[i].len ? table->values[i].data : "n/a");
    }
}

static void add_fields(struct table *table, const struct val *part, const struct field *fields, size_t count, const char *behind)
{
    for (size_t i = 0; part && i < count; i++) {
        const struct val *v = val_get(part, fields[i].key);
        struct buf *value;
        char name[64];

        if (strcmp(fields[i].key, "wrapped_accessor") == 0 && !(v && v->kind == VAL_STRING && v->s.len))
            continue;
        snprintf(name, sizeof(name), "%s%s", fields[i].name, behind);
        value = table_row(table, "", name);
        if (value)
            add_value(value, v, fields[i].kind);
    }
}

static void add_metadata(struct table *table, const struct val *metadata)
{
    for (size_t i = 0; metadata && metadata->kind == VAL_MAP && i < metadata->map.len; i++) {
        struct buf *value = table_row(table, "token_meta_", metadata->map.pairs[i].key->s.data);

        if (value)
            add_value(value, &metadata->map.pairs[i].value, TEXT);
    }
}

static void add_method(struct table *table, const char *constraint, const struct val *method)
{
    static const struct field fields[] = {{"id", "id", TEXT}, {"uses_passcode", "uses_passcode", FLAG}, {"name", "name", TEXT}};
    const char *type = val_get_cstr(method, "type");
    char prefix[160];

    snprintf(prefix, sizeof(prefix), "mfa_constraint_%.64s_%.32s_", constraint, type ? type : "");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct val *v = val_get(method, fields[i].key);
        struct buf *value = val_is_nil(v) && i == 2 ? NULL : table_row(table, prefix, fields[i].name);

        if (value)
            add_value(value, v, fields[i].kind);
    }
}

static void add_second_factor(struct table *table, const struct val *requirement)
{
    const struct val *constraints = val_get(requirement, "mfa_constraints");
    struct buf *value = table_row(table, "", "mfa_request_id");

    if (value)
        add_value(value, val_get(requirement, "mfa_request_id"), TEXT);
    for (size_t i = 0; constraints && constraints->kind == VAL_MAP && i < constraints->map.len; i++) {
        const struct val *any = val_get(&constraints->map.pairs[i].value, "any");

        for (size_t k = 0; any && any->kind == VAL_LIST && k < any->list.len; k++)
            add_method(table, constraints->map.pairs[i].key->s.data, &any->list.items[k]);
    }
}

static void warn(const struct val *warnings)
{
    if (!warnings || warnings->kind != VAL_LIST || !warnings->list.len)
        return;
    fputs("WARNING! The server says:\n\n", stderr);
    for (size_t i = 0; i < warnings->list.len; i++)
        if (warnings->list.items[i].kind == VAL_STRING)
            fprintf(stderr, "  * %s\n\n", warnings->list.items[i].s.data);
}

static void print_table(const struct reply *reply)
{
    _cleanup_(table_done) struct table table = {.count = 0};
    const struct val *auth = part_of(reply, "auth"), *requirement = val_get(auth, "mfa_requirement");

    warn(val_get(&reply->body, "warnings"));
    buf_adds(table_row(&table, "", "Key"), "Value");
    buf_adds(table_row(&table, "", "---"), "-----");
    if (requirement && requirement->kind == VAL_MAP)
        add_second_factor(&table, requirement);
    else {
        add_fields(&table, auth, auth_fields, ARRAY_LEN(auth_fields), "");
        add_metadata(&table, val_get(auth, "metadata"));
    }
    add_fields(&table, part_of(reply, "wrap_info"), wrap_fields, ARRAY_LEN(wrap_fields), ":");
    table_print(&table);
}

/* ---------------------------------------------------------------------------------------------------- JSON and YAML */

enum { MEMBERS = 16 };

struct object {
    struct val_pair pairs[MEMBERS];
    struct val keys[MEMBERS];
    size_t count;
};

static void member(struct object *object, const char *key, const struct val *v, struct val otherwise)
{
    object->keys[object->count] = val_cstr(key);
    object->pairs[object->count].key = &object->keys[object->count];
    object->pairs[object->count++].value = val_is_nil(v) ? otherwise : *v;
}

static struct val object_val(const struct object *object)
{
    return val_map(object->pairs, object->count);
}

/* Every member that the original's decoder knows, in its order. */
static struct val auth_val(const struct val *auth, struct object *object)
{
    member(object, "client_token", val_get(auth, "client_token"), val_cstr(""));
    member(object, "accessor", val_get(auth, "accessor"), val_cstr(""));
    member(object, "policies", val_get(auth, "policies"), val_null());
    member(object, "token_policies", val_get(auth, "token_policies"), val_null());
    member(object, "identity_policies", val_get(auth, "identity_policies"), val_null());
    member(object, "metadata", val_get(auth, "metadata"), val_null());
    member(object, "orphan", val_get(auth, "orphan"), val_bool(false));
    member(object, "entity_id", val_get(auth, "entity_id"), val_cstr(""));
    member(object, "lease_duration", val_get(auth, "lease_duration"), val_int(0));
    member(object, "renewable", val_get(auth, "renewable"), val_bool(false));
    member(object, "mfa_requirement", val_get(auth, "mfa_requirement"), val_null());
    return object_val(object);
}

static struct val secret_val(const struct reply *reply, struct object *object, struct object *inner)
{
    const struct val *body = &reply->body, *auth = part_of(reply, "auth"), *wrap = part_of(reply, "wrap_info");
    struct val v;

    member(object, "request_id", val_get(body, "request_id"), val_cstr(""));
    member(object, "lease_id", val_get(body, "lease_id"), val_cstr(""));
    member(object, "lease_duration", val_get(body, "lease_duration"), val_int(0));
    member(object, "renewable", val_get(body, "renewable"), val_bool(false));
    member(object, "data", val_get(body, "data"), val_null());
    member(object, "warnings", val_get(body, "warnings"), val_null());
    if (auth) {
        v = auth_val(auth, inner);
        member(object, "auth", &v, v);
    }
    if (wrap)
        member(object, "wrap_info", wrap, *wrap);
    return object_val(object);
}

static int encode(const struct val *v, enum report_format format, struct buf *text, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    struct val plain;

    buf_init_secret(text, LIMIT_REPLY_BYTES);
    if (format == REPORT_JSON)
        return json_write(text, v, JSON_PRETTY, err) == 0 ? buf_check(text, "token", err) : -1;
    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "token");
    if (val_copy(&arena, v, &plain, err) != 0 || yaml_out(text, &plain, err) != 0)
        return -1;
    while (text->len && text->data[text->len - 1] == '\n')
        buf_cut(text, text->len - 1);
    return buf_check(text, "token", err);
}

int token_report(const struct reply *reply, enum report_format format, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    struct object outer = {.count = 0}, inner = {.count = 0};
    struct val v;

    if (format == REPORT_TABLE) {
        print_table(reply);
        return 0;
    }
    v = secret_val(reply, &outer, &inner);
    if (encode(&v, format, &text, err) != 0)
        return -1;
    puts(text.data);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ one of them */

static const struct field *find(const struct field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* As %v prints it: lists without quotes, times in seconds. */
static void add_plain(struct buf *buf, const struct val *v, enum field_kind kind)
{
    if (kind != LIST) {
        add_value(buf, v, kind == SECONDS || kind == LIFETIME ? NUMBER : kind);
        return;
    }
    buf_addc(buf, '[');
    for (size_t i = 0; v && v->kind == VAL_LIST && i < v->list.len; i++) {
        if (i)
            buf_addc(buf, ' ');
        add_value(buf, &v->list.items[i], TEXT);
    }
    buf_addc(buf, ']');
}

int token_report_field(const struct reply *reply, const char *field, enum report_format format, struct err *err)
{
    const struct val *auth = part_of(reply, "auth"), *wrap = part_of(reply, "wrap_info"), *v;
    const struct field *row =
        auth ? find(auth_fields, ARRAY_LEN(auth_fields), field) : find(wrap_fields, ARRAY_LEN(wrap_fields), field);
    _cleanup_buf_ struct buf text = {0};
    struct val none = val_null();

    if (!row)
        return err_set(err, ERR_MISSING, "Field \"%.64s\" not present in secret", field);
    v = val_get(auth ? auth : wrap, row->key);
    if (format != REPORT_TABLE && encode(v ? v : &none, format, &text, err) != 0)
        return -1;
    if (format == REPORT_TABLE) {
        buf_init_secret(&text, LIMIT_REPLY_BYTES);
        add_plain(&text, v, row->kind);
        if (buf_check(&text, "token", err) != 0)
            return -1;
    }
    fputs(text.data, stdout);
    if (isatty(STDOUT_FILENO))
        putchar('\n');
    return 0;
}
