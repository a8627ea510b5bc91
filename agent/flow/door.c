#include "flow/door.h"

#include "base/mem.h"

struct door {
    const struct login *login;
    struct client *common, *own; /* own: once it is open */
    struct loop_timer timer;     /* an answer is still being handed on when it is said to have come */
    door_open *open;
    void *ctx;
};

static void on_rest(void *ctx)
{
    client_idle(((struct door *)ctx)->own);
}

struct door *door_new(struct loop *loop, const struct login *login, struct client *common, door_open *open, void *ctx)
{
    struct door *door = mem_alloc(sizeof(*door));

    *door = (struct door){.login = login, .common = common, .open = open, .ctx = ctx};
    timer_init(&door->timer, loop, on_rest, door);
    return door;
}

void door_free(struct door *door)
{
    if (!door)
        return;
    timer_stop(&door->timer);
    client_free(door->own);
    mem_free(door);
}

int door_client(struct door *door, struct client **ret, struct err *err)
{
    struct login_identity identity;

    if (!door->open || !login_shows(door->login, &identity)) {
        *ret = door->common;
        return 0;
    }
    if (!door->own && door->open(door->ctx, &identity, &door->own, err) != 0)
        return -1;
    *ret = door->own;
    return 0;
}

void door_rest(struct door *door)
{
    if (door->own)
        timer_after(&door->timer, 0);
}
