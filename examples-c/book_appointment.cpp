/*
 * The conversation of book_appointment.c in C++: searches the coming week, books a slot, repeats the booking after an
 * interruption, and has something to say when somebody else was faster. The search runs while the bot speaks, and is
 * cancelled when the caller hangs up.
 *
 *     book_appointment_cpp                    talks to the embedded sandbox: no network, no account, no files
 *     book_appointment_cpp CONFIG [BOT_ID]    the same with another configuration; on the hosted service it really books
 *
 * Ends with 0 only if all of that happened.
 */
#include <ctime>
#include <iostream>
#include <string>

#include "partnerbooking.hpp"
#include "shared.h"

namespace pb = partnerbooking;

/* The value at that pointer; "" when there is none. With a JSON library: read_reply.cpp. */
static std::string value(const std::string &json, const char *pointer)
{
    return pb::json_get(json, pointer).value_or("");
}

constexpr int minutes = 30;           /* yours to decide: some platforms list a whole free day as one item */
#define OFFSET "-05:00"               /* the clinic's: a plain date means another day on each platform */

/* Midnight at the clinic, so many days from today. */
static std::string days_ahead(int days)
{
    const std::time_t day = std::time(nullptr) + days * 24 * 60 * 60;
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT00:00:00" OFFSET, std::gmtime(&day));
    return text;
}

static std::string search_request(const std::string &bot)
{
    return R"({"bot_id":)" + pb::json_quote(bot) + R"(,"query":{"filter":{"start_at_range":{"start_at":")" + days_ahead(1)
           + R"(","end_at":")" + days_ahead(8) + R"("}}}})";
}

static std::string booking_request(const std::string &bot, const std::string &key, const std::string &start,
                                   const std::string &phone, const std::string &name)
{
    return R"({"bot_id":)" + pb::json_quote(bot) + R"(,"idempotency_key":)" + pb::json_quote(key)
           + R"(,"booking":{"start_at":)" + pb::json_quote(start) + R"(,"duration_minutes":)" + std::to_string(minutes)
           + R"(,"customer":{"phone":)" + pb::json_quote(phone) + R"(,"name":)" + pb::json_quote(name) + "}}}";
}

/*
 * Books, and does not leave it open: while the outcome is unknown (a time-out, a broken connection, no memory for the
 * reply) the same call is made again with the same key, which never makes a second booking.
 */
static std::string book(const pb::Client &client, std::string request)
{
    for (int attempt = 1;; ++attempt) {
        try {
            return client.create_booking(request);
        } catch (const pb::Error &error) {
            if (error.outcome() != PBK_OUTCOME_UNKNOWN || attempt == 3)
                throw;
            if (error.existing())   /* another booking has the key: a resume gives that one */
                request = R"({"resume":true,"idempotency_key":)" + pb::json_quote(error.idempotency_key()) + "}";
        }
    }
}

/* The whole conversation. Gives whether everything went as told at the top of this file. */
static bool converse(const pb::Client &client, const std::string &bot)
{
    const std::string call_id = "call-" + std::to_string(std::time(nullptr));

    /* Asked before the bot has said hello; this thread is free meanwhile. */
    pb::Call search = client.submit(PBK_SEARCH_AVAILABILITY, search_request(bot));
    std::cout << "bot:     Hello, what can I do for you?\ncaller:  I would like to see somebody in the coming days.\n";
    char start[64];
    if (!find_start(search.reply.get().c_str(), 0, minutes, start, sizeof start)) {
        std::cout << "bot:     I am sorry, I have nothing free. Let me put you through to a colleague.\n";
        return false;
    }
    char when[80], said[160];
    say_time(start, when, sizeof when);
    std::cout << "bot:     " << when << " is free.\ncaller:  That suits me. I am John Doe.\n";

    /* The key is new for every booking that the caller asks for, and the same for every repetition of that one. */
    const std::string request = booking_request(bot, call_id + "-1", start, "+15551234567", "John Doe");
    const std::string id = value(book(client, request), "/booking/id");
    std::cout << "    booked     " << id << "\ncaller:  Sorry, what did you say?\n";
    const std::string reply = book(client, request), same_id = value(reply, "/booking/id");
    std::cout << "    booked     " << same_id << (id == same_id ? ", the same booking\n" : ", ANOTHER BOOKING\n");
    if (id.empty() || id != same_id)
        return false;
    say_booked(reply.c_str(), said, sizeof said);
    std::cout << "bot:     " << said << "\n\n";

    /* A second caller, who hangs up while the search is under way. */
    search = client.submit(PBK_SEARCH_AVAILABILITY, search_request(bot));
    search.ticket.cancel();

    std::cout << "third caller:  " << when << ", please. I am Jane Roe.\n";
    try {
        book(client, booking_request(bot, call_id + "-2", start, "+15557654321", "Jane Roe"));
    } catch (const pb::Error &error) {
        if (error.status() != PBK_SLOT_UNAVAILABLE)
            throw;
        std::cout << "    refused    " << error.what()
                  << "\nbot:     I am sorry, somebody was faster. Shall I look for another time?\n";
        return true;
    }
    std::cout << "    This should have been refused.\n";
    return false;
}

int main(int argc, char **argv)
{
    try {
        const pb::Client client(argc > 1 ? argv[1] : R"({"endpoint":"sandbox","sandbox":{"time_zone":")" OFFSET R"("}})");
        return converse(client, argc > 2 ? argv[2] : "bot_01h2xcejqtf2nbrexx3vqjhp41") ? 0 : 1;
    } catch (const pb::Error &error) {
        std::cerr << error.what() << "\n" << error.json() << "\n";
        return 1;
    }
}
