/*
 * Calls that do not wait: futures, callbacks and what they throw, cancelling, clients that go first, and many threads.
 * Prints a line for each check and ends with 1 at the first wrong answer; it hangs where a call has no end.
 */
#include "partnerbooking.hpp"

#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support.hpp"

namespace pb = partnerbooking;
using std::chrono::seconds;

/* How a call ended, PBK_OK or what its future threw. */
template <class Future>
static pbk_status end_of(Future &&future)
{
    try {
        future.get();
        return PBK_OK;
    } catch (const pb::Error &error) {
        return error.status();
    }
}

/* ---- Futures ------------------------------------------------------------------------------------------------------ */

static void futures()
{
    const pb::Client client(SANDBOX);
    pb::Call call = client.submit(PBK_SEARCH_AVAILABILITY, SEARCH);
    check(call.ticket && call.reply.get() == client.search_availability(SEARCH), "a future", "gives the reply");
    auto [reply, ticket] = client.submit(PBK_CREATE_BOOKING, BOOKING);
    check(contains(reply.get(), "bkg_") && ticket.cancel() == PBK_OK, "cancelled when it is over", "booked");
    try {
        client.submit(PBK_CREATE_BOOKING, BOOKING_OF("key-2", "10:00", "")).reply.get();
        check(false, "a taken slot");
    } catch (const pb::Error &error) {
        check(error.status() == PBK_SLOT_UNAVAILABLE && error.idempotency_key() == "key-2", "throws", error.what());
    }
    try {
        client.submit(PBK_CREATE_BOOKING, "{}");
        check(false, "a wrong request");
    } catch (const pb::Error &error) {
        check(error.status() == PBK_INVALID_FIELD && error.field() == "idempotency_key", "refused at once", error.what());
    }

    pb::Result<pb::TryCall> twin = client.try_submit(PBK_CREATE_BOOKING, BOOKING_OF("key-2", "10:00", ""));
    check(twin.has_value() && twin->reply.get().error().outcome() == PBK_OUTCOME_REJECTED, "noexcept twin", "an error");
    check(client.try_submit(PBK_CREATE_BOOKING, nullptr).error().status() == PBK_INVALID_ARGUMENT, "refused at once");

    /* A future that nobody waits for neither waits itself nor ends the call. */
    client.submit(PBK_CREATE_BOOKING, BOOKING_OF("key-3", "11:00", ""));
    while (!contains(client.sandbox_bookings(), "key-3"))
        std::this_thread::yield();
    check(true, "a future that is dropped", "its booking is made all the same");
}

static void cancelling()
{
    const pb::Client client(SILENT_SANDBOX);
    pb::Call call = client.submit(PBK_SEARCH_AVAILABILITY, SEARCH_AND(R"(,"timeout_ms":600000)"));
    check(call.ticket.cancel() == PBK_OK && end_of(std::move(call.reply)) == PBK_CANCELLED, "cancelled", "a search");

    pb::Call booking = client.submit(PBK_CREATE_BOOKING, BOOKING);
    const pb::Ticket copy = booking.ticket;
    check(copy == booking.ticket && copy != call.ticket && copy.cancel() == PBK_OK, "cancelled by a copy of its ticket");
    try {
        booking.reply.get();
        check(false, "a cancelled booking");
    } catch (const pb::Error &error) {
        check(error.status() == PBK_CANCELLED && error.outcome() != PBK_OUTCOME_NONE && error.idempotency_key() == "key-1",
              "a booking", error.json());
    }
    check(pb::Ticket().cancel() == PBK_INVALID_CLIENT && !pb::Ticket(), "a ticket of no call");
}

static void clients_that_go_first()
{
    std::future<std::string> search;
    std::future<pb::Result<std::string>> booking;
    pb::Ticket ticket;
    {
        const pb::Client client(SILENT_SANDBOX);
        pb::Call call = client.submit(PBK_SEARCH_AVAILABILITY, SEARCH);
        search = std::move(call.reply);
        ticket = call.ticket;
        booking = std::move(client.try_submit(PBK_CREATE_BOOKING, BOOKING)->reply);
    }
    check(end_of(std::move(search)) == PBK_CLIENT_CLOSED, "the future of a search", "client closed");
    const pb::Result<std::string> result = booking.get();
    check(!result && result.error().status() == PBK_CLIENT_CLOSED && result.error().outcome() != PBK_OUTCOME_NONE,
          "that of a booking", result.error().json());
    check(ticket.cancel() == PBK_CLIENT_CLOSED, "a ticket", "client closed");

    pb::Completion kept;
    {
        const pb::Client client(SANDBOX);
        client.submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH);
        kept = client.next_completion(seconds(30));
    }
    check(kept.status() == PBK_OK && contains(kept.result().value(), "availabilities"), "a completion", "stays");
}

/* ---- Callbacks ---------------------------------------------------------------------------------------------------- */

/* A callback's object; how many there are, and what they were told. Not copyable: nor must the library ask for that. */
struct Callback {
    static inline std::atomic<int> alive{0};
    static inline std::atomic<int> slow{0}, done{0};

    Callback() { ++alive; }
    Callback(Callback &&other) noexcept : ended(std::move(other.ended)) { ++alive; }
    Callback(const Callback &) = delete;
    ~Callback() { --alive; }

    void operator()(pb::Completion completion)
    {
        if (completion.event() == PBK_EVENT_SLOW) {
            ++slow;
            return;
        }
        ++done;
        ended.set_value(std::move(completion));
    }

    std::promise<pb::Completion> ended;
};

static void callbacks()
{
    std::future<pb::Completion> ended;
    {
        const pb::Client client(SILENT_SANDBOX);
        Callback callback;
        ended = callback.ended.get_future();
        const pb::Ticket ticket = client.submit(PBK_SEARCH_AVAILABILITY,
                                                SEARCH_AND(R"(,"slow_after_ms":1,"timeout_ms":600000,"tag":"call-7")"),
                                                std::move(callback));
        while (Callback::slow == 0)
            std::this_thread::yield();
        check(ticket && Callback::alive == 2, "a callback", "is kept");
        ticket.cancel();
        const pb::Completion completion = ended.get();
        check(completion.ticket() == ticket.number() && completion.tag() == "call-7" && completion.context() == nullptr
                  && completion.result().error().status() == PBK_CANCELLED,
              "its completion", std::string(completion.timing()));
        check(Callback::slow == 1 && Callback::done == 1, "told", "that it is slow, and that it is done");

        check(client.try_submit(PBK_SEARCH_AVAILABILITY, "{", Callback()).error().status() == PBK_INVALID_JSON,
              "a wrong request", "refused at once");
        Callback silent;
        const std::future<pb::Completion> of_silent = silent.ended.get_future();
        client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, std::move(silent));
    }
    check(Callback::done == 2 && Callback::alive == 0, "with the client", "the last callback has run, and its object is gone");

    /* An object that is used again and again goes by reference, and then it is not the library's. */
    const pb::Client client(SANDBOX);
    std::atomic<int> count{0};
    auto counting = [&](const pb::Completion &completion) { count += completion.status() == PBK_OK; };
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, counting);
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, std::ref(counting));
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, [&, more = std::make_unique<int>(1)](auto) { count += *more; });
    client.close(seconds(30));
    check(count == 3, "copied, by reference, move-only", "all called");
}

/* What would call nothing is refused before there is a call, and nothing that would throw as it goes is taken at all. */
template <class Callback>
static bool refuses(const pb::Client &client, Callback &&callback)
{
    const pb::Error error = client.try_submit(PBK_CREATE_BOOKING, BOOKING, callback).error();
    try {
        client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, std::forward<Callback>(callback));
    } catch (const pb::Error &thrown) {
        return error.status() == PBK_INVALID_ARGUMENT && error.field() == "callback" && error.code() == "invalid_argument"
               && error.outcome() == PBK_OUTCOME_NOT_SENT && thrown.status() == PBK_INVALID_ARGUMENT
               && thrown.field() == "callback" && thrown.outcome() == PBK_OUTCOME_NONE;
    }
    return false;
}

struct ThrowsAsItGoes {
    void operator()(const pb::Completion &) const {}
    ~ThrowsAsItGoes() noexcept(false) {}
};

template <class Callback, class = void>
struct IsTaken : std::false_type {};
template <class Callback>
struct IsTaken<Callback, std::void_t<decltype(std::declval<pb::Client>().try_submit(PBK_SEARCH_AVAILABILITY, SEARCH,
                                                                                    std::declval<Callback>()))>>
    : std::true_type {};
static_assert(IsTaken<Callback>::value && !IsTaken<ThrowsAsItGoes>::value && !IsTaken<std::nullptr_t>::value);

static std::atomic<int> calls_of_a_function{0};
static void count_a_call(const pb::Completion &) { ++calls_of_a_function; }

static void callbacks_that_are_empty()
{
    const pb::Client client(SANDBOX);
    void (*function)(const pb::Completion &) = nullptr;
    std::function<void(pb::Completion)> object;
    check(refuses(client, function) && refuses(client, object) && refuses(client, std::ref(object)), "an empty callback",
          client.try_submit(PBK_SEARCH_AVAILABILITY, SEARCH, function).error().json());
    function = count_a_call;
    object = count_a_call;
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, function);
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, count_a_call);
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, object);
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, std::ref(object));
    client.close(seconds(30));
    check(calls_of_a_function == 4, "a function", "called as often as given");
}

/* ---- Tools -------------------------------------------------------------------------------------------------------- */

static std::string result_of(const std::string &answer) { return pb::json_get(answer, "/result").value_or(""); }

static void tools()
{
    const pb::Client client(VOICE_SANDBOX);
    client.prefetch(R"({"bot_id":"bot_1"})");
    const std::string found = client.call_tool(FIND_TOOL);
    check(result_of(found) == "offered" && pb::json_get(found, "/slots/0/slot") == "tue15-1500h", "slots", found);
    const std::string text = pb::json_quote(R"({"when":"tomorrow","time":"after three"})");
    check(client.call_tool(R"({"tool":"find_appointment_slots","call_id":"call-7","bot_id":"bot_1","arguments":)" + text + "}")
              == found,
          "arguments as text", "the same");

    auto [answer, ticket] = client.submit(PBK_CALL_TOOL, BOOK_TOOL("tue15-1500h"));
    const std::string booked = answer.get();
    check(ticket && result_of(booked) == "booked" && contains(booked, "bkg_"), "a future", booked);
    std::promise<std::string> told;
    client.submit(PBK_CALL_TOOL, BOOK_TOOL("tue15-1530e"),
                  [&](const pb::Completion &done) { told.set_value(std::string(done.reply())); });
    check(result_of(told.get_future().get()) == "already", "a callback", "one conversation, one appointment");
    client.submit_to_queue(PBK_CALL_TOOL, BOOK_TOOL("tue15-1500h"), &told);
    const pb::Completion completion = client.next_completion(seconds(30));
    check(completion.context() == &told && result_of(completion.result().value()) == "already", "the queue");

    client.conversation_end(R"({"bot_id":"bot_1","call_id":"call-7"})");
    try {
        client.conversation_end(R"({"bot_id":"bot_1"})");
        check(false, "hung up on nobody");
    } catch (const pb::Error &error) {
        check(error.status() == PBK_INVALID_FIELD && error.field() == "call_id", "hung up on nobody", error.what());
    }
    client.close(seconds(1));
    check(client.try_prefetch(R"({"bot_id":"bot_1"})").error().status() == PBK_CLIENT_CLOSED
              && client.try_call_tool(FIND_TOOL).error().status() == PBK_CLIENT_CLOSED
              && client.try_conversation_end(R"({"bot_id":"bot_1","call_id":"call-7"})").error().status()
                     == PBK_CLIENT_CLOSED,
          "closed", "tools are refused");
}

/* A callback of a client that must not wait there. */
static void tools_in_a_callback()
{
    const pb::Client client(VOICE_SANDBOX);
    std::promise<pbk_status> waited, prefetched;
    client.submit(PBK_CALL_TOOL, FIND_TOOL, [&](const pb::Completion &) {
        waited.set_value(client.try_call_tool(FIND_TOOL).error().status());
        prefetched.set_value(*client.try_prefetch(R"({"bot_id":"bot_1"})"));
    });
    check(waited.get_future().get() == PBK_WOULD_DEADLOCK, "a tool call in a callback", "would deadlock");
    check(prefetched.get_future().get() == PBK_OK, "prefetch in a callback", "does not wait");
}

/* ---- Heard -------------------------------------------------------------------------------------------------------- */

static bool is_listed(const pb::Client &client, const char *key)
{
    return contains(client.pending_bookings(), key);
}

static void wait_until_heard(const pb::Client &client, const char *key)
{
    while (is_listed(client, key))
        std::this_thread::yield();
}

/* A booking is listed as booked until the completion that says so is freed. */
static void hearing()
{
    const pb::Client client(SANDBOX);

    client.submit_to_queue(PBK_CREATE_BOOKING, BOOKING_OF("key-1", "10:00", ""));
    pb::Completion completion = client.next_completion(seconds(30));
    check(contains(client.pending_bookings(), R"("state":"booked")"), "a completion that is kept", client.pending_bookings());
    completion = pb::Completion();
    check(!is_listed(client, "key-1"), "destroyed", "its booking is heard");

    client.submit_to_queue(PBK_CREATE_BOOKING, BOOKING_OF("key-2", "10:00", ""));
    completion = client.next_completion(seconds(30));
    check(contains(client.pending_bookings(), R"("state":"refused")"), "a refusal", client.pending_bookings());
    const pb::Error error = client.try_create_booking(RESUME("key-2")).error();
    check(error.status() == PBK_NOT_RECORDED && error.outcome() == PBK_OUTCOME_REJECTED, "resumed", error.json());
    completion = client.next_completion();
    check(!is_listed(client, "key-2"), "replaced", "its booking is heard");

    std::promise<pb::Completion> moved;
    std::promise<bool> listed;
    client.submit(PBK_CREATE_BOOKING, BOOKING_OF("key-3", "11:00", ""), [&](pb::Completion done) {
        listed.set_value(is_listed(client, "key-3"));
        moved.set_value(std::move(done));
    });
    check(listed.get_future().get(), "in the callback", "not heard yet");
    completion = moved.get_future().get();
    check(is_listed(client, "key-3"), "moved out of the callback", "not heard yet");
    completion = pb::Completion();
    check(!is_listed(client, "key-3"), "destroyed", "heard");

    client.submit(PBK_CREATE_BOOKING, BOOKING_OF("key-4", "11:30", ""), [](const pb::Completion &) {});
    while (!contains(client.sandbox_bookings(), "key-4"))
        std::this_thread::yield();
    wait_until_heard(client, "key-4");
    check(true, "a callback that has returned", "has heard");

    client.submit(PBK_CREATE_BOOKING, BOOKING_OF("key-5", "12:00", "")).reply.get();
    wait_until_heard(client, "key-5");
    check(true, "a future that is ready", "is heard");
}

/* A search whose callback books: what a callback may do. And what waits says that it may not. */
static void submitting_in_a_callback()
{
    const pb::Client client(SANDBOX);
    std::promise<std::string> booked;
    std::future<std::string> reply = booked.get_future();
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, [&](const pb::Completion &) {
        if (client.try_search_availability(SEARCH).error().status() == PBK_WOULD_DEADLOCK)
            client.submit(PBK_CREATE_BOOKING, BOOKING, [&](const pb::Completion &completion) {
                booked.set_value(std::string(completion.reply()));
            });
    });
    check(contains(reply.get(), "bkg_"), "submitted in a callback", "booked");
}

static std::atomic<int> exceptions{0};

static void throwing()
{
    const pb::Client client(SANDBOX);
    const auto fail = [](const pb::Completion &completion) {
        if (completion.event() == PBK_EVENT_DONE)
            throw std::runtime_error("a callback's mistake");
    };
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, fail);
    check(client.submit(PBK_SEARCH_AVAILABILITY, SEARCH).reply.get().size() > 2, "a callback that throws", "harms no other");

    const pb::ExceptionHandler before = pb::set_callback_exception_handler([](std::exception_ptr exception) noexcept {
        try {
            std::rethrow_exception(exception);
        } catch (const std::runtime_error &error) {
            exceptions += error.what() == std::string("a callback's mistake");
        } catch (...) {
        }
    });
    client.submit(PBK_SEARCH_AVAILABILITY, SEARCH, fail);
    client.close(seconds(30));
    check(before == nullptr && exceptions == 1, "its exception", "is told to the handler");
    check(pb::set_callback_exception_handler(nullptr) != nullptr, "no handler again");
}

/* The last owner of a client is the callback of one of its calls, as it comes with std::shared_ptr. */
static void client_that_ends_in_a_callback()
{
    auto client = std::make_shared<pb::Client>(SANDBOX_AND(R"(,"faults":[{"fault":"late","ms":600000}])"));
    pb::Call other = client->submit(PBK_CREATE_BOOKING, BOOKING);
    std::promise<void> released;
    client->submit(PBK_SEARCH_AVAILABILITY, SEARCH,
                   [client, may_end = released.get_future().share()](const pb::Completion &) { may_end.wait(); });
    client.reset();
    released.set_value();
    check(end_of(std::move(other.reply)) == PBK_CLIENT_CLOSED, "another call of that client", "client closed");
    while (other.ticket.cancel() != PBK_CLIENT_CLOSED)
        std::this_thread::yield();
    check(true, "the client", "is closed");
}

/* ---- Many threads ------------------------------------------------------------------------------------------------- */

#define HALF_HOURS 16
#define ROUNDS 60

/* Searches and bookings of one half hour: any other in a reply was another caller's. */
static int call_of(const pb::Client &client, int half_hour, int round)
{
    char start[16], end[16];
    std::snprintf(start, sizeof start, "%02d:%02d", 9 + half_hour / 2, half_hour % 2 * 30);
    std::snprintf(end, sizeof end, "%02d:%02d", 9 + (half_hour + 1) / 2, (half_hour + 1) % 2 * 30);
    const std::string from = "\"start_at\":\"2030-01-14T" + std::string(start) + ":00Z\"";
    const std::string search = R"({"bot_id":"bot_1","query":{"filter":{"start_at_range":{)" + from
                               + R"(,"end_at":"2030-01-14T)" + end + R"(:00Z"}}}})";
    const std::string booking = R"({"bot_id":"bot_1","idempotency_key":"key-)" + std::to_string(half_hour)
                                + R"(","booking":{)" + from
                                + R"(,"duration_minutes":30,"customer":{"phone":"+15551234567","name":"John Doe"}}})";
    std::string reply;
    switch (round % 4) {
    case 0: reply = client.search_availability(search); break;
    case 1: reply = client.submit(PBK_SEARCH_AVAILABILITY, search).reply.get(); break;
    case 2: {
        std::promise<std::string> promise;
        client.submit(PBK_SEARCH_AVAILABILITY, search, [&](const pb::Completion &completion) {
            promise.set_value(std::string(completion.reply()));
        });
        reply = promise.get_future().get();
        break;
    }
    default: /* the last round: until then the half hour is free */
        return round < ROUNDS - 1 || contains(client.create_booking(booking), from.c_str()) ? 0 : 1;
    }
    const std::size_t first = reply.find("\"start_at\"");
    return reply.find(from) == first && first != std::string::npos && reply.rfind("\"start_at\"") == first ? 0 : 1;
}

static void many_threads()
{
    const pb::Client client(SANDBOX);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int half_hour = 0; half_hour < HALF_HOURS; ++half_hour)
        threads.emplace_back([&, half_hour] {
            for (int round = 0; round < ROUNDS; ++round)
                wrong += call_of(client, half_hour, round);
        });
    for (std::thread &thread : threads)
        thread.join();
    check(wrong == 0 && !contains(client.search_availability(SEARCH), "start_at"), "a thread for each half hour",
          "each got its own replies, and the day is full");
}

int main()
{
    futures();
    cancelling();
    clients_that_go_first();
    callbacks();
    callbacks_that_are_empty();
    tools();
    tools_in_a_callback();
    hearing();
    submitting_in_a_callback();
    throwing();
    client_that_ends_in_a_callback();
    many_threads();
    std::puts("calls: all as expected");
}
