/*
 * What several of these programs need: the library loaded from a path of the host's choice, calls that have to succeed, and
 * the other user of TLS in the process, a libcurl that is the host's own.
 */
#ifndef COEXISTENCE_H
#define COEXISTENCE_H

#include <curl/curl.h>
#include <dlfcn.h>
#include <partnerbooking.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ends the program when a check failed. stdio may be what has been disturbed, so it writes by itself. */
static inline _Noreturn void fail(const char *format, ...)
{
    char text[2000];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof text - 2)
        length = sizeof text - 2;
    text[length] = '\n';
    if (write(STDERR_FILENO, text, (size_t)length + 1) < 0)
        _exit(2);
    _exit(1);
}

/* ISO C has no cast between a pointer to an object and one to a function. */
static inline void find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);

    if (found == NULL)
        fail("%s", dlerror());
    memcpy(function, &found, sizeof found);
}

/* ---- This library ------------------------------------------------------------------------------------------------ */

/* Its functions. Two copies in one process have each their own. */
struct pbk {
    pbk_client *(*client_open)(const char *, char **, pbk_status *);
    pbk_status (*client_close)(pbk_client *, int32_t);
    char *(*search_availability)(pbk_client *, const char *, pbk_status *);
    char *(*create_booking)(pbk_client *, const char *, pbk_status *);
    pbk_status (*submit)(pbk_client *, pbk_operation, const char *, pbk_ticket *, char **, pbk_callback, void *);
    pbk_completion *(*next_completion)(pbk_client *, int32_t, pbk_status *);
    pbk_status (*completion_status)(const pbk_completion *);
    void *(*completion_context)(const pbk_completion *);
    void (*completion_free)(pbk_completion *);
    pbk_status (*prewarm)(pbk_client *);
    void (*string_free)(char *);
};

static inline void find_pbk(struct pbk *pbk, void *library)
{
    find(library, "pbk_client_open", &pbk->client_open);
    find(library, "pbk_client_close", &pbk->client_close);
    find(library, "pbk_search_availability", &pbk->search_availability);
    find(library, "pbk_create_booking", &pbk->create_booking);
    find(library, "pbk_submit", &pbk->submit);
    find(library, "pbk_next_completion", &pbk->next_completion);
    find(library, "pbk_completion_status", &pbk->completion_status);
    find(library, "pbk_completion_context", &pbk->completion_context);
    find(library, "pbk_completion_free", &pbk->completion_free);
    find(library, "pbk_prewarm", &pbk->prewarm);
    find(library, "pbk_string_free", &pbk->string_free);
}

static inline void *load(const char *path, int flags)
{
    void *library = dlopen(path, RTLD_NOW | flags);

    if (library == NULL)
        fail("%s", dlerror());
    return library;
}

static inline pbk_client *open_client(const struct pbk *pbk, const char *config)
{
    char *error = NULL;
    pbk_client *client = pbk->client_open(config, &error, NULL);

    if (client == NULL)
        fail("cannot open a client: %s", error == NULL ? "out of memory" : error);
    return client;
}

#define SEARCH \
    "{\"bot_id\":\"bot_coexistence\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T09:00:00Z\",\"end_at\":\"2030-01-14T17:00:00Z\"}}}}"
#define BOOKING_OF \
    "{\"bot_id\":\"bot_%d_%d_%d\",\"idempotency_key\":\"key_%d_%d_%d\",\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\"," \
    "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"

/* A booking that nobody has made before, at this service neither. */
static inline void write_booking(char *text, size_t size, int caller)
{
    static int made;
    const int number = __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);

    snprintf(text, size, BOOKING_OF, getpid(), caller, number, getpid(), caller, number);
}

static inline void search(const struct pbk *pbk, pbk_client *client)
{
    pbk_status status;
    char *reply = pbk->search_availability(client, SEARCH, &status);

    if (status != PBK_OK || reply == NULL || strstr(reply, "\"availabilities\"") == NULL)
        fail("a search gave %d: %s", status, reply == NULL ? "NULL" : reply);
    pbk->string_free(reply);
}

static inline void book(const struct pbk *pbk, pbk_client *client, int caller)
{
    char request[500], *reply;
    pbk_status status;

    write_booking(request, sizeof request, caller);
    reply = pbk->create_booking(client, request, &status);
    if (status != PBK_OK || reply == NULL || strstr(reply, "\"booking\"") == NULL)
        fail("a booking gave %d: %s", status, reply == NULL ? "NULL" : reply);
    pbk->string_free(reply);
}

/* ---- The other one ----------------------------------------------------------------------------------------------- */

/* Whichever libcurl the host has. */
struct curl {
    const char *(*version)(void);
    CURLcode (*global_init)(long);
    void (*global_cleanup)(void);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
};

static inline void find_curl(struct curl *curl, void *library)
{
    find(library, "curl_version", &curl->version);
    find(library, "curl_global_init", &curl->global_init);
    find(library, "curl_global_cleanup", &curl->global_cleanup);
    find(library, "curl_easy_init", &curl->easy_init);
    find(library, "curl_easy_setopt", &curl->easy_setopt);
    find(library, "curl_easy_perform", &curl->easy_perform);
    find(library, "curl_easy_getinfo", &curl->easy_getinfo);
    find(library, "curl_easy_cleanup", &curl->easy_cleanup);
    find(library, "curl_easy_strerror", &curl->easy_strerror);
}

static inline size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data, (void)context;
    return size * count;
}

static inline CURL *easy_for(const struct curl *curl, const char *url, const char *ca_file)
{
    CURL *easy = curl->easy_init();

    if (easy == NULL)
        fail("curl_easy_init gave NULL");
    curl->easy_setopt(easy, CURLOPT_URL, url);
    curl->easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
}

/* A request over TLS, over a new connection or the kept one. */
static inline void get(const struct curl *curl, CURL *easy, int is_fresh)
{
    long status = 0;
    CURLcode code;

    curl->easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)is_fresh);
    code = curl->easy_perform(easy);
    curl->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200)
        fail("a request of the host's gave \"%s\", HTTP %ld", curl->easy_strerror(code), status);
}

#endif
