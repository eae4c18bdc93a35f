/*
 * One search at a time over a long path, on command.
 *
 *     bench_network ours|fresh|kept BASE_URL CA_FILE KEEP_WARM_MS
 *
 * Reads words from standard input and answers each by a line of JSON when it is done: "open" makes a client, "search"
 * searches and tells the milliseconds, "close" ends the client. "fresh" is libcurl with a new handle for each search, "kept"
 * libcurl with one that is used again.
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 5000

static pbk_client *client;
static CURL *kept;
static struct curl_slist *headers;
static struct body body;

static int search(const char *who, const char *base_url, const char *ca_file)
{
    CURL *easy = kept;
    int fine;

    if (strcmp(who, "ours") == 0) {
        pbk_status status;

        pbk_string_free(pbk_search_availability(client, SEARCH, &status));
        return status == PBK_OK;
    }
    if (strcmp(who, "fresh") == 0)
        easy = bare_easy(base_url, ca_file, headers, &body, TIMEOUT_MS);
    body.length = 0;
    fine = bare_is_fine(easy, curl_easy_perform(easy), &body);
    if (easy != kept)
        curl_easy_cleanup(easy);
    return fine;
}

int main(int argc, char **argv)
{
    char members[64], word[16];
    double begun;
    int fine = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: %s ours|fresh|kept BASE_URL CA_FILE KEEP_WARM_MS\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    headers = bare_headers();
    snprintf(members, sizeof members, ",\"keep_warm_ms\":%s", argv[4]);
    while (scanf("%15s", word) == 1) {
        begun = now_us();
        if (strcmp(word, "search") == 0) {
            fine = search(argv[1], argv[2], argv[3]);
        } else if (strcmp(word, "open") == 0 && strcmp(argv[1], "ours") == 0) {
            fine = (client = ours_open(argv[2], argv[3], members)) != NULL;
        } else if (strcmp(word, "open") == 0 && strcmp(argv[1], "kept") == 0) {
            kept = bare_easy(argv[2], argv[3], headers, &body, TIMEOUT_MS);
        } else if (strcmp(word, "close") == 0) {
            pbk_client_close(client, 0);
            curl_easy_cleanup(kept);
            client = NULL, kept = NULL;
        }
        printf("{\"ms\":%.3f,\"ok\":%s}\n", (now_us() - begun) / 1e3, fine ? "true" : "false");
        fflush(stdout);
    }
    return 0;
}
