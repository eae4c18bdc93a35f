/*
 * Makes call after call in every way there is, most of them good and some of them refused, and finds that nothing is
 * left behind: no string, completion or client of the library, no callback object, no descriptor or thread, and no
 * memory. 4,000 calls, or as many as PBK_CALLS says.
 *
 * The linker's --wrap puts the counting functions below between the program and the library.
 */
#include "partnerbooking.hpp"

#include <dirent.h>
#include <unistd.h>

#include <cinttypes>

#include "support.hpp"

namespace pb = partnerbooking;

/* What was handed out and is not given back. */
static std::atomic<long> strings{0}, completions{0}, clients{0}, callbacks{0};

static char *counted(char *string)
{
    strings += string != nullptr;
    return string;
}

extern "C" {
char *__real_pbk_search_availability(pbk_client *, const char *, pbk_status *);
char *__real_pbk_create_booking(pbk_client *, const char *, pbk_status *);
char *__real_pbk_booking_key(const char *, const char *, char **, pbk_status *);
char *__real_pbk_random_key(void);
char *__real_pbk_json_get(const char *, const char *);
char *__real_pbk_json_quote(const char *);
char *__real_pbk_webhook_sign(const char *, const void *, std::size_t, std::int64_t);
pbk_client *__real_pbk_client_open(const char *, char **, pbk_status *);
pbk_status __real_pbk_client_close(pbk_client *, std::int32_t);
pbk_status __real_pbk_submit(pbk_client *, pbk_operation, const char *, pbk_ticket *, char **, pbk_callback, void *);
void __real_pbk_completion_free(pbk_completion *);
void __real_pbk_string_free(char *);

char *__wrap_pbk_search_availability(pbk_client *client, const char *request, pbk_status *status);
char *__wrap_pbk_create_booking(pbk_client *client, const char *request, pbk_status *status);
char *__wrap_pbk_booking_key(const char *call_id, const char *request, char **error, pbk_status *status);
char *__wrap_pbk_random_key(void);
char *__wrap_pbk_json_get(const char *json, const char *pointer);
char *__wrap_pbk_json_quote(const char *text);
char *__wrap_pbk_webhook_sign(const char *secret, const void *body, std::size_t length, std::int64_t timestamp);
pbk_client *__wrap_pbk_client_open(const char *config, char **error, pbk_status *status);
pbk_status __wrap_pbk_client_close(pbk_client *client, std::int32_t timeout_ms);
pbk_status __wrap_pbk_submit(pbk_client *client, pbk_operation operation, const char *request, pbk_ticket *ticket,
                             char **error, pbk_callback callback, void *context);
void __wrap_pbk_completion_free(pbk_completion *completion);
void __wrap_pbk_string_free(char *string);

char *__wrap_pbk_search_availability(pbk_client *client, const char *request, pbk_status *status)
{
    return counted(__real_pbk_search_availability(client, request, status));
}
char *__wrap_pbk_create_booking(pbk_client *client, const char *request, pbk_status *status)
{
    return counted(__real_pbk_create_booking(client, request, status));
}
char *__wrap_pbk_booking_key(const char *call_id, const char *request, char **error, pbk_status *status)
{
    char *key = counted(__real_pbk_booking_key(call_id, request, error, status));
    counted(*error);
    return key;
}
char *__wrap_pbk_random_key(void) { return counted(__real_pbk_random_key()); }
char *__wrap_pbk_json_get(const char *json, const char *pointer) { return counted(__real_pbk_json_get(json, pointer)); }
char *__wrap_pbk_json_quote(const char *text) { return counted(__real_pbk_json_quote(text)); }
char *__wrap_pbk_webhook_sign(const char *secret, const void *body, std::size_t length, std::int64_t timestamp)
{
    return counted(__real_pbk_webhook_sign(secret, body, length, timestamp));
}
pbk_client *__wrap_pbk_client_open(const char *config, char **error, pbk_status *status)
{
    pbk_client *client = __real_pbk_client_open(config, error, status);
    clients += client != nullptr;
    counted(*error);
    return client;
}
pbk_status __wrap_pbk_client_close(pbk_client *client, std::int32_t timeout_ms)
{
    const pbk_status status = __real_pbk_client_close(client, timeout_ms);
    clients -= status == PBK_OK || status == PBK_TIMEOUT;
    return status;
}
pbk_status __wrap_pbk_submit(pbk_client *client, pbk_operation operation, const char *request, pbk_ticket *ticket,
                             char **error, pbk_callback callback, void *context)
{
    /* Counted before, since it may be freed before this returns. */
    ++completions;
    const pbk_status status = __real_pbk_submit(client, operation, request, ticket, error, callback, context);
    completions -= status != PBK_OK;
    counted(*error);
    return status;
}
void __wrap_pbk_completion_free(pbk_completion *completion)
{
    completions -= completion != nullptr;
    __real_pbk_completion_free(completion);
}
void __wrap_pbk_string_free(char *string)
{
    strings -= string != nullptr;
    __real_pbk_string_free(string);
}
}

struct Callback {
    explicit Callback(std::promise<void> &told) : ended(&told) { ++callbacks; }
    Callback(const Callback &other) : ended(other.ended) { ++callbacks; }
    Callback &operator=(const Callback &) = delete;
    ~Callback()
    {
        --callbacks;
        if (was_called)
            ended->set_value();
    }
    void operator()(const pb::Completion &completion) { was_called = completion.event() == PBK_EVENT_DONE; }

    std::promise<void> *ended;
    bool was_called = false;
};

/* One call; which one, the number tells. Nothing here makes a booking but the first: the books do not grow. */
static void call(const pb::Client &client, long number)
{
    const char *taken = BOOKING_OF("key-2", "10:00", "");
    switch (number % 16) {
    case 0: client.create_booking(BOOKING); break;
    case 1: static_cast<void>(client.try_create_booking(taken)); break;
    case 2: static_cast<void>(client.try_search_availability("{")); break;
    case 3: client.submit(PBK_CREATE_BOOKING, BOOKING).reply.get(); break;
    case 4: static_cast<void>(client.try_submit(PBK_CREATE_BOOKING, taken)->reply.get()); break;
    case 5: static_cast<void>(client.try_submit(PBK_CREATE_BOOKING, "{}")); break;
    case 6: {
        std::promise<void> ended;
        std::future<void> end = ended.get_future();
        client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, Callback(ended));
        end.get();
        break;
    }
    case 7: {
        std::promise<void> ended;
        static_cast<void>(client.try_submit(PBK_SEARCH_AVAILABILITY, "{}", Callback(ended)));
        break;
    }
    case 8:
        client.submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH);
        static_cast<void>(client.next_completion(std::chrono::seconds(30)).result());
        break;
    case 9: {
        pb::Call cancelled = client.submit(PBK_SEARCH_AVAILABILITY, SEARCH);
        cancelled.ticket.cancel();
        cancelled.reply.wait();
        break;
    }
    case 10:
        static_cast<void>(pb::try_booking_key("call-7", BOOKING));
        static_cast<void>(pb::try_booking_key("call-7", "{}"));
        static_cast<void>(pb::try_random_key());
        static_cast<void>(pb::json_get(*pb::try_json_quote("a text"), ""));
        static_cast<void>(pb::try_sign_webhook("whsec_1", "{}"));
        break;
    case 11:
        if (number % 1600 == 11) {
            const pb::Client other(SANDBOX);
            other.submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH);
            other.submit(PBK_SEARCH_AVAILABILITY, SEARCH);
            static_cast<void>(pb::Client::try_open("{"));
        }
        break;
    default: client.search_availability(SEARCH);
    }
}

/* The number of entries of a folder. */
static int entries(const char *path)
{
    DIR *const folder = opendir(path);
    int count = 0;
    while (folder != nullptr && readdir(folder) != nullptr)
        ++count;
    closedir(folder);
    return count;
}

static long resident_kib()
{
    long pages = 0, resident = 0;
    std::FILE *const file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2)
        std::exit(1);
    std::fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main()
{
    const char *const wanted = std::getenv("PBK_CALLS");
    const long calls = wanted == nullptr ? 4000 : std::atol(wanted), warm_up = calls < 4000 ? calls / 2 : 2000;
    long kib = 0;
    int descriptors = 0, threads = 0;
    {
        const pb::Client client(SANDBOX);
        for (long number = 0; number < calls; ++number) {
            if (number == warm_up) {    /* by then buffers and tables have their size */
                kib = resident_kib();
                descriptors = entries("/proc/self/fd");
                threads = entries("/proc/self/task");
            }
            call(client, number);
        }
        kib = resident_kib() - kib;
        descriptors = entries("/proc/self/fd") - descriptors;
        threads = entries("/proc/self/task") - threads;
        check(clients == 1, "clients", std::to_string(clients));
    }
    check(strings == 0 && completions == 0 && clients == 0 && callbacks == 0, "left behind",
          std::to_string(strings) + " strings, " + std::to_string(completions) + " completions, " + std::to_string(clients)
              + " clients, " + std::to_string(callbacks) + " callbacks");
    check(descriptors == 0 && threads <= 0, "more than before",
          std::to_string(descriptors) + " descriptors, " + std::to_string(threads) + " threads");
    /* An allocator's own ups and downs. 16 bytes lost in each call are more in 65,000. */
    check(kib < 1024, "resident memory, KiB more than before", std::to_string(kib));
    std::printf("many calls: %ld, nothing left behind, %ld KiB more than after %ld calls\n", calls, kib, warm_up);
}
