/* floor: tls */
#include <stdint.h>

#include "tls/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cur = cursor_of((const char *)data, size);
    struct err err;

    for (;;) {
        _cleanup_x509_block_ struct x509_block block = {0};

        if (x509_next(&cur, &block, &err) <= 0)
            return 0;
    }
}
