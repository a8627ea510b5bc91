#include "os/owner.h"

#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "os/file.h"

#define PASSWD "/etc/passwd"
#define GROUP  "/etc/group"
#define ID_MAX (UINT32_MAX - 1) /* the largest number means "leave" to chown(2) */

/* "name:password:NUMBER:…" */
static bool line_matches(const char *line, size_t len, const char *name, uint64_t *ret)
{
    struct cursor cur = cursor_of(line, len);

    if (!cursor_word(&cur, name) || !cursor_char(&cur, ':'))
        return false;
    while (!cursor_at_end(&cur) && !cursor_char(&cur, ':'))
        cur.p++;
    return cursor_uint(&cur, 10, ID_MAX, ret) && (cursor_at_end(&cur) || cursor_peek(&cur) == ':');
}

static bool find_line(const char *text, const char *name, uint64_t *ret)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (line_matches(text, len, name, ret))
            return true;
        text += len + (text[len] == '\n');
    }
    return false;
}

static int find(const char *file, const char *what, const char *name, uint32_t *ret, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    struct err why = {.code = ERR_NONE};
    uint64_t id;

    if (*name == '\0')
        return 0;
    if (!cursor_whole_uint(name, 10, ID_MAX, &id)) {
        if (strpbrk(name, ":\n") || file_read(file, LIMIT_PASSWD_BYTES, &text, &why) != 0 || !find_line(text.data, name, &id))
            return why.code == ERR_LIMIT
                       ? err_set(err, ERR_LIMIT, "%s \"%s\": %s; write its number", what, name, why.text)
                       : err_set(err, ERR_INPUT, "unknown %s \"%s\": %s does not have it; write its number", what, name, file);
    }
    *ret = (uint32_t)id;
    return 0;
}

int owner_find_in(const char *passwd, const char *group_file, const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid,
                  struct err *err)
{
    uid_t uid = *ret_uid;
    gid_t gid = *ret_gid;

    if (find(passwd, "user", user, &uid, err) != 0 || find(group_file, "group", group, &gid, err) != 0)
        return -1;
    *ret_uid = uid;
    *ret_gid = gid;
    return 0;
}

void owner_reach(struct reach *reach)
{
    reach_file(reach, PASSWD, REACH_READ);
    reach_file(reach, GROUP, REACH_READ);
}

int owner_find(const char *user, const char *group, uid_t *ret_uid, gid_t *ret_gid, struct err *err)
{
    return owner_find_in(PASSWD, GROUP, user, group, ret_uid, ret_gid, err);
}
