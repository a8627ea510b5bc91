#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"
#include "go/ssh_cert.h"

/* Written by ssh-keygen -s, with -V 20300101000000Z:20300102000000Z. */
static const char ed25519[] = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAILOnH"
                              "62MxRIkQta/3TjvqoL74n3M+vHAY+RyJHoLPe3/AAAAIB61ouN34x9h2JKn/CFCjZHaP0227z98o7zDAkAD/7gwAAA"
                              "AAAAAAAAAAAABAAAAAmlkAAAACQAAAAVhbGljZQAAAABw29iAAAAAAHDdKgAAAAAAAAAAggAAABVwZXJtaXQtWDExL"
                              "WZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJ"
                              "kaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyN"
                              "TUxOQAAACAYvquLpvAbL8JkS950fa1cixxRr6cG7cIQIzRkDXEskQAAAFMAAAALc3NoLWVkMjU1MTkAAABAL3svcVU"
                              "QT/KcKkxTT7AkK26djsrfIwMhH6HqhqyoUGllC6V38indCkpxjPHSfij82oPHsNP+M18HgUTIPKcpBw== k";
static const char rsa[] = "ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgZzy+OOqa1r8i+"
                          "LPnCBKTMGWC42jyitHTC2QRHDUcRbQAAAADAQABAAABAQCqNZ2rA9nr6HLO8ZnH4yzLpvwbV+CQzrZe802GKt2Xzl8"
                          "462tTmFqFwdSHwC2ZxSj8qwFlCFxqcLfZfTeLR89PD+miH7pHK94hRlJsFgSeszMv/f9wPJIu9cU5iHqCTqsOWjr+r"
                          "SHFlK6XIYoTjbMZhpAA+TCIlKHMce4Neyv5nkaF9dc3y0M8AoOa+0Bwo9hPPsGTChCLU7WXqtTgzHgQv2i5xWIGNO5"
                          "JDnl7wvOB8bHzy6Deh/nokVDolHoTYcaNwi0perKD41umTSL+Qm9D9HEN0UnMZ6vMJesxEvrznOCCnKO2M2yHx8V0j"
                          "qLf4V9psCqCJmrhX4z0vGduvxLBAAAAAAAAAAAAAAABAAAAAmlkAAAACQAAAAVhbGljZQAAAABw29iAAAAAAHDdKgA"
                          "AAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAA"
                          "AAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwA"
                          "AAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACAYvquLpvAbL8JkS950fa1cixxRr6cG7cIQIzRkDXEskQAAAFMAA"
                          "AALc3NoLWVkMjU1MTkAAABAK1kYqgKPhXT3L39Dydn6ROmELkXclyxXIFlT0HveEcx9n3D8DI2Iaw+nQCNkz6ol+gO"
                          "5kRzTnVKSj53UeV31Bg== k";
static const char ecdsa[] = "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3Blb"
                            "nNzaC5jb20AAAAgavMwWFx7F3AXb6djDRPODs7w17PFhuBuF7/j/fnHmjgAAAAIbmlzdHAyNTYAAABBBN13n95meFh"
                            "sS1QWbThnYXRyF8bgWUt9gc86WoNenJYk+FzE/saBLJGooDP46uI4linEPKYnf7Ih7sZ1LkmnW2wAAAAAAAAAAAAAA"
                            "AEAAAACaWQAAAAJAAAABWFsaWNlAAAAAHDb2IAAAAAAcN0qAAAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGl"
                            "uZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAA"
                            "AAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIBi"
                            "+q4um8BsvwmRL3nR9rVyLHFGvpwbtwhAjNGQNcSyRAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEDX0X1BDr5zHdeacIQ6x"
                            "7qKLOIC9wimg3KR5jwaoSpVYqzcxWdX7axWR/Lv8oTn1mAVEqLBrWGLWQJjO6EQMZ0O k";
/* Without -V. */
static const char forever[] = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIGmlK"
                              "CDh4L2HD3iee+yi2nIxVnlX1v0MjvX/aW/7wY/YAAAAIE0/a4/aYV0b/oF1Kgeyjk9lHxDzYiWxRKKx/N0Jcw13AAA"
                              "AAAAAAAAAAAABAAAAAmlkAAAACQAAAAVhbGljZQAAAAAAAAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDExL"
                              "WZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJ"
                              "kaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyN"
                              "TUxOQAAACAYvquLpvAbL8JkS950fa1cixxRr6cG7cIQIzRkDXEskQAAAFMAAAALc3NoLWVkMjU1MTkAAABA366GtNh"
                              "eheE149KPDRMSVCGU/gQtTLtS0zjrSSYLnr/a3w7Rjq78w0yslazbxalngDtFG/zzi/KR4GpyoZH0Dw== k";

#define END ((uint64_t)1893542400)

static uint64_t end_of(const char *line)
{
    uint64_t end = 0;

    assert_true(ssh_cert_valid_before(str_of(line), &end));
    return end;
}

static void certificates_say_when_they_end(void **state)
{
    (void)state;
    assert_true(end_of(ed25519) == END);
    assert_true(end_of(rsa) == END);
    assert_true(end_of(ecdsa) == END);
    assert_true(end_of(forever) == UINT64_MAX);
}

static void white_space_and_a_missing_comment_do_not_matter(void **state)
{
    _cleanup_free_ char *line = mem_strdup(ed25519);

    (void)state;
    *strrchr(line, ' ') = '\n';
    assert_true(end_of(line) == END);
    *strrchr(line, '\n') = '\0';
    assert_true(end_of(line) == END);
}

/* Cut anywhere before its end is told, it is none, and nothing is read behind it. */
static void what_is_cut_is_none(void **state)
{
    _cleanup_buf_ struct buf whole, text;
    struct err err;
    uint64_t end;

    (void)state;
    buf_init(&whole, KIB(8));
    assert_int_equal(base64_decode(strchr(ed25519, ' ') + 1, strrchr(ed25519, ' ') - strchr(ed25519, ' ') - 1, &whole, &err), 0);
    for (size_t len = 0; len < 140; len++) {
        buf_init(&text, KIB(8));
        buf_adds(&text, "ssh-ed25519-cert-v01@openssh.com ");
        base64_encode(whole.data, len, &text);
        assert_false(ssh_cert_valid_before((struct str){text.data, text.len}, &end));
        buf_done(&text);
    }
    buf_init(&text, 1);
}

static void other_lines_are_none(void **state)
{
    static const char *const lines[] = {"",
                                        " ",
                                        "ssh-ed25519",
                                        "ssh-ed25519 AAAA",
                                        "ssh-ed25519-cert-v01@openssh.com",
                                        "ssh-ed25519-cert-v01@openssh.com %%",
                                        "-cert-v01@openssh.com AAAA",
                                        "ssh-none-cert-v01@openssh.com AAAAHHNzaA=="};
    _cleanup_free_ char *wrong = mem_strdup(ecdsa);
    uint64_t end;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_false(ssh_cert_valid_before(str_of(lines[i]), &end));
    memcpy(wrong, "ecdsa-sha2-nistp384", strlen("ecdsa-sha2-nistp384")); /* not what stands inside */
    assert_false(ssh_cert_valid_before(str_of(wrong), &end));
}

static void a_line_longer_than_any_key_is_none(void **state)
{
    size_t len = LIMIT_SSH_CERT_BYTES + KIB(1);
    _cleanup_free_ char *line = mem_alloc(len + 1);
    uint64_t end;

    (void)state;
    memset(line, 'A', len);
    memcpy(line, ed25519, strlen(ed25519) - strlen(strrchr(ed25519, ' ')));
    assert_false(ssh_cert_valid_before((struct str){line, len}, &end));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_say_when_they_end),
        cmocka_unit_test(white_space_and_a_missing_comment_do_not_matter),
        cmocka_unit_test(what_is_cut_is_none),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(a_line_longer_than_any_key_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
