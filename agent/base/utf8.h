/*
 * utf8: one code point at a time.
 *
 * Strict, as Go's unicode/utf8: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#define UTF8_BAD 0xFFFDu /* U+FFFD, what stands for a byte that is no UTF-8 */

/* Width (1 to 4) of the code point at `s` and its number; 0 when it is not valid. */
size_t utf8_decode(const char *s, size_t len, unsigned *ret);
/* Write a code point; returns its width. What is none is written as U+FFFD. */
size_t utf8_put(unsigned rune, char out[4]);
bool utf8_valid(const char *s, size_t len);

#endif
