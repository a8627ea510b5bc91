#include "os/myself.h"

#include <fcntl.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/draft.h"
#include "os/file.h"

#define MYSELF "/proc/self/exe"

int myself_copy(const char *path, struct err *err)
{
    const struct draft_owner owner = {0755, DRAFT_KEEP_UID, DRAFT_KEEP_GID};
    _cleanup_close_ int fd = open(MYSELF, O_RDONLY | O_CLOEXEC);
    _cleanup_buf_ struct buf bytes = {0};
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_draft_ struct draft draft = {.dir = -1, .fd = -1};

    if (fd < 0)
        return err_system(err, MYSELF);
    if (file_read_fd(fd, MYSELF, LIMIT_PROGRAM_BYTES, &bytes, err) != 0 || place_open(&place, path, false, err) != 0 ||
        draft_write(&draft, &place, &owner, bytes.data, bytes.len, err) != 0)
        return -1;
    return draft_publish(&draft, err);
}
