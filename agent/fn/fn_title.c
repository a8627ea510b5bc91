/*
 * Words with capitals: `toTitle`. Source: consul-template, which uses golang.org/x/text/cases; its approximation of Unicode's
 * word boundaries.
 */
#include "base/unicode.h"
#include "base/utf8.h"
#include "fn/fn.h"

struct span {
    unsigned first, last;
};

static bool in_spans(const struct span *spans, size_t count, unsigned rune)
{
    for (size_t i = 0; i < count; i++) {
        if (rune >= spans[i].first && rune <= spans[i].last)
            return true;
    }
    return false;
}

/* Apostrophes, points and the like: one of them between two letters does not divide a word. */
static bool is_mid(unsigned rune)
{
    static const struct span mids[] = {{'\'', '\''},     {'.', '.'},       {':', ':'},       {0xB7, 0xB7},
                                       {0x387, 0x387},   {0x55F, 0x55F},   {0x5F4, 0x5F4},   {0x2018, 0x2019},
                                       {0x2024, 0x2024}, {0x2027, 0x2027}, {0xFE13, 0xFE13}, {0xFE52, 0xFE52},
                                       {0xFE55, 0xFE55}, {0xFF07, 0xFF07}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1A}};

    return in_spans(mids, ARRAY_LEN(mids), rune);
}

/* Scripts whose letters are words of their own to this algorithm: ideographs, kana, and those of South East Asia. */
static bool is_word_itself(unsigned rune)
{
    static const struct span scripts[] = {{0xE00, 0xEFF},   {0x1000, 0x109F}, {0x1780, 0x17FF}, {0x3040, 0x30FF},
                                          {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFAFF}, {0x20000, 0x3FFFF}};

    return in_spans(scripts, ARRAY_LEN(scripts), rune);
}

static bool is_break(unsigned rune)
{
    static const struct span joiners[] = {
        {'_', '_'},       {0xAD, 0xAD},     {0x2C2, 0x2C5},   {0x2D2, 0x2D7},   {0x2DE, 0x2DF},   {0x2E5, 0x2FF},
        {0x300, 0x36F},   {0x55A, 0x55C},   {0x55E, 0x55E},   {0x58A, 0x58A},   {0x483, 0x489},   {0x591, 0x5BD},
        {0x5BF, 0x5BF},   {0x5C1, 0x5C2},   {0x5C4, 0x5C5},   {0x5C7, 0x5C7},   {0x610, 0x61A},   {0x64B, 0x65F},
        {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200C, 0x200F}, {0x203F, 0x2040}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
        {0xFE20, 0xFE2F}, {0xFE33, 0xFE34}, {0xFE4D, 0xFE4F}, {0xFF3F, 0xFF3F}};

    if (unicode_is_digit(rune) || is_mid(rune) || in_spans(joiners, ARRAY_LEN(joiners), rune))
        return false;
    return !unicode_is_letter(rune) || is_word_itself(rune);
}

/* Capitals, small letters, and what counts as such: modifier letters, numerals, circled letters. */
static bool is_cased(unsigned rune)
{
    static const struct span modifiers[] = {
        {0xAA, 0xAA},     {0xBA, 0xBA},     {0x2B0, 0x2B8},   {0x2C0, 0x2C1},   {0x2E0, 0x2E4},   {0x345, 0x345},
        {0x37A, 0x37A},   {0x10FC, 0x10FC}, {0x1D2C, 0x1D6A}, {0x1D78, 0x1D78}, {0x1D9B, 0x1DBF}, {0x2071, 0x2071},
        {0x207F, 0x207F}, {0x2090, 0x209C}, {0x2C7C, 0x2C7D}, {0xA69C, 0xA69D}, {0xA770, 0xA770}, {0xA7F2, 0xA7F4},
        {0xA7F8, 0xA7F9}, {0xAB5C, 0xAB5F}, {0xAB69, 0xAB69}};

    return unicode_to_upper(rune) != rune || unicode_to_lower(rune) != rune || unicode_is_upper(rune) || unicode_is_lower(rune) ||
           in_spans(modifiers, ARRAY_LEN(modifiers), rune);
}

/* Letters whose title form is several. */
static void add_title(struct buf *text, unsigned rune)
{
    static const struct {
        unsigned rune;
        const char *title;
    } longer[] = {
        {0xDF, "Ss"},
        {0x149, "\xCA\xBCN"},
        {0x1F0, "J\xCC\x8C"},
        {0x390, "\xCE\x99\xCC\x88\xCC\x81"},
        {0x3B0, "\xCE\xA5\xCC\x88\xCC\x81"},
        {0x587, "\xD4\xB5\xD6\x82"},
        {0x1E96, "H\xCC\xB1"},
        {0x1E97, "T\xCC\x88"},
        {0x1E98, "W\xCC\x8A"},
        {0x1E99, "Y\xCC\x8A"},
        {0x1E9A, "A\xCA\xBE"},
        {0x1F50, "\xCE\xA5\xCC\x93"},
        {0x1F52, "\xCE\xA5\xCC\x93\xCC\x80"},
        {0x1F54, "\xCE\xA5\xCC\x93\xCC\x81"},
        {0x1F56, "\xCE\xA5\xCC\x93\xCD\x82"},
        {0x1FB2, "\xE1\xBE\xBA\xCD\x85"},
        {0x1FB4, "\xCE\x86\xCD\x85"},
        {0x1FB6, "\xCE\x91\xCD\x82"},
        {0x1FB7, "\xCE\x91\xCD\x82\xCD\x85"},
        {0x1FC2, "\xE1\xBF\x8A\xCD\x85"},
        {0x1FC4, "\xCE\x89\xCD\x85"},
        {0x1FC6, "\xCE\x97\xCD\x82"},
        {0x1FC7, "\xCE\x97\xCD\x82\xCD\x85"},
        {0x1FD2, "\xCE\x99\xCC\x88\xCC\x80"},
        {0x1FD3, "\xCE\x99\xCC\x88\xCC\x81"},
        {0x1FD6, "\xCE\x99\xCD\x82"},
        {0x1FD7, "\xCE\x99\xCC\x88\xCD\x82"},
        {0x1FE2, "\xCE\xA5\xCC\x88\xCC\x80"},
        {0x1FE3, "\xCE\xA5\xCC\x88\xCC\x81"},
        {0x1FE4, "\xCE\xA1\xCC\x93"},
        {0x1FE6, "\xCE\xA5\xCD\x82"},
        {0x1FE7, "\xCE\xA5\xCC\x88\xCD\x82"},
        {0x1FF2, "\xE1\xBF\xBA\xCD\x85"},
        {0x1FF4, "\xCE\x8F\xCD\x85"},
        {0x1FF6, "\xCE\xA9\xCD\x82"},
        {0x1FF7, "\xCE\xA9\xCD\x82\xCD\x85"},
        {0xFB00, "Ff"},
        {0xFB01, "Fi"},
        {0xFB02, "Fl"},
        {0xFB03, "Ffi"},
        {0xFB04, "Ffl"},
        {0xFB05, "St"},
        {0xFB06, "St"},
        {0xFB13, "\xD5\x84\xD5\xB6"},
        {0xFB14, "\xD5\x84\xD5\xA5"},
        {0xFB15, "\xD5\x84\xD5\xAB"},
        {0xFB16, "\xD5\x8E\xD5\xB6"},
        {0xFB17, "\xD5\x84\xD5\xAD"},
    };

    for (size_t i = 0; i < ARRAY_LEN(longer); i++) {
        if (longer[i].rune == rune) {
            buf_adds(text, longer[i].title);
            return;
        }
    }
    buf_add_rune(text, unicode_to_title(rune));
}

static int body_to_title(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    bool in_word = false, mid = false;
    unsigned rune;

    for (size_t width; s.len > 0 && !text->full; s.data += width, s.len -= width) {
        width = utf8_decode(s.data, s.len, &rune);
        if (mid && width && is_mid(rune))
            in_word = false;
        mid = width && is_mid(rune);
        if (width && is_cased(rune) && !in_word)
            add_title(text, rune);
        else
            buf_add(text, s.data, width ? width : 1);
        in_word = width && (is_cased(rune) || (in_word && !is_break(rune)));
        width += !width;
    }
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"toTitle", "s", body_to_title, "TEXT", "The text with a capital at the beginning of every word.", COST_SLOW},
};

const struct func_table fn_title = {rows, ARRAY_LEN(rows)};
