/*
 * qr_code: draws an address for the camera of a telephone, on standard error, by the program `qrencode` (of libqrencode) where it
 * is installed. The address goes there through a pipe, so that no list of processes shows it.
 */
#ifndef TOOLS_QR_CODE_H
#define TOOLS_QR_CODE_H

#include "base/err.h"

/* ERR_MISSING: there is no such program. */
int qr_code_show(const char *text, struct err *err) MUST_USE;

#endif
