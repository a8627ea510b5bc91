/*
 * service: tells the service manager (systemd's Type=notify and notify-reload) how far this process is: datagrams to the socket
 * that it named in $NOTIFY_SOCKET, a path or "@" and an abstract name.
 *
 * A process has one manager, so there is one door, opened before anything is confined and connected, so that nothing has to be
 * reached later. Without the variable all of this does nothing. Nothing waits: what a full socket does not take is lost.
 */
#ifndef OS_SERVICE_H
#define OS_SERVICE_H

#include "base/err.h"
#include "base/mem.h"

/* Takes the variable out of the environment: what this process starts is not the service. -1: there is no such socket. */
int service_open(struct err *err) MUST_USE;
void service_close(void);

void service_ready(void);     /* it works, or it does so again */
void service_reloading(void); /* service_ready() follows */
void service_stopping(void);

#endif
