#include "flaw.h"

enum flaw flaw_of_now;

const char *const flaw_names[FLAW_COUNT] = {
    "none",   "impatient", "slow",     "spinning", "echo",   "torn", "revokes", "deaf",    "silent",
    "chatty", "leaky",     "boastful", "cached",   "mortal", "mute", "unheard", "swapped",
};
