#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "vault/dep.h"

static struct dep *make(enum dep_kind kind, const char *path, size_t argc, const char *const *args, const char *destination)
{
    struct val values[8];
    struct dep *dep;
    struct err err;

    for (size_t i = 0; i < argc; i++)
        values[i] = val_cstr(args[i]);
    if (dep_new(kind, str_of(path), values, argc, destination, &dep, &err) != 0)
        fail_msg("%s", err.text);
    return dep;
}

static void refuses(enum dep_kind kind, const char *path, const char *arg, const char *text)
{
    struct val value = val_cstr(arg ? arg : "");
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(kind, str_of(path), &value, arg ? 1 : 0, NULL, &dep, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, text);
}

static void has_key(const char *path, const char *key)
{
    struct dep *dep = make(DEP_READ, path, 0, NULL, NULL);

    assert_string_equal(dep->key, key);
    dep_unref(dep);
}

static void dep_prints_as_the_originals_do(void **state)
{
    static const char *const args[] = {"ttl=1h", "common_name=a.example"};
    struct dep *write = make(DEP_WRITE, "pki/issue/web", 2, args, NULL);
    struct dep *pki = make(DEP_PKI, "pki/issue/web", 2, args, "/etc/cert.pem");

    (void)state;
    has_key(" /secret/app/ ", "vault.read(secret/app)");
    has_key("secret/app?version=2", "vault.read(secret/app.v2)");
    has_key("secret/app?version=2&a=1", "vault.read(secret/app?a=1&version=2)");
    has_key("secret/a%20b", "vault.read(secret/a b)");
    has_key("secret/app#part", "vault.read(secret/app)");
    assert_memory_equal(write->key, "vault.write(pki/issue/web -> ", 29);
    assert_int_equal(strlen(write->key), 29 + 8 + 1);
    assert_memory_equal(pki->key, "vault.pki(pki/issue/web -> ", 27);
    assert_string_equal(pki->key + 27, write->key + 29);
    assert_string_equal(dep_arg(pki, "common_name"), "a.example");
    assert_null(dep_arg(pki, "common"));
    dep_unref(write);
    dep_unref(pki);
}

static void same(bool expected, struct dep *a, struct dep *b)
{
    assert_int_equal(dep_same(a, b), expected);
    dep_unref(a);
    dep_unref(b);
}

static void dep_is_told_apart_by_every_query_parameter(void **state)
{
    (void)state;
    same(false, make(DEP_READ, "p?a=1", 0, NULL, NULL), make(DEP_READ, "p?a=2", 0, NULL, NULL));
    same(false, make(DEP_READ, "p", 0, NULL, NULL), make(DEP_READ, "p?a=2", 0, NULL, NULL));
    same(true, make(DEP_READ, "p?b=2&a=1", 0, NULL, NULL), make(DEP_READ, "/p?a=1&b=2", 0, NULL, NULL));
    same(false, make(DEP_READ, "p", 0, NULL, NULL), make(DEP_LIST, "p", 0, NULL, NULL));
}

static void dep_of_a_write_is_told_apart_by_its_arguments_in_any_order(void **state)
{
    static const char *const ab[] = {"a=1", "b=2"}, *const ba[] = {" b = 2 ", "", "a=1"}, *const other[] = {"a=1", "b=3"};

    (void)state;
    same(true, make(DEP_WRITE, "p", 2, ab, NULL), make(DEP_WRITE, "p", 3, ba, NULL));
    same(false, make(DEP_WRITE, "p", 2, ab, NULL), make(DEP_WRITE, "p", 2, other, NULL));
    same(false, make(DEP_PKI, "p", 2, ab, "/d"), make(DEP_PKI, "p", 2, other, "/d"));
    same(true, make(DEP_PKI, "p", 2, ab, "/d"), make(DEP_PKI, "p", 3, ba, "/e"));
    same(false, make(DEP_PKI, "p", 2, ab, "/d"), make(DEP_WRITE, "p", 2, ab, NULL));
}

static void dep_keeps_the_first_equals_sign_as_the_cut(void **state)
{
    static const char *const args[] = {"b64=aGk=="};
    struct dep *dep = make(DEP_WRITE, "p", 1, args, NULL);

    (void)state;
    assert_string_equal(dep->args[0].key, "b64");
    assert_string_equal(dep->args[0].value, "aGk==");
    dep_unref(dep);
}

static void dep_refuses_what_is_no_path_and_shows_no_argument(void **state)
{
    (void)state;
    refuses(DEP_READ, " // ", NULL, "vault.read: invalid format: \"\"");
    refuses(DEP_WRITE, "", "a=b", "vault.write: invalid format: \"\"");
    refuses(DEP_WRITE, "p", "hunter2", "not k=v pair: argument 1 has no \"=\"");
    refuses(DEP_READ, "a:b/c", NULL, "parse \"a:b/c\": first path segment in URL cannot contain colon");
    refuses(DEP_READ, "a/%zz", NULL, "parse \"a/%zz\": invalid URL escape \"%zz\"");
    refuses(DEP_READ, "a/%2", NULL, "parse \"a/%2\": invalid URL escape \"%2\"");
    refuses(DEP_READ, "a/%0a", NULL, "parse \"a/%0a\": invalid control character in URL");
    refuses(DEP_LIST, "a\nb", NULL, "vault.list: invalid control character in URL");
}

static void dep_refuses_too_long_paths(void **state)
{
    char text[LIMIT_PATH_BYTES + 1];
    struct dep *dep;
    struct err err;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(dep_new(DEP_READ, (struct str){text, sizeof(text)}, NULL, 0, NULL, &dep, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void dep_counts_query_parameters(void **state)
{
    _cleanup_buf_ struct buf path;
    struct dep *dep;
    struct err err;

    (void)state;
    buf_init(&path, LIMIT_PATH_BYTES);
    buf_adds(&path, "p?");
    for (int i = 0; i < LIMIT_QUERY_PARAMS; i++)
        buf_adds(&path, "&a");
    assert_int_equal(dep_new(DEP_READ, str_of(path.data), NULL, 0, NULL, &dep, &err), 0);
    dep_unref(dep);
    buf_adds(&path, "&a");
    assert_int_equal(dep_new(DEP_READ, str_of(path.data), NULL, 0, NULL, &dep, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, ": vault.read: more than 32 query parameters"));
}

static void dep_finds_a_query_parameter(void **state)
{
    struct dep *dep = make(DEP_READ, "p?version=12&x=a%26b", 0, NULL, NULL);
    size_t len;

    (void)state;
    assert_memory_equal(dep_query(dep, "version", &len), "12", 2);
    assert_int_equal(len, 2);
    assert_memory_equal(dep_query(dep, "x", &len), "a%26b", 5);
    assert_null(dep_query(dep, "y", &len));
    dep_unref(dep);
}

static char *large_arg(size_t len, char last)
{
    char *text = mem_alloc(len + 3);

    memcpy(text, "a=", 2);
    memset(text + 2, 'x', len);
    text[len + 1] = last;
    return text;
}

static void writes_of_any_size_are_told_apart(void **state)
{
    _cleanup_free_ char *a = large_arg(LIMIT_OUTPUT_BYTES + 1, '1'), *b = large_arg(LIMIT_OUTPUT_BYTES + 1, '2');
    struct dep *one = make(DEP_WRITE, "p", 1, (const char *const[]){a}, NULL),
               *two = make(DEP_WRITE, "p", 1, (const char *const[]){b}, NULL);

    (void)state;
    assert_string_not_equal(one->key, two->key);
    same(false, one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_of_any_size_are_told_apart),
        cmocka_unit_test(dep_prints_as_the_originals_do),
        cmocka_unit_test(dep_is_told_apart_by_every_query_parameter),
        cmocka_unit_test(dep_of_a_write_is_told_apart_by_its_arguments_in_any_order),
        cmocka_unit_test(dep_keeps_the_first_equals_sign_as_the_cut),
        cmocka_unit_test(dep_refuses_what_is_no_path_and_shows_no_argument),
        cmocka_unit_test(dep_refuses_too_long_paths),
        cmocka_unit_test(dep_counts_query_parameters),
        cmocka_unit_test(dep_finds_a_query_parameter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
