/* sprig's functions: their limits, and those whose results are not always the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

#define MAX_TEXT MIB(1)

/* The output or, behind a "!", the error. */
static const char *render_at(const char *source, int64_t now_ms, bool redact)
{
    static char answer[MAX_TEXT];
    const struct tpl_env env = {.now_ms = now_ms, .redact = redact};
    const struct tpl_options options = {.name = "", .functions = &functions_all};
    const struct val nil = val_null();
    _cleanup_tpl_ struct tpl *tpl = NULL;
    _cleanup_buf_ struct buf out;
    struct err err = {0};

    buf_init(&out, LIMIT_OUTPUT_BYTES);
    if (tpl_parse(source, strlen(source), &options, &tpl, &err) != 0 || tpl_execute(tpl, &nil, &env, &out, &err) != 0)
        snprintf(answer, sizeof(answer), "!%s", err.text);
    else
        snprintf(answer, sizeof(answer), "%s", out.data);
    return answer;
}

static const char *render(const char *source)
{
    return render_at(source, INT64_C(1704164645000), false);
}

static void assert_ends(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    if (len < end_len || strcmp(text + len - end_len, end) != 0)
        fail_msg("%s does not end in: %s", text, end);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static void sequences_have_an_end(void **state)
{
    (void)state;
    assert_string_equal(render("{{len (sprig_until 1000000)}}"), "1000000");
    assert_ends(render("{{sprig_until 1000001}}"), "error calling sprig_until: sprig_until: more than 1000000 numbers");
    assert_ends(render("{{sprig_until 9223372036854775807}}"), "more than 1000000 numbers");
    assert_ends(render("{{sprig_untilStep 0 -9223372036854775808 -1}}"), "more than 1000000 numbers");
    assert_ends(render("{{sprig_seq 1 1000001}}"), "more than 1000000 numbers");
    assert_string_equal(render("{{len (sprig_seq 1 1000000)}}"), "6888895");
    assert_string_equal(render("{{sprig_untilStep -9223372036854775808 9223372036854775807 9223372036854775807}}"),
                        "[-9223372036854775808 -1 9223372036854775806]");
}

static void many_sequences_run_into_the_memory_of_a_run(void **state)
{
    (void)state;
    assert_non_null(strstr(render("{{range sprig_until 1000}}{{$x := sprig_until 1000000}}{{end}}"), "more than"));
}

static void decimals_have_a_most_of_digits(void **state)
{
    char source[8192] = "{{$x := 1.2345678901234567}}{{sprig_mulf";

    (void)state;
    for (size_t i = 0; i < 200; i++)
        strncat(source, " $x", sizeof(source) - strlen(source) - 1);
    strncat(source, "}}", sizeof(source) - strlen(source) - 1);
    assert_ends(render(source), "a number of more than 2500 digits");
    assert_string_equal(render("{{sprig_addf 1e308 5e-324}} {{sprig_divf 1e308 5e-324}}"), "1e+308 +Inf");
}

static void a_random_number_lies_between_its_bounds(void **state)
{
    bool seen[5] = {false};

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        long n = strtol(render("{{sprig_randInt -2 3}}"), NULL, 10);

        assert_in_range(n + 2, 0, 4);
        seen[n + 2] = true;
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(seen[i]);
    assert_ends(render("{{sprig_randInt 3 3}}"), "error calling sprig_randInt: invalid argument to Intn");
}

/* ------------------------------------------------------------------------------------------------------------ times */

static void ago_counts_from_the_time_of_the_run(void **state)
{
    (void)state;
    assert_string_equal(render("{{sprig_ago 1704164640}}"), "5s");
    assert_string_equal(render("{{sprig_ago (sprig_int64 1704164700)}}"), "-55s");
    assert_string_equal(render("{{sprig_ago (sprig_toDate \"2006-01-02\" \"2024-01-01\")}}"), "27h4m5s");
    assert_string_equal(render_at("{{sprig_ago 0}}", 1500, false), "2s");
    assert_string_equal(render_at("{{sprig_ago 0}}", 1499, false), "1s");
    assert_string_equal(render_at("{{sprig_ago 3}}", 500, false), "-3s");
    assert_string_equal(render("{{sprig_ago \"1704164640\"}} {{sprig_ago nil}}"), "0s 0s");
    assert_string_equal(render("{{sprig_ago (sprig_toDate \"\" \"x\")}}"), "2562047h47m16.854775807s");
    assert_string_equal(render("{{sprig_durationRound (sprig_toDate \"2006-01-02\" \"2020-01-01\")}}"), "4y");
}

/* ---------------------------------------------------------------------------------------------------------- secrets */

static void errors_show_no_part_of_an_argument_when_values_are_secret(void **state)
{
    const char *const sources[] = {
        "{{sprig_semver \"99999999999999999999\"}}",
        "{{sprig_semverCompare \"canary\" \"1\"}}",
        "{{sprig_genSelfSignedCertWithKey \"\" (sprig_list \"canary\") nil 1 (sprig_genPrivateKey \"ecdsa\")}}",
        "{{sprig_genSelfSignedCertWithKey \"\" nil (sprig_list \"canary\\u00e9\") 1 (sprig_genPrivateKey \"ecdsa\")}}",
        "{{sprig_mustToDate \"2006\" \"canary\"}}",
        "{{sprig_mustToDate \"canary\" \"2006\"}}",
        "{{sprig_mustToDate \"2006\" \"2006canary\"}}",
        "{{sprig_mustDateModify \"1canary\" (sprig_toDate \"\" \"\")}}",
        "{{sprig_mustDateModify \"canary\" (sprig_toDate \"\" \"\")}}",
        "{{sprig_urlParse \"http://u:canary@h:canary/\"}}",
        "{{sprig_urlParse \"http://[canary]/\"}}",
        "{{sprig_urlParse \"canary%zz\"}}",
        "{{sprig_urlParse \"http://h/#%-canary\"}}",
        "{{sprig_urlJoin (sprig_dict \"userinfo\" \"canary<\")}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        const char *answer = render_at(sources[i], 0, true);
        const char *message = strstr(answer, "error calling");

        if (!message)
            fail_msg("%s", answer);
        assert_null(strstr(message, "canary"));
        assert_non_null(strstr(message, "[redacted]"));
    }
}

/* ----------------------------------------------------------------------------------------------------- cryptography */

static void passwords_are_hashed_as_bcrypt_hashes_them(void **state)
{
    static const char *const passwords[] = {"", "secret", "p\xC3\xA4ss",
                                            "0123456789012345678901234567890123456789012345678901234567890123456789ab"};
    struct crypt_data data = {0};
    char source[256], hash[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(passwords); i++) {
        snprintf(source, sizeof(source), "{{sprig_bcrypt \"%s\"}}", passwords[i]);
        snprintf(hash, sizeof(hash), "%s", render(source));
        assert_int_equal(strlen(hash), 60);
        assert_memory_equal(hash, "$2a$10$", 7);
        assert_string_equal(crypt_rn(passwords[i], hash, &data, sizeof(data)), hash);
        assert_string_not_equal(render(source), hash);
    }
    assert_memory_equal(render("{{sprig_htpasswd \"user\" \"secret\"}}"), "user:$2a$10$", 12);
    assert_ends(render("{{sprig_bcrypt \"a\\x00b\"}}"), "a password with a zero byte cannot be hashed");
}

static void what_is_encrypted_is_decrypted(void **state)
{
    char first[256];

    (void)state;
    assert_string_equal(render("{{range sprig_until 50}}{{$t := sprig_repeat . \"x\"}}"
                               "{{if ne $t (sprig_decryptAES \"k\" (sprig_encryptAES \"k\" $t))}}{{.}}{{end}}{{end}}"),
                        "");
    snprintf(first, sizeof(first), "%s", render("{{sprig_encryptAES \"k\" \"text\"}}"));
    assert_int_equal(strlen(first), 44);
    assert_string_not_equal(render("{{sprig_encryptAES \"k\" \"text\"}}"), first);
}

static void dsa_keys_are_not_made(void **state)
{
    (void)state;
    assert_ends(render("{{sprig_genPrivateKey \"dsa\"}}"),
                "DSA keys are not made: nothing accepts them any more; use ecdsa, ed25519 or rsa");
}

/* Would the function be called when only so much is left of what a run may spend? */
static bool is_affordable(const char *name, const struct val *argv, size_t argc, uint32_t left)
{
    _cleanup_arena_ struct arena arena;
    struct err err = {0};
    struct val ret;
    struct call call = {.name = name, .arena = &arena, .argv = argv, .argc = argc, .err = &err, .crypto_ms = &left};

    arena_init(&arena, MIB(1), "test");
    if (functions_find(str_of(name))->body(&call, &ret) == 0)
        return true;
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "more than about 2 s of cryptography in one run");
    return false;
}

_Static_assert(LIMIT_TEMPLATE_CRYPTO_MS == 2000, "the text below says 2 s");
static void a_run_has_a_most_of_cryptography(void **state)
{
    const struct val text = val_cstr("rsa"), ca[] = {val_cstr("ca"), val_int(1)};
    const struct val derived[] = {val_uint(1), val_cstr("pin"), val_cstr(""), val_cstr(""), val_cstr("")};

    (void)state;
    assert_false(is_affordable("sprig_bcrypt", &text, 1, 49));
    assert_true(is_affordable("sprig_bcrypt", &text, 1, 50));
    assert_false(is_affordable("sprig_derivePassword", derived, 5, 179));
    assert_true(is_affordable("sprig_derivePassword", derived, 5, 180));
    assert_false(is_affordable("sprig_genPrivateKey", &text, 1, 999));
    assert_false(is_affordable("sprig_genCA", ca, 2, 159));
    assert_true(is_affordable("sprig_genCA", ca, 2, 160));
    assert_ends(render("{{range sprig_until 100000}}{{$k := sprig_genPrivateKey \"ed25519\"}}{{end}}"),
                "more than about 2 s of cryptography in one run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_have_an_end),
        cmocka_unit_test(many_sequences_run_into_the_memory_of_a_run),
        cmocka_unit_test(decimals_have_a_most_of_digits),
        cmocka_unit_test(a_random_number_lies_between_its_bounds),
        cmocka_unit_test(ago_counts_from_the_time_of_the_run),
        cmocka_unit_test(passwords_are_hashed_as_bcrypt_hashes_them),
        cmocka_unit_test(what_is_encrypted_is_decrypted),
        cmocka_unit_test(dsa_keys_are_not_made),
        cmocka_unit_test(a_run_has_a_most_of_cryptography),
        cmocka_unit_test(errors_show_no_part_of_an_argument_when_values_are_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
