#include "tools/cmd_unseal_token.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"
#include "vault/token_seal.h"

struct unseal {
    const char *key, *file;
    struct token_seal seal;
    bool make;
};

static const char help[] =
    "Usage: ampule unseal-token --key=FILE [OPTIONS] [FILE]\n\n"
    "Prints the token that a sink with dh_type = \"curve25519\" sealed into FILE (\"-\" or nothing: standard input).\n\n"
    "  --key=FILE         the private key: 32 bytes in base64, or JSON with curve25519_private_key\n"
    "  --derive-key       the sink has derive_key\n"
    "  --aad=TEXT         the sink's aad\n"
    "  --aad-env=NAME     the variable that holds it\n"
    "  --make-key         make a key instead: it goes to --key=FILE, a new file that its owner alone may read, and the\n"
    "                     public one, which is for the sink's dh_path, to standard output\n\n"
    "    ampule unseal-token --make-key --key=reader.key > reader.pub\n"
    "    ampule unseal-token --key=reader.key /run/secrets/token\n\n"
    "Exit status: 0 done; 1 another key, aad or derive_key than it was sealed with, or no sealed token; 2 wrong command line.\n";

/* ---------------------------------------------------------------------------------------------------------- the key */

static int read_key(const char *path, unsigned char ret[X25519_KEY], struct err *err)
{
    _cleanup_buf_ struct buf text = {0}, bytes;
    _cleanup_arena_ struct arena arena;
    const char *encoded;
    struct val object = {0};

    buf_init_secret(&bytes, LIMIT_TOKEN_BYTES);
    arena_init_secret(&arena, LIMIT_TOKEN_BYTES, "private key");
    if (file_read(path, LIMIT_TOKEN_BYTES, &text, err) != 0)
        return -1;
    encoded = text.data;
    if (text.len && text.data[0] == '{') {
        const struct json_options options = {.flags = JSON_SECRET};

        if (json_read(text.data, text.len, &options, &arena, &object, err) != 0)
            return err_wrap(err, "%s", path);
        encoded = val_get_cstr(&object, "curve25519_private_key");
    }
    if (!encoded || base64_decode(encoded, strlen(encoded), &bytes, err) != 0 || bytes.len != X25519_KEY)
        return err_set(err, ERR_INPUT, "%s: not a private key of Curve25519, %d bytes in base64", path, X25519_KEY);
    memcpy(ret, bytes.data, X25519_KEY);
    return 0;
}

static int write_key(const char *path, const unsigned char private[X25519_KEY], struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR), status;

    if (fd < 0)
        return err_system(err, "%s", path);
    buf_init_secret(&text, LIMIT_TOKEN_BYTES);
    base64_encode(private, X25519_KEY, &text);
    buf_addc(&text, '\n');
    status = buf_check(&text, path, err);
    if (status == 0 && file_write_all(fd, text.data, text.len) < 0)
        status = err_system(err, "%s", path);
    if (close(fd) < 0 && status == 0)
        status = err_system(err, "%s", path);
    if (status != 0)
        unlink(path); /* half a key is none */
    return status;
}

static int make_key(const struct unseal *unseal, struct err *err)
{
    unsigned char private[X25519_KEY], public[X25519_KEY];
    _cleanup_buf_ struct buf text = {0};
    int status = x25519_make(private, public, err) != 0 ? -1 : write_key(unseal->key, private, err);

    mem_wipe(private, sizeof(private));
    if (status != 0)
        return -1;
    buf_init(&text, LIMIT_TOKEN_BYTES);
    base64_encode(public, sizeof(public), &text);
    if (buf_check(&text, "public key", err) != 0)
        return -1;
    printf("{\"curve25519_public_key\":\"%s\"}\n", text.data);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- the token */

static int unseal_file(const struct unseal *unseal, struct err *err)
{
    _cleanup_buf_ struct buf sealed = {0}, token;
    unsigned char key[X25519_KEY];
    int status;

    buf_init_secret(&token, LIMIT_TOKEN_BYTES);
    if (read_key(unseal->key, key, err) != 0)
        return -1;
    if (strcmp(unseal->file, "-") == 0)
        status = file_read_fd(STDIN_FILENO, "standard input", LIMIT_TOKEN_BYTES * 2, &sealed, err);
    else
        status = file_read(unseal->file, LIMIT_TOKEN_BYTES * 2, &sealed, err);
    if (status == 0 && token_unseal(&unseal->seal, key, sealed.data, sealed.len, &token, err) != 0)
        status = err_wrap(err, "%s", unseal->file);
    mem_wipe(key, sizeof(key));
    if (status != 0)
        return -1;
    printf("%s%s", token.data, token.len && token.data[token.len - 1] == '\n' ? "" : "\n");
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- command line */

static const struct option long_options[] = {
    {"aad", required_argument, NULL, 'a'},
    {"aad-env", required_argument, NULL, 'e'},
    {"derive-key", no_argument, NULL, 'd'},
    {"help", no_argument, NULL, 'h'},
    {"key", required_argument, NULL, 'k'},
    {"make-key", no_argument, NULL, 'm'},
    {NULL, 0, NULL, 0},
};

static int take_option(struct unseal *unseal, int letter)
{
    switch (letter) {
    case 'a':
        unseal->seal.aad = optarg;
        return 0;
    case 'e':
        unseal->seal.aad = getenv(optarg);
        if (unseal->seal.aad)
            return 0;
        fprintf(stderr, "ampule unseal-token: --aad-env: %s is not set\n", optarg);
        return -1;
    case 'd':
        unseal->seal.derive_key = true;
        return 0;
    case 'k':
        unseal->key = optarg;
        return 0;
    case 'm':
        unseal->make = true;
        return 0;
    default:
        return -1; /* getopt has said it */
    }
}

static int complain(const char *text)
{
    fprintf(stderr, "ampule unseal-token: %s; \"ampule unseal-token --help\" tells more\n", text);
    return 2;
}

int cmd_unseal_token(int argc, char **argv)
{
    struct unseal unseal = {.file = "-", .seal = {.aad = ""}};
    struct err err;
    int letter;

    while ((letter = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (letter == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (take_option(&unseal, letter) != 0)
            return 2;
    }
    if (!unseal.key)
        return complain("--key is missing");
    if (argc - optind > (unseal.make ? 0 : 1))
        return complain("too many arguments");
    if (optind < argc)
        unseal.file = argv[optind];
    if ((unseal.make ? make_key : unseal_file)(&unseal, &err) == 0)
        return 0;
    fprintf(stderr, "ampule unseal-token: %s\n", err.text);
    return 1;
}
