/* Everything a test of days needs: no real clock, loop or network is linked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

#include "fake_clock.c"
#include "fake_http.c"
#include "fake_loop.c"
#include "fake_vault.c"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
