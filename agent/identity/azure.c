#include "identity/azure.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/environ.h"
#include "os/file.h"

#define IMDS_VERSION "2018-02-01"
#define ARC_FOLDER   "/var/opt/azcmagent/tokens/"

struct azure {
    struct azure_options options;
    struct arena arena; /* secret: of this round */
    unsigned step;
    const char *token;
};

static const char *given(const char *option)
{
    return option && *option ? option : NULL;
}

/* ----------------------------------------------------------------------------------------------- managed identities */

static int begin_imds(struct ask *ask, const char *path, struct err *err)
{
    const char *host = environ_get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    _cleanup_buf_ struct buf url;
    size_t len;

    host = host ? host : "http://169.254.169.254";
    for (len = strlen(host); len && host[len - 1] == '/'; len--)
        continue;
    buf_init(&url, LIMIT_URL_BYTES);
    buf_add(&url, host, len);
    buf_adds(&url, path);
    if (buf_check(&url, "AZURE_POD_IDENTITY_AUTHORITY_HOST", err) != 0)
        return -1;
    if (ask_begin(ask, "GET", url.data, err) != 0)
        return err_wrap(err, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
    ask->near = true;
    ask_header(ask, "Metadata", "true");
    ask_query(ask, "api-version", IMDS_VERSION);
    return 0;
}

int azure_ask_instance(struct ask *ask, struct err *err)
{
    if (begin_imds(ask, "/metadata/instance", err) != 0)
        return -1;
    ask->once = true; /* where there is none, most roles do not need it */
    return 0;
}

static void add_identity(struct ask *ask, const struct azure_options *options, const char *object_name)
{
    ask_query(ask, "resource", options->resource);
    if (given(options->client_id))
        ask_query(ask, "client_id", options->client_id);
    else if (given(options->object_id))
        ask_query(ask, object_name, options->object_id);
}

/* The service that stands beside a process: of App Service and Container Apps, and Arc's agent. */
static int ask_endpoint(const struct azure *azure, const char *key, struct ask *ask, struct err *err)
{
    const char *header = environ_get("IDENTITY_HEADER");

    if (ask_begin(ask, "GET", environ_get("IDENTITY_ENDPOINT"), err) != 0)
        return err_wrap(err, "IDENTITY_ENDPOINT");
    ask->near = strncmp(ask->origin, "http://", strlen("http://")) == 0;
    ask_query(ask, "api-version", header ? "2019-08-01" : "2020-06-01");
    add_identity(ask, &azure->options, header ? "principal_id" : "object_id");
    if (header)
        ask_header(ask, "X-IDENTITY-HEADER", header);
    else
        ask_header(ask, "Metadata", "true");
    if (key)
        ask_header(ask, "Authorization", key);
    return 0;
}

static int ask_identity(const struct azure *azure, struct ask *ask, struct err *err)
{
    if (environ_get("IDENTITY_ENDPOINT") && (environ_get("IDENTITY_HEADER") || environ_get("IMDS_ENDPOINT")))
        return ask_endpoint(azure, NULL, ask, err);
    if (begin_imds(ask, "/metadata/identity/oauth2/token", err) != 0)
        return -1;
    add_identity(ask, &azure->options, "object_id");
    return 0;
}

/* Arc's agent names a file that only the machine's administrators can read; what is in it is the key. */
static int ask_with_key(const struct azure *azure, const struct told *told, struct ask *ask, struct err *err)
{
    const char *path = strstr(told->challenge, "Basic realm=");
    _cleanup_buf_ struct buf key = {0}, value = {0};

    path = path ? path + strlen("Basic realm=") : "";
    if (strncmp(path, ARC_FOLDER, strlen(ARC_FOLDER)) != 0 || strchr(path + strlen(ARC_FOLDER), '/') ||
        strlen(path) < strlen(".key") || strcmp(path + strlen(path) - strlen(".key"), ".key") != 0)
        return err_set(err, ERR_DENIED, "Azure Arc: the challenge names no key below " ARC_FOLDER);
    if (file_read(path, KIB(4), &key, err) != 0)
        return err_wrap(err, "Azure Arc: key");
    buf_init_secret(&value, LIMIT_TOKEN_BYTES);
    buf_adds(&value, "Basic ");
    buf_add(&value, key.data, key.len);
    return buf_check(&value, "Azure Arc: key", err) != 0 ? -1 : ask_endpoint(azure, value.data, ask, err);
}

/* ------------------------------------------------------------------------------------------------------ environment */

static bool has_client(void)
{
    return environ_get("AZURE_TENANT_ID") && environ_get("AZURE_CLIENT_ID") && environ_get("AZURE_CLIENT_SECRET");
}

static bool has_workload(void)
{
    return environ_get("AZURE_TENANT_ID") && environ_get("AZURE_CLIENT_ID") && environ_get("AZURE_FEDERATED_TOKEN_FILE");
}

/* "https://login…/TENANT/oauth2/v2.0/token", or that path behind the proxy. */
static int begin_authority(struct ask *ask, const char *proxy, struct err *err)
{
    const char *host = proxy ? proxy : environ_get("AZURE_AUTHORITY_HOST");
    const char *name = proxy ? "AZURE_KUBERNETES_TOKEN_PROXY" : "AZURE_AUTHORITY_HOST";
    _cleanup_buf_ struct buf url = {0};
    size_t len;

    host = host ? host : "https://login.microsoftonline.com";
    if (strncmp(host, "https://", strlen("https://")) != 0 || strpbrk(host, "?#@"))
        return err_set(err, ERR_INPUT, "%s: not an https:// address without user, query and fragment", name);
    for (len = strlen(host); len && host[len - 1] == '/'; len--)
        continue;
    buf_init(&url, LIMIT_URL_BYTES);
    buf_add(&url, host, len);
    buf_addf(&url, "/%s/oauth2/v2.0/token", environ_get("AZURE_TENANT_ID"));
    return buf_check(&url, name, err) != 0 ? -1 : ask_begin(ask, "POST", url.data, err);
}

static int add_scope(const struct azure *azure, struct ask *ask, struct err *err)
{
    _cleanup_buf_ struct buf scope;

    buf_init(&scope, LIMIT_URL_BYTES);
    if (given(azure->options.scope))
        buf_adds(&scope, azure->options.scope);
    else
        buf_addf(&scope, "%s/.default", azure->options.resource);
    if (buf_check(&scope, "scope", err) != 0)
        return -1;
    ask_form(ask, "client_id", environ_get("AZURE_CLIENT_ID"));
    ask_form(ask, "grant_type", "client_credentials");
    ask_form(ask, "scope", scope.data);
    return 0;
}

static int ask_as_client(const struct azure *azure, struct ask *ask, struct err *err)
{
    if (begin_authority(ask, NULL, err) != 0 || add_scope(azure, ask, err) != 0)
        return -1;
    ask_form(ask, "client_secret", environ_get("AZURE_CLIENT_SECRET"));
    return 0;
}

/* Identity bindings: the token goes through a proxy of the cluster's, which proves itself by an authority of its own. */
static int trust_proxy(struct ask *ask, struct err *err)
{
    const char *file = environ_get("AZURE_KUBERNETES_CA_FILE"), *data = environ_get("AZURE_KUBERNETES_CA_DATA");

    if (file && data)
        return err_set(err, ERR_INPUT, "AZURE_KUBERNETES_CA_FILE and AZURE_KUBERNETES_CA_DATA: one of them is allowed");
    ask->ca_file = file;
    ask->ca_pem = data;
    ask->tls_name = environ_get("AZURE_KUBERNETES_SNI_NAME");
    return 0;
}

static int ask_as_workload(const struct azure *azure, struct ask *ask, struct err *err)
{
    const char *proxy = environ_get("AZURE_KUBERNETES_TOKEN_PROXY");
    _cleanup_buf_ struct buf token = {0};

    if (file_read_token(environ_get("AZURE_FEDERATED_TOKEN_FILE"), &token, err) != 0)
        return err_wrap(err, "AZURE_FEDERATED_TOKEN_FILE");
    if (begin_authority(ask, proxy, err) != 0 || (proxy && trust_proxy(ask, err) != 0) || add_scope(azure, ask, err) != 0)
        return -1;
    ask_form(ask, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    ask_form(ask, "client_assertion", token.data);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- rounds */

struct azure *azure_new(const struct azure_options *options)
{
    struct azure *azure = mem_alloc(sizeof(*azure));

    azure->options = *options;
    return azure;
}

void azure_free(struct azure *azure)
{
    if (!azure)
        return;
    arena_done(&azure->arena);
    mem_free(azure);
}

static int begin_round(struct azure *azure, struct ask *ask, struct err *err)
{
    arena_done(&azure->arena);
    arena_init_secret(&azure->arena, 4 * LIMIT_TOLD_BYTES, "token of Azure");
    azure->token = NULL;
    azure->step = 0;
    if (azure->options.environment && has_client())
        return ask_as_client(azure, ask, err);
    if (azure->options.environment && environ_get("AZURE_CLIENT_CERTIFICATE_PATH"))
        return err_set(err, ERR_INPUT,
                       "AZURE_CLIENT_CERTIFICATE_PATH is not supported: set AZURE_CLIENT_SECRET, or AZURE_FEDERATED_TOKEN_FILE");
    if (azure->options.environment && has_workload())
        return ask_as_workload(azure, ask, err);
    return ask_identity(azure, ask, err);
}

/* "AADSTS700016" begins the description of an error; the rest of it names tenants and tokens. */
static int refused(const struct told *told, const struct val *object, struct err *err)
{
    const char *words = val_get_cstr(object, "error_description");
    size_t len = words && strncmp(words, "AADSTS", strlen("AADSTS")) == 0 ? strspn(words, "AADSTS0123456789") : 0;

    if (len > 20 || len == 0)
        return -1;
    return err_set(err, told->status >= 500 ? ERR_RETRY : ERR_DENIED, "Azure: token: refused with status %d, %.*s", told->status,
                   (int)len, words);
}

static int take(struct azure *azure, const struct told *told, struct err *err)
{
    struct err ignored;
    struct val object;

    if (told_check(told, "Azure: token", err) != 0) {
        if (told->status && told_read(told, &azure->arena, &object, &ignored) == 0)
            refused(told, &object, err);
        return -1;
    }
    if (told_object(told, "Azure: token", &azure->arena, &object, err) != 0)
        return -1;
    azure->token = val_get_cstr(&object, "access_token");
    return azure->token && *azure->token ? 1 : err_set(err, ERR_INPUT, "Azure: token: the answer has none");
}

int azure_next(struct azure *azure, const struct told *told, struct ask *ask, struct err *err)
{
    if (!told)
        return begin_round(azure, ask, err);
    if (azure->step++ == 0 && told->status == 401 && environ_get("IDENTITY_ENDPOINT") && !environ_get("IDENTITY_HEADER"))
        return ask_with_key(azure, told, ask, err);
    return take(azure, told, err);
}

const char *azure_token(const struct azure *azure)
{
    return azure->token;
}

void azure_reach(const struct azure *azure, struct reach *reach)
{
    static const char *const variables[] = {"AZURE_FEDERATED_TOKEN_FILE", "AZURE_KUBERNETES_CA_FILE"};

    for (size_t i = 0; azure->options.environment && i < ARRAY_LEN(variables); i++)
        if (environ_get(variables[i]))
            reach_file(reach, environ_get(variables[i]), REACH_READ);
    if (environ_get("IDENTITY_ENDPOINT") && !environ_get("IDENTITY_HEADER"))
        reach_folder(reach, ARC_FOLDER, REACH_READ);
}
