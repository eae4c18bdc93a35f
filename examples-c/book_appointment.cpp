/*
 * The conversation of book_appointment.c in C++: searches the coming week, books a slot, repeats
 * the booking after an interruption, and has something to say when somebody else was faster. The
 * search runs while the bot speaks, and is cancelled when the caller hangs up. Requests and replies
 * are values: no JSON but the configuration's.
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

namespace pb = partnerbooking;

constexpr int minutes = 30;           /* yours to decide: some platforms list a whole free day as one item */
#define CLINIC "America/New_York"     /* the clinic's time zone: a plain date means another day on each platform */

static std::string in_words(const std::string &start_at)
{
    pb::SayRequest request;
    request.start_at = start_at;
    request.time_zone = CLINIC;
    return pb::say(request).say;
}

/* Books, and does not leave it open: while the outcome is unknown (a time-out, a broken connection) it repeats the call
   with the same key, which never makes a second booking. */
static pb::Booking book(const pb::Client &client, const pb::CreateBookingRequest &request)
{
    bool is_known = false;
    for (int attempt = 1;; ++attempt) {
        try {
            return (is_known ? client.resume({request.idempotency_key}) : client.create_booking(request)).booking;
        } catch (const pb::Error &error) {
            if (error.outcome() != PBK_OUTCOME_UNKNOWN || attempt == 3)
                throw;
            is_known |= error.existing().has_value();   /* another booking has the key: a resume gives that one */
        }
    }
}

/* The whole conversation. Gives whether everything went as told at the top of this file. */
static bool converse(const pb::Client &client, const std::string &bot)
{
    const pb::Reading week = pb::when(pb::WhenRequest{"in the next seven days", {}, CLINIC}).readings.at(0);
    const pb::SearchAvailabilityRequest wish{bot, week.start_at, week.end_at};

    /* Asked before the bot has said hello; this thread is free meanwhile. */
    auto search = client.submit(wish);
    std::cout << "bot:     Hello, what can I do for you?\ncaller:  I would like to see somebody in the coming days.\n";
    const pb::Slots slots = pb::slots(search.reply.get(), pb::SlotOptions{CLINIC, minutes, 1, week});
    if (slots.offers.empty()) {
        std::cout << "bot:     I am sorry, I have nothing free. Let me put you through to a colleague.\n";
        return false;
    }
    const std::string start = slots.offers[0].start_at, when = in_words(start);
    std::cout << "bot:     " << when << " is free.\ncaller:  That suits me. I am John Doe.\n";

    /* The key is new for every booking that the caller asks for, and the same for every repetition of that one. */
    const std::string call_id = "call-" + std::to_string(std::time(nullptr));
    const pb::CreateBookingRequest request{bot, call_id + "-1", start, minutes, {"+15551234567", "John Doe"}};
    const std::string id = book(client, request).id.value_or("");
    std::cout << "    booked     " << id << "\ncaller:  Sorry, what did you say?\n";
    const pb::Booking booking = book(client, request);
    std::cout << "    booked     " << booking.id.value_or("") << (booking.id == id ? ", the same booking\n" : ", ANOTHER BOOKING\n");
    if (id.empty() || booking.id != id)
        return false;

    /* The reply's own start and status, not those that were asked for. A platform may confirm
       later. */
    const bool is_certain = booking.status == "confirmed" || booking.status == "accepted";
    std::cout << "bot:     " << (is_certain ? "You are booked for " : "The clinic will confirm ")
              << in_words(booking.start_at.value_or(start)) << ".\n\n";

    /* A second caller, who hangs up while the search is under way. */
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
