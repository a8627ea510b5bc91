#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "identity/sigv4.h"

#define ACCESS_KEY "AKIDEXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

static struct str text_of(const struct val *row, const char *key)
{
    const struct val *v = val_get(row, key);

    return v && v->kind == VAL_STRING ? v->s : STR("");
}

static void one_row(const struct val *row)
{
    const struct val *list = val_get(row, "headers");
    const char *region = val_get_cstr(row, "region"), *service = val_get_cstr(row, "service");
    struct sigv4_header headers[SIGV4_HEADERS];
    const struct sigv4_request request = {.method = text_of(row, "method"),
                                          .path = text_of(row, "path"),
                                          .query = text_of(row, "query"),
                                          .body = text_of(row, "body"),
                                          .headers = headers,
                                          .header_count = list->list.len,
                                          .as_it_is = val_get_bool(row, "as_it_is")};
    const struct sigv4_key key = {ACCESS_KEY, SECRET_KEY, val_get_cstr(row, "token")};
    const struct sigv4_scope scope = {"20150830T123600Z", region ? region : "us-east-1", service ? service : "service"};
    _cleanup_buf_ struct buf canonical, names, signature;
    struct err err;

    for (size_t i = 0; i < list->list.len; i++)
        headers[i] = (struct sigv4_header){list->list.items[i].list.items[0].s, list->list.items[i].list.items[1].s};
    buf_init_secret(&canonical, KIB(64));
    buf_init(&names, KIB(64));
    buf_init(&signature, KIB(64));
    if (sigv4_canonical(&request, &key, &scope, &canonical, &names, &err) != 0 ||
        sigv4_sign(&request, &key, &scope, &signature, &err) != 0)
        fail_msg("%s: %s", val_get_cstr(row, "id"), err.text);
    if (strcmp(canonical.data, val_get_cstr(row, "canonical")) != 0)
        fail_msg("%s:\n%s\nnot\n%s", val_get_cstr(row, "id"), canonical.data, val_get_cstr(row, "canonical"));
    if (!str_has_suffix((struct str){signature.data, signature.len}, val_get_cstr(row, "signature")))
        fail_msg("%s: %s", val_get_cstr(row, "id"), signature.data);
    assert_non_null(strstr(signature.data, names.data));
    assert_null(strstr(signature.data, SECRET_KEY));
}

static void every_vector_is_signed_as_aws_signs_it(void **state)
{
    FILE *f = fopen(TESTS_DIR "/vectors/sigv4/cases.jsonl", "r");
    char *line = NULL;
    size_t room = 0, rows = 0;
    ssize_t len;

    (void)state;
    assert_non_null(f);
    while ((len = getline(&line, &room, f)) > 0) {
        _cleanup_arena_ struct arena arena;
        struct val row;
        struct err err;

        arena_init(&arena, MIB(1), "row");
        assert_int_equal(json_read(line, (size_t)len, NULL, &arena, &row, &err), 0);
        one_row(&row);
        rows++;
    }
    free(line);
    fclose(f);
    assert_true(rows >= 46);
}

static void a_date_is_that_of_utc(void **state)
{
    char date[SIGV4_DATE];

    (void)state;
    sigv4_date(INT64_C(1440938160999), date);
    assert_string_equal(date, "20150830T123600Z");
}

static void what_is_too_much_is_refused(void **state)
{
    static struct sigv4_header headers[SIGV4_HEADERS + 1];
    static char query[1024];
    const struct sigv4_key key = {ACCESS_KEY, SECRET_KEY, NULL};
    const struct sigv4_scope scope = {"20150830T123600Z", "us-east-1", "sts"};
    struct sigv4_request request = {
        .method = STR("GET"), .path = STR("/"), .headers = headers, .header_count = SIGV4_HEADERS + 1};
    _cleanup_buf_ struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, KIB(64));
    assert_int_equal(sigv4_sign(&request, &key, &scope, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    for (size_t i = 0; i + 4 < sizeof(query); i += 2)
        memcpy(query + i, "a&", 3);
    request.header_count = 0;
    request.query = str_of(query);
    assert_int_equal(sigv4_sign(&request, &key, &scope, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    static char body[LIMIT_ASK_BYTES + 1];
    memset(body, 'x', sizeof(body) - 1);
    request.query = STR("");
    request.path = str_of(body);
    assert_int_equal(sigv4_sign(&request, &key, &scope, &out, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_signed_as_aws_signs_it),
        cmocka_unit_test(a_date_is_that_of_utc),
        cmocka_unit_test(what_is_too_much_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
