#include "tpl/say.h"

#include <stdarg.h>
#include <stdio.h>

#include "go/format.h"

void say_init(struct say *say, bool redact)
{
    say->redact = redact;
    buf_init_clipped(&say->text, ERR_TEXT_MAX);
}

void say_done(struct say *say)
{
    buf_done(&say->text);
}

void say_text(struct say *say, const char *fmt, ...)
{
    char text[256]; /* words of the program: never longer */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    buf_adds(&say->text, text);
}

static bool hides(struct say *say)
{
    if (say->redact)
        buf_adds(&say->text, "[redacted]");
    return say->redact;
}

void say_value(struct say *say, char verb, const struct val *v)
{
    if (!hides(say))
        format_verb(&say->text, verb, v);
}

void say_printed(struct say *say, const struct val *v)
{
    if (!hides(say))
        format_print(&say->text, v);
}

void say_quoted(struct say *say, struct str s)
{
    if (!hides(say))
        format_quote(&say->text, s);
}

void say_plain(struct say *say, struct str s)
{
    if (!hides(say))
        buf_add(&say->text, s.data, s.len);
}

void say_int(struct say *say, int64_t i)
{
    if (!hides(say))
        buf_add_int(&say->text, i);
}

int say_fail(const struct say *say, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s", say->text.data);
}
