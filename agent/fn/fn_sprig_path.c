/* Paths as text. Source: sprig, Go's path; on Linux path/filepath does the same, so the twins `os…` share the bodies. */
#include "fn/fn.h"
#include "go/pathname.h"

static int body_base(struct call *call, struct val *ret)
{
    struct str base = pathname_base(call->argv[0].s);

    return fn_return_part(base.data, base.len, ret);
}

static int body_ext(struct call *call, struct val *ret)
{
    struct str ext = pathname_ext(call->argv[0].s);

    return fn_return_part(ext.data, ext.len, ret);
}

static int body_is_abs(struct call *call, struct val *ret)
{
    return fn_return_bool(str_has_prefix(call->argv[0].s, "/"), ret);
}

static int return_clean(struct call *call, struct str path, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    pathname_clean(text, path);
    return fn_return_buf(call, text, ret);
}

static int body_clean(struct call *call, struct val *ret)
{
    return return_clean(call, call->argv[0].s, ret);
}

static int body_dir(struct call *call, struct val *ret)
{
    return return_clean(call, pathname_head(call->argv[0].s), ret);
}

static const struct func rows[] = {
    {"sprig_base", "s", body_base, "PATH", "The last element of the path."},
    {"sprig_clean", "s", body_clean, "PATH", "The shortest path that says the same.", COST_SLOW},
    {"sprig_dir", "s", body_dir, "PATH", "All but the last element of the path."},
    {"sprig_ext", "s", body_ext, "PATH", "The path's ending from its last point on."},
    {"sprig_isAbs", "s", body_is_abs, "PATH", "True when the path begins at the root."},
    {"sprig_osBase", "s", body_base, "PATH", "The last element of the path."},
    {"sprig_osClean", "s", body_clean, "PATH", "The shortest path that says the same."},
    {"sprig_osDir", "s", body_dir, "PATH", "All but the last element of the path."},
    {"sprig_osExt", "s", body_ext, "PATH", "The path's ending from its last point on."},
    {"sprig_osIsAbs", "s", body_is_abs, "PATH", "True when the path begins at the root."},
};

const struct func_table fn_sprig_path = {rows, ARRAY_LEN(rows)};
