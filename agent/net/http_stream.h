/*
 * http_stream: bodies in pieces: what waits between libcurl and the caller, in both directions, and who has to wait.
 *
 * Private to net/http*. Each direction holds at most a window (LIMIT_STREAM_WINDOW_BYTES, secret memory; the request's one piece
 * more): libcurl is held when the caller does not take, starves when the caller does not give. Inside libcurl things are only
 * noted down; the timer, armed whenever something happened, is the exchange's and calls http_stream_tell() outside.
 */
#ifndef NET_HTTP_STREAM_H
#define NET_HTTP_STREAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "net/http_message.h"
#include "os/loop.h"

enum stream_answer {
    STREAM_COMING, /* its head is not complete */
    STREAM_HEAD,   /* complete, and not told */
    STREAM_PIECES, /* wanted so */
    STREAM_WHOLE   /* not wanted in pieces */
};

enum { STREAM_STARVES = -1, STREAM_SHORT = -2 };

struct http_stream {
    bool on; /* else none of this is used */
    struct http_pieces pieces;
    void *ctx;
    struct loop_timer *timer;
    enum stream_answer answer;
    int status;
    struct buf head, in, out;
    size_t sent;     /* of `out` */
    uint64_t length; /* that was not written yet, HTTP_ANY_LENGTH when nobody knows */
    bool paused, ended, full;
    bool held, starving; /* libcurl waits */
    bool *gone;          /* tells http_stream_tell() that a callback ended the exchange */
};

/* `pieces` NULL: bodies go whole. */
void http_stream_init(struct http_stream *stream, const struct http_pieces *pieces, void *ctx, struct loop_timer *timer);
void http_stream_done(struct http_stream *stream);

/* From libcurl. */
void http_stream_header(struct http_stream *stream, const char *line, size_t len);
bool http_stream_body(struct http_stream *stream, const char *data, size_t len); /* false: hold it */
ssize_t http_stream_read(struct http_stream *stream, char *ret, size_t max);     /* 0: that was all; or STREAM_… */
/* Whether libcurl may go on where it waited; the marks are taken back then. */
bool http_stream_goes_on(struct http_stream *stream);

/* From the caller. ERR_INPUT and ERR_LIMIT: more than was announced, or than there was room for. */
int http_stream_write(struct http_stream *stream, const char *data, size_t len, struct err *err) MUST_USE;
void http_stream_end(struct http_stream *stream);
bool http_stream_has_room(const struct http_stream *stream);
void http_stream_pause(struct http_stream *stream, bool paused);

/* To the caller: the next callback that is due, false when there is none. After true the stream may be gone. */
bool http_stream_tell(struct http_stream *stream);
/* What came before anybody said that it is not wanted in pieces. */
bool http_stream_has_whole(const struct http_stream *stream);
/* Nothing that came is still to be told. */
bool http_stream_is_drained(const struct http_stream *stream);

#endif
