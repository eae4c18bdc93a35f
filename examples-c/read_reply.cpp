/*
 * Uses the library's values and nlohmann/json (Debian: nlohmann-json3-dev) side by side.
 * partnerbooking.hpp contains no JSON library and needs none. partnerbooking/nlohmann.hpp converts
 * its values to nlohmann::json and back.
 *
 *     read_reply [JOURNAL]
 *
 * Talks to the embedded sandbox. With JOURNAL it first resumes the bookings that an earlier run has
 * left open. Exits with 0 only if the appointment was booked.
 */
#include <iostream>
#include <partnerbooking/nlohmann.hpp>

namespace pb = partnerbooking;
using nlohmann::json;

#define CLINIC "America/New_York"
#define NOW "2030-01-14T08:00:00-05:00"     /* omit it in production */

/* Returns up to three slots that match the caller's words. They have the appointment's length,
   not the length of a listed item. */
static std::vector<pb::Slot> offers(const pb::Client &client, const std::string &bot, const std::string &words)
{
    const pb::Reading reading = pb::when(pb::WhenRequest{words, {}, CLINIC, {}, NOW}).readings.at(0);
    const pb::SearchAvailabilityReply found = client.search_availability({bot, reading.start_at, reading.end_at});
    const json first = found.availabilities.at(0);          /* also members that the value does not have */
    std::cout << "as the platform wrote it: " << first << "\n";

    pb::SlotOptions options{CLINIC, 30, 3, reading};        /* set your own length: some platforms list whole days */
    options.now = NOW;
    return pb::slots(found, options).offers;
}

static pb::Booking book(const pb::Client &client, const std::string &bot, const pb::Slot &slot, const std::string &name)
{
    pb::CreateBookingRequest request{bot, "", slot.start_at, slot.duration_minutes, {"+15551234567", name}};
    /* A language model may repeat this within the phone call. The key stays the same, so there
       is one booking. */
    request.idempotency_key = pb::booking_key("call-7", request);
    return client.create_booking(request).booking;
}

/* Prints the end of a booking that an earlier process has left open, in any state. */
static void catch_up(const pb::Client &client, const pb::PendingBooking &pending)
{
    std::cout << pending.conversation.value_or("a call") << " was " << pending.state << ": ";
    try {
        std::cout << client.resume({pending.idempotency_key}).json << "\n";
    } catch (const pb::Error &error) {
        if (error.outcome() == PBK_OUTCOME_UNKNOWN)
            std::cout << "still open, try again later\n";
        else
            std::cout << "not booked, call the customer back\n";   /* also if its state is "refused" */
    }
}

int main(int argc, char **argv)
{
    const std::string bot = "bot_01h2xcejqtf2nbrexx3vqjhp41";
    try {
        json config = {{"endpoint", "sandbox"}, {"sandbox", {{"now", NOW}, {"time_zone", CLINIC}}}};
        if (argc > 1)
            config["journal_path"] = argv[1];
        const pb::Client client(config.dump());
        for (const pb::PendingBooking &pending : pb::read<pb::PendingBookings>(client.pending_bookings()).pending_bookings)
            catch_up(client, pending);
        const std::vector<pb::Slot> slots = offers(client, bot, "tomorrow morning");
        std::cout << slots.size() << " slots to offer, the first " << slots.at(0).start_at << "\n";
        const json booking = book(client, bot, slots.at(0), "Zo\u00eb \"Zo\" O\\Neil");
        /* Say the start and status of the reply to the caller. A platform may confirm later. */
        std::cout << booking.at("id") << " for " << booking.at("customer").at("name") << ", " << booking.at("start_at") << ", "
                  << booking.at("status") << "\n";
    } catch (const pb::Error &error) {
        const json reply = error;          /* also members that Error has no function for, such as "timing" */
        std::cerr << error.what() << "\n" << reply.dump(2) << "\n";
        return 1;
    } catch (const json::exception &error) {
        std::cerr << "not the reply that was promised: " << error.what() << "\n";
        return 1;
    }
}
