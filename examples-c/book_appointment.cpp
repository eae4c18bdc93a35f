/*
 * Plays the conversation of book_appointment.c in C++. It searches the coming week, books a slot,
 * and repeats the booking after an interruption. It has an answer for a caller who comes too late.
 * The search runs while the bot speaks. When a caller hangs up, the search is cancelled. Requests
 * and replies are values: only the configuration is JSON.
 *
 *     book_appointment_cpp
 *         Talks to the embedded sandbox: no network, no account, no files.
 *     book_appointment_cpp CONFIG [BOT_ID]
 *         Uses another configuration. On the hosted service it really books.
 *
 * Exits with 0 only if all of that happened.
 */
#include <ctime>
#include <iostream>
#include <string>

#include "partnerbooking.hpp"

namespace pb = partnerbooking;

constexpr int minutes = 30;           /* set your own length: some platforms list a whole free day as one item */
#define CLINIC "America/New_York"     /* the clinic's time zone: platforms read a plain date differently */

static std::string in_words(const std::string &start_at)
{
    pb::SayRequest request;
    request.start_at = start_at;
    request.time_zone = CLINIC;
    return pb::say(request).say;
}

/* Books, in up to three attempts. While the outcome is unknown (a time-out, a broken
   connection), it repeats the call with the same key. That never makes a second booking. */
static pb::Booking book(const pb::Client &client, const pb::CreateBookingRequest &request)
{
    bool is_known = false;
    for (int attempt = 1;; ++attempt) {
        try {
            return (is_known ? client.resume({request.idempotency_key}) : client.create_booking(request)).booking;
        } catch (const pb::Error &error) {
            if (error.outcome() != PBK_OUTCOME_UNKNOWN || attempt == 3)
                throw;
            is_known |= error.existing().has_value();   /* another booking has the key: resume() returns it */
        }
    }
}

/* Plays the conversation. Returns true if all went as described at the top of this file. */
static bool converse(const pb::Client &client, const std::string &bot)
{
    const pb::Reading week = pb::when(pb::WhenRequest{"in the next seven days", {}, CLINIC}).readings.at(0);
    const pb::SearchAvailabilityRequest wish{bot, week.start_at, week.end_at};

    /* The search starts before the bot says hello. It does not block this thread. */
    auto search = client.submit(wish);
    std::cout << "bot:     Hello, what can I do for you?\ncaller:  I would like to see somebody in the coming days.\n";
    const pb::Slots slots = pb::slots(search.reply.get(), pb::SlotOptions{CLINIC, minutes, 1, week});
    if (slots.offers.empty()) {
        std::cout << "bot:     I am sorry, I have nothing free. Let me put you through to a colleague.\n";
        return false;
    }
    const std::string start = slots.offers[0].start_at, when = in_words(start);
    std::cout << "bot:     " << when << " is free.\ncaller:  That suits me. I am John Doe.\n";

    /* Each booking that the caller asks for gets a new key. Every repeat of it uses the same
       key. */
    const std::string call_id = "call-" + std::to_string(std::time(nullptr));
    const pb::CreateBookingRequest request{bot, call_id + "-1", start, minutes, {"+15551234567", "John Doe"}};
    const std::string id = book(client, request).id.value_or("");
    std::cout << "    booked     " << id << "\ncaller:  Sorry, what did you say?\n";
    const pb::Booking booking = book(client, request);
    std::cout << "    booked     " << booking.id.value_or("") << (booking.id == id ? ", the same booking\n" : ", ANOTHER BOOKING\n");
    if (id.empty() || booking.id != id)
        return false;

    /* Say the start and status of the reply, not those of the request. A platform may confirm
       later. */
    const bool is_certain = booking.status == "confirmed" || booking.status == "accepted";
    std::cout << "bot:     " << (is_certain ? "You are booked for " : "The clinic will confirm ")
              << in_words(booking.start_at.value_or(start)) << ".\n\n";

    /* A second caller hangs up while the search is in flight. */
    search = client.submit(wish);
    search.ticket.cancel();

    std::cout << "third caller:  " << when << ", please. I am Jane Roe.\n";
    try {
        book(client, {bot, call_id + "-2", start, minutes, {"+15557654321", "Jane Roe"}});
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
        const pb::Client client(argc > 1 ? argv[1] : R"({"endpoint":"sandbox","sandbox":{"time_zone":")" CLINIC R"("}})");
        return converse(client, argc > 2 ? argv[2] : "bot_01h2xcejqtf2nbrexx3vqjhp41") ? 0 : 1;
    } catch (const pb::Error &error) {
        std::cerr << error.what() << "\n" << error.json() << "\n";
        return 1;
    }
}
