/*
 * server_options: the way to the server that the configuration names, as net/http wants it told. Its strings are the
 * configuration's.
 */
#ifndef CONFIG_SERVER_OPTIONS_H
#define CONFIG_SERVER_OPTIONS_H

#include "config/config.h"
#include "net/http.h"

struct http_options server_options(const struct config_vault *vault);
/* How many connections there may be: as many as there are requests where any number is allowed. */
unsigned server_connections(const struct config_render *render);

#endif
