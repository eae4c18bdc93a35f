/*
 * A libcurl.so.4 like that of Ubuntu 22.04, over the one that is installed: without its newer
 * functions and options. It has the FUNCTIONS that it is built with, as F(curl_easy_init)
 * F(curl_easy_cleanup) ..., and loads REAL, a path.
 *
 * Each function passes on all registers that arguments come in; none of them takes more, or
 * floating-point numbers.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>

typedef void *word;
typedef word (*function)(word, word, word, word, word, word);

enum { LAST_OPTION = 315 };  /* CURLOPT_MIME_OPTIONS, new in 7.81 */

static function find(const char *name)
{
    static void *real;
    if (real == NULL) real = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
    function found = real == NULL ? NULL : (function)(size_t)dlsym(real, name);
    if (found == NULL) abort();
    return found;
}

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#define F(name) \
    word older_##name(word a, word b, word c, word d, word e, word f) __asm__(#name); \
    word older_##name(word a, word b, word c, word d, word e, word f) \
    { \
        static function real; \
        if (real == NULL) real = find(#name); \
        return real(a, b, c, d, e, f); \
    }
FUNCTIONS

word older_easy_setopt(word easy, size_t option, word value) __asm__("curl_easy_setopt");
word older_easy_setopt(word easy, size_t option, word value)
{
    if ((unsigned)option % 10000 > LAST_OPTION) return (word)CURLE_UNKNOWN_OPTION;
    return find("curl_easy_setopt")(easy, (word)option, value, NULL, NULL, NULL);
}

word older_version_info(word age) __asm__("curl_version_info");
word older_version_info(word age)
{
    static curl_version_info_data info;
    info = *(curl_version_info_data *)find("curl_version_info")(age, NULL, NULL, NULL, NULL, NULL);
    info.version = "7.81.0";
    info.version_num = 0x075100;
    return &info;
}
