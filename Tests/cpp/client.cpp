/*
 * The client on the sandbox: replies as the C ABI gives them, errors by exception and by result, moves, the completion
 * queue, keys, webhooks, and memory that runs out. Prints a line for each check and ends with 1 at the first wrong
 * answer.
 */
#include "partnerbooking.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

#include "support.hpp"

namespace pb = partnerbooking;
using std::chrono::milliseconds;
using std::chrono::seconds;

void use_every_function(const char *config);

/* ---- Memory that runs out ----------------------------------------------------------------------------------------- */

/* How many more allocations of this thread's C++ code succeed; the library's own are not made by operator new. */
static thread_local int allocations_left = -1;

/* Not inlined, where gcc would see a free() of what came from new. */
__attribute__((noinline)) void *operator new(std::size_t size)
{
    void *memory = allocations_left == 0 ? nullptr : std::malloc(size);
    if (memory == nullptr)
        throw std::bad_alloc();
    if (allocations_left > 0)
        --allocations_left;
    return memory;
}
__attribute__((noinline)) void operator delete(void *memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

/* Runs it with no memory at all, then with enough for one allocation, for two, and so on until it succeeds. */
template <class Function>
static void starve(const char *what, Function function)
{
    for (int count = 0;; ++count) {
        allocations_left = count;
        const auto result = function();
        allocations_left = -1;
        if (result) {
            check(count > 0, what, "after " + std::to_string(count) + " failures");
            return;
        }
        if (result.error().status() != PBK_RESOURCE_UNAVAILABLE || result.error().outcome() != PBK_OUTCOME_UNKNOWN
            || result.error().what() != std::string(pbk_status_text(PBK_RESOURCE_UNAVAILABLE)))
            check(false, what, result.error().what());
    }
}

static void memory_runs_out()
{
    const pb::Client client(SANDBOX);
    starve("search", [&] { return client.try_search_availability(SEARCH); });
    starve("booking", [&] { return client.try_create_booking(BOOKING); });
    starve("submission with a future", [&] { return client.try_submit(PBK_SEARCH_AVAILABILITY, SEARCH); });
    starve("submission with a callback", [&] {
        return client.try_submit(PBK_SEARCH_AVAILABILITY, SEARCH,
                                 [big = std::array<char, 100>()](pb::Completion) { static_cast<void>(big); });
    });
    const pb::SearchAvailabilityRequest search{"bot_1", "2030-01-14T00:00:00Z", "2030-01-15T00:00:00Z"};
    const auto booking = pb::read<pb::CreateBookingRequest>(BOOKING);
    starve("search with values", [&] { return client.try_search_availability(search); });
    starve("booking with values", [&] { return client.try_create_booking(booking); });
    starve("submission of values with a future", [&] { return client.try_submit(search); });
    starve("submission of values with a callback", [&] {
        return client.try_submit(search, [big = std::array<char, 100>()](const pb::Result<pb::SearchAvailabilityReply> &) {
            static_cast<void>(big);
        });
    });
    starve("the queue with values", [&] { return client.try_submit_to_queue(search); });
    const pb::Completion done = client.next_completion(seconds(30));
    starve("a typed result", [&] { return done.result_as<pb::SearchAvailabilityReply>(); });

    /* Each of the failed bookings above was made, and said that it may have been: the same key made one of them. */
    check(client.sandbox_bookings().find("bkg_") == client.sandbox_bookings().rfind("bkg_"), "bookings of one key", "one");

    /* What decides about a booking needs no memory. */
    allocations_left = 0;
    const pb::Result<std::string> refused = client.try_create_booking(BOOKING_OF("key-2", "10:00", ""));
    allocations_left = -1;
    check(!refused && refused.error().status() == PBK_SLOT_UNAVAILABLE && refused.error().outcome() == PBK_OUTCOME_REJECTED
              && refused.error().code().empty(),
          "a refusal without memory", refused.error().what());
    const pb::Client doubtful(DOUBTFUL_SANDBOX);
    allocations_left = 0;
    const pb::Result<std::string> lost = doubtful.try_create_booking(BOOKING);
    allocations_left = -1;
    check(!lost && lost.error().status() == PBK_IN_DOUBT && lost.error().outcome() == PBK_OUTCOME_UNKNOWN
              && !lost.error().doubt(),
          "a doubt without memory", lost.error().what());
}

/* ---- Calls that wait ---------------------------------------------------------------------------------------------- */

/* The same client's answers by the C ABI and by this header. */
static void replies()
{
    const pb::Client client(SANDBOX);
    pbk_status status;
    char *reply = pbk_search_availability(client.get(), SEARCH, &status);
    const std::string expected = reply;
    pbk_string_free(reply);

    check(status == PBK_OK && client.search_availability(SEARCH) == expected, "search", expected);
    check(client.search_availability(std::string(SEARCH)) == expected, "search with a std::string");
    check(client.try_search_availability(SEARCH).value() == expected, "search, noexcept twin");
    check(client.lookup_customer(LOOKUP) == R"({"found":false})", "look-up");
    const std::string booked = client.create_booking(BOOKING);
    check(contains(booked, R"({"booking":{"id":"bkg_)"), "booking", booked);
    check(*client.try_create_booking(BOOKING) == booked, "the same booking again", "the same reply");
    check(contains(client.lookup_customer(LOOKUP), "existing_appointment"), "look-up", "known by now");
    check(contains(client.sandbox_bookings(), R"("idempotency_key":"key-1")"), "bookings", client.sandbox_bookings());
    /* A booking of a call that waits counts as heard a second after its return. */
    while (client.pending_bookings() != R"({"pending_bookings":[],"journal":null})") {
        if (!contains(client.pending_bookings(), R"("state":"booked")"))
            check(client.pending_bookings() == R"({"pending_bookings":[],"journal":null})", "pending bookings", "none");
        std::this_thread::sleep_for(milliseconds(10));
    }
    check(true, "pending bookings", "none, after a second");
    check(client.prewarm() == PBK_OK, "prewarm");
    check(pb::version() == std::string(PBK_VERSION), "version", pb::version());
}

/* ---- Errors ------------------------------------------------------------------------------------------------------- */

template <class Function>
static pb::Error thrown(const char *what, Function function)
{
    try {
        function();
    } catch (const std::exception &exception) {     /* as one who does not know of Error catches it */
        const auto *error = dynamic_cast<const pb::Error *>(&exception);
        check(error != nullptr, what, exception.what());
        if (error != nullptr)
            return *error;
    }
    check(false, what, "threw nothing");
    std::abort();
}

static void errors()
{
    const pb::Client client(SANDBOX);
    client.create_booking(BOOKING);

    pb::Error error = thrown("a taken slot", [&] { client.create_booking(BOOKING_OF(R"(key\"\\2)", "10:00", "")); });
    check(error.status() == PBK_SLOT_UNAVAILABLE && error.code() == "slot_unavailable" && error.http_status() == 409
              && error.outcome() == PBK_OUTCOME_REJECTED && !error.retryable() && error.field().empty()
              && error.attempts() == 1 && error.source() == "platform" && error.retry_after_ms() == 0,
          "its members", error.json());
    check(error.idempotency_key() == R"(key"\2)", "a key with what JSON escapes", error.idempotency_key());
    check(error.what() == "slot_unavailable: " + error.message() && !error.message().empty(), "its text", error.what());
    check(contains(error.json(), R"("timing":{)"), "a member that only the text has", "timing");

    error = thrown("a wrong member", [&] { client.create_booking(BOOKING_OF("key-3", "10:61", "")); });
    check(error.status() == PBK_INVALID_FIELD && error.field() == "booking.start_at" && error.http_status() == 0
              && error.outcome() == PBK_OUTCOME_NOT_SENT && error.attempts() == 0,
          "its members", error.json());
    error = thrown("no JSON", [&] { client.search_availability("{"); });
    check(error.status() == PBK_INVALID_JSON && error.outcome() == PBK_OUTCOME_NONE, "its status", error.json());
    check(!error.doubt() && !error.existing(), "no doubt", "of a call without a booking");
    error = thrown("the key of another booking", [&] { client.create_booking(BOOKING_OF("key-1", "11:00", "")); });
    check(error.status() == PBK_IDEMPOTENCY_KEY_REUSED && error.outcome() == PBK_OUTCOME_UNKNOWN && error.existing()
              && error.existing()->state == "booked" && error.existing()->start_at == "2030-01-14T10:00:00Z"
              && error.existing()->booking_id.compare(0, 4, "bkg_") == 0,
          "the booking that has it", error.json());
    error = thrown("a wrong member for a key that is booked", [&] {
        client.create_booking(BOOKING_OF("key-1", "10:61", ""));
    });
    check(error.status() == PBK_INVALID_FIELD && error.outcome() == PBK_OUTCOME_UNKNOWN, "its outcome", error.json());
    error = thrown("a key of which nothing is known", [&] { client.create_booking(RESUME("key-9")); });
    check(error.status() == PBK_NOT_RECORDED && error.outcome() == PBK_OUTCOME_UNKNOWN, "its outcome", error.json());
    error = thrown("a reply that says nothing", [] {
        pb::Client(SANDBOX_AND(R"(,"faults":[{"fault":"error_after","status":500}])"))
            .create_booking(BOOKING_OF("key-1", "10:00", R"(,"timeout_ms":500)"));
    });
    check(error.status() == PBK_IN_DOUBT && error.code() == "in_doubt" && error.outcome() == PBK_OUTCOME_UNKNOWN
              && error.retryable() && error.idempotency_key() == "key-1",
          "its members", error.json());
    check(error.doubt() && error.doubt()->answer && error.doubt()->answer->status == 500
              && !error.doubt()->answer->code.empty(),
          "its doubt", error.json());

    error = thrown("NULL", [&] { client.search_availability(nullptr); });
    check(error.status() == PBK_INVALID_ARGUMENT, "its status", error.json());
    error = thrown("a NUL byte inside", [&] { client.create_booking(std::string(BOOKING) + '\0'); });
    check(error.status() == PBK_INVALID_ARGUMENT && error.outcome() == PBK_OUTCOME_NOT_SENT, "its status", error.json());
    check(thrown("the wrong endpoint", [] {
              pb::Client(R"({"api_key":"sk_ptnr_1","keep_warm_ms":0})").sandbox_bookings();
          }).status() == PBK_INVALID_ARGUMENT, "its status");

    /* Errors are shared when copied: those of the members stay where they are. */
    const pb::Error copy = error;
    check(copy.code().data() == error.code().data() && copy.status() == error.status(), "a copy", copy.what());
    static_assert(std::is_nothrow_copy_constructible_v<pb::Error>, "an exception that throws while it is copied");
}

/* The statuses that the C ABI does not give, but only the code. */
static void errors_of_opening()
{
    const struct {
        const char *config;
        pbk_status status;
        const char *field;
    } wrong[] = {
        {nullptr, PBK_INVALID_ARGUMENT, ""},
        {"{", PBK_INVALID_JSON, ""},
        {R"({"endpoint":"nowhere"})", PBK_INVALID_CONFIG, "endpoint"},
        {R"({"api_key":"sk_ptnr_1","tls":{"ca_file":"/does/not/exist"}})", PBK_INVALID_CONFIG, "tls.ca_file"},
        {R"({"endpoint":"sandbox","journal_path":"/does/not/exist"})", PBK_JOURNAL_UNAVAILABLE, "journal_path"},
    };
    for (const auto &one : wrong) {
        const pb::Result<pb::Client> client = pb::Client::try_open(one.config);
        check(!client && client.error().status() == one.status && client.error().field() == one.field, "cannot open",
              client.error().json());
        check(thrown("and throws", [&] { pb::Client{one.config}; }).json() == client.error().json(), "the same");
    }

    std::string journal = "/tmp/partnerbooking-XXXXXX";
    close(mkstemp(journal.data()));
    const std::string config = R"({"endpoint":"sandbox","journal_path":")" + journal + "\"}";
    {
        const pb::Client first(config);
        check(pb::Client::try_open(config).error().status() == PBK_JOURNAL_LOCKED, "a journal that another client has");
    }
    check(pb::Client::try_open(config).has_value(), "the journal after that client", "opens");
    unlink(journal.c_str());
}

/* A booking whose reply is lost: in doubt first, and settled by the library itself. */
static void doubt()
{
    const pb::Client client(DOUBTFUL_SANDBOX);
    const pb::Error error = thrown("a lost reply", [&] {
        client.create_booking(BOOKING_OF("key-1", "10:00", R"(,"tag":"call-7")"));
    });
    check(error.status() == PBK_IN_DOUBT && error.outcome() == PBK_OUTCOME_UNKNOWN && error.idempotency_key() == "key-1"
              && error.retryable(),
          "its members", error.json());
    check(error.doubt() && error.doubt()->sent_ms_ago >= 0 && error.doubt()->answer && error.doubt()->answer->status == 0
              && error.doubt()->answer->code == "connection_lost",
          "its doubt", error.json());
    check(contains(client.pending_bookings(), R"("state":"in_)"), "pending", client.pending_bookings());

    pbk_status status = PBK_OK;
    pb::Completion settled = client.next_completion(seconds(30), &status);
    check(settled && status == PBK_OK && settled.event() == PBK_EVENT_SETTLED, "a report", std::string(settled.reply()));
    check(settled.key() == "key-1" && settled.tag() == "call-7" && settled.ticket() == 0 && settled.context() == nullptr,
          "it names the booking", std::string(settled.key()));
    check(settled.status() == PBK_OK && settled.outcome() == PBK_OUTCOME_NONE && settled.result().value() == settled.reply()
              && contains(std::string(settled.reply()), "bkg_"),
          "booked", std::string(settled.reply()));
    check(contains(client.pending_bookings(), R"("state":"booked")"), "not heard yet", client.pending_bookings());
    check(client.create_booking(BOOKING) == settled.reply(), "the same key again", "the same reply");
    settled = pb::Completion();
    check(!contains(client.pending_bookings(), "key-1") && !client.next_completion(), "heard", "and reported once");
    check(client.sandbox_bookings().find("bkg_") == client.sandbox_bookings().rfind("bkg_"), "booked", "once");
}

/* Doubts that a person ends, by key and by time. */
static void giving_up()
{
    const pb::Client client(LEFT_IN_DOUBT);
    thrown("in doubt", [&] { client.create_booking(BOOKING_OF("key-1", "10:00", R"(,"conversation":"call-7")")); });
    thrown("in doubt", [&] { client.create_booking(BOOKING_OF("key-2", "11:00", "")); });
    client.create_booking(BOOKING_OF("key-3", "12:00", ""));
    std::string reply = client.create_booking(GIVE_UP("key-1"));
    check(contains(reply, R"("given_up":[{)") && contains(reply, R"("idempotency_key":"key-1")") && contains(reply, R"("kept":[])")
              && contains(reply, R"("conversation":"call-7")") && !contains(reply, "journaled"),
          "given up", reply);
    check(!contains(client.pending_bookings(), "key-1") && contains(client.pending_bookings(), "key-2"), "listed",
          client.pending_bookings());
    check(contains(client.create_booking(GIVE_UP("key-3")), R"("given_up":[],"kept":[{)"), "one that was made", "is kept");
    reply = client.submit(PBK_CREATE_BOOKING, R"({"give_up":true,"bot_id":"bot_1","start_before":"2030-01-15T00:00:00+01:00"})")
                .reply.get();
    check(contains(reply, R"("idempotency_key":"key-2")") && !contains(client.pending_bookings(), "key-2"), "by time", reply);
    const pb::Error error = thrown("one that is not known", [&] { client.create_booking(GIVE_UP("key-1")); });
    check(error.status() == PBK_NOT_RECORDED && error.outcome() == PBK_OUTCOME_UNKNOWN, "its status", error.json());
    check(client.try_create_booking(R"({"give_up":true,"bot_id":"bot_1"})").error().status() == PBK_INVALID_FIELD,
          "a time is missing", "refused");
}

/* Texts that no library wrote: all that JSON can escape, and whatever is no JSON at all. */
static void reading_errors()
{
    const std::string text = R"( { "error" : {"timing":{"code":"inner","x":[1,{"y":"}\"]"}]},"message":"\"\\\/\b\f\n\r\t)"
                             "Zo\u00eb"
                             R"(\u0041\u00EB\u20ac\uD83D\ude00\ud83d!","code": "a_code" ,"status":503,"source":"platform","retryable":true,)"
                             R"("doubt" : { "answer":{"more":{"code":1},"code":"\u0041}","status":409}, "sent_ms_ago": 9000000001 },)"
                             R"("existing":{"booking_id":"bkg_\u0041","x":[{"state":7}],"start_at":"}","state" : "in_doubt"},)"
                             R"("retry_after_ms":9000000000,"field":null,"outcome":"unknown","new":null}})";
    const pb::Error error = pb::detail::error_of(PBK_SERVICE_FAILED, text.c_str());
    check(error.message() == "\"\\/\b\f\n\r\tZo\u00eb" "A\u00eb\u20ac\U0001F600\uFFFD!", "escapes", error.message());
    check(error.code() == "a_code" && error.http_status() == 503 && error.retryable() && error.field().empty()
              && error.retry_after_ms() == 9000000000 && error.outcome() == PBK_OUTCOME_UNKNOWN,
          "members after nested ones", error.what());
    check(error.doubt() && error.doubt()->sent_ms_ago == 9000000001 && error.doubt()->answer
              && error.doubt()->answer->status == 409 && error.doubt()->answer->code == "A}",
          "a doubt", error.what());
    check(error.existing() && error.existing()->state == "in_doubt" && error.existing()->start_at == "}"
              && error.existing()->booking_id == "bkg_A",
          "a booking that has the key", error.what());
    for (const char *odd : {"null", "[]", "7", "\"{\"", "true"}) {
        const std::string json = R"({"error":{"existing":)" + std::string(odd) + "}}";
        check(!pb::detail::error_of(PBK_IDEMPOTENCY_KEY_REUSED, json.c_str()).existing(), "no such booking", odd);
    }
    for (const char *odd : {"null", "[]", "7", "\"{\"", "true"})
        check(!pb::detail::error_of(PBK_IN_DOUBT, (R"({"error":{"doubt":)" + std::string(odd) + "}}").c_str()).doubt(),
              "no doubt", odd);
    for (const char *odd : {"null", "[]", "7", "\"{\""}) {
        const std::string json = R"({"error":{"doubt":{"sent_ms_ago":5,"answer":)" + std::string(odd) + "}}}";
        const pb::Error silent = pb::detail::error_of(PBK_IN_DOUBT, json.c_str());
        check(silent.doubt() && silent.doubt()->sent_ms_ago == 5 && !silent.doubt()->answer, "no answer", odd);
    }

    /* Valgrind sees a read beyond the end of these. */
    std::size_t length = 0;
    std::uint32_t random = 1;
    for (std::size_t cut = 0; cut < text.size(); ++cut)
        length += pb::detail::error_of(PBK_REFUSED, text.substr(0, cut).c_str()).message().size();
    for (int round = 0; round < 2000; ++round) {
        std::string damaged = text;
        for (int change = 0; change < 4; ++change) {
            random = random * 1664525 + 1013904223;
            damaged[(random >> 8) % damaged.size()] = "\"\\{}[],:u0"[(random >> 4) % 10];
        }
        length += pb::detail::error_of(PBK_REFUSED, damaged.c_str()).message().size();
    }
    check(length > 0, "texts that are cut off and damaged", std::to_string(length) + " bytes of messages");
}

/* ---- Owning ------------------------------------------------------------------------------------------------------- */

static pb::Client open_and_return() { return pb::Client(SANDBOX); }

static void moves()
{
    static_assert(!std::is_copy_constructible_v<pb::Client> && !std::is_copy_assignable_v<pb::Client>, "move-only");
    static_assert(std::is_nothrow_move_constructible_v<pb::Client> && std::is_nothrow_move_assignable_v<pb::Client>, "");
    static_assert(!std::is_copy_constructible_v<pb::Completion>, "move-only");

    pb::Client first = open_and_return();
    pbk_client *const handle = first.get();
    pb::Client second = std::move(first);
    check(second.get() == handle && first.get() == nullptr, "moved to a new one");
    check(first.try_search_availability(SEARCH).error().status() == PBK_INVALID_CLIENT, "moved from", "refuses calls");
    check(first.prewarm() == PBK_INVALID_CLIENT && !first.next_completion() && first.fd() == -1, "moved from");
    check(second.search_availability(SEARCH).size() > 2, "moved to", "works");

    pb::Client third(SANDBOX);
    pbk_client *const replaced = third.get();
    third = std::move(second);
    check(pbk_prewarm(replaced) == PBK_CLIENT_CLOSED && third.get() == handle, "assigned", "the one before is closed");
    pb::Client &same = third;
    third = std::move(same);
    check(third.get() == handle && third.prewarm() == PBK_OK, "assigned to itself", "stays");
    first = std::move(third);
    check(first.prewarm() == PBK_OK, "a moved-from one assigned to", "works again");

    std::vector<pb::Client> several;
    several.push_back(std::move(first));
    several.push_back(open_and_return());
    check(several.front().prewarm() == PBK_OK && several.front().get() == handle, "in a vector", "works");
    pbk_client *const other = several.back().get();
    several.clear();
    check(pbk_prewarm(handle) == PBK_CLIENT_CLOSED && pbk_prewarm(other) == PBK_CLIENT_CLOSED, "destroyed", "closed");

    const pb::Client closed(SANDBOX);
    check(closed.close(seconds(1)) == PBK_OK && closed.close(seconds(-1)) == PBK_CLIENT_CLOSED, "closed twice");
    check(closed.try_create_booking(BOOKING).error().status() == PBK_CLIENT_CLOSED, "closed", "refuses calls");
}

static void in_a_child()
{
    pb::Client client(SANDBOX);
    const pid_t child = fork();
    if (child == 0) {
        const bool refused = client.try_search_availability(SEARCH).error().status() == PBK_CLIENT_CLOSED;
        client = pb::Client(SANDBOX);   /* ends the inherited one */
        /* And not _exit(): what the parent's threads held is lost to the child, and valgrind would count it as leaked here. */
        execl("/bin/sh", "sh", "-c", refused && client.try_search_availability(SEARCH) ? "exit 0" : "exit 1", nullptr);
        _exit(2);
    }
    int status = -1;
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "in a child after fork()",
          "closed, and another opens");
    check(client.prewarm() == PBK_OK, "the parent's", "stays open");
}

/* ---- The completion queue ----------------------------------------------------------------------------------------- */

static void queue()
{
    const pb::Client client(SANDBOX);
    int context = 7;
    pbk_status status = PBK_OK;
    check(!client.next_completion(milliseconds(0), &status) && status == PBK_TIMEOUT, "an empty queue", "no completion");

    const pb::Ticket ticket = client.submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH_AND(R"(,"tag":"call-7")"), &context);
    pollfd readable = {client.fd(), POLLIN, 0};
    check(ticket && poll(&readable, 1, 30000) == 1, "the descriptor", "readable");
    pb::Completion done = client.next_completion();
    check(done && done.event() == PBK_EVENT_DONE && done.ticket() == ticket.number() && done.context() == &context,
          "a completion", "of that call");
    check(done.tag() == "call-7" && contains(std::string(done.timing()), "total_us"), "its tag and timing",
          std::string(done.timing()));
    check(done.status() == PBK_OK && done.result().value() == done.reply(), "its reply", std::string(done.reply()));
    check(done.key().empty() && done.key().data() == nullptr, "a search", "has no key");
    const char *const reply = done.reply().data();
    pb::Completion moved = std::move(done);
    check(moved.reply().data() == reply && !done && done.reply().empty() && done.tag().empty(), "moved", "to another");

    client.submit_to_queue(PBK_CREATE_BOOKING, BOOKING);
    client.submit_to_queue(PBK_CREATE_BOOKING, BOOKING_OF("key-2", "10:00", ""));
    int booked = 0, refused = 0;
    for (int taken = 0; taken < 2; ++taken) {
        done = client.next_completion(seconds(30));
        check(done.key() == "key-1" || done.key() == "key-2", "a booking's key", std::string(done.key()));
        booked += done.status() == PBK_OK && done.outcome() == PBK_OUTCOME_NONE && done.result();
        refused += done.outcome() == PBK_OUTCOME_REJECTED && done.result().error().outcome() == PBK_OUTCOME_REJECTED
                   && done.result().error().json() == done.reply();
    }
    check(booked == 1 && refused == 1, "two bookings of a slot", "one made, one refused");

    const pb::Result<pb::Ticket> wrong = client.try_submit_to_queue(PBK_CREATE_BOOKING, "{}");
    check(!wrong && wrong.error().status() == PBK_INVALID_FIELD, "a wrong request", "refused");

    client.submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH);
    client.close(seconds(30));
    check(client.next_completion().status() == PBK_OK, "after the close", "what was there can be taken");
    check(!client.next_completion(seconds(600), &status) && status == PBK_CLIENT_CLOSED, "and then", "no more will come");

    pbk_client *handle;
    {
        pb::Client destroyed(SANDBOX);
        handle = destroyed.get();
        destroyed.submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH);
        check(poll(&(readable = {destroyed.fd(), POLLIN, 0}), 1, 30000) == 1, "one that nobody takes");
    }
    check(pbk_next_completion(handle, 0, &status) == nullptr && status == PBK_CLIENT_CLOSED, "goes with its client");
}

/* ---- Keys and webhooks -------------------------------------------------------------------------------------------- */

static void keys()
{
    char *expected = pbk_booking_key("call-7", BOOKING, nullptr, nullptr);
    check(pb::booking_key("call-7", BOOKING) == expected, "booking key", expected);
    pbk_string_free(expected);
    const pb::Result<std::string> wrong = pb::try_booking_key("call-7", R"({"bot_id":"bot_1"})");
    check(!wrong && wrong.error().status() == PBK_INVALID_FIELD, "no booking", wrong.error().what());
    check(pb::try_booking_key(std::string("call\0", 5), BOOKING).error().status() == PBK_INVALID_ARGUMENT, "a NUL byte");
    check(pb::random_key() != *pb::try_random_key(), "random keys", "differ");
}

static void json_access()
{
    const std::string said = "Jo\",\"email\":\"Zo\u00eb";
    const std::string json = R"({"a":[1,{"name":)" + pb::json_quote(said) + R"(}],"n":null})";
    check(pb::json_get(json, "/a/1/name") == said && pb::json_get(json, "/a/0") == "1" && pb::json_get(json, "/n") == "null",
          "values", json);
    check(!pb::json_get(json, "/b") && !pb::json_get(json, "a") && !pb::json_get("{", "") && !pb::json_get(nullptr, ""), "none");
    check(pb::json_get(json, std::string()) == json, "the whole", json);
    check(pb::try_json_quote("").value() == R"("")" && *pb::try_json_quote("\xff") == "\"\uFFFD\"", "quoted");
    check(pb::try_json_quote(nullptr).error().status() == PBK_INVALID_ARGUMENT, "NULL", "is refused");
    check(pb::try_json_quote(std::string("a\0b", 3)).error().status() == PBK_INVALID_ARGUMENT, "a NUL byte", "is refused");
}

static void webhooks()
{
    const std::string body("{\"a\":1}\0\xff", 9);
    const seconds now(1705312800);
    const std::string header = pb::sign_webhook("whsec_1", body, now);
    const std::vector<std::string> secrets = {"whsec_2", "whsec_1"};
    check(header.compare(0, 16, "t=1705312800,v1=") == 0 && header == *pb::try_sign_webhook("whsec_1", body, now), "sign",
          header);
    check(pb::verify_webhook("whsec_1", header, body, now) == PBK_WEBHOOK_VALID, "verify", "valid");
    check(pb::verify_webhook(secrets, header, body, now) == PBK_WEBHOOK_VALID, "verify with two secrets", "valid");
    check(pb::verify_webhook(std::array<const char *, 1>{{"whsec_1"}}, header, body, now) == PBK_WEBHOOK_VALID, "with one");
    check(pb::verify_webhook("whsec_2", header, body, now) == PBK_WEBHOOK_SIGNATURE_MISMATCH, "another secret");
    check(pb::verify_webhook("whsec_1", header, body.substr(0, 7), now) == PBK_WEBHOOK_SIGNATURE_MISMATCH, "another body");
    check(pb::verify_webhook("whsec_1", "", body, now) == PBK_WEBHOOK_SIGNATURE_MISSING, "no header");
    check(pb::verify_webhook("whsec_1", header, body) == PBK_WEBHOOK_TIMESTAMP_TOO_OLD, "by the system's clock", "old");
    check(pb::verify_webhook("whsec_1", header, body, now + seconds(301)) == PBK_WEBHOOK_TIMESTAMP_TOO_OLD, "301 s");
    check(pb::verify_webhook("whsec_1", header, body, now + seconds(301), seconds(302)) == PBK_WEBHOOK_VALID, "tolerance");
    check(pb::verify_webhook(std::vector<std::string>(), header, body, now) == PBK_WEBHOOK_INVALID_ARGUMENT, "no secret");
    check(pb::verify_webhook(std::vector<std::string>(17, "whsec_1"), header, body, now) == PBK_WEBHOOK_INVALID_ARGUMENT,
          "17 secrets");
    check(pb::verify_webhook(std::vector<std::string>(16, "whsec_1"), header, body, now) == PBK_WEBHOOK_VALID, "16 secrets");
    check(pb::verify_webhook(std::string("whsec_1\0x", 9), header, body, now) != PBK_WEBHOOK_VALID, "a NUL byte inside");
    check(pb::verify_webhook("whsec_1", pb::sign_webhook("whsec_1", {}), {}) == PBK_WEBHOOK_VALID, "no body, now");
    const pb::Error error = thrown("no secret", [] { pb::sign_webhook("", "{}"); });
    check(error.status() == PBK_INVALID_ARGUMENT && error.code() == "invalid_argument" && error.source() == "caller"
              && !error.message().empty(),
          "its members", error.what());
}

int main()
{
    try {
        use_every_function("not a configuration");
        check(false, "every function, in another file", "should have thrown");
    } catch (const pb::Error &error) {
        check(error.status() == PBK_INVALID_JSON, "every function, in another file", error.what());
    }
    replies();
    errors();
    doubt();
    giving_up();
    errors_of_opening();
    reading_errors();
    memory_runs_out();
    moves();
    in_a_child();
    queue();
    keys();
    json_access();
    webhooks();
    std::puts("client: all as expected");
}
