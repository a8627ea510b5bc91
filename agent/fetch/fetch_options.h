/*
 * fetch_options: how often is asked and tried again; what the configuration says of it.
 */
#ifndef FETCH_FETCH_OPTIONS_H
#define FETCH_FETCH_OPTIONS_H

#include <stdint.h>

#include "config/config.h"
#include "fetch/ladder.h"

struct fetch_options {
    struct ladder_options ladder;
    int64_t static_interval_ms; /* 0: 5 min */
    double renewal_threshold;   /* 0: 0.90 */
};

struct fetch_options fetch_options_of(const struct config *config);

#endif
