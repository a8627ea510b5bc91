#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "flow/confine.h"
#include "flow/connect.h"

/* What is taken away is gone for good, so every test runs in a child; its exit code is the line that failed, 0 for none, SKIP for
 * "not here". */
#define SKIP 255
#define check(condition)               \
    do {                               \
        if (!(condition))              \
            return __LINE__ % 250 + 1; \
    } while (0)

/* Each in a folder of its own right below /tmp, so that no rule for one opens another. */
enum { TOKEN, AUTHORITY, SOURCE, READ, OUTPUT, SINK, PID, HANDOVER, CONFIG, OUTSIDE, COUNT };

static char folders[COUNT][64];
static struct err err;

static int make(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(folders[i], sizeof(folders[i]), "/tmp/ampule-test-%zu-XXXXXX", i);
        if (!mkdtemp(folders[i]))
            return -1;
    }
    return 0;
}

static int clean(void **state)
{
    int failed = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        failed |= nftw(folders[i], folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}

static const char *file_of(int which)
{
    static char paths[COUNT][80];

    snprintf(paths[which], sizeof(paths[which]), "%s/file", folders[which]);
    return paths[which];
}

static void put_certificate(const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    FILE *file = fopen(path, "w");

    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    PEM_write_X509(file, cert);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void ignore_error(void *ctx, const struct err *why, int64_t again_ms, bool fatal)
{
    (void)ctx, (void)why, (void)again_ms, (void)fatal;
}

static void ignore_token(void *ctx, const struct token *token)
{
    (void)ctx, (void)token;
}

/* An agent with everything that opens files, all of it confined; `signo`: what its template sends. */
static int agent(int signo, bool init, struct gaps *gaps)
{
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("app")}, {VAL_KEY("token_path"), val_cstr(file_of(TOKEN))}};
    struct val method = val_map(pairs, 2);
    const struct config_method login = {.type = "kubernetes", .config = method};
    const struct auth_events auth_events = {.on_token = ignore_token};
    struct config_sink sink = {.wrap_ttl = "", .dh_path = "", .aad = "", .path = file_of(SINK), .uid = -1, .gid = -1};
    const struct templates_events templates_events = {.on_error = ignore_error};
    struct config_template template = {
        .path = "template[0]",
        .source = file_of(SOURCE),
        .destination = file_of(OUTPUT),
        .user = "",
        .group = "",
        .sandbox_path = folders[READ],
        .left_delimiter = "{{",
        .right_delimiter = "}}",
        .notify = {.signal = signo, .pid_file = file_of(PID), .process = ""},
    };
    int number = PROGRAM_NONE;
    struct programs programs = {.numbers = &number};
    struct config config;
    struct connect way = {0};
    struct reach reach;
    struct client *client = NULL;
    struct auth *auth = NULL;
    struct loop *loop = loop_new(&err);
    struct front front = {.auth = NULL};

    for (int i = 0; i < COUNT; i++)
        put_file(file_of(i), i == SOURCE ? "{{ file \"x\" }}" : "text");
    put_certificate(file_of(AUTHORITY));
    config_init(&config);
    config.vault.address = "https://127.0.0.1:9";
    config.vault.ca_cert = file_of(AUTHORITY);
    config.templates = &template;
    config.template_count = 1;
    config.handover = folders[HANDOVER];
    config.exit_after_auth = init;
    config.files = (const char *const[]){file_of(CONFIG)};
    config.file_count = 1;
    if (connect_server(loop, &config.vault, &way, &client, &err) != 0 ||
        auth_new(loop, client, &login, &auth_events, &auth, &err) != 0)
        return -1;
    config.sinks = &sink;
    config.sink_count = 1;
    return confine(&(struct confine_stages){&config, client, auth,
                                            templates_new(&config, &programs, store_new(), &templates_events), &front, NULL},
                   &reach, gaps, &err);
}

static bool lacks(const struct gaps *gaps, const char *what)
{
    for (size_t i = 0; i < gaps->count; i++)
        if (strcmp(gaps->rows[i].what, what) == 0)
            return true;
    return false;
}

static bool opens(int which, int flags)
{
    int fd = open(file_of(which), flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void in_child(int (*body)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int failed = body();

        if (failed && failed != SKIP)
            print_message("%s\n", err.text);
        _exit(failed);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIP)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int files(bool init)
{
    struct gaps gaps = {0};

    check(agent(SIGHUP, init, &gaps) == 0);
    if (lacks(&gaps, "landlock"))
        return SKIP;
    check(opens(TOKEN, O_RDONLY) && opens(AUTHORITY, O_RDONLY) && opens(SOURCE, O_RDONLY) && opens(READ, O_RDONLY) &&
          opens(PID, O_RDONLY));
    check(!opens(TOKEN, O_WRONLY) && !opens(AUTHORITY, O_WRONLY) && !opens(SOURCE, O_WRONLY) && !opens(READ, O_WRONLY) &&
          !opens(PID, O_WRONLY));
    check(opens(CONFIG, O_RDONLY) && !opens(CONFIG, O_WRONLY));
    check(opens(OUTPUT, O_WRONLY) && opens(SINK, O_WRONLY));
    check(unlink(file_of(OUTPUT)) == 0 && opens(OUTPUT, O_WRONLY | O_CREAT));
    check(unlink(file_of(SINK)) == 0 && opens(SINK, O_WRONLY | O_CREAT));
    check(!opens(OUTSIDE, O_RDONLY) && errno == EACCES);
    check(opens(HANDOVER, O_WRONLY) == init);
    return 0;
}

static int files_of_an_init_agent(void)
{
    return files(true);
}

static int files_of_a_sidecar(void)
{
    return files(false);
}

static void every_stage_opens_its_own_and_nothing_else(void **state)
{
    (void)state;
    in_child(files_of_an_init_agent);
}

static void a_sidecar_leaves_no_handover(void **state)
{
    (void)state;
    in_child(files_of_a_sidecar);
}

/* The effective capabilities that are left. */
static uint64_t capabilities(void)
{
    char text[4096] = "";
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const char *line;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        return UINT64_MAX;
    close(fd);
    line = strstr(text, "CapEff:");
    return line ? strtoull(line + strlen("CapEff:"), NULL, 16) : UINT64_MAX;
}

static int without_signals(void)
{
    struct gaps gaps = {0};

    check(agent(0, true, &gaps) == 0);
    check(capabilities() == HARDEN_CAP_FILES);
    return 0;
}

static int with_signals(void)
{
    struct gaps gaps = {0};

    check(agent(SIGHUP, true, &gaps) == 0);
    check(capabilities() == (HARDEN_CAP_FILES | HARDEN_CAP_KILL));
    return 0;
}

static void only_who_signals_may_signal_others(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(without_signals);
    in_child(with_signals);
}

#define in_folders(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folders(every_stage_opens_its_own_and_nothing_else),
        in_folders(a_sidecar_leaves_no_handover),
        in_folders(only_who_signals_may_signal_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
