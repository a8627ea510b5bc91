#include "tools/calls.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

/* In the image: busybox's, and the agent's names. */
static const char *const programs[] = {
#define APPLET(name, option) name,
#include "tools/applets.def"
#undef APPLET
    "busybox",
    "ampule-agent",
    "vault",
    "bao",
};

static const char *const builtins[] = {
    ".",     ":",      "alias", "bg",      "break", "case", "cd",     "continue", "done",    "esac",  "exit",     "export", "fc",
    "fg",    "fi",     "for",   "getopts", "hash",  "in",   "jobs",   "let",      "local",   "read",  "readonly", "return", "set",
    "shift", "source", "times", "trap",    "type",  "}",    "ulimit", "umask",    "unalias", "unset", "wait",
};

/* Behind these stands another command. */
static const char *const keywords[] = {"!",     "{",     "if",   "then", "else",    "elif", "do",
                                       "while", "until", "time", "exec", "command", "eval"};
static const char *const carriers[] = {"env", "nohup", "setsid", "xargs", "timeout"};
static const char *const shells[] = {"sh", "ash", "bash"};

#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

struct scan {
    const char *p;
    calls_on_program *on_program;
    void *context;
    struct buf word;  /* without its quotes */
    bool dynamic;     /* the word has parts that only a run can tell */
    bool first;       /* the next word is a command */
    bool carried;     /* behind a carrier: options and numbers go before the command */
    bool shell, line; /* a shell was called; its next word is a line of shell */
    char until;       /* what ends a substitution */
    unsigned parens, depth;
};

static void scan(struct scan *s);

/* A substitution is a line of its own within the word. */
static void take_substitution(struct scan *s, size_t opening, char until)
{
    struct scan inner = {
        .p = s->p + opening, .until = until, .on_program = s->on_program, .context = s->context, .depth = s->depth + 1};

    s->dynamic = true;
    scan(&inner);
    s->p = inner.p;
}

/* One piece of a word; `quote` is the double quote inside of one. False at its end. */
static bool take_piece(struct scan *s, bool quote)
{
    if (s->p[0] == '$' && s->p[1] == '(') {
        take_substitution(s, 2, ')');
    } else if (s->p[0] == '`' && s->until != '`') {
        take_substitution(s, 1, '`');
    } else if (s->p[0] == '\\' && s->p[1]) {
        buf_addc(&s->word, s->p[1]);
        s->p += 2;
    } else if (!*s->p || *s->p == '`' || (quote ? *s->p == '"' : strchr(" \t\r\n;&|()<>", *s->p) != NULL)) {
        return false;
    } else {
        s->dynamic |= *s->p == '$';
        buf_addc(&s->word, *s->p++);
    }
    return true;
}

static void take_word(struct scan *s)
{
    buf_reset(&s->word);
    s->dynamic = false;
    for (bool more = true; more;) {
        if (*s->p == '\'') {
            size_t len = strcspn(s->p + 1, "'");

            buf_add(&s->word, s->p + 1, len);
            s->p += 1 + len + (s->p[1 + len] != 0);
        } else if (*s->p == '"') {
            for (s->p++; take_piece(s, true);) {
            }
            s->p += *s->p == '"';
        } else {
            more = take_piece(s, false);
        }
    }
}

static bool is_assignment(const char *word)
{
    size_t len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return len && !isdigit((unsigned char)*word) && word[len] == '=';
}

/* The name by which the image has a program of that path; NULL for files that the user may have brought. */
static const char *program_name(const char *word)
{
    if (strncmp(word, "/bin/", 5) == 0)
        return word + 5;
    if (strncmp(word, "/usr/bin/", 9) == 0)
        return word + 9;
    return strchr(word, '/') ? NULL : word;
}

static void take_command(struct scan *s)
{
    const char *name = program_name(s->word.data);

    if (is_assignment(s->word.data) ||
        (s->carried && !isalpha((unsigned char)*s->word.data) && *s->word.data != '/' && *s->word.data != '['))
        return;
    s->carried = false;
    if (IS_ONE_OF(s->word.data, keywords))
        return;
    s->first = false;
    if (s->dynamic || !name || !*name || IS_ONE_OF(name, builtins))
        return;
    s->on_program(s->context, name);
    s->shell = IS_ONE_OF(name, shells);
    s->first = s->carried = IS_ONE_OF(name, carriers);
}

/* The words behind a shell: options, and the line behind the one with a c. */
static void take_argument(struct scan *s)
{
    struct scan inner = {.p = s->word.data, .on_program = s->on_program, .context = s->context, .depth = s->depth + 1};

    if (s->line)
        scan(&inner);
    s->line = !s->line && s->shell && *s->word.data == '-' && strchr(s->word.data, 'c');
    s->shell = s->line || (s->shell && *s->word.data == '-');
}

static void begin_command(struct scan *s)
{
    s->first = true;
    s->carried = s->shell = s->line = false;
}

/* Behind a here-document nothing is read. */
static void take_redirection(struct scan *s)
{
    if (s->p[0] == '<' && s->p[1] == '<' && s->p[2] != '<') {
        s->p += strlen(s->p);
        return;
    }
    s->p += strspn(s->p, "<>&|");
    s->p += strspn(s->p, " \t");
    take_word(s);
}

static bool take_mark(struct scan *s)
{
    if (*s->p == '<' || *s->p == '>') {
        take_redirection(s);
        return true;
    }
    if (!strchr(";&|()\n", *s->p))
        return false;
    s->parens += *s->p == '(';
    s->parens -= *s->p == ')' && s->parens > 0;
    s->p++;
    begin_command(s);
    return true;
}

static void take_next(struct scan *s)
{
    if (*s->p == '#') {
        s->p += strcspn(s->p, "\n");
        return;
    }
    if (take_mark(s))
        return;
    take_word(s);
    /* A pattern of `case`, or the number of a redirection. */
    if ((*s->p == ')' && s->parens == 0 && s->until != ')') ||
        ((*s->p == '<' || *s->p == '>') && strspn(s->word.data, "0123456789") == s->word.len))
        return;
    if (s->first)
        take_command(s);
    else
        take_argument(s);
}

static void scan(struct scan *s)
{
    buf_init(&s->word, LIMIT_EXPLAIN_BYTES);
    begin_command(s);
    while (*s->p && s->depth <= LIMIT_EXPLAIN_SHELLS) {
        s->p += strspn(s->p, " \t\r");
        if (s->until && *s->p == s->until && (s->parens == 0 || s->until == '`')) {
            s->p++;
            break;
        }
        if (*s->p)
            take_next(s);
    }
    buf_done(&s->word);
}

void calls_in(const char *line, calls_on_program *on_program, void *context)
{
    struct scan s = {.p = line, .on_program = on_program, .context = context};

    scan(&s);
}

/* -------------------------------------------------------------------------------------------------------- templates */

struct looking {
    const char *image, *file;
    json_t *notes;
    size_t missing;
};

static void add_note(struct looking *l, const char *what)
{
    json_array_append_new(l->notes, json_sprintf("%s: its command calls %s, which is not in %s", l->file, what, l->image));
    l->missing++;
}

static void on_program(void *context, const char *name)
{
    struct looking *l = context;

    if (!IS_ONE_OF(name, programs))
        add_note(l, name);
}

/* A text is a line for the shell, a list is a program and its arguments. */
static void look_at(struct looking *l, const json_t *command)
{
    const char *program = json_string_value(json_array_get(command, 0));
    const char *line = json_array_size(command) == 1 ? program : json_string_value(command);

    if (line) {
        calls_in(line, on_program, l);
    } else if (program && program_name(program)) {
        on_program(l, program_name(program));
        if (json_array_size(command) == 3 && IS_ONE_OF(program_name(program), shells))
            calls_in(json_string_value(json_array_get(command, 2)), on_program, l);
    }
}

/* The last parts of an image's name, without tag and digest: "agent-compat" has the programs, "ampule/agent" has none. */
static bool is_image(const char *image, const char *name)
{
    size_t len = strcspn(image, "@"), wanted = strlen(name);
    const char *tag = memrchr(image, ':', len), *slash = memrchr(image, '/', len);

    if (tag && (!slash || tag > slash))
        len = (size_t)(tag - image);
    return len >= wanted && strncmp(image + len - wanted, name, wanted) == 0 && (len == wanted || image[len - wanted - 1] == '/');
}

/* What a template runs, NULL for nothing. */
static const json_t *command_of(const json_t *template)
{
    const json_t *command = json_object_get(template, "command"),
                 *exec = json_object_get(json_object_get(template, "exec"), "command");
    const char *line = json_string_value(command ? command : exec);

    command = command ? command : exec;
    return json_array_size(command) || (line && *line) ? command : NULL;
}

size_t calls_missing(const json_t *config, const char *image, json_t *notes)
{
    struct looking l = {.image = image, .notes = notes};
    bool bare = image && is_image(image, "ampule/agent");
    size_t i;
    const json_t *template;

    if (!image || (!bare && !is_image(image, "agent-compat")))
        return 0;
    json_array_foreach(json_object_get(config, "template"), i, template)
    {
        const json_t *command = command_of(template);

        l.file = json_string_value(json_object_get(template, "destination"));
        if (!l.file || !command)
            continue;
        if (bare)
            add_note(&l, "a shell");
        else
            look_at(&l, command);
    }
    return l.missing;
}
