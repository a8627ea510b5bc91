#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/httpd_reader.h"

/* What a stream of bytes is read as, one word a step: "PUT /x [a=b] <body> end"; pieces of one body are joined. */
static void read_all(const char *text, size_t len, size_t at_once, struct buf *seen)
{
    struct httpd_reader reader;
    enum httpd_read what = READ_MORE;
    bool in_body = false;

    httpd_reader_init(&reader);
    for (size_t at = 0, used; at < len && what != READ_BAD; at += used) {
        what = httpd_reader_next(&reader, text + at, len - at < at_once ? len - at : at_once, &used);
        if (what != READ_BODY && in_body && what != READ_MORE) {
            buf_adds(seen, "> ");
            in_body = false;
        }
        if (what == READ_HEAD) {
            struct httpd_head head = httpd_reader_take(&reader);
            struct pair pair = {0};

            buf_addf(seen, "%s %s ", head.method, head.target);
            while (pairs_next(&head.headers, &pair))
                buf_addf(seen, "[%s=%s] ", pair.name, pair.value);
            buf_adds(seen, head.has_body ? "" : "none ");
            httpd_head_done(&head);
        } else if (what == READ_BODY) {
            buf_adds(seen, in_body ? "" : "<");
            buf_add(seen, reader.piece, reader.piece_len);
            in_body = true;
        } else if (what == READ_END) {
            buf_adds(seen, "end ");
        } else if (what == READ_BAD) {
            buf_addf(seen, "%d", reader.status);
        } else {
            assert_int_equal(used, len - at < at_once ? len - at : at_once);
        }
    }
    httpd_reader_done(&reader);
}

static void however_it_is_cut_it_says_the_same(void **state)
{
    static const struct {
        const char *text, *seen;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a [Host=x] none "},
        {"\r\n\r\nLIST /a HTTP/1.1\r\nHost:x\r\nE:\r\n\r\nSCAN /b HTTP/1.1\r\nHost: x \r\n\r\n",
         "LIST /a [Host=x] [E=] none SCAN /b [Host=x] none "},
        {"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.0\r\n\r\n",
         "PUT /a [Host=x] [Content-Length=3] <abc> end GET /b none "},
        {"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
         "PUT /a [Host=x] [Content-Length=0] none GET /b none "},
        {"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n1;e=f\r\nd\r\n0\r\nT: u\r\n\r\nGET /b "
         "HTTP/1.0\r\n\r\n",
         "PUT /a [Host=x] [Transfer-Encoding=Chunked] <abcd> end GET /b none "},
        {"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
         "PUT /a [Host=x] [Transfer-Encoding=Chunked] end GET /b none "},
        /* An "Upgrade" is passed over, and its body stays a body. */
        {"PUT /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: y\r\nContent-Length: 2\r\n\r\nabGET /b HTTP/1.0\r\n\r\n",
         "PUT /a [Host=x] [Connection=upgrade] [Upgrade=y] [Content-Length=2] <ab> end GET /b none "},
        {"GET /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.0\r\n\r\n",
         "GET /a [Host=x] [Connection=upgrade] [Upgrade=h2c] none GET /b none "},
        /* A folded value is one line. */
        {"GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "GET /a [Host=x] [A=b c] none "},
        {"GET /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\n Host: x\r\n\r\n", "400"},
        {"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", NULL},
        {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
        {"GET /a HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "400"},
        {"GET /a HTTP/3.0\r\nHost: x\r\n\r\n", "505"},
        {"PROPFIND /a HTTP/1.1\r\nHost: x\r\n\r\n", "501"},
        {"get /a HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t at_once = 1; at_once <= strlen(rows[i].text); at_once++) {
            _cleanup_buf_ struct buf seen = {0};

            buf_init(&seen, KIB(4));
            read_all(rows[i].text, strlen(rows[i].text), at_once, &seen);
            if (rows[i].seen && strcasecmp(seen.data, rows[i].seen) != 0)
                fail_msg("%zu bytes at once of %s: %s", at_once, rows[i].text, seen.data);
        }
}

/* Strings of headers end in NUL: a NUL that is sent must not make one more. */
static void control_bytes_are_in_no_header(void **state)
{
    for (unsigned c = 0; c < 256; c++) {
        _cleanup_buf_ struct buf seen = {0};
        char text[] = "GET /a HTTP/1.1\r\nHost: x\r\nA: ?\r\n\r\n";
        char *mark = strchr(text, '?');

        (void)state;
        *mark = (char)c;
        buf_init(&seen, KIB(4));
        read_all(text, sizeof(text) - 1, sizeof(text), &seen);
        if (strchr("\r\n", (int)c) && c)
            continue; /* the line's end */
        if ((c < ' ' && c != '\t') || c == 127)
            assert_string_equal(seen.data, "400");
        else
            assert_memory_equal(seen.data, "GET /a [Host=x] [A=", 19);
    }
}

static void a_head_has_a_largest_size(void **state)
{
    _cleanup_buf_ struct buf text = {0}, seen = {0};

    (void)state;
    buf_init(&text, 2 * LIMIT_REQUEST_HEADER_BYTES);
    buf_init(&seen, 4 * LIMIT_REQUEST_HEADER_BYTES);
    buf_adds(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
    while (text.len < LIMIT_REQUEST_HEADER_BYTES)
        buf_adds(&text, "A:\r\n");
    read_all(text.data, text.len, text.len, &seen);
    assert_string_equal(seen.data, "431");
    buf_reset(&text);
    buf_reset(&seen);
    buf_addf(&text, "GET /%0*d", (int)LIMIT_REQUEST_HEADER_BYTES, 0);
    read_all(text.data, text.len, 1000, &seen);
    assert_string_equal(seen.data, "431");
}

/* What stands between two chunks is bounded as a head is. */
static void words_behind_a_chunks_size_have_a_largest_size(void **state)
{
    _cleanup_buf_ struct buf text = {0}, seen = {0};

    (void)state;
    buf_init(&text, 2 * LIMIT_REQUEST_HEADER_BYTES);
    buf_init(&seen, KIB(4));
    buf_addf(&text, "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;%0*d", (int)LIMIT_REQUEST_HEADER_BYTES, 0);
    read_all(text.data, text.len, text.len, &seen);
    assert_non_null(strstr(seen.data, "431"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_it_is_cut_it_says_the_same),
        cmocka_unit_test(control_bytes_are_in_no_header),
        cmocka_unit_test(a_head_has_a_largest_size),
        cmocka_unit_test(words_behind_a_chunks_size_have_a_largest_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
