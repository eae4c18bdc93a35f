/*
 * The cost of a request and of a reply as values of C++, beside nlohmann/json and beside
 * pbk_json_get(), in one thread and without a client.
 *
 *     bench_values CONTESTANT JOB ROUNDS [SLOTS]
 *
 * CONTESTANT is values, nlohmann or json_get. JOB is "request" (a booking, written), "booking" (its
 * reply, read) or "search" (a reply with SLOTS slots, read: the start and the length of each).
 * Prints nanoseconds of one.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "partnerbooking.hpp"

namespace pb = partnerbooking;
using nlohmann::json;

struct Slot {
    std::string start_at;
    long duration_minutes;
};

static std::string search_reply(int slots)
{
    std::string reply = R"({"availabilities":[)";
    for (int slot = 0; slot < slots; ++slot) {
        char item[160];
        std::snprintf(item, sizeof item, R"(%s{"start_at":"2030-01-%02dT%02d:%02d:00-05:00","duration_minutes":30,"practitioner":"Dr. Smith"})",
                      slot == 0 ? "" : ",", 1 + slot / 48 % 28, slot / 2 % 24, slot % 2 * 30);
        reply += item;
    }
    return reply + "]}";
}

static const std::string booking_reply =
    R"({"booking":{"id":"bkg_01h2xcejqtf2nbrexx3vqjhp41","status":"confirmed","start_at":"2030-01-14T10:00:00-05:00",)"
    R"("end_at":"2030-01-14T10:30:00-05:00","customer":{"name":"John Doe","phone":"+15551234567"}}})";
static const std::string bot = "bot_01h2xcejqtf2nbrexx3vqjhp41", key = "call-7-booking-1", start = "2030-01-14T10:00:00-05:00",
                         phone = "+15551234567", name = R"(John "Jo" Doe)";

/* ---- What each does for a job; gives a number that depends on all of it ---- */

struct Values {
    static std::size_t request()
    {
        pb::CreateBookingRequest request;
        request.bot_id = bot;
        request.idempotency_key = key;
        request.start_at = start;
        request.duration_minutes = 30;
        request.customer = {phone, name};
        request.options.timeout_ms = 20000;
        return pb::write(request).size();
    }
    static std::size_t booking(const std::string &reply)
    {
        const auto booked = pb::read<pb::CreateBookingReply>(reply);
        return booked.booking.id->size() + booked.booking.status->size() + booked.booking.start_at->size();
    }
    static std::size_t search(const std::string &reply)
    {
        std::size_t sum = 0;
        for (const pb::Availability &item : pb::read<pb::SearchAvailabilityReply>(reply).availabilities)
            sum += item.start_at.size() + static_cast<std::size_t>(*item.duration_minutes);
        return sum;
    }
};

struct Nlohmann {
    static std::size_t request()
    {
        const json request = {{"bot_id", bot},
                              {"idempotency_key", key},
                              {"booking", {{"start_at", start}, {"duration_minutes", 30}, {"customer", {{"phone", phone}, {"name", name}}}}},
                              {"timeout_ms", 20000}};
        return request.dump().size();
    }
    static std::size_t booking(const std::string &reply)
    {
        const json booked = json::parse(reply);
        const json &booking = booked.at("booking");
        const auto id = booking.at("id").get<std::string>(), status = booking.at("status").get<std::string>(),
                   begin = booking.at("start_at").get<std::string>();
        return id.size() + status.size() + begin.size();
    }
    static std::size_t search(const std::string &reply)
    {
        const json found = json::parse(reply);
        std::vector<Slot> slots;
        for (const json &item : found.at("availabilities"))
            slots.push_back({item.at("start_at").get<std::string>(), item.at("duration_minutes").get<long>()});
        std::size_t sum = 0;
        for (const Slot &slot : slots)
            sum += slot.start_at.size() + static_cast<std::size_t>(slot.duration_minutes);
        return sum;
    }
};

/* As a program does that has neither: text in pieces, and a pointer for each value. */
struct JsonGet {
    static std::size_t request()
    {
        const std::string request = R"({"bot_id":)" + pb::json_quote(bot) + R"(,"idempotency_key":)" + pb::json_quote(key)
            + R"(,"booking":{"start_at":)" + pb::json_quote(start) + R"(,"duration_minutes":30,"customer":{"phone":)"
            + pb::json_quote(phone) + R"(,"name":)" + pb::json_quote(name) + R"(}},"timeout_ms":20000})";
        return request.size();
    }
    static std::size_t booking(const std::string &reply)
    {
        return pb::json_get(reply, "/booking/id")->size() + pb::json_get(reply, "/booking/status")->size()
            + pb::json_get(reply, "/booking/start_at")->size();
    }
    static std::size_t search(const std::string &reply)
    {
        std::size_t sum = 0;
        for (int slot = 0;; ++slot) {
            const std::string item = "/availabilities/" + std::to_string(slot);
            const auto begin = pb::json_get(reply, item + "/start_at"), minutes = pb::json_get(reply, item + "/duration_minutes");
            if (!begin || !minutes)
                return sum;
            sum += begin->size() + static_cast<std::size_t>(std::strtol(minutes->c_str(), nullptr, 10));
        }
    }
};

template <class Contestant>
static std::size_t job(const std::string &name, const std::string &reply)
{
    return name == "request" ? Contestant::request() : name == "booking" ? Contestant::booking(reply) : Contestant::search(reply);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    const std::string contestant = argv[1], name = argv[2];
    const long rounds = std::strtol(argv[3], nullptr, 10);
    const std::string reply = name == "search" ? search_reply(argc > 4 ? std::atoi(argv[4]) : 20) : booking_reply;
    const auto run = contestant == "values" ? job<Values> : contestant == "nlohmann" ? job<Nlohmann> : job<JsonGet>;

    /* All read the same and write as much: else a ratio would be about something else. */
    const std::size_t wanted = job<Values>(name, reply);
    if (run(name, reply) != wanted) {
        std::fprintf(stderr, "%s gives another answer\n", argv[1]);
        return 1;
    }
    std::size_t sum = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (long round = 0; round < rounds; ++round)
        sum += run(name, reply);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    if (sum != wanted * static_cast<std::size_t>(rounds))
        return 1;
    std::printf("%.1f\n", took.count() / static_cast<double>(rounds));
}
