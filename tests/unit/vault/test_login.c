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

    if (login_next(login, NULL, &request, &err) != 0)
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

    assert_int_equal(login_next(login, NULL, &request, &err), -1);
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
    assert_true(login->kept[0].data && login->kept[1].data);
    for (size_t i = 0; i < LOGIN_KEPT; i++)
        assert_true(!login->kept[i].data || is_kept_apart(login->kept[i].data));
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

/* ----------------------------------------------------------------------------------------------- wrapped secret ids */

#define WRAPPED_BY "auth/approle/role/app/secret-id"

static struct login *make_wrapped(void)
{
    struct val_pair pairs[] = {{VAL_KEY("role_id_file_path"), val_cstr(file("role", "r"))},
                               {VAL_KEY("secret_id_file_path"), val_cstr(file("secret", "wrapping\n"))},
                               {VAL_KEY("secret_id_response_wrapping_path"), val_cstr(WRAPPED_BY)}};

    return make("approle", NULL, 3, pairs);
}

/* The answer {"data": {NAME: VALUE}}, and what the method makes of it. */
static int tell(struct login *login, const char *name, const char *value, struct login_request *ret, struct err *err)
{
    struct val key = val_cstr(name);
    const struct val_pair fact = {&key, val_cstr(value)}, data = {VAL_KEY("data"), val_map(&fact, 1)};
    const struct val object = val_map(&data, 1);

    return login_next(login, &(struct told){.status = 200, .challenge = "", .object = &object}, ret, err);
}

static void goes_to(const struct login_request *request, const char *method, const char *path)
{
    assert_string_equal(request->method, method);
    assert_string_equal(request->path.data, path);
    assert_string_equal(request->token.data, "wrapping");
    assert_int_equal(request->body.len, 0);
    assert_true(request->goes_on);
}

static void approle_unwraps_a_secret_id_once(void **state)
{
    _cleanup_login_request_ struct login_request lookup = {0}, unwrap = {0}, login_request = {0};
    struct login *login = make_wrapped();
    struct err err;

    (void)state;
    assert_int_equal(login_next(login, NULL, &lookup, &err), 0);
    goes_to(&lookup, "GET", "sys/wrapping/lookup");
    assert_int_equal(tell(login, "creation_path", WRAPPED_BY, &unwrap, &err), 0);
    goes_to(&unwrap, "PUT", "sys/wrapping/unwrap");
    assert_int_equal(access(file("secret", NULL), F_OK), 0); /* until its secret id is there */
    assert_int_equal(tell(login, "secret_id", "s", &login_request, &err), 0);
    assert_string_equal(login_request.path.data, "auth/approle/login");
    assert_string_equal(login_request.body.data, "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    assert_false(login_request.goes_on);
    assert_int_equal(access(file("secret", NULL), F_OK), -1);
    describes(login, "auth/approle/login", "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    file("secret", "wrapping"); /* a file that stays, or comes back */
    describes(login, "auth/approle/login", "{\"role_id\":\"r\",\"secret_id\":\"s\"}");
    login_free(login);
}

static void approle_takes_no_secret_id_of_another_path(void **state)
{
    _cleanup_login_request_ struct login_request first = {0}, second = {0}, again = {0};
    struct login *login = make_wrapped();
    struct err err;

    (void)state;
    assert_int_equal(login_next(login, NULL, &first, &err), 0);
    assert_int_equal(tell(login, "creation_path", "auth/approle/role/other/secret-id", &second, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_non_null(strstr(err.text, "SECURITY: the wrapping token was made by \"auth/approle/role/other/secret-id\""));
    assert_int_equal(access(file("secret", NULL), F_OK), 0);
    assert_int_equal(login_next(login, NULL, &again, &err), 0); /* from the beginning */
    goes_to(&again, "GET", "sys/wrapping/lookup");
    login_free(login);
}

/* ------------------------------------------------------------------------------------------------ name and password */

static void passwords_are_sent_as_they_are_and_names_are_escaped(void **state)
{
    static const char *const types[] = {"ldap", "userpass"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct val_pair pairs[] = {{VAL_KEY("password_file_path"), val_cstr(file("secret", "p\n"))},
                                   {VAL_KEY("username"), val_cstr("an na")}};
        struct login *login = make(types[i], NULL, 2, pairs);
        char path[64];

        snprintf(path, sizeof(path), "auth/%s/login/an%%20na", types[i]);
        describes(login, path, "{\"password\":\"p\\n\"}");
        assert_int_equal(access(file("secret", NULL), F_OK), -1);
        describes(login, path, "{\"password\":\"p\\n\"}");
        login_free(login);
    }
}

static void a_look_finds_another_credential(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("password_file_path"), val_cstr(file("secret", "one"))},
                               {VAL_KEY("remove_password_after_reading"), val_bool(false)},
                               {VAL_KEY("username"), val_cstr("anna")}};
    struct login *login = make("ldap", NULL, 3, pairs);
    _cleanup_login_request_ struct login_request one = {0}, same = {0}, two = {0};
    struct err err;

    (void)state;
    assert_int_equal(login_look_ms(login), 60000);
    assert_int_equal(login_next(login, NULL, &one, &err), 0);
    assert_int_equal(login_next(login, NULL, &same, &err), 0);
    file("secret", "two");
    assert_int_equal(login_next(login, NULL, &two, &err), 0);
    assert_memory_equal(one.credential, same.credential, sizeof(one.credential));
    assert_memory_not_equal(one.credential, two.credential, sizeof(one.credential));
    login_free(login);
}

static void a_certificate_says_who_it_is_without_a_word(void **state)
{
    struct val_pair named[] = {{VAL_KEY("name"), val_cstr("web")}};
    struct login *login = make("cert", NULL, 1, named);
    struct login_identity identity;
    struct err err;

    (void)state;
    describes(login, "auth/cert/login", "{\"name\":\"web\"}");
    assert_false(login_shows(login, &identity));
    err_set(&err, ERR_DENIED, "refused");
    assert_int_equal(login_explain(login, &err), -1);
    assert_string_equal(err.text,
                        "name \"web\": does auth/cert/certs/web hold the CA of the certificate, and do its allowed_* fit?: "
                        "shown: vault.client_cert: refused");
    login_free(login);
    login = make("cert", "auth/tls/", 0, named);
    describes(login, "auth/tls/login", "{}");
    assert_false(login_asks(login));
    login_free(login);
}

static void half_a_certificate_is_none_unless_somebody_is_to_be_believed(void **state)
{
    struct val_pair half[] = {{VAL_KEY("client_cert"), val_cstr("/c")}, {VAL_KEY("reload"), val_bool(true)}};
    struct val_pair believed[] = {{VAL_KEY("ca_cert"), val_cstr("/ca")}, {VAL_KEY("client_cert"), val_cstr("/c")}};
    struct val_pair whole[] = {
        {VAL_KEY("client_cert"), val_cstr("/c")}, {VAL_KEY("client_key"), val_cstr("/k")}, {VAL_KEY("reload"), val_bool(true)}};
    struct login *login = make("cert", NULL, 2, half);
    struct login_identity identity;
    struct err err;

    (void)state;
    assert_false(login_shows(login, &identity));
    assert_int_equal(login_look_ms(login), 0);
    login_free(login);
    assert_int_equal(try_make("cert", NULL, 2, believed, &login, &err), -1);
    assert_string_equal(err.text,
                        "auto_auth.method \"cert\": config: client_cert and client_key go together: give both or neither");
    login = make("cert", NULL, 3, whole);
    assert_true(login_shows(login, &identity));
    assert_null(identity.ca_cert);
    assert_string_equal(identity.client_key, "/k");
    assert_int_equal(login_look_ms(login), 60000);
    login_free(login);
}

static void a_ticket_goes_into_a_header(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("keytab_path"), val_cstr("/k")},
                               {VAL_KEY("krb5conf_path"), val_cstr("/c")},
                               {VAL_KEY("realm"), val_cstr("EXAMPLE.ORG")},
                               {VAL_KEY("service"), val_cstr("HTTP/vault")},
                               {VAL_KEY("username"), val_cstr("anna")}};
    const struct val config = val_map(pairs, 5);
    struct told told = {.challenge = "", .body = STR("Negotiate YII=\n")};
    struct login *login = make("kerberos", NULL, 5, pairs);
    struct login_request request = {0};
    struct login_helper helper;
    struct err err;

    (void)state;
    assert_int_equal(login_helper_of("kerberos", &config, &helper, &err), 0);
    assert_string_equal(helper.arguments[0].data, "/k");
    assert_string_equal(helper.arguments[1].data, "anna@EXAMPLE.ORG");
    assert_string_equal(helper.arguments[2].data, "HTTP/vault@");
    assert_string_equal(helper.variable.data, "KRB5_CONFIG=/c");
    login_helper_done(&helper);
    assert_int_equal(login_next(login, NULL, &request, &err), 0);
    assert_true(request.help);
    login_request_done(&request);
    assert_int_equal(login_next(login, &told, &request, &err), 0);
    assert_string_equal(request.authorization.data, "Negotiate YII=");
    assert_string_equal(request.path.data, "auth/kerberos/login");
    assert_string_equal(request.body.data, "{}");
    login_request_done(&request);
    told.body = STR("something else");
    assert_int_equal(login_next(login, &told, &request, &err), -1);
    login_free(login);
}

static void token_file_is_a_lookup_with_that_token(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("token_file_path"), val_cstr(file("token", "hvs.x\n"))}};
    struct login *login = make("token_file", "ignored", 1, pairs);
    _cleanup_login_request_ struct login_request request = {0};
    struct err err;

    (void)state;
    assert_int_equal(login_next(login, NULL, &request, &err), 0);
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
    struct val_pair period[] = {
        {VAL_KEY("jwt_read_period"), val_cstr("0s")}, {VAL_KEY("path"), val_cstr("/p")}, {VAL_KEY("role"), val_cstr("r")}};
    struct val_pair flag[] = {{VAL_KEY("path"), val_cstr("/p")},
                              {VAL_KEY("remove_jwt_after_reading"), val_cstr("maybe")},
                              {VAL_KEY("role"), val_cstr("r")}};
    struct val_pair quoted[] = {{VAL_KEY("reload"), val_cstr("true")}};

    (void)state;
    refuses("cert", 1, quoted, "auto_auth.method \"cert\": config.reload: must be true or false, without quotes");
    refuses("kubernetes", 0, number,
            "auto_auth.method \"kubernetes\": config.role: is missing: the role of the server's Kubernetes login");
    refuses("kubernetes", 1, empty,
            "auto_auth.method \"kubernetes\": config.role: is missing: the role of the server's Kubernetes login");
    refuses("kubernetes", 1, number, "auto_auth.method \"kubernetes\": config.role: must be a string, not integer");
    refuses("jwt", 3, flag, "auto_auth.method \"jwt\": config.remove_jwt_after_reading: must be true or false");
    refuses("jwt", 3, period, "auto_auth.method \"jwt\": config.jwt_read_period: must be a duration above zero: \"30s\"");
    refuses("oci", 0, number, "auto_auth.method \"oci\": there is no such method");
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

static int ask_again(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    (void)login;
    (void)told;
    return ask_begin(&request->ask, "GET", "http://169.254.169.254/again", err);
}

static void a_login_that_never_stops_asking_is_stopped(void **state)
{
    static const struct login_method method = {.type = "endless", .next = ask_again};
    const struct told told = {.status = 200, .body = STR(""), .challenge = ""};
    struct login login = {.method = &method};
    struct login_request request;
    unsigned steps = 0;
    struct err err;

    (void)state;
    assert_int_equal(login_next(&login, NULL, &request, &err), 0);
    do {
        assert_string_equal(request.ask.path.data, "/again");
        login_request_done(&request);
        steps++;
    } while (login_next(&login, &told, &request, &err) == 0);
    assert_int_equal(steps, LIMIT_LOGIN_STEPS);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(login_next(&login, NULL, &request, &err), 0); /* the next login begins anew */
    login_request_done(&request);
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
        cmocka_unit_test(approle_unwraps_a_secret_id_once),
        cmocka_unit_test(approle_takes_no_secret_id_of_another_path),
        cmocka_unit_test(passwords_are_sent_as_they_are_and_names_are_escaped),
        cmocka_unit_test(a_look_finds_another_credential),
        cmocka_unit_test(what_the_next_login_needs_lies_in_memory_of_its_own),
        cmocka_unit_test(a_certificate_says_who_it_is_without_a_word),
        cmocka_unit_test(half_a_certificate_is_none_unless_somebody_is_to_be_believed),
        cmocka_unit_test(a_ticket_goes_into_a_header),
        cmocka_unit_test(token_file_is_a_lookup_with_that_token),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(a_credential_file_that_is_too_large_is_refused),
        cmocka_unit_test(a_login_that_never_stops_asking_is_stopped),
        cmocka_unit_test(every_row_explains_its_options),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
