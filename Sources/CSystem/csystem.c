#define _GNU_SOURCE
#include "csystem.h"

#include <pthread.h>

void csystem_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }
