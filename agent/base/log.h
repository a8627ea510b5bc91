/*
 * log: one line an event, hclog-shaped text or JSON, to stderr.
 *
 * `2024-10-29T13:52:44.913Z [INFO]  agent.auth: message: key=value`. Nothing secret is ever an argument: paths, names, codes, lengths,
 * durations only. Written without waiting, each line whole: what a full pipe refuses is counted, and "dropped=N" is the first line that fits again.
 * A line is at most PIPE_BUF bytes; a longer message is cut and says so.
 * Only main, flow/sidecar, flow/connect, flow/handover and serve/journal log; everything else returns errors. LOG_DEBUG lines are allowed everywhere.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* "trace", "debug", "info"/"notice", "warn"/"warning", "err"/"error" in any case; -1 with ERR_INPUT else. */
int log_level_parse(const char *name, enum log_level *ret, struct err *err) MUST_USE;
void log_setup(enum log_level level, bool json);
enum log_level log_level_get(void);

/* `module` is the dotted name ("agent.auth.handler"); `fmt` may end in ": key=value key=value". Control bytes are escaped. */
void log_line(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_trace(module, ...) log_line(LOG_TRACE, module, __VA_ARGS__)
#define log_debug(module, ...) log_line(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...) log_line(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...) log_line(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_line(LOG_ERROR, module, __VA_ARGS__)

#endif
