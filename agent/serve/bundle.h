/*
 * bundle: what a caBundle shall become. Pure: PEM texts in and out.
 *
 * Right is a bundle that holds every CA of ours, whatever else is in it (another injector may serve the same webhook while users
 * move over), up to LIMIT_BUNDLE_CERTIFICATES. One that is not right becomes ours alone; but when none of ours was in it, the
 * last certificate that was there and has not expired stays in front: pods that still serve under it are trusted until our next
 * change.
 */
#ifndef SERVE_BUNDLE_H
#define SERVE_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* A text to publish: CA certificates and nothing unreadable. */
int bundle_check(const char *ours, struct err *err) MUST_USE;

/* False when `present` is right; else the new bundle in `ret`. `now` in ms since 1970. */
bool bundle_change(const char *present, const char *ours, int64_t now, struct buf *ret);

#endif
