#include "render/render.h"
#include "fn/functions.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"

#define KEPT_BYTES KIB(16)

void render_init(struct render *render, const struct config *config, const struct config_template *template,
                 const struct store *store)
{
    *render = (struct render){.template = template};
    fn_vault_init(&render->fn, config, template, store);
}

void render_done(struct render *render)
{
    tpl_free(render->tpl);
    render->tpl = NULL;
    render->fn.tpl = NULL;
}

int render_compile(struct render *render, struct err *err)
{
    const struct config_template *template = render->template;
    const struct tpl_options options = {
        .functions = &functions_all,
        .name = "",
        .left = template->left_delimiter,
        .right = template->right_delimiter,
        .missing = template->error_on_missing_key ? TPL_MISSING_ERROR : TPL_MISSING_ZERO,
        .denied = template->function_denylist,
    };
    _cleanup_buf_ struct buf text = {0};

    if (render->tpl)
        return 0;
    if (template->contents) {
        render->fn.wants_key = render_mentions(template, "Key");
        return tpl_parse(template->contents, template->contents_len, &options, &render->tpl, err);
    }
    if (file_read(template->source, LIMIT_TEMPLATE_BYTES, &text, err) != 0)
        return err_wrap(err, "source");
    render->fn.wants_key = text.len && memmem(text.data, text.len, "Key", 3);
    if (tpl_parse(text.data, text.len, &options, &render->tpl, err) != 0)
        return err_wrap(err, "%s: parse", template->source);
    digest_sha256(text.data, text.len, render->digest);
    return 0;
}

bool render_is_stale(const struct render *render)
{
    unsigned char digest[DIGEST_SHA256_LEN];
    _cleanup_buf_ struct buf text = {0};
    struct err ignored;

    if (!render->template->source || !render->tpl)
        return false;
    if (file_read(render->template->source, LIMIT_TEMPLATE_BYTES, &text, &ignored) != 0)
        return true;
    digest_sha256(text.data, text.len, digest);
    return memcmp(digest, render->digest, sizeof(digest)) != 0;
}

void render_move(struct render *render, const struct config *config, const struct config_template *template)
{
    render->template = template;
    render->fn.config = config;
    render->fn.template = template;
}

/* Code takes some ten times the room of its text, and of a short one is made again in some microseconds. */
static void forget_code(struct render *render)
{
    if (render->template->contents && render->template->contents_len <= KEPT_BYTES)
        render_done(render);
}

static int evaluate(struct render *render, struct outcome *outcome, struct err *err)
{
    const struct val root = val_null();
    struct tpl_env env;

    render->fn.tpl = render->tpl;
    outcome_begin(outcome);
    fn_vault_env(&render->fn, outcome, &env);
    if (tpl_execute(render->tpl, &root, &env, &outcome->output, err) == 0)
        return 0;
    outcome_failed(outcome);
    return outcome_finished(outcome) || err->code == ERR_LIMIT ? -1 : 0;
}

int render_run(struct render *render, struct outcome *outcome, struct err *err)
{
    int result;

    if (render_compile(render, err) != 0)
        return -1;
    result = evaluate(render, outcome, err);
    forget_code(render);
    return result;
}

void render_interfaces(struct render *render, const struct interface *interfaces, size_t count)
{
    render->fn.interfaces = interfaces;
    render->fn.interface_count = count;
}

bool render_mentions(const struct config_template *template, const char *word)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored;

    if (template->contents)
        return memmem(template->contents, template->contents_len, word, strlen(word)) != NULL;
    return file_read(template->source, LIMIT_TEMPLATE_BYTES, &text, &ignored) != 0 ||
           memmem(text.data, text.len, word, strlen(word));
}

void render_reach(const struct config_template *template, struct reach *reach)
{
    if (template->source)
        reach_file(reach, template->source, REACH_READ);
    reach_folder(reach, template->sandbox_path, REACH_READ);
    if (!*template->sandbox_path && render_mentions(template, "file"))
        reach_folder(reach, "/", REACH_READ);
    if (render_mentions(template, "writeToFile"))
        reach_folder(reach, "/", REACH_WRITE);
}
