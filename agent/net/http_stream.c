#include "net/http_stream.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

static void wake(const struct http_stream *stream)
{
    timer_at(stream->timer, clock_now());
}

void http_stream_init(struct http_stream *stream, const struct http_pieces *pieces, void *ctx, struct loop_timer *timer)
{
    *stream = (struct http_stream){.on = pieces != NULL, .ctx = ctx, .timer = timer};
    if (!pieces)
        return;
    stream->pieces = *pieces;
    stream->length = pieces->length;
    stream->answer = pieces->on_head ? STREAM_COMING : STREAM_WHOLE;
    buf_init_secret(&stream->head, LIMIT_REPLY_HEADER_BYTES);
    buf_init_secret(&stream->in, LIMIT_STREAM_WINDOW_BYTES);
    buf_init_secret(&stream->out, 2 * LIMIT_STREAM_WINDOW_BYTES);
}

void http_stream_done(struct http_stream *stream)
{
    if (stream->gone)
        *stream->gone = true;
    buf_done(&stream->head);
    buf_done(&stream->in);
    buf_done(&stream->out);
}

/* ------------------------------------------------------------------------------------------------------- the answer */

/* "HTTP/1.1 200 OK": libcurl has seen to its form. */
static int status_of(const char *line)
{
    int status = 0;

    for (line += strcspn(line, " ") + strspn(line + strcspn(line, " "), " "); *line >= '0' && *line <= '9' && status < 100;
         line++)
        status = status * 10 + *line - '0';
    return status;
}

/* Interim answers (1xx) come first; trailers come behind the body, and are not told. */
void http_stream_header(struct http_stream *stream, const char *line, size_t len)
{
    if (stream->answer != STREAM_COMING)
        return;
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
        buf_reset(&stream->head);
    buf_add(&stream->head, line, len); /* its maximum is http_answer's */
    if (len > 2)
        return;
    stream->status = status_of(stream->head.data);
    if (stream->status / 100 == 1)
        return;
    stream->answer = STREAM_HEAD;
    wake(stream);
}

bool http_stream_body(struct http_stream *stream, const char *data, size_t len)
{
    stream->held = stream->in.len + len > stream->in.max;
    if (!stream->held)
        buf_add(&stream->in, data, len);
    wake(stream);
    return !stream->held;
}

/* "Name: value \r\n" becomes two strings in place. */
static bool header_split(char **line, struct http_header *ret)
{
    char *next = strchr(*line, '\n'), *end = next, *colon;

    if (!next)
        return false;
    while (end > *line && strchr(" \t\r", end[-1]))
        end--;
    *end = '\0';
    colon = strchr(*line, ':');
    *ret = (struct http_header){.name = *line, .value = colon ? colon + 1 + strspn(colon + 1, " \t") : NULL};
    if (colon)
        *colon = '\0';
    *line = next + 1;
    return true;
}

/* The first of the lines, the status line, has no value; nor has the last one, the empty one. */
static size_t headers_split(char *text, struct http_header *ret)
{
    size_t count = 0;

    while (header_split(&text, &ret[count]))
        count += ret[count].value != NULL;
    return count;
}

static size_t lines_of(const char *text)
{
    size_t count = 1;

    while ((text = strchr(text, '\n'))) {
        text++;
        count++;
    }
    return count;
}

static void tell_head(struct http_stream *stream)
{
    _cleanup_buf_ struct buf text = stream->head;
    struct http_header *headers = mem_alloc(lines_of(text.data) * sizeof(*headers));
    const char *version = text.data + strlen("HTTP/");
    struct http_head head = {.status = stream->status,
                             .http_version = *version == '2'                   ? 20
                                             : strncmp(version, "1.0", 3) == 0 ? 10
                                                                               : 11,
                             .headers = headers};
    bool gone = false, wanted;

    stream->head = (struct buf){0};
    stream->answer = STREAM_PIECES;
    stream->gone = &gone;
    head.header_count = headers_split(text.data, headers);
    wanted = stream->pieces.on_head(stream->ctx, &head);
    mem_free(headers);
    if (gone)
        return;
    stream->gone = NULL;
    if (!wanted)
        stream->answer = STREAM_WHOLE;
}

bool http_stream_has_whole(const struct http_stream *stream)
{
    return stream->answer == STREAM_WHOLE && stream->in.len > 0;
}

static void tell_piece(struct http_stream *stream)
{
    _cleanup_buf_ struct buf piece = stream->in;

    buf_init_secret(&stream->in, piece.max);
    stream->pieces.on_body(stream->ctx, piece.data, piece.len);
}

/* ------------------------------------------------------------------------------------------------------ the request */

static size_t unsent(const struct http_stream *stream)
{
    return stream->out.len - stream->sent;
}

ssize_t http_stream_read(struct http_stream *stream, char *ret, size_t max)
{
    size_t len = unsent(stream) < max ? unsent(stream) : max;

    if (len > 0) {
        memcpy(ret, stream->out.data + stream->sent, len);
        stream->sent += len;
        wake(stream);
        return (ssize_t)len;
    }
    stream->starving = !stream->ended;
    if (stream->starving)
        return STREAM_STARVES;
    return stream->length && stream->length != HTTP_ANY_LENGTH ? STREAM_SHORT : 0;
}

/* What was sent makes room in front. */
static void out_compact(struct http_stream *stream)
{
    size_t left = unsent(stream);

    if (stream->sent == 0)
        return;
    memmove(stream->out.data, stream->out.data + stream->sent, left);
    buf_cut(&stream->out, left);
    stream->sent = 0;
}

int http_stream_write(struct http_stream *stream, const char *data, size_t len, struct err *err)
{
    if (len > stream->length || stream->ended)
        return err_set(err, ERR_INPUT, "more of the request's body was written than was announced");
    if (len > stream->out.max - unsent(stream))
        return err_set(err, ERR_LIMIT, "more of the request's body was written than there is room for (%zu bytes)",
                       stream->out.max);
    if (stream->length != HTTP_ANY_LENGTH)
        stream->length -= len;
    out_compact(stream);
    buf_add(&stream->out, data, len);
    stream->full = !http_stream_has_room(stream);
    wake(stream);
    return 0;
}

void http_stream_end(struct http_stream *stream)
{
    stream->ended = true;
    stream->full = false;
    wake(stream);
}

bool http_stream_has_room(const struct http_stream *stream)
{
    return unsent(stream) < LIMIT_STREAM_WINDOW_BYTES;
}

/* -------------------------------------------------------------------------------------------------- who has to wait */

void http_stream_pause(struct http_stream *stream, bool paused)
{
    stream->paused = paused;
    if (!paused)
        wake(stream);
}

bool http_stream_goes_on(struct http_stream *stream)
{
    bool takes = stream->held && stream->in.len == 0, gives = stream->starving && (unsent(stream) > 0 || stream->ended);

    stream->held = stream->held && !takes;
    stream->starving = stream->starving && !gives;
    return takes || gives;
}

static bool has_piece(const struct http_stream *stream)
{
    return stream->answer == STREAM_PIECES && stream->in.len > 0;
}

bool http_stream_is_drained(const struct http_stream *stream)
{
    return stream->answer != STREAM_HEAD && !has_piece(stream);
}

/* One callback a turn: the exchange may be gone after it. */
bool http_stream_tell(struct http_stream *stream)
{
    bool head = stream->answer == STREAM_HEAD, piece = has_piece(stream) && !stream->paused;
    bool room = stream->full && unsent(stream) <= LIMIT_STREAM_WINDOW_BYTES / 2;

    if (head || piece || room)
        wake(stream);
    if (head) {
        tell_head(stream);
    } else if (piece) {
        tell_piece(stream);
    } else if (room) {
        stream->full = false;
        if (stream->pieces.on_room)
            stream->pieces.on_room(stream->ctx);
    }
    return head || piece || room;
}
