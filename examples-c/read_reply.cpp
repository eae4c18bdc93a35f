/*
 * Builds requests and reads replies with nlohmann/json (Debian: nlohmann-json3-dev). partnerbooking.hpp brings no JSON
 * library and asks for none: JSON travels as text, and any library will do.
 *
 *     read_reply [JOURNAL]
 *
 * Talks to the embedded sandbox. With a journal it first hears what an earlier run has left open. Ends with 0 only if the
 * appointment was booked.
 */
#include <iostream>
#include <nlohmann/json.hpp>
#include <partnerbooking.hpp>

using nlohmann::json;

/* The program decides the length: some platforms list a whole free day as one item. */
constexpr int minutes = 30;

/* Slots to offer for what the caller said, at most three. They have the appointment's length, not that of a listed item. */
static json offers(const partnerbooking::Client &client, const std::string &bot, const std::string &words)
{
    const json clinic = {{"time_zone", "America/New_York"}, {"now", "2030-01-14T08:00:00-05:00"}};  /* no "now" in production */
    json wish = clinic, options = clinic;
    wish["when"] = words;
    const json reading = json::parse(partnerbooking::when(wish.dump())).at("readings").at(0);

    const json range = {{"start_at", reading.at("start_at")}, {"end_at", reading.at("end_at")}};
    const json request = {{"bot_id", bot}, {"query", {{"filter", {{"start_at_range", range}}}}}};
    const std::string reply = client.search_availability(request.dump());

    options.update({{"reading", reading}, {"duration_minutes", minutes}, {"offers", 3}});
    return json::parse(partnerbooking::slots(reply, options.dump())).at("offers");
}

static json book(const partnerbooking::Client &client, const std::string &bot, const json &slot, const std::string &name)
{
    json request = {{"bot_id", bot},
                    {"booking",
                     {{"start_at", slot.at("start_at")},
                      {"duration_minutes", slot.at("duration_minutes")},
                      {"customer", {{"phone", "+15551234567"}, {"name", name}}}}}};
    /* However often a language model repeats this within the call, the key is the same, and so there is one booking. */
    request["idempotency_key"] = partnerbooking::booking_key("call-7", request.dump());
    return json::parse(client.create_booking(request.dump())).at("booking");
}

/* Hears the end of a booking that an earlier process has left open, whatever its "state" is. */
static void catch_up(const partnerbooking::Client &client, const json &pending)
{
    const json request = {{"idempotency_key", pending.at("idempotency_key")}, {"resume", true}};
    std::cout << pending.value("conversation", "a call") << " was " << pending.at("state") << ": ";
    try {
        std::cout << client.create_booking(request.dump()) << "\n";
    } catch (const partnerbooking::Error &error) {
        if (error.outcome() == PBK_OUTCOME_UNKNOWN)
            std::cout << "still open, try again later\n";
        else
            std::cout << "not booked, call the customer back\n";   /* also "refused" */
    }
}

int main(int argc, char **argv)
{
    const std::string bot = "bot_01h2xcejqtf2nbrexx3vqjhp41";
    try {
        json config = {{"endpoint", "sandbox"},
                       {"sandbox", {{"now", "2030-01-14T08:00:00-05:00"}, {"time_zone", "America/New_York"}}}};
        if (argc > 1)
            config["journal_path"] = argv[1];
        const partnerbooking::Client client(config.dump());
        const json listed = json::parse(client.pending_bookings());
        for (const json &pending : listed.at("pending_bookings"))
            catch_up(client, pending);
        const json slots = offers(client, bot, "tomorrow morning");
        std::cout << slots.size() << " slots to offer, the first " << slots.at(0).at("start_at") << "\n";
        const json booking = book(client, bot, slots.at(0), "Zo\u00eb \"Zo\" O\\Neil");
        /* To the caller: the reply's own start and status. A platform may confirm later. */
        std::cout << booking.at("id") << " for " << booking.at("customer").at("name") << ", " << booking.at("start_at") << ", "
                  << booking.at("status") << "\n";
    } catch (const partnerbooking::Error &error) {
        std::cerr << error.what() << "\n";
        /* Members that Error has no function for are in its text. */
        if (!error.json().empty())
            std::cerr << "timing: " << json::parse(error.json()).at("error").value("timing", json()) << "\n";
        return 1;
    } catch (const json::exception &error) {
        std::cerr << "not the reply that was promised: " << error.what() << "\n";
        return 1;
    }
}
