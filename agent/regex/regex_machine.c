#include "regex/regex_machine.h"

#include "base/limits.h"
#include "base/utf8.h"

/* An instruction to visit, or, where `slot` is one, a slot to put back once all behind it were visited. */
struct regex_todo {
    uint32_t inst, slot, saved;
};

int regex_machine_init(struct regex_machine *machine, const struct regex_program *program, struct str text, uint32_t slots,
                       struct err *err)
{
    size_t count = program->count;

    if (text.len >= REGEX_NOWHERE)
        return err_set(err, ERR_LIMIT, "regexp: text of more than 4 GiB");
    *machine = (struct regex_machine){.program = program, .text = text, .slots = slots, .most = LIMIT_REGEX_STEPS};
    machine->todo =
        mem_array(1, (count + 1) * sizeof(*machine->todo) + (3 * count + 2 * (size_t)slots) * sizeof(*machine->marks));
    machine->marks = (uint32_t *)(machine->todo + count + 1);
    machine->now.insts = machine->marks + count;
    machine->next.insts = machine->now.insts + count;
    machine->found = machine->next.insts + count;
    return 0;
}

void regex_machine_done(struct regex_machine *machine)
{
    mem_free(machine->now.saves);
    mem_free(machine->next.saves);
    mem_free(machine->todo);
    *machine = (struct regex_machine){0};
}

/* ------------------------------------------------------------------------------------------------------------- text */

static size_t decode(const struct regex_machine *machine, size_t at, unsigned *ret_rune)
{
    size_t left = machine->text.len - at, width;

    *ret_rune = UTF8_BAD;
    if (left == 0)
        return 0;
    if ((signed char)machine->text.data[at] >= 0) {
        *ret_rune = (unsigned char)machine->text.data[at];
        return 1;
    }
    width = utf8_decode(machine->text.data + at, left, ret_rune);
    return width ? width : 1;
}

size_t regex_machine_width(const struct regex_machine *machine, size_t at)
{
    unsigned rune;

    return decode(machine, at, &rune);
}

static bool is_word(int byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '_';
}

/* The assertions that hold at a place. Only ASCII matters, so bytes do. */
static unsigned asserts_at(const struct regex_machine *machine, size_t at)
{
    int before = at > 0 ? (unsigned char)machine->text.data[at - 1] : -1;
    int behind = at < machine->text.len ? (unsigned char)machine->text.data[at] : -1;
    unsigned holds = is_word(before) != is_word(behind) ? REGEX_WORD_BOUNDARY : REGEX_NO_WORD_BOUNDARY;

    if (before < 0)
        holds |= REGEX_BEGIN_TEXT | REGEX_BEGIN_LINE;
    if (before == '\n')
        holds |= REGEX_BEGIN_LINE;
    if (behind < 0)
        holds |= REGEX_END_TEXT | REGEX_END_LINE;
    if (behind == '\n')
        holds |= REGEX_END_LINE;
    return holds;
}

static bool set_has(const struct regex_set *set, unsigned rune)
{
    size_t low = 0, high = set->count;

    if (rune < 128)
        return set->ascii[rune / 32] >> rune % 32 & 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rune < set->ranges[middle].first)
            high = middle;
        else if (rune > set->ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

static bool takes(const struct regex_inst *inst, unsigned rune)
{
    switch ((enum regex_code)inst->code) {
    case REGEX_I_RUNE:
        return rune == inst->rune;
    case REGEX_I_SET:
        return set_has(inst->set, rune);
    case REGEX_I_ANY_NOT_NEWLINE:
        return rune != '\n';
    default:
        return inst->code == REGEX_I_ANY;
    }
}

/* ---------------------------------------------------------------------------------------------------------- threads */

static void grow_saves(struct regex_machine *machine, struct regex_threads *threads)
{
    size_t size = machine->slots * sizeof(*threads->saves);
    uint32_t room = threads->room ? 2 * threads->room : 8;

    if (room * size > LIMIT_REGEX_MEMORY / 2) {
        machine->full = true;
        return;
    }
    threads->saves = mem_grow(threads->saves, threads->room * size, room * size);
    threads->room = room;
}

static void thread_add(struct regex_machine *machine, struct regex_threads *threads, uint32_t inst, const uint32_t *saves)
{
    if (machine->slots > 0) {
        if (threads->count == threads->room)
            grow_saves(machine, threads);
        if (machine->full)
            return;
        memcpy(threads->saves + (size_t)threads->count * machine->slots, saves, machine->slots * sizeof(*saves));
        machine->steps += machine->slots / 8;
    }
    threads->insts[threads->count++] = inst;
}

/* Start threads at all that can be reached from `inst` without taking a character, in order of preference. `saves` is given back
 * as it was. */
static void follow(struct regex_machine *machine, struct regex_threads *threads, uint32_t first, uint32_t *saves, size_t at)
{
    struct regex_todo *todo = machine->todo;
    unsigned holds = 0;
    size_t left = 0;

    todo[left++] = (struct regex_todo){.inst = first, .slot = REGEX_NOWHERE};
    while (left > 0) {
        struct regex_todo item = todo[--left];
        const struct regex_inst *inst = &machine->program->insts[item.inst];

        if (item.slot != REGEX_NOWHERE) {
            saves[item.slot] = item.saved;
            continue;
        }
        for (; machine->marks[item.inst] != machine->turn; inst = &machine->program->insts[item.inst = inst->out]) {
            machine->marks[item.inst] = machine->turn;
            machine->steps++;
            if (inst->code < REGEX_I_SPLIT) {
                thread_add(machine, threads, item.inst, saves);
                break;
            }
            if (inst->code == REGEX_I_SPLIT) {
                todo[left++] = (struct regex_todo){.inst = inst->other, .slot = REGEX_NOWHERE};
            } else if (inst->code == REGEX_I_SAVE && inst->slot < machine->slots) {
                todo[left++] = (struct regex_todo){.slot = inst->slot, .saved = saves[inst->slot]};
                saves[inst->slot] = (uint32_t)at;
            } else if (inst->code == REGEX_I_ASSERT) {
                holds = holds ? holds : asserts_at(machine, at);
                if (!(inst->assert &holds))
                    break;
            }
        }
    }
}

/* A thread that arrived ends all that are less preferred. True when one did. */
static bool step(struct regex_machine *machine, size_t at, size_t width, unsigned rune)
{
    struct regex_threads *now = &machine->now;

    for (uint32_t i = 0; i < now->count && !machine->full; i++) {
        const struct regex_inst *inst = &machine->program->insts[now->insts[i]];
        uint32_t *saves = machine->slots > 0 ? now->saves + (size_t)i * machine->slots : NULL;

        if (inst->code == REGEX_I_MATCH) {
            if (machine->slots > 0) {
                memcpy(machine->found, saves, machine->slots * sizeof(*saves));
                machine->found[1] = (uint32_t)at;
            }
            return true;
        }
        if (width > 0 && takes(inst, rune))
            follow(machine, &machine->next, inst->out, saves, at + width);
    }
    return false;
}

/* A thread for a match that begins here; the second half of `found` is its own until a match is there. */
static void start(struct regex_machine *machine, size_t at)
{
    uint32_t *saves = machine->found + machine->slots;

    for (uint32_t i = 0; i < machine->slots; i++)
        saves[i] = i == 0 ? (uint32_t)at : REGEX_NOWHERE;
    follow(machine, &machine->now, machine->program->start, saves, at);
}

/* The next place where a match can begin, by its first byte. */
static size_t skip(const struct regex_machine *machine, size_t at)
{
    const struct regex_program *program = machine->program;
    const char *text = machine->text.data;

    if (program->lead >= 0) {
        const char *there = at < machine->text.len ? memchr(text + at, program->lead, machine->text.len - at) : NULL;

        return there ? (size_t)(there - text) : machine->text.len;
    }
    while (at < machine->text.len && !(program->leads[(unsigned char)text[at] / 32] >> (unsigned char)text[at] % 32 & 1))
        at++;
    return at;
}

static void swap(struct regex_machine *machine)
{
    struct regex_threads done = machine->now;

    machine->now = machine->next;
    machine->next = done;
    machine->next.count = 0;
}

static int fail_limit(const struct regex_machine *machine, struct err *err)
{
    if (machine->full)
        return err_set(err, ERR_LIMIT, "regexp: threads of the pattern take more than %zu bytes on this text",
                       LIMIT_REGEX_MEMORY);
    if (machine->most < LIMIT_REGEX_STEPS)
        return err_set(err, ERR_LIMIT, "more than %d steps, in a regular expression", LIMIT_TEMPLATE_STEPS);
    return err_set(err, ERR_LIMIT, "regexp: the pattern takes more than %d steps on this text", LIMIT_REGEX_STEPS);
}

int regex_machine_find(struct regex_machine *machine, size_t from, bool *ret_found, struct err *err)
{
    const struct regex_program *program = machine->program;
    bool found = false;
    unsigned rune;

    machine->now.count = machine->next.count = 0;
    machine->turn++;
    for (size_t at = from, width;; at += width) {
        if (machine->now.count == 0) {
            if (found || (program->anchored && at > 0))
                break;
            if (program->skips) {
                at = skip(machine, at);
                machine->turn++;
                if (at == machine->text.len)
                    break;
            }
        }
        if (!found)
            start(machine, at);
        width = decode(machine, at, &rune);
        machine->turn++;
        machine->steps++;
        found |= step(machine, at, width, rune);
        if (machine->full || machine->steps > machine->most)
            return fail_limit(machine, err);
        if (width == 0 || (found && machine->slots == 0))
            break;
        swap(machine);
    }
    *ret_found = found;
    return 0;
}
