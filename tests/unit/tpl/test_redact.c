/* No error text shows a value when values are secret: every function with a canary in each of its arguments, and the language
 * around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

/* What no error may hold, in lower case: the canary, as it is and in Base 64, and as a number. */
static const char *const traces[] = {"canary", "9182736455", "y2fuyxj5", "q0foqvjz"};

/* Values that many functions object to, each in its own way. */
static const char data[] =
    "{\"text\":\"canary\",\"encoded\":\"Y2FuYXJ5\",\"quoted\":\"\\\"canary\\\"\\n\",\"number\":9182736455463728,\"decimal\":9182736455.5,\"huge\":9182736455463728918273645546372891827364554637289182736455463728,"
    "\"digits\":\"9182736455463728\",\"long\":\"91827364554637289182736455463728\",\"negative\":-9182736455463728,\"octal\":\"9182736455\",\"list\":[\"canary\",[\"canary\"],9182736455],"
    "\"lists\":[[\"canary\"],{\"canary\":1}],\"map\":{\"canary\":\"canary\",\"userinfo\":\"canary<\",\"host\":\"canary:canary\"},\"deep\":{\"canary\":{\"canary\":[{\"canary\":null}]}},"
    "\"slashes\":{\"canary\":\"canary\",\"canary/canary\":1},\"pair\":\"canary = canary\",\"pem\":\"-----BEGIN CANARY-----\\nY2FuYXJ5\\n-----END CANARY-----\\n\","
    "\"half\":\"-----BEGIN CANARY-----\\ncanary!\\n-----END OTHER CANARY-----\\n\",\"url\":\"http://canary:canary@canary:canary/%zzcanary\",\"json\":\"{\\\"canary\\\": canary\","
    "\"yaml\":\"a: &canary [*canarycanary\",\"anchor\":\"a: *canary\",\"tag\":\"!!int canary\",\"tagged\":\"!canary canary\",\"toml\":\"canary = [canary\",\"path\":\"/canary/canary\","
    "\"pattern\":\"(?canary\",\"class\":\"[z-canary]\",\"repeat\":\"canary{9182736455}\",\"version\":\"1.0.0-canary..01\",\"range\":\">= canary, < 9182736455.x.y\",\"time\":\"2006-01-02canary\",\"span\":\"1canary\","
    "\"address\":\"1.2.3.canary\",\"zone\":\"fe80::1%canary\",\"base64\":\"Y2FuYXJ5!canary\",\"bytes\":\"\\u0000canary\\ud800\"}";

static const char *const kinds[] = {".text",
                                    ".quoted",
                                    ".number",
                                    ".decimal",
                                    ".huge",
                                    ".digits",
                                    ".long",
                                    ".negative",
                                    ".octal",
                                    ".list",
                                    ".lists",
                                    ".map",
                                    ".deep",
                                    ".slashes",
                                    ".pair",
                                    ".pem",
                                    ".half",
                                    ".url",
                                    ".json",
                                    ".yaml",
                                    ".anchor",
                                    ".tag",
                                    ".tagged",
                                    ".toml",
                                    ".path",
                                    ".pattern",
                                    ".class",
                                    ".repeat",
                                    ".version",
                                    ".range",
                                    ".time",
                                    ".span",
                                    ".address",
                                    ".zone",
                                    ".base64",
                                    ".bytes",
                                    "(split \"n\" .text)",
                                    "(parseInt .digits)",
                                    "(sprig_int .number)",
                                    "(sprig_list .text .map)",
                                    "(sprig_dict .text .list)",
                                    "(sprig_dict \"k\" .text)",
                                    "(sprig_list .text)",
                                    "(base64Decode .encoded)"};
/* Of what takes long a few are enough. */
static const char *const few[] = {
    ".text", ".quoted", ".number", ".list", ".map", ".pem", ".address", "(sprig_list .text)", "(sprig_list .map)"};
static const char *const slow[] = {"sprig_bcrypt", "sprig_derivePassword", "sprig_gen", "sprig_htpasswd",
                                   "sprig_buildCustomCert"};

static int refuse(void *ctx, const char *what, struct err *err)
{
    (void)ctx;
    return err_set(err, ERR_INPUT, "%s", what);
}

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    (void)path, (void)args, (void)argc, (void)arena, (void)ret;
    return refuse(ctx, "refused", err);
}

static int on_path(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    (void)path, (void)arena, (void)ret;
    return refuse(ctx, "refused", err);
}

static const char *on_getenv(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return NULL;
}

struct fixture {
    struct arena arena;
    struct val root;
    unsigned failed; /* executions that ended in an error, or the test would show nothing */
    unsigned shown;  /* those whose error has a trace of the canary */
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    struct err err;

    *fixture = (struct fixture){0};
    arena_init(&fixture->arena, MIB(1), "data");
    assert_int_equal(json_read(data, sizeof(data) - 1, &(struct json_options){.flags = JSON_REPLACE_UTF8}, &fixture->arena,
                               &fixture->root, &err),
                     0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_done(&fixture->arena);
    mem_free(fixture);
    return 0;
}

/* The part of an error that is not the template's own text: what stands behind "<...>". */
static const char *message(const char *text)
{
    const char *end = strstr(text, ">: ");

    return end ? end + 3 : text;
}

static void check(struct fixture *fixture, const char *source, const char *text)
{
    char lower[ERR_TEXT_MAX];
    size_t i = 0;

    for (const char *from = message(text); from[i]; i++)
        lower[i] = (char)tolower((unsigned char)from[i]);
    lower[i] = '\0';
    for (size_t k = 0; k < ARRAY_LEN(traces); k++) {
        if (strstr(lower, traces[k])) {
            print_error("%s\n  says: %s\n", source, text);
            fixture->shown++;
            return;
        }
    }
}

static void run(struct fixture *fixture, const char *source)
{
    const struct tpl_env env = {
        .secret = on_secret, .secrets = on_path, .pki_cert = on_secret, .file = on_path, .getenv = on_getenv, .redact = true};
    const struct tpl_options options = {.name = "", .functions = &functions_all};
    _cleanup_tpl_ struct tpl *tpl = NULL;
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    buf_init(&out, LIMIT_OUTPUT_BYTES);
    if (tpl_parse(source, strlen(source), &options, &tpl, &err) != 0)
        fail_msg("%s: %s", source, err.text);
    if (tpl_execute(tpl, &fixture->root, &env, &out, &err) != 0) {
        fixture->failed++;
        check(fixture, source, err.text);
    }
}

/* --------------------------------------------------------------------------------------------------- every function */

static const char *harmless(char letter)
{
    switch (letter) {
    case 'i':
    case 'u':
        return "1";
    case 'b':
        return "true";
    case 'f':
        return "1.5";
    case 'L':
        return "(split \",\" \"a,b\")";
    case 'A':
        return "(sprig_list 1 2)";
    case 'M':
    case 'D':
        return "(sprig_dict \"k\" \"v\")";
    case 'T':
        return "(sprig_toDate \"2006\" \"2006\")";
    case 'V':
        return "(sprig_semver \"1.0.0\")";
    case 'O':
        return "nil";
    default:
        return "\"1\"";
    }
}

/* The function with `canary` as the argument at `at`, of `count`. */
static void run_with(struct fixture *fixture, const struct func *func, size_t count, size_t at, const char *canary)
{
    _cleanup_buf_ struct buf source;
    size_t letters = strcspn(func->params, "*");

    buf_init(&source, KIB(4));
    buf_addf(&source, "{{%s", func->name);
    for (size_t i = 0; i < count; i++)
        buf_addf(&source, " %s", i == at ? canary : harmless(func->params[i < letters ? i : letters - 1]));
    buf_adds(&source, "}}");
    run(fixture, source.data);
}

static bool is_slow(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        if (strncmp(name, slow[i], strlen(slow[i])) == 0)
            return true;
    }
    return false;
}

static void sweep(struct fixture *fixture, const struct func *func)
{
    size_t letters = strcspn(func->params, "*"), most = letters + (func->params[letters] ? 2 : 0);
    const char *const *values = is_slow(func->name) ? few : kinds;
    size_t value_count = is_slow(func->name) ? ARRAY_LEN(few) : ARRAY_LEN(kinds);

    if (strchr(func->params, 'C') || strchr(func->params, 'd'))
        return; /* nothing out of data can be one */
    for (size_t count = letters ? letters - (func->params[letters] ? 1 : 0) : 0; count <= most; count++) {
        for (size_t at = 0; at < count; at++) {
            for (size_t k = 0; k < value_count; k++)
                run_with(fixture, func, count, at, values[k]);
        }
    }
}

static void no_function_shows_its_arguments(void **state)
{
    struct fixture *fixture = *state;
    size_t count = functions_count();
    _cleanup_free_ const struct func **rows = mem_array(count, sizeof(*rows));

    functions_list(rows);
    for (size_t i = 0; i < count; i++)
        sweep(fixture, rows[i]);
    assert_true(fixture->failed > 5000);
    assert_int_equal(fixture->shown, 0);
}

/* ----------------------------------------------------------------------------------------------------- the language */

static void nothing_of_the_language_shows_values(void **state)
{
    static const char *const sources[] = {
        "{{.text.a}}",
        "{{.map.canary.a}}",
        "{{call .text}}",
        "{{call .map}}",
        "{{range .text}}{{end}}",
        "{{range .number}}{{end}}",
        "{{range .decimal}}{{end}}",
        "{{template \"t\" .text}}{{define \"t\"}}{{.a.b}}{{end}}",
        "{{index .map .list}}",
        "{{index .list .text}}",
        "{{index .list .number}}",
        "{{index .list (parseInt .digits)}}",
        "{{index .text (parseInt .digits)}}",
        "{{slice .text 1 (parseInt .digits)}}",
        "{{slice .list (parseInt .digits)}}",
        "{{slice .text 5 (parseInt .octal) 1}}",
        "{{len .number}}",
        "{{lt .text .number}}",
        "{{eq .map .list}}",
        "{{eq .map .map}}",
        "{{eq .list .list}}",
        "{{ne .lists .list}}",
        "{{eq .text .map}}",
        "{{lt .map .map}}",
        "{{eq (sprig_dict \"k\" .text) .map}}",
        "{{.text | .map}}",
        "{{with .text}}{{.a}}{{end}}",
        "{{executeTemplate .text}}",
        "{{executeTemplate .quoted .map}}",
        "{{secret .text .digits}}",
        "{{secret \"a\" .text}}",
        "{{secret .url}}",
        "{{secret \"a\" \"k=v\" .quoted}}",
        "{{pkiCert \"a\" .text}}",
        "{{pkiCert .url}}",
        "{{secrets .url}}",
        "{{file .path}}",
        "{{mustEnv .text}}",
        "{{sprig_fail .text}}",
        "{{writeToFile .path .text .text .text .text}}",
        "{{writeToFile .path .text .text \"0644\" .text}}",
        "{{plugin .path .text}}",
        "{{sockaddr .text}}",
        "{{loop .map}}",
        "{{loop .text}}",
        "{{scratch.Set .text .map}}{{scratch.MapSet .text .text .text}}{{scratch.MapValues .text}}",
        "{{scratch.Set .text 1}}{{scratch.MapSet .text .text .text}}",
        "{{(sprig_toDate \"2006\" .time).Foo}}",
        "{{.text .number}}",
        "{{printf .text | index}}",
        "{{sprig_now.Format .number}}",
        "{{sprig_dateInZone .text 0 .text}}",
        "{{(sprig_semver \"1.0.0\").Compare .text}}",
        "{{sprig_now.AddDate 1 .text 1}}",
        "{{sprig_get .map .list}}",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        run(fixture, sources[i]);
    assert_true(fixture->failed > ARRAY_LEN(sources) / 2);
    assert_int_equal(fixture->shown, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_function_shows_its_arguments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_of_the_language_shows_values, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
