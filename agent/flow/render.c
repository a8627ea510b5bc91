#include "flow/render.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"

void render_init(struct render *render, const struct config *config, const struct config_template *template, const struct store *store)
{
    *render = (struct render){.template = template};
    fn_vault_init(&render->fn, config, template, store);
    buf_init_secret(&render->output, LIMIT_OUTPUT_BYTES);
}

void render_done(struct render *render)
{
    fn_vault_done(&render->fn);
    tpl_free(render->tpl);
    buf_done(&render->output);
}

static int compile(struct render *render, struct err *err)
{
    const struct config_template *template = render->template;
    const struct tpl_options options = {
        .name = "",
        .left = template->left_delimiter,
        .right = template->right_delimiter,
        .missing = template->error_on_missing_key ? TPL_MISSING_ERROR : TPL_MISSING_ZERO,
        .denied = template->function_denylist,
    };
    _cleanup_buf_ struct buf text = {0};

    if (template->contents) {
        render->fn.wants_key = render_mentions(template, "Key");
        return tpl_parse(template->contents, template->contents_len, &options, &render->tpl, err);
    }
    if (file_read(template->source, LIMIT_TEMPLATE_BYTES, &text, err) != 0)
        return err_wrap(err, "source");
    render->fn.wants_key = text.len && memmem(text.data, text.len, "Key", 3);
    if (tpl_parse(text.data, text.len, &options, &render->tpl, err) != 0)
        return err_wrap(err, "%s: parse", template->source);
    return 0;
}

int render_run(struct render *render, struct err *err)
{
    const struct val root = val_null();
    struct tpl_env env;

    if (!render->tpl && compile(render, err) != 0)
        return -1;
    render->fn.tpl = render->tpl;
    fn_vault_begin(&render->fn);
    fn_vault_env(&render->fn, &env);
    buf_reset(&render->output);
    if (tpl_execute(render->tpl, &root, &env, &render->output, err) == 0)
        return 0;
    fn_vault_failed(&render->fn);
    render_forget(render);
    return render_finished(render) || err->code == ERR_LIMIT ? -1 : 0;
}

bool render_finished(const struct render *render)
{
    return !fn_vault_lacks(&render->fn);
}

const struct dep_list *render_deps(const struct render *render)
{
    return &render->fn.used;
}

void render_forget(struct render *render)
{
    buf_done(&render->output);
    aside_clear(&render->fn.asides);
}

bool render_mentions(const struct config_template *template, const char *word)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored;

    if (template->contents)
        return memmem(template->contents, template->contents_len, word, strlen(word)) != NULL;
    return file_read(template->source, LIMIT_TEMPLATE_BYTES, &text, &ignored) != 0 || memmem(text.data, text.len, word, strlen(word));
}

void render_reach(const struct render *render, struct reach *reach)
{
    const struct config_template *template = render->template;

    if (template->source)
        reach_file(reach, template->source, REACH_READ);
    reach_folder(reach, template->sandbox_path, REACH_READ);
    if (!*template->sandbox_path && render_mentions(template, "file"))
        reach_folder(reach, "/", REACH_READ);
    if (render_mentions(template, "writeToFile"))
        reach_folder(reach, "/", REACH_WRITE);
}
