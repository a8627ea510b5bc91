#include "support/fake_world.c"

#include "base/base64.h"
#include "base/limits.h"
#include "vault/secret.h"

static const struct refresh_options defaults = {0};

static struct secret *make(const struct dep *dep, const char *body)
{
    struct reply reply;
    struct err err;

    if (reply_parse(&reply, 200, body, strlen(body), "x", &err) != 0)
        fail_msg("%s", err.text);
    return secret_take(dep, &reply, clock_now());
}

/* Asked for again after low to high seconds. */
static void again_by(const struct refresh_options *options, enum dep_kind kind, const char *body, int64_t low, int64_t high)
{
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(kind, STR("p"), NULL, 0, NULL, &dep, &err), 0);
    for (int i = 0; i < 50; i++) {
        struct secret *secret = make(dep, body);
        struct refresh refresh = secret_refresh(dep, secret, options);

        assert_in_range(refresh.at - clock_now(), low * SECOND, high * SECOND);
        secret_free(secret);
    }
    dep_unref(dep);
}

static void again_after(enum dep_kind kind, const char *body, int64_t low, int64_t high)
{
    again_by(&defaults, kind, body, low, high);
}

/* Least and most seconds of 20,000 answers of leaseCheckWait() of consul-template 0.39.1, which Vault Agent 1.19 has in it: to
 * the twentieth of the lease to each side that it draws from. */
static void the_threshold_counts_as_in_the_original(void **state)
{
    static const struct {
        double threshold;
        const char *body; /* NULL: a certificate that lives for 1000 seconds */
        int64_t low, high;
    } rows[] = {
        {0.5, "{\"lease_duration\":0,\"data\":{}}", 135, 165},
        {0.9, "{\"lease_duration\":0,\"data\":{}}", 255, 285},
        {1.0, "{\"lease_duration\":0,\"data\":{}}", 285, 300},
        {0.02, "{\"lease_duration\":0,\"data\":{}}", 0, 21},
        {0.97, "{\"lease_duration\":0,\"data\":{}}", 276, 300},
        {0.5, "{\"lease_id\":\"l\",\"lease_duration\":1000,\"renewable\":false,\"data\":{}}", 450, 550},
        {0.9, "{\"lease_id\":\"l\",\"lease_duration\":1000,\"renewable\":false,\"data\":{}}", 850, 950},
        {1.0, "{\"lease_id\":\"l\",\"lease_duration\":1000,\"renewable\":false,\"data\":{}}", 950, 1000},
        {0.5, "{\"lease_duration\":2764800,\"data\":{\"a\":\"b\"}}", 1244160, 1520640},
        {1.0, "{\"lease_duration\":2764800,\"data\":{\"a\":\"b\"}}", 2626560, 2764800},
        {0.5, "{\"auth\":{\"client_token\":\"t\",\"lease_duration\":1000,\"renewable\":false}}", 450, 550},
        {1.0, "{\"auth\":{\"client_token\":\"t\",\"lease_duration\":1000,\"renewable\":false}}", 950, 1000},
        {0.5, "{\"data\":{\"rotation_period\":60,\"ttl\":42}}", 43, 43},
        {0.9, "{\"data\":{\"rotation_period\":60,\"ttl\":42}}", 43, 43},
        {1.0, "{\"data\":{\"rotation_period\":60,\"ttl\":42}}", 43, 43},
        {0.5, "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":999}}", 450, 550},
        {1.0, "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":999}}", 950, 1000},
        {0.5, "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":0}}", 135, 165},
        {0.5, "{\"lease_id\":\"l\",\"lease_duration\":1000,\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":9}}", 450, 550},
        {0.5, "{\"lease_id\":\"l\",\"lease_duration\":1000,\"data\":{\"rotation_period\":60,\"ttl\":42}}", 450, 550},
        {0.5, "{\"data\":{\"certificate\":\"c\",\"expiration\":12}}", 135, 165},
        {0.5, NULL, 450, 550},
        {0.9, NULL, 850, 950},
        {1.0, NULL, 950, 1000},
    };
    char certificate[128];

    (void)state;
    snprintf(certificate, sizeof(certificate), "{\"data\":{\"certificate\":\"c\",\"expiration\":%lld}}",
             (long long)(clock_wall() / 1000 + 1000));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct refresh_options options = {.threshold = rows[i].threshold};

        again_by(&options, DEP_READ, rows[i].body ? rows[i].body : certificate, rows[i].low, rows[i].high);
    }
}

static void the_table_of_rules_says_when_to_ask_again(void **state)
{
    char certificate[128];

    (void)state;
    snprintf(certificate, sizeof(certificate), "{\"data\":{\"certificate\":\"c\",\"expiration\":%lld}}",
             (long long)(clock_wall() / 1000 + 1000));
    again_after(DEP_READ, "{\"lease_duration\":0,\"data\":{}}", 255, 285);
    again_after(DEP_READ, "{\"lease_duration\":2764800,\"data\":{}}", 2350080, 2626560);
    again_after(DEP_READ, "{\"lease_id\":\"l\",\"lease_duration\":100,\"renewable\":false,\"data\":{}}", 85, 95);
    again_after(DEP_WRITE, certificate, 850, 950);
    again_after(DEP_READ, "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":99}}", 85, 95);
    again_after(DEP_READ, "{\"data\":{\"secret_id\":\"s\",\"secret_id_ttl\":0}}", 255, 285);
    again_after(DEP_READ, "{\"data\":{\"rotation_period\":60,\"ttl\":42}}", 43, 43);
    again_after(DEP_READ, "{\"data\":{\"rotation_schedule\":\"* *\",\"rotation_window\":0,\"ttl\":42}}", 43, 43);
    again_after(DEP_READ, "{\"data\":{\"last_vault_rotation\":\"2026\",\"ttl\":\"42\"}}", 43, 43);
    again_after(DEP_READ, "{\"data\":{\"rotation_period\":60,\"ttl\":-3}}", 255, 285);
    again_after(DEP_READ, "{\"data\":{\"rotation_period\":60,\"ttl\":1e300}}", 255, 285);
    again_after(DEP_READ, "{\"lease_duration\":-5,\"data\":{}}", 255, 285);
    again_after(DEP_READ, "{\"data\":{\"certificate\":\"c\",\"expiration\":12}}", 255, 285); /* over long ago: no storm */
    again_after(DEP_READ, "{\"lease_duration\":1,\"data\":{}}", 1, 1);
    again_after(DEP_LIST, "{\"data\":{\"keys\":[]}}", 300, 300);
}

/* nonce, key, serial, kind, id and principals empty or zero: of a certificate only its end counts here */
static void signed_until(char *ret, size_t size, uint64_t end)
{
    static const char head[] =
        "\0\0\0\x20ssh-ed25519-cert-v01@openssh.com\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0"
        "\0\0\0\0\0\0\0\0";
    unsigned char until[8];
    _cleanup_buf_ struct buf bytes, text;

    buf_init(&bytes, KIB(1));
    buf_init(&text, KIB(1));
    for (size_t i = 0; i < sizeof(until); i++)
        until[i] = (unsigned char)(end >> (56 - 8 * i));
    buf_add(&bytes, head, sizeof(head) - 1);
    buf_add(&bytes, until, sizeof(until));
    base64_encode(bytes.data, bytes.len, &text);
    snprintf(ret, size, "{\"data\":{\"signed_key\":\"ssh-ed25519-cert-v01@openssh.com %s\\n\",\"serial_number\":\"1\"}}",
             text.data);
}

static void a_signed_key_is_asked_for_before_its_certificate_ends(void **state)
{
    char key[512];

    (void)state;
    signed_until(key, sizeof(key), (uint64_t)clock_wall() / 1000 + 1000);
    again_after(DEP_WRITE, key, 848, 950);
    signed_until(key, sizeof(key), 12); /* over long ago: no storm */
    again_after(DEP_WRITE, key, 255, 285);
    signed_until(key, sizeof(key), UINT64_MAX);
    again_after(DEP_WRITE, key, CLOCK_NEVER / SECOND / 2, CLOCK_NEVER / SECOND);
    again_after(DEP_WRITE, "{\"data\":{\"signed_key\":\"nonsense\"}}", 255, 285);
}

static void an_answer_without_a_lease_that_says_its_ttl_is_asked_for_before_it_ends(void **state)
{
    static const struct {
        const char *body;
        int64_t low, high;
    } rows[] = {
        {"{\"data\":{\"client_id\":\"c\",\"token\":\"t\",\"ttl\":100}}", 85, 95},
        {"{\"data\":{\"token\":\"t\",\"ttl\":86400}}", 73440, 82080},
        {"{\"data\":{\"token\":\"t\",\"ttl\":\"100\"}}", 85, 95},
        {"{\"data\":{\"token\":\"t\",\"ttl\":\"1m40s\"}}", 85, 95},
        {"{\"data\":{\"token\":\"t\",\"token_ttl\":100}}", 85, 95},
        {"{\"data\":{\"token\":\"t\",\"ttl\":1}}", 1, 1},
        {"{\"wrap_info\":{\"token\":\"t\",\"ttl\":100}}", 85, 95},
        /* no life of its own: */
        {"{\"wrap_info\":{\"token\":\"t\",\"ttl\":86400}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":0}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":-1}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":\"\"}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":\"soon\"}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":null}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":[1]}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":1e300}}", 255, 285},
        {"{\"data\":{\"token\":\"t\",\"ttl\":99999999999999999999}}", 255, 285},
        {"{\"data\":{\"ttl\":3600,\"max_ttl\":7200}}", 255, 285}, /* settings of a role */
        {"{\"data\":{\"token_ttl\":3600,\"token_max_ttl\":0}}", 255, 285},
        {"{\"data\":{\"data\":{\"ttl\":3600}}}", 255, 285}, /* somebody's secret */
        {"{\"lease_id\":\"l\",\"lease_duration\":1000,\"data\":{\"ttl\":10}}", 850, 950},
        {"{\"lease_duration\":1000,\"data\":{\"ttl\":10}}", 850, 950}, /* KV v1 speaks for itself */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        again_after(DEP_READ, rows[i].body, rows[i].low, rows[i].high);
}

static void special(const char *body, bool retry)
{
    struct dep *dep;
    struct err err;
    struct secret *secret;
    struct refresh refresh;

    assert_int_equal(dep_new(DEP_WRITE, STR("p"), NULL, 0, NULL, &dep, &err), 0);
    secret = make(dep, body);
    refresh = secret_refresh(dep, secret, &defaults);
    assert_int_equal(refresh.retry, retry);
    if (!retry)
        assert_true(refresh.at == CLOCK_NEVER);
    secret_free(secret);
    dep_unref(dep);
}

static void some_answers_are_not_asked_for_by_time(void **state)
{
    (void)state;
    special("", false); /* a write without an answer */
    special("{\"lease_id\":\"l\",\"renewable\":true,\"lease_duration\":60,\"data\":{}}", false);
    special("{\"auth\":{\"client_token\":\"t\",\"renewable\":true,\"lease_duration\":60}}", false);
    special("{\"data\":{\"rotation_period\":60,\"ttl\":0}}", true);
}

static void is_bound(const char *body, bool bound, bool unsound)
{
    struct dep *dep;
    struct err err;
    struct secret *secret;

    assert_int_equal(dep_new(DEP_READ, STR("p"), NULL, 0, NULL, &dep, &err), 0);
    secret = make(dep, body);
    assert_int_equal(secret->bound, bound);
    assert_int_equal(secret->unsound, unsound);
    assert_true(secret->arena.secret);
    secret_free(secret);
    dep_unref(dep);
}

static void leases_and_child_tokens_are_bound_to_our_token(void **state)
{
    (void)state;
    is_bound("{\"lease_id\":\"l\",\"lease_duration\":60,\"data\":{}}", true, false);
    is_bound("{\"auth\":{\"client_token\":\"t\",\"lease_duration\":60}}", true, false);
    is_bound("{\"lease_id\":\"\",\"lease_duration\":60,\"data\":{},\"auth\":null}", false, false);
    is_bound("{\"lease_id\":7,\"lease_duration\":\"60\",\"data\":{}}", false, true);
    is_bound("{\"data\":null}", false, false);
    is_bound("", false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_threshold_counts_as_in_the_original),
        cmocka_unit_test(the_table_of_rules_says_when_to_ask_again),
        cmocka_unit_test(a_signed_key_is_asked_for_before_its_certificate_ends),
        cmocka_unit_test(an_answer_without_a_lease_that_says_its_ttl_is_asked_for_before_it_ends),
        cmocka_unit_test(some_answers_are_not_asked_for_by_time),
        cmocka_unit_test(leases_and_child_tokens_are_bound_to_our_token),
    };

    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
