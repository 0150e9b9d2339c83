/* SPDX-License-Identifier: MIT */
/* What the library's doctor sees, and what concerns the daemon: daemon.db, disk, memory, GPUs, channels, sources latched off. */
#ifndef DAEMON_DOCTOR_H
#define DAEMON_DOCTOR_H

struct daemon;
/* Prints a line a check; exit code 0, or 7 when something is wrong. Changes nothing and reaches no network. */
int doctor(struct daemon *daemon);

#endif
