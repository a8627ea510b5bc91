#include "flow/agenda.h"

#include "base/mem.h"

static void put(struct agenda *agenda, size_t at, struct turn *turn)
{
    agenda->heap[at] = turn;
    turn->at = at;
}

static void rise(struct agenda *agenda, struct turn *turn)
{
    size_t at = turn->at;

    while (at > 0 && turn->due < agenda->heap[(at - 1) / 2]->due) {
        put(agenda, at, agenda->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(agenda, at, turn);
}

/* The one of the two below that is due first; `len` when there is none. */
static size_t first_below(const struct agenda *agenda, size_t at)
{
    size_t left = 2 * at + 1, right = left + 1;

    if (left >= agenda->len)
        return agenda->len;
    return right < agenda->len && agenda->heap[right]->due < agenda->heap[left]->due ? right : left;
}

static void sink(struct agenda *agenda, struct turn *turn)
{
    size_t at = turn->at, below;

    while ((below = first_below(agenda, at)) < agenda->len && agenda->heap[below]->due < turn->due) {
        put(agenda, at, agenda->heap[below]);
        at = below;
    }
    put(agenda, at, turn);
}

void agenda_join(struct agenda *agenda, struct turn *turn, void *owner, int64_t due)
{
    if (agenda->len == agenda->room) {
        size_t room = agenda->room ? agenda->room * 2 : 8;

        agenda->heap = mem_grow(agenda->heap, agenda->len * sizeof(*agenda->heap), room * sizeof(*agenda->heap));
        agenda->room = room;
    }
    *turn = (struct turn){agenda, owner, due, agenda->len++};
    rise(agenda, turn);
}

void agenda_leave(struct turn *turn)
{
    struct agenda *agenda = turn->agenda;
    struct turn *last;

    if (!agenda)
        return;
    last = agenda->heap[--agenda->len];
    turn->agenda = NULL;
    if (last == turn)
        return;
    put(agenda, turn->at, last);
    rise(agenda, last);
    sink(agenda, last);
}

void agenda_plan(struct turn *turn, int64_t due)
{
    turn->due = due;
    rise(turn->agenda, turn);
    sink(turn->agenda, turn);
}

struct turn *agenda_first(const struct agenda *agenda)
{
    return agenda->len ? agenda->heap[0] : NULL;
}

void agenda_done(struct agenda *agenda)
{
    mem_free(agenda->heap);
    *agenda = (struct agenda){0};
}
