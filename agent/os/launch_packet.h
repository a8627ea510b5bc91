/*
 * launch_packet: what an agent and its launcher say to each other: one struct a packet, both ways, over a SOCK_SEQPACKET pair.
 */
#ifndef OS_LAUNCH_PACKET_H
#define OS_LAUNCH_PACKET_H

#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

enum launch_kind { LAUNCH_RUN, LAUNCH_ANY, LAUNCH_SIGNAL, LAUNCH_DETACH, LAUNCH_LEARN, LAUNCH_SEAL, LAUNCH_KINDS };

struct launch_request {
    uint32_t kind, run;
    int32_t value; /* number of the program, or of the signal */
};

/* LAUNCH_ANY goes on with its arguments, each with its 0, LAUNCH_LEARN with the table's digest as hex digits. With LAUNCH_ANY and
 * LAUNCH_RUN a descriptor may come along. */
struct launch_packet {
    struct launch_request request;
    char arguments[LIMIT_LAUNCH_BYTES];
};

struct launch_answer {
    uint32_t run;
    int32_t start_errno, code, signo;
};

/* Never blocks; as sendmsg(2). `fd` -1: none comes along. */
ssize_t launch_packet_send(int socket, const void *packet, size_t len, int fd);
/* Never blocks; as recvmsg(2). The descriptor that came along, the caller's own, into `ret_fd`; untouched when there was none. */
ssize_t launch_packet_receive(int socket, struct launch_packet *packet, int *ret_fd);

#endif
