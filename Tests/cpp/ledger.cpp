/*
 * Clients whose bookings are in a store of the host's: twins, a store that is down, answers that
 * are late, wrong or missing, and who waits for whom. Prints a line for each check and ends with 1
 * at the first wrong answer.
 */
#include "partnerbooking.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "ledger_store.hpp"
#include "support.hpp"

namespace pb = partnerbooking;
using std::chrono::milliseconds;
using std::chrono::seconds;

#define IN_A_FLEET(more) R"({"endpoint":"sandbox","ledger_scope":"s")" more R"(,"sandbox":{"now":"2030-01-14T08:00:00Z"}})"

static pb::LedgerHandler handler_of(LedgerStore &store)
{
    return [&store](pb::LedgerBatch batch) { batch.answer(store.execute(batch.operations())); };
}

template <class Function>
static void wait_until(const char *what, Function function)
{
    for (int tries = 0; !function() && tries < 3000; ++tries)
        std::this_thread::sleep_for(milliseconds(10));
    check(function(), what);
}

/* ---- Bookings -------------------------------------------------------------------------------- */

static void bookings()
{
    LedgerStore store;
    const pb::Client one(IN_A_FLEET(""), handler_of(store)), other(IN_A_FLEET(""), handler_of(store));
    const std::string booked = one.create_booking(BOOKING);
    check(contains(booked, "bkg_"), "booked", booked);
    wait_until("its row", [&] { return store.count("booked") == 1; });
    check(other.create_booking(BOOKING) == booked && !contains(other.sandbox_bookings(), "bkg_"),
          "its twin on another client", "the reply of the first, and nothing was sent");
    const auto reused = other.try_create_booking(BOOKING_OF("key-1", "11:00", ""));
    check(!reused && reused.error().status() == PBK_IDEMPOTENCY_KEY_REUSED, "another booking with its key", reused.error().what());

    std::vector<std::future<std::string>> replies;
    for (int count = 0; count < 8; ++count)
        replies.push_back((count % 2 == 0 ? one : other).submit(PBK_CREATE_BOOKING, BOOKING_OF("key-2", "11:00", "")).reply);
    const std::string first = replies[0].get();
    bool is_one = true;
    for (std::size_t count = 1; count < replies.size(); ++count)
        is_one &= replies[count].get() == first;
    check(is_one && contains(first, "bkg_"), "twins at once", "one booking");
    wait_until("their row", [&] { return store.count("booked") == 2; });
}

/* What an engine left that died in the middle of a booking. */
static void taken_over()
{
    LedgerStore store;
    store.execute(R"({"operations":[{"op":"claim","id":"1","scope":"s","key":"key-9","claim":"c","owner":"dead","lease_ms":0,)"
                  R"("fingerprint":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff","recorded_at":1,"bot_id":"bot_1","start_at":"2030-01-14T12:00:00Z","duration_minutes":30,)"
                  R"("body":"{\"bot_id\":\"bot_1\",\"booking\":{\"start_at\":\"2030-01-14T12:00:00Z\",\"duration_minutes\":30,)"
                  R"(\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"}]})");
    const pb::Client client(IN_A_FLEET(""), handler_of(store));
    wait_until("an orphan is booked by the next engine", [&] { return store.count("booked") == 1; });
    check(contains(client.sandbox_bookings(), "key-9"), "under its key", client.sandbox_bookings());
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void no_answers()
{
    LedgerStore store;
    std::atomic<int> batches{0}, thrown{0};
    static std::atomic<int> heard{0};
    pb::set_callback_exception_handler([](std::exception_ptr) noexcept { ++heard; });
    {
        const pb::Client client(IN_A_FLEET(R"(,"journal_timeout_ms":20000)"), [&](pb::LedgerBatch batch) {
            switch (++batches) {
            case 1:
                throw std::runtime_error("the store is down");
            case 2:
                return;     /* dropped */
            case 3:
                return batch.fail("connection \"refused\"");
            case 4: {
                const auto refused = batch.try_answer(R"({"results":"wrong"})");
                check(!refused && refused.error().status() == PBK_INVALID_ARGUMENT && batch, "wrong results", refused.error().what());
                ++thrown;
                batch.answer("{}");     /* refused as well: it throws */
                return;
            }
            default:
                batch.answer(store.execute(batch.operations()));
                check(!batch && !batch.try_answer(R"({"results":[]})"), "answered once");
            }
        });
        check(contains(client.create_booking(BOOKING), "bkg_"), "booked when the store works again");
    }
    check(heard == 2 && thrown == 1 && store.count("booked") == 1, "what handlers throw", "is heard of");
    pb::set_callback_exception_handler(nullptr);
}

static void answers_of_other_threads()
{
    LedgerStore store;
    std::vector<std::thread> threads;
    std::vector<pb::LedgerBatch> late;
    {
        const pb::Client client(IN_A_FLEET(""), [&](pb::LedgerBatch batch) {
            threads.emplace_back([&store, batch = std::move(batch)]() mutable { batch.answer(store.execute(batch.operations())); });
        });
        check(contains(client.create_booking(BOOKING), "bkg_"), "answered by other threads");
        check(client.close(seconds(10)) == PBK_OK, "closed");
    }
    for (auto &thread : threads)
        thread.join();
    {
        const pb::Client client(IN_A_FLEET(R"(,"journal_timeout_ms":100)"), [&](pb::LedgerBatch batch) { late.push_back(std::move(batch)); });
        const auto refused = client.try_create_booking(BOOKING_OF("key-2", "11:00", ""));
        check(!refused && refused.error().status() == PBK_JOURNAL_UNAVAILABLE, "a store that does not answer",
              refused.error().what());
    }
    check(!late.empty() && !late[0].try_answer(R"({"results":[]})"), "an answer after the client", "is refused");
}

/* ---- Owning ---------------------------------------------------------------------------------- */

/* ~Client waits for the handler. It may use what is destroyed after the client. */
static void ends()
{
    std::atomic<bool> is_asked{false}, has_returned{false};
    {
        const pb::Client client(IN_A_FLEET(R"(,"journal_timeout_ms":50)"), [&](pb::LedgerBatch) {
            is_asked = true;
            std::this_thread::sleep_for(seconds(3));
            has_returned = true;
        });
        check(!client.try_create_booking(BOOKING) && is_asked, "a handler that takes its time");
    }
    check(has_returned, "~Client has waited for it");

    pb::Client moved = std::move(*pb::Client::try_open(IN_A_FLEET(""), [](pb::LedgerBatch) {}));
    moved = pb::Client(SANDBOX);
    check(contains(moved.create_booking(BOOKING), "bkg_"), "assigned over a client with a ledger");

    const auto empty = pb::Client::try_open(IN_A_FLEET(""), nullptr);
    check(!empty && empty.error().status() == PBK_INVALID_ARGUMENT && empty.error().field() == "ledger", "an empty handler");
    const auto wrong = pb::Client::try_open("{}", [](pb::LedgerBatch) {});
    check(!wrong && wrong.error().status() == PBK_INVALID_CONFIG, "a wrong configuration", wrong.error().what());
}

/* The child's copy waits for no thread, which it does not have. */
static void forked()
{
    LedgerStore store;
    std::optional<pb::Client> client;
    client.emplace(IN_A_FLEET(""), handler_of(store));
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        client.reset();
        _exit(0);
    }
    int status = -1;
    check(waitpid(child, &status, 0) == child && status == 0, "destroyed in a child after fork()");
    check(contains(client->create_booking(BOOKING), "bkg_"), "the parent goes on");
}

int main()
{
    bookings();
    taken_over();
    no_answers();
    answers_of_other_threads();
    ends();
    forked();
    std::puts("ledger: all right");
}
