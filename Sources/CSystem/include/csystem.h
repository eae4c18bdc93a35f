/*
 * Calls of the C library that Swift's Glibc module does not show, because they are declared under _GNU_SOURCE only.
 */
#ifndef CSYSTEM_H
#define CSYSTEM_H

/* pthread_setname_np(pthread_self(), name): at most 15 bytes. */
void csystem_set_thread_name(const char *name);

#endif
