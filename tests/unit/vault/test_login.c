#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/login.h"

static char folder[] = "/tmp/ampule-test-login-XXXXXX";

static const char *file(const char *name, const char *text)
{
    static char path[4][128];
    static unsigned next;
    char *p = path[next++ % 4];
    FILE *f;

    snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    if (!text)
        return p;
    f = fopen(p, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return p;
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"token", "jwt", "role", "secret"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(file(names[i], NULL));
    return rmdir(folder);
}

static int try_make(const char *type, const char *mount, size_t n, struct val_pair *pairs, struct login **ret, struct err *err)
{
    struct val config;

    val_sort_pairs(pairs, n);
    config = val_map(pairs, n);
    return login_new(type, mount, &config, ret, err);
}

static struct login *make(const char *type, const char *mount, size_t n, struct val_pair *pairs)
{
    struct login *login = NULL;
    struct err err;

    if (try_make(type, mount, n, pairs, &login, &err) != 0)
        fail_msg("%s", err.text);
    return login;
}

static void describes(struct login *login, const char *path, const char *body)
{
    _cleanup_login_request_ struct login_request request = {0};
    struct err err;

    if (login_describe(login, &request, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(request.method, "PUT");
    assert_string_equal(request.path.data, path);
    assert_string_equal(request.body.data, body);
    assert_true(request.body.secret);
}

static void fails(struct login *login, enum err_code code)
{
    struct login_request request;
    struct err err;

    assert_int_equal(login_describe(login, &request, &err), -1);
    assert_int_equal(err.code, code);
}

static void kubernetes_sends_the_trimmed_token_and_reads_it_every_time(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("app")}, {VAL_KEY("token_path"), val_cstr(file("token", " one\n"))}};
    struct login *login = make("kubernetes", NULL, 2, pairs);

    (void)state;
    describes(login, "auth/kubernetes/login", "{\"jwt\":\"one\",\"role\":\"app\"}");
    file("token", "two");
    describes(login, "auth/kubernetes/login", "{\"jwt\":\"two\",\"role\":\"app\"}");
    file("token", "");
    fails(login, ERR_INPUT);
    unlink(file("token", NULL));
    fails(login, ERR_MISSING);
    login_free(login);
}

static void the_mount_loses_its_slashes(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("a\"b")}, {VAL_KEY("token_path"), val_cstr(file("token", "t"))}};
    struct login *login = make("kubernetes", "/auth/k8s-prod/", 2, pairs);

    (void)state;
    describes(login, "auth/k8s-prod/login", "{\"jwt\":\"t\",\"role\":\"a\\\"b\"}");
    login_free(login);
}

static void jwt_is_sent_as_it_is_removed_and_remembered(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("path"), val_cstr(file("jwt", "j\n"))}, {VAL_KEY("role"), val_cstr("app")}};
    struct login *login = make("jwt", NULL, 2, pairs);

    (void)state;
    describes(login, "auth/jwt/login", "{\"jwt\":\"j\\n\",\"role\":\"app\"}");
    assert_int_equal(access(file("jwt", NULL), F_OK), -1);
    describes(login, "auth/jwt/login", "{\"jwt\":\"j\\n\",\"role\":\"app\"}");
    file("jwt", "");
    describes(login, "auth/jwt/login", "{\"jwt\":\"j\\n\",\"role\":\"app\"}");
    file("jwt", "k");
    describes(login, "auth/jwt/login", "{\"jwt\":\"k\",\"role\":\"app\"}");
    login_free(login);
}

static void approle_sends_both_ids_and_keeps_the_secret_id_file_when_asked(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("role_id_file_path"), val_cstr(file("role", "r\n"))},
                               {VAL_KEY("secret_id_file_path"), val_cstr(file("secret", " s \n"))},
                               {VAL_KEY("remove_secret_id_file_after_reading"), val_cstr("false")}};
    struct login *login = make("approle", NULL, 3, pairs);

    (void)state;
    describes(login, "auth/approle/login", "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    assert_int_equal(access(file("secret", NULL), F_OK), 0);
    login_free(login);
    login = make("approle", NULL, 1, pairs + 1); /* sorted: role_id_file_path stands second */
    describes(login, "auth/approle/login", "{\"role_id\":\"r\"}");
    login_free(login);
}

/* Whether the kernel would leave the page of `p` out of a core file: of all memory only that of secret arenas is so. */
static bool is_kept_apart(const void *p)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    bool inside = false, apart = false;
    unsigned long from, to;
    char line[512];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = from <= (uintptr_t)p && (uintptr_t)p < to;
        else if (inside && strncmp(line, "VmFlags:", strlen("VmFlags:")) == 0)
            apart = strstr(line, " dd") != NULL;
    }
    fclose(f);
    return apart;
}

static void what_the_next_login_needs_lies_in_memory_of_its_own(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("role_id_file_path"), val_cstr(file("role", "r"))},
                               {VAL_KEY("secret_id_file_path"), val_cstr(file("secret", "s"))}};
    struct login *login = make("approle", NULL, 2, pairs);

    (void)state;
    describes(login, "auth/approle/login", "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    for (size_t i = 0; i < LOGIN_KEPT; i++)
        assert_true(is_kept_apart(login->kept[i].data));
    login_free(login);
}

static void approle_removes_the_secret_id_file_by_default(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("role_id_file_path"), val_cstr(file("role", "r"))},
                               {VAL_KEY("secret_id_file_path"), val_cstr(file("secret", "s"))}};
    struct login *login = make("approle", NULL, 2, pairs);

    (void)state;
    describes(login, "auth/approle/login", "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    assert_int_equal(access(file("secret", NULL), F_OK), -1);
    describes(login, "auth/approle/login", "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    login_free(login);
}

static void token_file_is_a_lookup_with_that_token(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("token_file_path"), val_cstr(file("token", "hvs.x\n"))}};
    struct login *login = make("token_file", "ignored", 1, pairs);
    _cleanup_login_request_ struct login_request request = {0};
    struct err err;

    (void)state;
    assert_int_equal(login_describe(login, &request, &err), 0);
    assert_string_equal(request.method, "GET");
    assert_string_equal(request.path.data, "auth/token/lookup-self");
    assert_string_equal(request.token.data, "hvs.x");
    assert_int_equal(request.body.len, 0);
    assert_true(request.lookup && request.token.secret);
    login_free(login);
}

static void refuses(const char *type, size_t n, struct val_pair *pairs, const char *text)
{
    struct login *login;
    struct err err;

    assert_int_equal(try_make(type, NULL, n, pairs, &login, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, text);
}

static void wrong_options_are_named(void **state)
{
    struct val_pair number[] = {{VAL_KEY("role"), val_int(7)}}, empty[] = {{VAL_KEY("role"), val_cstr("")}};
    struct val_pair later[] = {{VAL_KEY("role_id_file_path"), val_cstr("/r")}, {VAL_KEY("secret_id_response_wrapping_path"), val_cstr("auth/x")}};
    struct val_pair flag[] = {{VAL_KEY("path"), val_cstr("/p")},
                              {VAL_KEY("remove_jwt_after_reading"), val_cstr("maybe")},
                              {VAL_KEY("role"), val_cstr("r")}};

    (void)state;
    refuses("kubernetes", 0, number,
            "auto_auth.method \"kubernetes\": config.role: is missing: the role of the server's Kubernetes login");
    refuses("kubernetes", 1, empty,
            "auto_auth.method \"kubernetes\": config.role: is missing: the role of the server's Kubernetes login");
    refuses("kubernetes", 1, number, "auto_auth.method \"kubernetes\": config.role: must be a string, not integer");
    refuses("jwt", 3, flag, "auto_auth.method \"jwt\": config.remove_jwt_after_reading: must be true or false");
    refuses("approle", 2, later, "auto_auth.method \"approle\": config.secret_id_response_wrapping_path: not supported yet");
    refuses("kerberos", 0, number, "auto_auth.method \"kerberos\": not a method that is supported yet");
}

static void a_credential_file_that_is_too_large_is_refused(void **state)
{
    size_t len = LIMIT_TOKEN_BYTES + 1;
    _cleanup_free_ char *text = mem_alloc(len + 1);
    struct val_pair pairs[] = {{VAL_KEY("path"), val_cstr("")}, {VAL_KEY("role"), val_cstr("r")}};
    struct login *login;

    (void)state;
    memset(text, 'x', len);
    pairs[0].value = val_cstr(file("jwt", text));
    login = make("jwt", NULL, 2, pairs);
    fails(login, ERR_LIMIT);
    login_free(login);
}

static void every_row_explains_its_options(void **state)
{
    size_t count;
    const struct login_method *const *methods = login_methods(&count);

    (void)state;
    assert_true(count >= 4);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(login_method_find(methods[i]->type), methods[i]);
        for (size_t k = 0; k < methods[i]->option_count; k++)
            assert_true(methods[i]->options[k].help[0] != '\0');
    }
    assert_null(login_method_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kubernetes_sends_the_trimmed_token_and_reads_it_every_time),
        cmocka_unit_test(the_mount_loses_its_slashes),
        cmocka_unit_test(jwt_is_sent_as_it_is_removed_and_remembered),
        cmocka_unit_test(approle_sends_both_ids_and_keeps_the_secret_id_file_when_asked),
        cmocka_unit_test(approle_removes_the_secret_id_file_by_default),
        cmocka_unit_test(what_the_next_login_needs_lies_in_memory_of_its_own),
        cmocka_unit_test(token_file_is_a_lookup_with_that_token),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(a_credential_file_that_is_too_large_is_refused),
        cmocka_unit_test(every_row_explains_its_options),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
