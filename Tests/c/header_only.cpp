// The same as header_only.c, as C++17: the public header is complete and clean C++, and its functions have C linkage.
#include "partnerbooking.h"

static const char *(*volatile version)(void) = pbk_version;
static const char *(*volatile status_text)(pbk_status) = pbk_status_text;
static pbk_client *(*volatile client_open)(const char *, char **) = pbk_client_open;
static pbk_status (*volatile client_close)(pbk_client *, int32_t) = pbk_client_close;
static char *(*volatile search_availability)(pbk_client *, const char *, pbk_status *) = pbk_search_availability;
static char *(*volatile create_booking)(pbk_client *, const char *, pbk_status *) = pbk_create_booking;
static void (*volatile string_free)(char *) = pbk_string_free;

int main()
{
    return version && status_text && client_open && client_close && search_availability && create_booking && string_free
        ? 0 : 1;
}
