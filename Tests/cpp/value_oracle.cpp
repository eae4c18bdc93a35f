/*
 * Reads replies, and prints what the values hold: Tests/python/test_cpp_values.py compares that
 * with the values of the Python package.
 *
 *     value_oracle                    takes lines with a kind, a blank and a reply
 *     value_oracle CONFIG SEARCHES    asks a service so often, and prints what it answers
 */
#include <cstdlib>
#include <iostream>
#include <partnerbooking/nlohmann.hpp>

namespace pb = partnerbooking;
using nlohmann::json;

template <class Value>
static json or_null(const std::optional<Value> &value)
{
    return value ? json(*value) : json();
}

static json of(const pb::SearchAvailabilityReply &reply)
{
    json items = json::array();
    for (const pb::Availability &item : reply.availabilities)
        items.push_back({item.start_at, or_null(item.duration_minutes), json(item)});
    return items;
}

static json of(const pb::CreateBookingReply &reply)
{
    const pb::Booking &booking = reply.booking;
    return {or_null(booking.id), or_null(booking.status), or_null(booking.start_at), or_null(booking.end_at), json(booking)};
}

static json of(const pb::LookupCustomerReply &reply)
{
    if (!reply.customer)
        return json();
    const std::optional<pb::Appointment> &has = reply.customer->existing_appointment;
    return {or_null(reply.customer->phone), or_null(reply.customer->name),
            has ? json{or_null(has->start_at), or_null(has->end_at), or_null(has->status)} : json()};
}

static json of(const pb::PendingBooking &pending)
{
    return {pending.idempotency_key, pending.bot_id, pending.start_at, pending.duration_minutes, pending.recorded_at,
            pending.in_flight, pending.expired, pending.state, or_null(pending.conversation)};
}

static json of(const pb::GiveUpReply &reply)
{
    json given_up = json::array(), kept = json::array();
    for (const pb::PendingBooking &pending : reply.given_up)
        given_up.push_back(of(pending));
    for (const pb::PendingBooking &pending : reply.kept)
        kept.push_back(of(pending));
    return {given_up, kept, or_null(reply.journaled)};
}

static json of(const pb::ToolResult &answer)
{
    json slots = json::array();
    for (const pb::OfferedSlot &slot : answer.slots)
        slots.push_back({slot.slot, slot.start_at, slot.duration_minutes, slot.say});
    json error;
    if (answer.error)
        error = {answer.error->code(), answer.error->message()};
    return {answer.tool, answer.result, answer.is_error, answer.text, or_null(answer.say), slots, or_null(answer.booking),
            or_null(answer.idempotency_key), error};
}

template <class Value>
static std::string read(const std::string &reply)
{
    const Value value = pb::read<Value>(reply);
    if (value.json != reply)
        throw std::runtime_error("not byte for byte");
    return of(value).dump();
}

static void ask(const char *config, int searches)
{
    const pb::Client client(config);
    for (int search = 0; search < searches; ++search)
        std::cout << of(client.search_availability({"bot_1", "2030-01-14", "2030-01-15"})).dump() << "\n";
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        ask(argv[1], std::atoi(argv[2]));
        return 0;
    }
    for (std::string kind, reply; std::cin >> kind && std::cin.get() && std::getline(std::cin, reply);) {
        if (kind == "search")
            std::cout << read<pb::SearchAvailabilityReply>(reply) << "\n";
        else if (kind == "booking")
            std::cout << read<pb::CreateBookingReply>(reply) << "\n";
        else if (kind == "lookup")
            std::cout << read<pb::LookupCustomerReply>(reply) << "\n";
        else if (kind == "give_up")
            std::cout << read<pb::GiveUpReply>(reply) << "\n";
        else
            std::cout << read<pb::ToolResult>(reply) << "\n";
    }
}
