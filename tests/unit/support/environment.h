/*
 * environment: an empty one for tests that look into it, but for what cmocka reads there at every test.
 */
#ifndef SUPPORT_ENVIRONMENT_H
#define SUPPORT_ENVIRONMENT_H

#include <stdio.h>
#include <stdlib.h>

static void environment_empty(void)
{
    static const char name[] = "CMOCKA_MESSAGE_OUTPUT";
    const char *value = getenv(name);
    char kept[32];

    snprintf(kept, sizeof(kept), "%s", value ? value : "");
    clearenv();
    if (value)
        setenv(name, kept, 1);
}

#endif
