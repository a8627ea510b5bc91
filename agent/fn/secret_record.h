/*
 * secret_record: a Vault reply as the record that `secret` returns.
 */
#ifndef FN_SECRET_RECORD_H
#define FN_SECRET_RECORD_H

#include "base/val.h"
#include "go/typed.h"

/* The Go structs that functions return. Fields in this order: Secret {RequestID LeaseID LeaseDuration Renewable Data Warnings
 * Auth WrapInfo}, Auth {ClientToken Accessor Policies Metadata LeaseDuration Renewable}, WrapInfo {Token TTL CreationTime
 * WrappedAccessor}. */
extern const struct go_class fn_class_secret, fn_class_auth, fn_class_wrap, fn_class_pem;

/* A Vault reply (envelope as JSON value) as the record that `secret` returns. */
int secret_record(const struct val *reply, struct arena *arena, struct val *ret, struct err *err) MUST_USE;

#endif
