/* floor: go */
#include <stdint.h>

#include "go/ssh_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t end;

    (void)ssh_cert_valid_before((struct str){(const char *)data, size}, &end);
    return 0;
}
