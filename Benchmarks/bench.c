#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double now_us(void)
{
    return (double)now_ns() / 1e3;
}

void sleep_us(long microseconds)
{
    struct timespec pause = { microseconds / 1000000, microseconds % 1000000 * 1000 };

    while (nanosleep(&pause, &pause) != 0)
        ;
}

double cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

long resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

void stay_on_core(int core)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    if (core >= 0) {
        CPU_SET(core, &cores);
        if (sched_setaffinity(0, sizeof cores, &cores) != 0)
            perror("sched_setaffinity");
    }
}

void want_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return (difference > 0) - (difference < 0);
}

void print_samples(const char *name, const int64_t *samples, int count)
{
    int i;

    printf("{\"%s\":[", name);
    for (i = 0; i < count; i++)
        printf("%s%lld", i == 0 ? "" : ",", (long long)samples[i]);
    printf("]}\n");
}

static size_t collect(char *data, size_t size, size_t count, void *context)
{
    struct body *body = context;
    size_t length = size * count;

    if (body->length + length + 1 > body->capacity) {
        size_t capacity = 2 * (body->length + length + 1);
        char *bytes = realloc(body->bytes, capacity);

        if (bytes == NULL)
            return 0;
        body->bytes = bytes;
        body->capacity = capacity;
    }
    memcpy(body->bytes + body->length, data, length);
    body->length += length;
    body->bytes[body->length] = '\0';
    return length;
}

struct curl_slist *bare_headers(void)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Authorization: Bearer " API_KEY);

    headers = curl_slist_append(headers, "Content-Type: application/json");
    return curl_slist_append(headers, "Accept: application/json");
}

CURL *bare_easy(const char *base_url, const char *ca_file, struct curl_slist *headers, struct body *body, long timeout_ms)
{
    CURL *easy = curl_easy_init();
    char url[512];

    if (easy == NULL)
        return NULL;
    snprintf(url, sizeof url, "%s/v1/availability/search", base_url);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "libpartnerbooking/" PBK_VERSION);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, SEARCH);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(SEARCH));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    if (ca_file[0] != '\0') {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* a connection in the making may turn out to be shared */
    }
    return easy;
}

CURLM *bare_multi(int in_flight, int is_shared)
{
    const int streams = 100; /* libcurl's own limit for one connection */
    CURLM *multi = curl_multi_init();

    if (multi != NULL) {
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
        /* Without this libcurl 7.88 makes hundreds of connections for 512 searches, CURLOPT_PIPEWAIT or not. */
        if (is_shared)
            curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)(in_flight + streams - 1) / streams);
    }
    return multi;
}

int bare_is_fine(CURL *easy, CURLcode code, const struct body *body)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        fprintf(stderr, "libcurl: %s\n", curl_easy_strerror(code));
    return code == CURLE_OK && status == 200 && body->length > 0;
}

int wait_until_stalled(const char *base_url, const char *ca_file, int count)
{
    static CURL *easy;
    static struct body body;
    double deadline = now_us() + 20e6;
    char url[512];

    if (easy == NULL) {
        easy = curl_easy_init();
        snprintf(url, sizeof url, "%s/waiting", base_url);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        if (ca_file[0] != '\0')
            curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    }
    while (now_us() < deadline) {
        body.length = 0;
        if (curl_easy_perform(easy) == CURLE_OK && body.length > 0 && atoi(body.bytes) == count)
            return 1;
        sleep_us(10000);
    }
    fprintf(stderr, "at the server there are %s searches instead of %d\n", body.bytes == NULL ? "no" : body.bytes, count);
    return 0;
}

pbk_client *ours_open(const char *base_url, const char *ca_file, const char *members)
{
    char config[2048], tls[512] = "", *error = NULL;
    pbk_client *client;

    if (ca_file[0] != '\0')
        snprintf(tls, sizeof tls, ",\"tls\":{\"ca_file\":\"%s\"}", ca_file);
    snprintf(config, sizeof config, "{\"api_key\":\"" API_KEY "\",\"base_url\":\"%s\"%s%s}", base_url, tls, members);
    client = pbk_client_open(config, &error, NULL);
    if (client == NULL)
        fprintf(stderr, "pbk_client_open: %s\n", error == NULL ? "out of memory" : error);
    pbk_string_free(error);
    return client;
}
