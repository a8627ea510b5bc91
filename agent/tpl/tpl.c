#include "tpl/tpl.h"

#include "base/limits.h"
#include "tpl/code.h"
#include "tpl/eval.h"
#include "tpl/parse.h"

#define CODE_PER_BYTE 16 /* of source, as a guess: the source itself, ops, nodes and tables */

static int copy_text(struct arena *arena, const char *text, size_t len, struct str *ret, struct err *err)
{
    const char *copy = arena_strndup(arena, text ? text : "", text ? len : 0, err);

    if (!copy)
        return -1;
    *ret = (struct str){copy, text ? len : 0};
    return 0;
}

static int copy_options(struct tpl *tpl, const struct tpl_options *options, struct err *err)
{
    static const struct tpl_options defaults;
    const struct tpl_options *o = options ? options : &defaults;
    struct str left, right;

    if (copy_text(&tpl->arena, o->name, o->name ? strlen(o->name) : 0, &tpl->name, err) != 0 ||
        copy_text(&tpl->arena, o->left, o->left ? strlen(o->left) : 0, &left, err) != 0 ||
        copy_text(&tpl->arena, o->right, o->right ? strlen(o->right) : 0, &right, err) != 0)
        return -1;
    tpl->left = left.data;
    tpl->right = right.data;
    tpl->missing = o->missing;
    return 0;
}

int tpl_parse(const char *source, size_t len, const struct tpl_options *options, struct tpl **ret, struct err *err)
{
    _cleanup_tpl_ struct tpl *tpl = NULL;
    struct arena arena;

    if (len > LIMIT_TEMPLATE_BYTES)
        return err_set(err, ERR_LIMIT, "template: more than %zu bytes of source", LIMIT_TEMPLATE_BYTES);
    arena_init(&arena, LIMIT_TEMPLATE_CODE_BYTES, "template");
    arena.expected = len * CODE_PER_BYTE;
    tpl = arena_alloc(&arena, sizeof(*tpl), err);
    if (!tpl)
        return -1;
    tpl->arena = arena;
    if (copy_options(tpl, options, err) != 0 || copy_text(&tpl->arena, source, len, &tpl->source, err) != 0 ||
        parse_template(tpl, options, err) != 0)
        return -1;
    *ret = steal(tpl);
    return 0;
}

bool tpl_mentions(const struct tpl *tpl, struct str text)
{
    return memmem(tpl->source.data, tpl->source.len, text.data, text.len) != NULL;
}

void tpl_free(struct tpl *tpl)
{
    struct arena arena;

    if (!tpl)
        return;
    arena = tpl->arena; /* in which the template lies itself */
    arena_done(&arena);
}

void tpl_cleanup(struct tpl **tpl)
{
    tpl_free(*tpl);
}

int tpl_execute(const struct tpl *tpl, const struct val *root, const struct tpl_env *env, struct buf *out, struct err *err)
{
    return eval_run(tpl, root, env, out, err);
}
