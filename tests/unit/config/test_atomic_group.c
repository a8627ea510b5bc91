#include "stanza_world.h"

#include "config/atomic_group.h"

#define GROUPS "ampule { atomic_group \"a\" { folder = \"/run//a/\" } atomic_group \"b\" { folder = \"/run/b\" } } "

static void the_folder_says_who_belongs_to_it_however_it_is_spelled(void **state)
{
    static const struct {
        const char *destination;
        size_t group;
    } rows[] = {
        {"/run/a/x", 0},
        {"/run/a/../b/x", 1},
        {"/run/a/deeper/x", ATOMIC_GROUP_NONE},
        {"/run/ab/x", ATOMIC_GROUP_NONE},
        {"/run/./a//x", 0},
        {"/x", ATOMIC_GROUP_NONE},
        {"x", ATOMIC_GROUP_NONE},
    };
    size_t found[ARRAY_LEN(rows)];
    char text[1024] = GROUPS;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "template { contents = \"x\" destination = \"%s\" } ",
                 rows[i].destination);
    read_good(text);
    atomic_group_find(&config, found);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (found[i] != rows[i].group)
            fail_msg("%s: %zu", rows[i].destination, found[i]);
}

static void variables_belong_to_none(void **state)
{
    size_t found[1] = {0};

    (void)state;
    read_good(GROUPS "env_template \"A\" { contents = \"x\" }");
    atomic_group_find(&config, found);
    assert_int_equal(found[0], ATOMIC_GROUP_NONE);
}

static void a_folder_is_one_groups_own(void **state)
{
    size_t other;

    (void)state;
    read_good(GROUPS);
    assert_false(atomic_group_wrong(&config, 0, &other));
    assert_false(atomic_group_wrong(&config, 1, &other));
    read_good("ampule { atomic_group \"a\" { folder = \"/run/a\" } atomic_group \"b\" { folder = \"/run/../run/a\" } "
              "atomic_group \"c\" { } }");
    assert_false(atomic_group_wrong(&config, 0, &other));
    assert_true(atomic_group_wrong(&config, 1, &other));
    assert_int_equal(other, 0);
    assert_true(atomic_group_wrong(&config, 2, &other));
    assert_int_equal(other, 2);
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(the_folder_says_who_belongs_to_it_however_it_is_spelled),
        in_a_world(variables_belong_to_none),
        in_a_world(a_folder_is_one_groups_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
