#include "asking.h"

#include "inject/amend.h"

static const char container[] =
    "{\"name\":\"c\",\"image\":\"i\",\"args\":[\"a\",\"b\",\"c\"],\"env\":[{\"name\":\"X\",\"value\":\"1\"}],\"resources\":{}}";

static const char *amend(const char *patch)
{
    static char result[2048];
    struct effort effort;
    struct arena arena;
    struct buf out;
    struct err err = {.text = ""};

    effort_init(&effort, strlen(patch));
    arena_init(&arena, MIB(4), "test");
    buf_init(&out, KIB(64));
    if (amend_check(str_of(patch), &arena, &err) == 0 &&
        amend_container(str_of(container), str_of(patch), &effort, &out, &err) == 0)
        snprintf(result, sizeof(result), "%s", out.data);
    else
        snprintf(result, sizeof(result), "!%s", err.text);
    arena_done(&arena);
    buf_done(&out);
    return result;
}

static void operations_work_as_the_original_s_library(void **state)
{
    static const char *const rows[][2] = {
        {"[{\"op\":\"replace\",\"path\":\"/image\",\"value\":\"j\"},{\"op\":\"remove\",\"path\":\"/env\"},{\"op\":\"remove\",\"path\":\"/args\"}]",
         "{\"name\":\"c\",\"image\":\"j\",\"resources\":{}}"},
        {"[{\"op\":\"add\",\"path\":\"/args/-\",\"value\":\"d\"},{\"op\":\"add\",\"path\":\"/args/0\",\"value\":\"z\"},{\"op\":\"remove\",\"path\":\"/args/-1\"},"
         "{\"op\":\"remove\",\"path\":\"/env\"}]",
         "{\"name\":\"c\",\"image\":\"i\",\"args\":[\"z\",\"a\",\"b\",\"c\"],\"resources\":{}}"},
        {"[{\"op\":\"move\",\"from\":\"/args/0\",\"path\":\"/workingDir\"},{\"op\":\"copy\",\"from\":\"/workingDir\",\"path\":\"/args/1\"},{\"op\":\"remove\",\"path\":\"/env\"}]",
         "{\"name\":\"c\",\"image\":\"i\",\"args\":[\"b\",\"a\",\"c\"],\"resources\":{},\"workingDir\":\"a\"}"},
        {"[{\"op\":\"test\",\"path\":\"/env/0/name\",\"value\":\"X\"},{\"op\":\"test\",\"path\":\"/nope\",\"value\":null},{\"op\":\"replace\",\"path\":\"\",\"value\":{\"image\":\"k\"}}]",
         "{\"image\":\"k\",\"name\":\"\",\"resources\":{}}"},
        {"[{\"op\":\"replace\",\"path\":\"/env\",\"value\":[]},{\"op\":\"add\",\"path\":\"/unknownField\",\"value\":1},{\"op\":\"replace\",\"path\":\"/args\",\"value\":null}]",
         "{\"name\":\"c\",\"image\":\"i\",\"resources\":{},\"unknownField\":1}"},
        {"[{\"op\":\"replace\",\"path\":\"/workingDir\",\"value\":\"/w\"},{\"op\":\"replace\",\"path\":\"x/env\",\"value\":[]},{\"op\":\"remove\",\"path\":\"/args\"}]",
         "{\"name\":\"c\",\"image\":\"i\",\"resources\":{},\"workingDir\":\"/w\"}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(amend(rows[i][0]), rows[i][1]);
}

static void errors_are_the_original_s(void **state)
{
    static const char *const rows[][2] = {
        {"bad", "!invalid character 'b' looking for beginning of value"},
        {"{\"op\":\"x\"}", "!json: cannot unmarshal object into Go value of type jsonpatch.Patch"},
        {"[1]", "!json: cannot unmarshal number into Go value of type jsonpatch.Operation"},
        {"[null]", "!failed to apply JSON patch: Unexpected kind: unknown"},
        {"[{\"op\":\"nope\",\"path\":\"/a\"}]", "!failed to apply JSON patch: Unexpected kind: nope"},
        {"[{\"op\":\"add\"}]", "!failed to apply JSON patch: add operation failed to decode path: missing value"},
        {"[{\"op\":\"remove\",\"path\":\"/nope\"}]",
         "!failed to apply JSON patch: error in remove for path: '/nope': Unable to remove nonexistent key: nope: missing value"},
        {"[{\"op\":\"replace\",\"path\":\"/args/9\",\"value\":1}]",
         "!failed to apply JSON patch: replace operation does not apply: doc is missing key: /args/9: missing value"},
        {"[{\"op\":\"add\",\"path\":\"/image\",\"value\":1}]",
         "!json: cannot unmarshal number into Go struct field Container.image of type string"},
        {"[{\"op\":\"add\",\"path\":\"/resources/limits\",\"value\":{\"cpu\":\"\"}}]",
         "!quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"[{\"op\":\"replace\",\"path\":\"/nope/x\",\"value\":1}]",
         "!failed to apply JSON patch: replace operation does not apply: doc is missing path: /nope/x: missing value"},
        {"[{\"op\":\"add\",\"path\":\"/args/9\",\"value\":1}]",
         "!failed to apply JSON patch: error in add for path: '/args/9': Unable to access invalid index: 9: invalid index referenced"},
        {"[{\"op\":\"add\",\"path\":\"/args/x\",\"value\":1}]",
         "!failed to apply JSON patch: error in add for path: '/args/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax"},
        {"[{\"op\":\"test\",\"path\":\"/name\",\"value\":\"other\"}]",
         "!failed to apply JSON patch: testing value /name failed: test failed"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(amend(rows[i][0]), rows[i][1]);
}

static void operations_are_counted(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, MIB(1));
    buf_adds(&text, "[{}");
    for (int i = 0; i < LIMIT_REVIEW_PATCH_OPERATIONS; i++)
        buf_adds(&text, ",{}");
    buf_addc(&text, ']');
    assert_string_equal(amend(text.data), "!1001 operations: at most 1000");
    buf_done(&text);
}

static void paths_end(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, KIB(8));
    buf_adds(&text, "[{\"op\":\"remove\",\"path\":\"/");
    for (int i = 0; i < LIMIT_REVIEW_POINTER; i++)
        buf_addc(&text, 'x');
    buf_adds(&text, "\"}]");
    assert_non_null(strstr(amend(text.data), "remove operation does not apply: doc is missing path: "));
    buf_done(&text);
}

static void each_container_has_its_own_patch(void **state)
{
    (void)state;
    ask("agent-init-json-patch=[{\"op\":\"add\",\"path\":\"/workingDir\",\"value\":\"/w\"}]");
    assert_string_equal(val_get_cstr(init_container(), "workingDir"), "/w");
    assert_null(val_get(sidecar(), "workingDir"));
    ask("agent-json-patch=[{\"op\":\"remove\",\"path\":\"/nope\"}]");
    assert_string_equal(
        denial(),
        "error creating patch for agent: failed to apply JSON patch: error in remove for path: '/nope': Unable to remove "
        "nonexistent key: nope: missing value");
}

#define DEEP(open, inner, close) open open open open open open open open inner close close close close close close close close

/* A few operations ask for any amount: as copies of copies, as nesting, again and again after a removal, as values that are
 * compared. */
static void a_patch_takes_no_more_than_its_review_may(void **state)
{
    static const struct {
        const char *first, *again, *says;
        int times;
    } rows[] = {
        {"{\"op\":\"test\",\"path\":\"/name\",\"value\":\"c\"}", ",{\"op\":\"copy\",\"from\":\"/args\",\"path\":\"/args/-\"}",
         "more than its size allows", 30},
        {"{\"op\":\"test\",\"path\":\"/name\",\"value\":\"c\"}", ",{\"op\":\"move\",\"from\":\"/args\",\"path\":\"/args/-\"}",
         "missing destination path", 30},
        {"{\"op\":\"add\",\"path\":\"/x\",\"value\":{\"b\":{}}}",
         ",{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/x/b/b/b/b/b/b/b/b\"}", "missing destination path", 9},
        {"{\"op\":\"add\",\"path\":\"/x\",\"value\":" DEEP("{\"b\":", "0", "}") "}",
         ",{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/x/b/b/b/b/b/b/b/b\"}", "nested deeper than 64", 9},
        {"{\"op\":\"add\",\"path\":\"/x\",\"value\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}",
         ",{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/y\"},{\"op\":\"remove\",\"path\":\"/y\"}", "more than its size allows",
         499},
    };
    struct buf text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_init(&text, MIB(1));
        buf_addc(&text, '[');
        buf_adds(&text, rows[i].first);
        for (int k = 0; k < rows[i].times; k++)
            buf_adds(&text, rows[i].again);
        buf_addc(&text, ']');
        if (!strstr(amend(text.data), rows[i].says))
            fail_msg("%zu: %s", i, amend(text.data));
        buf_done(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_takes_no_more_than_its_review_may),
        cmocka_unit_test(operations_work_as_the_original_s_library),
        cmocka_unit_test(errors_are_the_original_s),
        cmocka_unit_test(operations_are_counted),
        cmocka_unit_test(paths_end),
        cmocka_unit_test_teardown(each_container_has_its_own_patch, asking_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
