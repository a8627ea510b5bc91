/* Dates and durations. Source: sprig, Go's time. The local zone is UTC. */
#include "fn/cast.h"
#include "fn/fn.h"
#include "go/duration.h"
#include "go/moment_object.h"
#include "go/numeral.h"
#include "go/time_layout.h"
#include "go/time_parse.h"
#include "go/typed.h"
#include "tpl/tpl.h"

static struct moment now(const struct call *call)
{
    return moment_of_ms(call->env ? call->env->now_ms : 0);
}

static bool is_time(const struct val *v)
{
    return go_is_object(v, &go_class_time);
}

static bool is_int64(const struct val *v)
{
    return v->kind == VAL_INT && v->type == GO_T_INT64;
}

static int return_duration(struct call *call, int64_t nanos, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    duration_print(text, nanos);
    return fn_return_buf(call, text, ret);
}

/* What is no time counts as now. */
static int body_ago(struct call *call, struct val *ret)
{
    const struct val *v = &call->argv[0];
    struct moment present = now(call), at = present;

    if (is_time(v))
        at = *moment_of(v);
    else if (v->kind == VAL_INT && (v->type == VAL_T_NATURAL || v->type == GO_T_INT64))
        at = moment_of_seconds(v->i);
    return return_duration(call, duration_round(moment_since(&present, &at)), ret);
}

/* An int is no int64 here, as in sprig. */
static int body_duration(struct call *call, struct val *ret)
{
    const struct val *v = &call->argv[0];
    int64_t seconds = 0;

    if (cast_is_string(v))
        numeral_int(v->s, 10, &seconds);
    else if (is_int64(v))
        seconds = v->i;
    return return_duration(call, (int64_t)((uint64_t)seconds * (uint64_t)DURATION_SECOND), ret);
}

static int64_t duration_of(struct call *call, const struct val *v)
{
    struct moment present = now(call);
    struct err ignored;
    int64_t nanos = 0;

    if (is_time(v))
        return moment_since(&present, moment_of(v));
    if (is_int64(v))
        return v->i;
    return cast_is_string(v) && duration_parse(v->s, true, &nanos, &ignored) == 0 ? nanos : 0;
}

static int body_duration_round(struct call *call, struct val *ret)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"y", 31536000}, {"mo", 2592000}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    int64_t nanos = duration_of(call, &call->argv[0]);
    uint64_t n = nanos < 0 ? -(uint64_t)nanos : (uint64_t)nanos;

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        uint64_t unit = units[i].seconds * (uint64_t)DURATION_SECOND;

        if (n > unit) {
            buf_addf(text, "%llu%s", (unsigned long long)(n / unit), units[i].name);
            return fn_return_buf(call, text, ret);
        }
    }
    return fn_return_part("0s", 2, ret);
}

static int body_must_to_date(struct call *call, struct val *ret)
{
    struct moment moment;

    if (time_parse(call->argv[0].s, call->argv[1].s, fn_redacts(call), &moment, call->err) != 0)
        return -1;
    return moment_value(call->arena, &moment, ret, call->err);
}

static int body_to_date(struct call *call, struct val *ret)
{
    struct moment moment = MOMENT_ZERO;
    struct err ignored;

    if (time_parse(call->argv[0].s, call->argv[1].s, true, &moment, &ignored) != 0)
        moment = MOMENT_ZERO;
    return moment_value(call->arena, &moment, ret, call->err);
}

static int body_must_date_modify(struct call *call, struct val *ret)
{
    struct moment moment = *moment_of(&call->argv[1]);
    int64_t nanos;

    if (duration_parse(call->argv[0].s, fn_redacts(call), &nanos, call->err) != 0)
        return -1;
    moment = moment_add(moment, nanos);
    return moment_value(call->arena, &moment, ret, call->err);
}

/* A duration that is none changes nothing. */
static int body_date_modify(struct call *call, struct val *ret)
{
    struct moment moment = *moment_of(&call->argv[1]);
    struct err ignored;
    int64_t nanos;

    if (duration_parse(call->argv[0].s, true, &nanos, &ignored) == 0)
        moment = moment_add(moment, nanos);
    return moment_value(call->arena, &moment, ret, call->err);
}

static int body_now(struct call *call, struct val *ret)
{
    struct moment present = now(call);

    present.local = true;
    return moment_value(call->arena, &present, ret, call->err);
}

/* --------------------------------------------------------------------------------------------------------- printing */

/* A time, or seconds since 1970; everything else counts as now. */
static struct moment date_of(const struct call *call, const struct val *v)
{
    if (is_time(v))
        return *moment_of(v);
    if (v->kind == VAL_INT && (v->type == VAL_T_NATURAL || v->type == GO_T_INT64 || v->type == GO_T_INT32))
        return moment_of_seconds(v->i);
    return now(call);
}

/* UTC, which the local zone is too. There are no tables of other zones here, and a time in the wrong one would look right. */
static int check_zone(struct call *call, struct str zone)
{
    if (zone.len == 0 || str_eqs(zone, "UTC") || str_eqs(zone, "Local"))
        return 0;
    return err_set(call->err, ERR_INPUT, "only the zone UTC is known here");
}

static int print_date(struct call *call, struct str layout, const struct val *date, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct moment moment = date_of(call, date), there = moment_of_seconds(moment.seconds);

    there.nanos = moment.nanos;
    time_layout(text, &there, layout);
    return fn_return_buf(call, text, ret);
}

static int body_date(struct call *call, struct val *ret)
{
    return print_date(call, call->argv[0].s, &call->argv[1], ret);
}

static int body_date_in_zone(struct call *call, struct val *ret)
{
    return check_zone(call, call->argv[2].s) != 0 ? -1 : print_date(call, call->argv[0].s, &call->argv[1], ret);
}

#define HTML_DATE STR("2006-01-02")

static int body_html_date(struct call *call, struct val *ret)
{
    return print_date(call, HTML_DATE, &call->argv[0], ret);
}

static int body_html_date_in_zone(struct call *call, struct val *ret)
{
    return check_zone(call, call->argv[1].s) != 0 ? -1 : print_date(call, HTML_DATE, &call->argv[0], ret);
}

static int body_unix_epoch(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    buf_addf(text, "%lld", (long long)moment_of(&call->argv[0])->seconds);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"sprig_ago", "a", body_ago, "TIME", "How long ago the time was, or the seconds since 1970.", COST_SLOW},
    {"sprig_date", "sa", body_date, "LAYOUT TIME", "The time, or the seconds since 1970, by a Go layout; what is neither is now.",
     COST_HARD},
    {"sprig_dateInZone", "sas", body_date_in_zone, "LAYOUT TIME ZONE", "The same in a zone: UTC or Local, which is UTC.",
     COST_HARD},
    {"sprig_dateModify", "sT", body_date_modify, "DURATION TIME",
     "The time so much later, or with a sign earlier; the same when that is no duration.", COST_HARD},
    {"sprig_date_in_zone", "sas", body_date_in_zone, "LAYOUT TIME ZONE", "The same as sprig_dateInZone.", COST_HARD},
    {"sprig_date_modify", "sT", body_date_modify, "DURATION TIME", "The same as sprig_dateModify.", COST_HARD},
    {"sprig_duration", "a", body_duration, "SECONDS", "Seconds, as text or int64, as a duration: 1m35s.", COST_SLOW},
    {"sprig_durationRound", "a", body_duration_round, "DURATION",
     "A duration, or the time since a time, in its largest unit: 2h, 3mo.", COST_SLOW},
    {"sprig_htmlDate", "a", body_html_date, "TIME", "The day of a time: 2006-01-02.", COST_HARD},
    {"sprig_htmlDateInZone", "as", body_html_date_in_zone, "TIME ZONE",
     "The day of a time in a zone: UTC or Local, which is UTC.", COST_HARD},
    {"sprig_mustDateModify", "sT", body_must_date_modify, "DURATION TIME", "The time so much later, or with a sign earlier.",
     COST_HARD},
    {"sprig_mustToDate", "ss", body_must_to_date, "LAYOUT TEXT", "The text as a time, by a Go layout.", COST_HARD},
    {"sprig_must_date_modify", "sT", body_must_date_modify, "DURATION TIME", "The same as sprig_mustDateModify.", COST_HARD},
    {"sprig_now", "", body_now, "", "The present time."},
    {"sprig_toDate", "ss", body_to_date, "LAYOUT TEXT", "The text as a time, by a Go layout; or the first second of year 1.",
     COST_HARD},
    {"sprig_unixEpoch", "T", body_unix_epoch, "TIME", "The seconds since 1970, as text."},
};

const struct func_table fn_sprig_time = {rows, ARRAY_LEN(rows)};
