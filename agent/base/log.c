#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"

#define AROUND KIB(1) /* what stands in a line beside message and module */

static struct {
    enum log_level level;
    bool json;
    unsigned long dropped;
} state = {.level = LOG_INFO};

static const struct level_name {
    const char *name, *shown, *json;
} levels[] = {
    [LOG_TRACE] = {"trace", "[TRACE]", "trace"}, [LOG_DEBUG] = {"debug", "[DEBUG]", "debug"},
    [LOG_INFO] = {"info", "[INFO] ", "info"},    [LOG_WARN] = {"warn", "[WARN] ", "warn"},
    [LOG_ERROR] = {"error", "[ERROR]", "error"},
};

static const struct {
    const char *name;
    enum log_level level;
} aliases[] = {{"notice", LOG_INFO}, {"warning", LOG_WARN}, {"err", LOG_ERROR}};

int log_level_parse(const char *name, enum log_level *ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcasecmp(name, levels[i].name) == 0) {
            *ret = (enum log_level)i;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcasecmp(name, aliases[i].name) == 0) {
            *ret = aliases[i].level;
            return 0;
        }
    }
    return err_set(err, ERR_INPUT, "unknown log level \"%s\"; use trace, debug, info, warn or error", name);
}

void log_setup(enum log_level level, bool json)
{
    state.level = level;
    state.json = json;
}

enum log_level log_level_get(void)
{
    return state.level;
}

static void add_time(struct buf *line)
{
    int64_t wall = clock_wall();
    time_t seconds = (time_t)(wall / 1000);
    char text[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_addf(line, "%s.%03dZ", text, (int)(wall % 1000));
}

/* A name or a server's word may hold anything; a log line holds no control byte that could forge another line. */
static void add_escaped(struct buf *line, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (state.json && (c == '"' || c == '\\'))
            buf_addf(line, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            buf_addf(line, state.json ? "\\u%04x" : "\\x%02x", c);
        else
            buf_addc(line, (char)c);
    }
}

static void compose(struct buf *line, enum log_level level, const char *module, const char *message)
{
    if (state.json) {
        buf_addf(line, "{\"@level\":\"%s\",\"@message\":\"", levels[level].json);
        add_escaped(line, message);
        buf_addf(line, "\",\"@module\":\"%s\",\"@timestamp\":\"", module);
        add_time(line);
        buf_adds(line, "\"}\n");
    } else {
        add_time(line);
        buf_addf(line, " %s %s: ", levels[level].shown, module);
        add_escaped(line, message);
        buf_addc(line, '\n');
    }
}

static void emit(enum log_level level, const char *module, const char *message)
{
    struct buf line __attribute__((cleanup(buf_done)));
    ssize_t n;

    buf_init_exact(&line, AROUND + 6 * strlen(message) + strlen(module)); /* of a byte at most \u00xx is made */
    compose(&line, level, module, message);
    n = write(STDERR_FILENO, line.data, line.len);
    if (n != (ssize_t)line.len)
        state.dropped++;
}

void log_line(enum log_level level, const char *module, const char *fmt, ...)
{
    char message[2048];
    va_list ap;

    if (level < state.level)
        return;
    va_start(ap, fmt);
    if (vsnprintf(message, sizeof(message), fmt, ap) >= (int)sizeof(message))
        memcpy(message + sizeof(message) - 4, "...", 4);
    va_end(ap);
    if (state.dropped) {
        char note[64];

        snprintf(note, sizeof(note), "log lines lost: count=%lu", state.dropped);
        state.dropped = 0;
        emit(LOG_WARN, "agent.log", note);
    }
    emit(level, module, message);
}
