#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

/* What a pipe takes whole or not at all. */
#define LINE_BYTES PIPE_BUF
#define TAIL_MAX   256 /* module, time and brackets after a message */
#define CUT        "[...]"

static struct {
    enum log_level level;
    bool json;
    int fd;
    log_writer *also;
    void *ctx;
    int trouble; /* the errno of `also` */
    unsigned long dropped;
    int quick; /* the pipe behind `fd`, opened a second time: only so can waiting be turned off for us alone; -1: it is
                  none, or not ours */
    dev_t device;
    ino_t inode; /* of the pipe that `quick` was opened, or refused, for */
} state = {.level = LOG_INFO, .fd = STDERR_FILENO, .quick = -1};

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

void log_to(int fd)
{
    state.fd = fd;
}

void log_also(log_writer *writer, void *ctx)
{
    state.also = writer;
    state.ctx = ctx;
    state.trouble = 0;
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

        if (line->len > LINE_BYTES - TAIL_MAX) {
            buf_adds(line, CUT);
            return;
        }
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

/* Standard error is shared with the commands that we start and whoever gave it to us: its flags are not ours to change. */
static void find_quick(const struct stat *st)
{
    char path[32];

    if (st->st_dev == state.device && st->st_ino == state.inode)
        return;
    if (state.quick >= 0)
        close(state.quick);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", state.fd);
    state.quick = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    state.device = st->st_dev;
    state.inode = st->st_ino;
}

/* Never waits: who reads our log may have stopped, and we have better to do. Where the pipe is not ours to open, a look at its
 * room must do. */
static bool put(const struct buf *line)
{
    struct pollfd room = {state.fd, POLLOUT, 0};
    bool known = false;
    struct stat st;
    ssize_t n;

    if (fstat(state.fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        find_quick(&st);
        known = state.quick >= 0;
    }
    if (!known && (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT)))
        return false;
    do
        n = write(known ? state.quick : state.fd, line->data, line->len);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)line->len;
}

/* About the log itself: it must not come back to where it came from. */
static bool remark(enum log_level level, const char *message)
{
    struct buf line __attribute__((cleanup(buf_done)));

    buf_init(&line, LINE_BYTES);
    compose(&line, level, "agent.log", message);
    return put(&line);
}

static void write_also(const struct buf *line)
{
    int trouble = state.also ? state.also(state.ctx, line->data, line->len) : 0;
    char note[160];

    if (trouble == state.trouble)
        return;
    state.trouble = trouble;
    if (trouble)
        snprintf(note, sizeof(note), "log_file cannot be written as it should, lines are here all the same: %s",
                 strerror(trouble));
    remark(trouble ? LOG_WARN : LOG_INFO, trouble ? note : "log_file is written again");
}

static void emit(enum log_level level, const char *module, const char *message)
{
    struct buf line __attribute__((cleanup(buf_done)));

    buf_init(&line, LINE_BYTES);
    compose(&line, level, module, message);
    write_also(&line);
    if (state.dropped || !put(&line))
        state.dropped++;
}

/* As soon as there is room again. */
static void tell_dropped(void)
{
    char note[64];

    snprintf(note, sizeof(note), "log lines lost: dropped=%lu", state.dropped);
    if (remark(LOG_WARN, note))
        state.dropped = 0;
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
    if (state.dropped)
        tell_dropped();
    emit(level, module, message);
}
