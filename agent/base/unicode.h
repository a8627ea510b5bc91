/*
 * unicode: the few classes of code points that templates tell apart, as Go's unicode package has them.
 *
 * Tables in unicode.c are generated from Unicode's data (tests/support/unicode-tables). Total functions, no state.
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include <stdbool.h>

bool unicode_is_letter(unsigned rune); /* categories L* */
bool unicode_is_digit(unsigned rune);  /* category Nd */
/* Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
bool unicode_is_print(unsigned rune);
bool unicode_is_space(unsigned rune); /* Go's unicode.IsSpace */
/* One code point to one code point: no special cases ("ß" stays), as Go's strings.ToUpper. */
unsigned unicode_to_upper(unsigned rune);
unsigned unicode_to_lower(unsigned rune);
unsigned unicode_to_title(unsigned rune);

bool unicode_is_upper(unsigned rune);  /* category Lu */
bool unicode_is_lower(unsigned rune);  /* category Ll */
bool unicode_is_number(unsigned rune); /* categories N* */
bool unicode_is_punct(unsigned rune);  /* categories P* */

#endif
