/*
 * The same search from C and from C++, and a call that never leaves the thread.
 *
 *     bench_turns BASE_URL        the word "sandbox" for the sandbox in this process
 *
 * Obeys lines of standard input, "CONTESTANT IN_FLIGHT CALLS", and answers each with one JSON object: microseconds of a
 * call, processor time, and the median and the 99th percentile of what a caller waits for: one call, or IN_FLIGHT that it
 * made at once. Those named c_... use partnerbooking.h alone, those named cpp_... partnerbooking.hpp, all of them one client.
 *
 * Where a reply comes by a callback, C and C++ alike hand the completion over to the thread that waits; by a future it gets
 * a copy of the reply.
 */
#include "partnerbooking.hpp"

#include <poll.h>
#include <semaphore.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "bench.h"

namespace pb = partnerbooking;

static std::optional<pb::Client> client;

static void expect(bool fine, std::string_view what)
{
    if (fine)
        return;
    std::fprintf(stderr, "a call failed: %.*s\n", static_cast<int>(what.size()), what.data());
    std::exit(1);
}

/* ---- What waits ---- */

static void c_blocking(int)
{
    pbk_status status;
    char *const reply = pbk_search_availability(client->get(), SEARCH, &status);
    expect(status == PBK_OK, reply);
    pbk_string_free(reply);
}

static void cpp_blocking(int)
{
    const std::string reply = client->search_availability(SEARCH);
    expect(!reply.empty(), "empty");
}

static void cpp_try_blocking(int)
{
    const pb::Result<std::string> reply = client->try_search_availability(SEARCH);
    expect(reply.has_value(), "try_search_availability");
}

/* ---- Completions by a callback ---- */

static sem_t all_came;
static std::atomic<int> to_come;

static void await_all()
{
    while (sem_wait(&all_came) != 0)
        ;
}

static void came()
{
    if (--to_come == 0)
        sem_post(&all_came);
}

static void c_came(void *context, pbk_completion *completion)
{
    *static_cast<pbk_completion **>(context) = completion;
    came();
}

static void c_callback(int in_flight)
{
    static std::vector<pbk_completion *> completions;
    completions.resize(static_cast<std::size_t>(in_flight));
    to_come = in_flight;
    for (pbk_completion *&completion : completions) {
        const pbk_status status =
            pbk_submit(client->get(), PBK_SEARCH_AVAILABILITY, SEARCH, nullptr, nullptr, c_came, &completion);
        expect(status == PBK_OK, pbk_status_text(status));
    }
    await_all();
    for (pbk_completion *const completion : completions) {
        expect(pbk_completion_status(completion) == PBK_OK, pbk_completion_reply(completion));
        pbk_completion_free(completion);
    }
}

static void cpp_callback(int in_flight)
{
    static std::vector<pb::Completion> completions;
    completions.resize(static_cast<std::size_t>(in_flight));
    to_come = in_flight;
    for (pb::Completion &completion : completions)
        client->submit(PBK_SEARCH_AVAILABILITY, SEARCH, [&completion](pb::Completion done) {
            completion = std::move(done);
            came();
        });
    await_all();
    for (pb::Completion &completion : completions) {
        expect(completion.status() == PBK_OK, completion.reply());
        completion = pb::Completion();
    }
}

/* ---- Futures ---- */

static void cpp_future(int in_flight)
{
    static std::vector<pb::Call> calls;
    calls.clear();
    for (int i = 0; i < in_flight; ++i)
        calls.push_back(client->submit(PBK_SEARCH_AVAILABILITY, SEARCH));
    for (pb::Call &call : calls)
        expect(!call.reply.get().empty(), "empty");
}

static void cpp_try_future(int in_flight)
{
    static std::vector<pb::TryCall> calls;
    calls.clear();
    for (int i = 0; i < in_flight; ++i) {
        pb::Result<pb::TryCall> call = client->try_submit(PBK_SEARCH_AVAILABILITY, SEARCH);
        expect(call.has_value(), "try_submit");
        calls.push_back(std::move(*call));
    }
    for (pb::TryCall &call : calls)
        expect(call.reply.get().has_value(), "the reply of try_submit");
}

/* ---- The completion queue, as an event loop takes from it: what the asyncio client of Python does, in C ---- */

/* For each call that ends another one begins. */
static std::vector<double> c_queue(int in_flight, int calls)
{
    std::vector<double> waits, begun(static_cast<std::size_t>(in_flight));
    pollfd descriptor = {pbk_client_fd(client->get()), POLLIN, 0};
    int to_submit = calls;
    const auto submit = [&](double &at) {
        at = now_us();
        const pbk_status status = pbk_submit(client->get(), PBK_SEARCH_AVAILABILITY, SEARCH, nullptr, nullptr, nullptr, &at);
        expect(status == PBK_OK, pbk_status_text(status));
        --to_submit;
    };
    for (double &at : begun)
        submit(at);
    for (int left = calls; left > 0;) {
        poll(&descriptor, 1, -1);
        while (pbk_completion *const completion = pbk_next_completion(client->get(), 0, nullptr)) {
            double &at = *static_cast<double *>(pbk_completion_context(completion));
            expect(pbk_completion_status(completion) == PBK_OK, pbk_completion_reply(completion));
            expect(pbk_completion_timing(completion) != nullptr, "no timing");
            pbk_completion_free(completion);
            waits.push_back(now_us() - at);
            --left;
            if (to_submit > 0)
                submit(at);
        }
    }
    return waits;
}

/* ---- A call that no other thread sees: what the header itself costs ---- */

static void c_list(int)
{
    pbk_status status;
    char *const reply = pbk_pending_bookings(client->get(), &status);
    expect(status == PBK_OK, reply);
    pbk_string_free(reply);
}

static void cpp_list(int)
{
    const std::string reply = client->pending_bookings();
    expect(!reply.empty(), "empty");
}

/* ---- Turns ---- */

/* Makes so many calls, the first number at once, and tells what was waited for, in microseconds. */
using Run = std::function<std::vector<double>(int in_flight, int calls)>;

/* All that were made at once have ended before others begin. */
static Run at_once(void (*make)(int in_flight))
{
    return [make](int in_flight, int calls) {
        std::vector<double> waits(static_cast<std::size_t>(calls / in_flight));
        for (double &wait : waits) {
            const double at = now_us();
            make(in_flight);
            wait = now_us() - at;
        }
        return waits;
    };
}

static const std::map<std::string, Run> contestants = {
    {"c_blocking", at_once(c_blocking)}, {"cpp_blocking", at_once(cpp_blocking)},
    {"cpp_try_blocking", at_once(cpp_try_blocking)}, {"c_callback", at_once(c_callback)},
    {"cpp_callback", at_once(cpp_callback)}, {"cpp_future", at_once(cpp_future)},
    {"cpp_try_future", at_once(cpp_try_future)}, {"c_queue", c_queue},
    {"c_list", at_once(c_list)}, {"cpp_list", at_once(cpp_list)},
};

static void turn(const Run &run, int in_flight, int calls)
{
    run(in_flight, in_flight);    /* what the turn of another has pushed out of the caches */
    const double begun = now_us(), cpu = cpu_us();
    std::vector<double> waits = run(in_flight, calls);
    const double us = (now_us() - begun) / calls, cpu_of_one = (cpu_us() - cpu) / calls;
    std::sort(waits.begin(), waits.end());
    std::printf("{\"us\":%.4f,\"cpu_us\":%.4f,\"p50_us\":%.4f,\"p99_us\":%.4f}\n", us, cpu_of_one, waits[waits.size() / 2],
                waits[waits.size() * 99 / 100]);
    std::fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s sandbox|BASE_URL\n", argv[0]);
        return 2;
    }
    const std::string at = argv[1];
    sem_init(&all_came, 0, 0);
    client.emplace(at == "sandbox" ? R"({"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z"}})"
                                   : R"({"api_key":")" API_KEY R"(","base_url":")" + at + R"("})");
    char name[32];
    int in_flight, calls;
    while (std::scanf("%31s %d %d", name, &in_flight, &calls) == 3) {
        const auto found = contestants.find(name);
        expect(found != contestants.end() && in_flight > 0 && calls > 0 && calls % in_flight == 0, name);
        turn(found->second, in_flight, calls);
    }
    client.reset();
    return 0;
}
