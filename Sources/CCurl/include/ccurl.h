/*
 * Calls of libcurl that Swift cannot make: curl_easy_setopt, curl_easy_getinfo and
 * curl_multi_setopt are variadic, and some of their types are macros. Most wrappers pass one call
 * through and return libcurl's code unchanged. https://curl.se/libcurl/c/curl_easy_setopt.html
 *
 * The functions of ccurl.c replace parts of libcurl that are newer than 7.81, the version of Ubuntu
 * 22.04.
 */
#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075100
#error "libpartnerbooking needs libcurl 7.81 or later"
#endif

#include <stdbool.h>

/* Signatures that libcurl documents for its callbacks. curl.h does not declare them. */
typedef size_t (*ccurl_write_function)(char *data, size_t size, size_t count, void *context);
typedef int (*ccurl_resolver_start_function)(void *state, void *reserved, void *context);
typedef int (*ccurl_prereq_function)(void *context, char *peer_ip, char *local_ip, int peer_port, int local_port);

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_write_function(CURL *easy, ccurl_write_function function) {
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
}

static inline CURLcode ccurl_set_header_function(CURL *easy, ccurl_write_function function) {
    return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, function);
}

static inline CURLcode ccurl_set_resolver_start_function(CURL *easy, ccurl_resolver_start_function function) {
    return curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, function);
}

static inline CURLcode ccurl_set_prereq_function(CURL *easy, ccurl_prereq_function function) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}

static inline CURLcode ccurl_set_sockopt_function(CURL *easy, curl_sockopt_callback function) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, function);
}

static inline CURLcode ccurl_set_opensocket_function(CURL *easy, curl_opensocket_callback function) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline CURLcode ccurl_set_closesocket_function(CURL *easy, curl_closesocket_callback function) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, function);
}

static inline CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/* Allows https and http, and no other protocol. */
CURLcode ccurl_set_protocols(CURL *easy);

/* Frees a handle without waiting for the thread of its look-up. libcurl before 7.87 waits. */
CURLcode ccurl_set_quick_exit(CURL *easy);

/* Returns whether ccurl_header works: from libcurl 7.83 on. */
bool ccurl_has_headers(void);

/* Returns the first value of a header of the last reply, or NULL. Interim heads and trailers do not
   count. libcurl owns the value, until the next call. Call it only if ccurl_has_headers() is true. */
const char *ccurl_header(CURL *easy, const char *name);

/* CURLMsg has its result in a union. Swift would need an unsafe cast to read it. */
static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

#endif
