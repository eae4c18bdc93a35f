#include "ccurl.h"

/* Parts of libcurl that its headers may not have yet. Options are numbers: an older libcurl returns
   an error for an option that it does not know. */
#if LIBCURL_VERSION_NUM < 0x075300
struct curl_header {
    char *name, *value;
    size_t amount, index;
    unsigned int origin;
    void *anchor;
};
#define CURLH_HEADER (1 << 0)
int curl_easy_header(CURL *, const char *, size_t, unsigned int, int, struct curl_header **);
#endif
enum { PROTOCOLS_STR = CURLOPTTYPE_OBJECTPOINT + 318, QUICK_EXIT = CURLOPTTYPE_LONG + 322 };

/* Weak, so that the library loads with a libcurl that lacks it. Its address is NULL then. */
#pragma weak curl_easy_header

CURLcode ccurl_set_protocols(CURL *easy) {
    CURLcode code = curl_easy_setopt(easy, (CURLoption)PROTOCOLS_STR, "https,http");
    if (code != CURLE_UNKNOWN_OPTION) return code;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP));
#pragma GCC diagnostic pop
}

CURLcode ccurl_set_quick_exit(CURL *easy) {
    CURLcode code = curl_easy_setopt(easy, (CURLoption)QUICK_EXIT, 1L);
    return code == CURLE_UNKNOWN_OPTION ? CURLE_OK : code;
}

/* Checks the version too. A host may load an older libcurl of its own first. Then all functions
   are from that libcurl, and only this symbol is found in ours. */
bool ccurl_has_headers(void) {
    static int known;  /* 1: yes, 2: no, 0: not known yet */
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        bool is_new = curl_easy_header != NULL && curl_version_info(CURLVERSION_FIRST)->version_num >= 0x075300;
        __atomic_store_n(&known, answer = is_new ? 1 : 2, __ATOMIC_RELAXED);
    }
    return answer == 1;
}

const char *ccurl_header(CURL *easy, const char *name) {
    struct curl_header *header = NULL;
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != 0) return NULL;
    return header == NULL ? NULL : header->value;
}
