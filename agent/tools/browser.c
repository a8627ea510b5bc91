#include "tools/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "os/descriptor.h"
#include "os/environ.h"
#include "os/file.h"
#include "os/spawn.h"
#include "vault/token.h"

enum { WORDS = 16 };

bool browser_takes(const char *url)
{
    bool web = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;

    for (const char *c = url; web && *c; c++)
        web = (unsigned char)*c > ' ' && *c != 0x7f;
    return web;
}

static _Noreturn void become(const void *ctx, int report)
{
    const struct program *program = ctx;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid(); /* Ctrl-C is for us */
    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd); /* what it says is not our output */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    descriptors_close_on_exec(STDERR_FILENO + 1);
    environ = (char **)program->envp;
    execvp(program->argv[0], (char *const *)program->argv);
    spawn_failed(report);
}

static bool start(const char **argv)
{
    struct program program = {.argv = argv, .envp = environ_build((const char *const *)environ, secret_variables, NULL)};
    pid_t pid;
    bool started = spawn_as(become, &program, &pid) == 0;

    environ_free(program.envp);
    return started;
}

/* ---------------------------------------------------------------------------------------------------------- BROWSER */

/* The words of one command line; `text` is cut into them. Quotes mean nothing, as everywhere where BROWSER is read. */
static size_t split(char *text, const char *argv[WORDS])
{
    char *rest = text, *word;
    size_t count = 0;

    while ((word = strsep(&rest, " \t")) && count < WORDS - 2)
        if (*word)
            argv[count++] = word;
    return count;
}

/* "%s" in a word becomes the address. */
static char *fill(const char *word, const char *url)
{
    const char *mark = strstr(word, "%s");
    _cleanup_buf_ struct buf text = {0};

    buf_init_exact(&text, strlen(word) + strlen(url));
    buf_add(&text, word, (size_t)(mark - word));
    buf_adds(&text, url);
    buf_adds(&text, mark + 2);
    return buf_take(&text);
}

static bool start_line(char *line, const char *url)
{
    const char *argv[WORDS] = {NULL};
    size_t count = split(line, argv);
    char *filled[WORDS] = {NULL};
    bool named = false, started;

    for (size_t i = 0; i < count; i++) {
        if (!strstr(argv[i], "%s"))
            continue;
        argv[i] = filled[i] = fill(argv[i], url);
        named = true;
    }
    if (!named)
        argv[count] = url;
    started = count && start(argv);
    for (size_t i = 0; i < count; i++)
        mem_free(filled[i]);
    return started;
}

static bool start_named(const char *browsers, const char *url)
{
    _cleanup_free_ char *text = mem_strdup(browsers);
    char *rest = text, *line;

    while ((line = strsep(&rest, ":")))
        if (start_line(line, url))
            return true;
    return false;
}

/* -------------------------------------------------------------------------------------------------------------- WSL */

static bool under_windows(void)
{
    _cleanup_buf_ struct buf text = {0};
    struct err ignored;

    return file_read("/proc/version", KIB(4), &text, &ignored) == 0 && strcasestr(text.data, "microsoft");
}

/* Its shell would take "&" for the end of the command. */
static bool start_windows(const char *url)
{
    _cleanup_buf_ struct buf text = {0};
    const char *argv[] = {"cmd.exe", "/c", "start", NULL, NULL};

    buf_init_exact(&text, 2 * strlen(url));
    for (; *url; url++)
        buf_addf(&text, "%s%c", *url == '&' || *url == '^' || *url == '|' ? "^" : "", *url);
    argv[3] = text.data;
    return start(argv);
}

static bool is_set(config_getenv *getenv, const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

int browser_open(const char *given, config_getenv *getenv, struct err *err)
{
    _cleanup_free_ char *url = mem_strdup(given); /* a child would not see what lies in a secret arena */
    const char *argv[] = {"xdg-open", url, NULL};

    if (is_set(getenv, "BROWSER"))
        return start_named(getenv("BROWSER"), url) ? 0 : err_set(err, ERR_MISSING, "no program of BROWSER can be started");
    if (under_windows() && start_windows(url))
        return 0;
    if (!is_set(getenv, "DISPLAY") && !is_set(getenv, "WAYLAND_DISPLAY"))
        return err_set(err, ERR_MISSING, "there is no display");
    return start(argv) ? 0 : err_set(err, ERR_MISSING, "xdg-open is not installed, and BROWSER is not set");
}
