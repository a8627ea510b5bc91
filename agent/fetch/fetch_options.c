#include "fetch/fetch_options.h"

struct fetch_options fetch_options_of(const struct config *config)
{
    return (struct fetch_options){
        .ladder =
            {
                .retries = config->vault.num_retries ? config->vault.num_retries : -1,
                .base_ms = config->method.min_backoff_ms,
                .cap_ms = config->method.max_backoff_ms,
            },
        .static_interval_ms = config->render.static_secret_render_interval_ms,
        .renewal_threshold = config->render.lease_renewal_threshold,
    };
}
