/*
 * Preloaded into a client: the look-up of each name that ends in ".invalid" hangs for a minute.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#define HANG_SECONDS 60
#define HANGING ".invalid"

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    size_t length = node ? strlen(node) : 0;
    resolver next = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");

    if (length >= strlen(HANGING) && strcmp(node + length - strlen(HANGING), HANGING) == 0) {
        sleep(HANG_SECONDS);
        return EAI_AGAIN;
    }
    return next ? next(node, service, hints, result) : EAI_SYSTEM;
}
