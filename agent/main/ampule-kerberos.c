/*
 * ampule-kerberos: one ticket, by a keytab: prints what goes behind "Authorization: " and ends.
 *
 * The agent runs it for each login of the method kerberos, as a process of its own: a library that talks to KDCs by itself would
 * hold up everything, and wants files and ports that a confined agent has not. The library is GSSAPI's, loaded here: a static
 * program cannot load any, so this one is never static. KRB5_CONFIG names the configuration; the tickets stay in memory.
 * Exit codes: 0 printed, 1 refused: the reason is printed in its place.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* --------------------------------------------------------------------- RFC 2744, and MIT's extension of credentials */

struct gss_buffer {
    size_t length;
    void *value;
};

struct gss_oid {
    uint32_t length;
    const void *elements;
};

struct gss_pair {
    const char *key, *value;
};

struct gss_store {
    uint32_t count;
    struct gss_pair *pairs;
};

enum { GSS_INITIATE = 1, GSS_FAILED = 0x7fff0000, GSS_OF_CALL = 1, GSS_OF_MECHANISM = 2 };

#define GSS_FOR_EVER UINT32_MAX

static const struct gss_oid krb5_name = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01"};
static const struct gss_oid krb5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static const struct gss_oid spnego = {6, "\x2b\x06\x01\x05\x05\x02"};

static struct {
    uint32_t (*import_name)(uint32_t *minor, struct gss_buffer *text, const struct gss_oid *type, void **name);
    uint32_t (*acquire)(uint32_t *minor, void *name, uint32_t time, void *mechanisms, int usage, const struct gss_store *store,
                        void **credential, void *actual, uint32_t *got);
    uint32_t (*init_context)(uint32_t *minor, void *credential, void **context, void *target, const struct gss_oid *mechanism,
                             uint32_t flags, uint32_t time, void *bindings, struct gss_buffer *input, void *actual,
                             struct gss_buffer *output, uint32_t *got_flags, uint32_t *got_time);
    uint32_t (*display)(uint32_t *minor, uint32_t status, int kind, const struct gss_oid *mechanism, uint32_t *more,
                        struct gss_buffer *text);
    uint32_t (*release)(uint32_t *minor, struct gss_buffer *buffer);
} gss;

static const struct {
    const char *name;
    void *function;
} functions[] = {
    {"gss_import_name", &gss.import_name}, {"gss_acquire_cred_from", &gss.acquire}, {"gss_init_sec_context", &gss.init_context},
    {"gss_display_status", &gss.display},  {"gss_release_buffer", &gss.release},
};

static int load(struct err *err)
{
    void *library = dlopen("libgssapi_krb5.so.2", RTLD_NOW);

    if (!library)
        return err_set(err, ERR_MISSING,
                       "no GSSAPI: install libgssapi_krb5.so.2 (libgssapi-krb5-2 in Debian, krb5-libs in Fedora and Alpine)");
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *found = dlsym(library, functions[i].name);

        if (!found)
            return err_set(err, ERR_MISSING, "libgssapi_krb5.so.2: has no %s: it is older than MIT Kerberos 1.11",
                           functions[i].name);
        memcpy(functions[i].function, &found, sizeof(found));
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- a ticket */

/* The library's own words: "Client not found in Kerberos database while getting initial credentials". */
static int refused(const char *what, uint32_t status, uint32_t minor, struct err *err)
{
    const struct {
        uint32_t status;
        int kind;
    } parts[] = {{minor, GSS_OF_MECHANISM}, {status, GSS_OF_CALL}};
    struct gss_buffer text = {0};
    uint32_t ignored, more = 0;
    const size_t part = minor ? 0 : 1;

    if (gss.display(&ignored, parts[part].status, parts[part].kind, &krb5, &more, &text) & GSS_FAILED)
        return err_set(err, ERR_DENIED, "%s: error %u", what, minor);
    err_set(err, ERR_DENIED, "%s: %.*s", what, (int)text.length, (char *)text.value);
    gss.release(&ignored, &text);
    return -1;
}

static int name_of(const char *text, void **ret, struct err *err)
{
    struct gss_buffer buffer = {strlen(text), (void *)text};
    uint32_t minor, status = gss.import_name(&minor, &buffer, &krb5_name, ret);

    return status & GSS_FAILED ? refused(text, status, minor, err) : 0;
}

static int credential_of(const char *client, const char *keytab, void **ret, struct err *err)
{
    struct gss_pair pairs[] = {{"client_keytab", keytab}, {"ccache", "MEMORY:ampule"}};
    const struct gss_store store = {ARRAY_LEN(pairs), pairs};
    uint32_t minor, status;
    void *name = NULL;

    if (access(keytab, R_OK) < 0)
        return err_system(err, "keytab %s", keytab);
    if (name_of(client, &name, err) != 0)
        return -1;
    status = gss.acquire(&minor, name, GSS_FOR_EVER, NULL, GSS_INITIATE, &store, ret, NULL, NULL);
    if (!(status & GSS_FAILED))
        return 0;
    refused(client, status, minor, err);
    /* What the library says of a keytab that does not help. */
    return strstr(err->text, "No credentials cache") ? err_set(err, ERR_DENIED, "keytab %s: holds no key of %s", keytab, client)
                                                     : -1;
}

static int token_of(void *credential, const char *service, struct buf *ret, struct err *err)
{
    struct gss_buffer none = {0}, token = {0};
    void *target = NULL, *context = NULL;
    uint32_t minor, ignored, status;

    if (name_of(service, &target, err) != 0)
        return -1;
    status = gss.init_context(&minor, credential, &context, target, &spnego, 0, 0, NULL, &none, NULL, &token, NULL, NULL);
    if (status & GSS_FAILED)
        return refused(service, status, minor, err);
    base64_encode(token.value, token.length, ret);
    gss.release(&ignored, &token);
    return buf_check(ret, "ticket", err);
}

int main(int argc, char **argv)
{
    _cleanup_buf_ struct buf token;
    void *credential = NULL;
    struct err err;

    /* Keys and tickets lie in the library's memory, which is neither locked nor wiped: nobody gets to see it. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
    buf_init_secret(&token, 2 * LIMIT_TOKEN_BYTES);
    if (argc != 4) {
        fprintf(stderr, "usage: ampule-kerberos KEYTAB CLIENT@REALM SERVICE/HOST@[REALM]: ampule-agent runs it\n");
        return 1;
    }
    if (load(&err) != 0 || credential_of(argv[2], argv[1], &credential, &err) != 0 ||
        token_of(credential, argv[3], &token, &err) != 0) {
        printf("%s\n", err.text);
        return 1;
    }
    printf("Negotiate %s\n", token.data);
    return 0;
}
