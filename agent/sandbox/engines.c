#include "sandbox/engines.h"

#include "sandbox/auth_method.h"
#include "sandbox/auth_token.h"
#include "sandbox/creds.h"
#include "sandbox/kv.h"
#include "sandbox/sys.h"

static const struct engine *const rows[] = {
    &sys_engine, &token_engine, &kv1_engine, &kv2_engine, &creds_engine, &kubernetes_engine, &jwt_engine, &approle_engine,
};

const struct engines engines = {rows, ARRAY_LEN(rows)};
