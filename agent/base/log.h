/*
 * log: one line an event, hclog-shaped text or JSON, to stderr, and to a file as well.
 *
 * `2024-10-29T13:52:44.913Z [INFO]  agent.auth: message: key=value`. Nothing secret is ever an argument: paths, names, codes,
 * lengths, durations only. Written without waiting, each line whole: what a full pipe refuses is counted, and "dropped=N" is the
 * first line that fits again. A line is at most PIPE_BUF bytes; a longer message is cut and says so. Only main, flow/logbook,
 * flow/connect, fetch/handover and serve/journal log; everything else returns errors. LOG_DEBUG lines are allowed everywhere.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* "trace", "debug", "info"/"notice", "warn"/"warning", "err"/"error" in any case; -1 with ERR_INPUT else. */
int log_level_parse(const char *name, enum log_level *ret, struct err *err) MUST_USE;
void log_setup(enum log_level level, bool json);
/* To another descriptor than standard error. */
void log_to(int fd);
/* Every line goes there as well; 0, or an errno, which is told when it begins and ends. NULL: no longer. */
typedef int log_writer(void *ctx, const char *line, size_t len);
void log_also(log_writer *writer, void *ctx);

/* `module` is the dotted name ("agent.auth.handler"); `fmt` may end in ": key=value key=value". Control bytes are escaped. */
void log_line(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_trace(module, ...) log_line(LOG_TRACE, module, __VA_ARGS__)
#define log_debug(module, ...) log_line(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)  log_line(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...)  log_line(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_line(LOG_ERROR, module, __VA_ARGS__)

#endif
