/*
 * Part of partnerbooking.hpp: requests and replies as plain values. Include that header.
 *
 *     partnerbooking::SearchAvailabilityRequest request;
 *     request.bot_id = "bot_1";
 *     request.start_at = "2030-01-14T09:00:00-05:00";
 *     request.end_at = "2030-01-14T17:00:00-05:00";
 *     for (const auto &free : client.search_availability(request).availabilities)
 *         std::cout << free.start_at << "\n";
 *
 * Names.  Members have the names of the JSON: see docs/json-contract.md.
 *
 * Requests.  Empty optionals, empty lists and false flags are left out. A plain
 * std::string is always sent. The library checks all; the error's field() names a wrong
 * one. Invalid UTF-8 becomes U+FFFD.
 *
 * Replies.  Platforms differ. A member that is missing, null or of another kind is empty,
 * and so is a number with a fraction or above 64 bits. Nothing is lost: `json` is the
 * text as it came. Unknown words are kept. Of several members with one name the first
 * counts.
 *
 * Ownership.  Values own all that they hold, know no client, and can be copied and moved.
 * Use a value from one thread at a time, as a std::string.
 *
 * Exceptions.  Reading and writing throws Error; the twins try_read() and try_write() do
 * not. Copying may throw std::bad_alloc.
 *
 * Privacy.  Names, phone numbers and notes are plain members: keep values out of logs.
 */
#ifndef PARTNERBOOKING_VALUES_HPP
#define PARTNERBOOKING_VALUES_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "error.hpp"

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

/* ---- Replies ---- */

/** A free slot; from some platforms a whole free window. */
struct Availability {
    /** RFC 3339, as the platform wrote it. */
    std::string start_at;
    /** Its length. Of a window, the program decides the appointment's length. */
    std::optional<std::int64_t> duration_minutes{};
    /** The platform's own, with what else it holds. */
    std::string json{};
};

/** The reply to a search. */
struct SearchAvailabilityReply {
    /** The items that have a `start_at`, in the platform's order. */
    std::vector<Availability> availabilities{};
    /** The reply, byte for byte. */
    std::string json{};
    /** The timing, as docs/json-contract.md has it. Empty from functions that wait. */
    std::string timing_json{};
};

/** The platform's booking. */
struct Booking {
    std::optional<std::string> id{};
    /** The platform's word: `confirmed`, `pending` and others. */
    std::optional<std::string> status{};
    /** RFC 3339, as the platform wrote it. Read this to the caller, not the request's. */
    std::optional<std::string> start_at{};
    std::optional<std::string> end_at{};
    /** The platform's own, with what else it holds. */
    std::string json{};
};

/** The reply to a booking. */
struct CreateBookingReply {
    Booking booking{};
    /** The reply, byte for byte. */
    std::string json{};
    std::string timing_json{};
};

/** An appointment that a customer has already. */
struct Appointment {
    std::optional<std::string> start_at{};
    std::optional<std::string> end_at{};
    std::optional<std::string> status{};
    std::string json{};
};

/** A customer that the platform knows. */
struct KnownCustomer {
    std::optional<std::string> phone{};
    std::optional<std::string> name{};
    std::optional<Appointment> existing_appointment{};
    std::string json{};
};

/** The reply to a look-up. */
struct LookupCustomerReply {
    bool found = false;
    /** Empty when the platform does not know them. */
    std::optional<KnownCustomer> customer{};
    /** The reply, byte for byte. */
    std::string json{};
    std::string timing_json{};
};

/** A booking whose end the program has not heard. */
struct PendingBooking {
    std::string idempotency_key{};
    std::string bot_id{};
    std::string start_at{};
    std::int64_t duration_minutes = 0;
    /** Time of the request. */
    std::string recorded_at{};
    /** `in_flight`, `in_doubt`, `booked`, `refused`, or the word of a newer library. */
    std::string state{};
    bool in_flight = false;
    /** Its start has passed. */
    bool expired = false;
    /** The phone call that the request named. */
    std::optional<std::string> conversation{};
    std::string json{};
};

/** The reply of Client::pending_bookings(), by read<PendingBookings>(). */
struct PendingBookings {
    /** Bookings, oldest first. */
    std::vector<PendingBooking> pending_bookings{};
    std::string json{};
};

/** A booking in the books of the embedded sandbox. */
struct SandboxBooking {
    std::string idempotency_key{};
    std::string id{};
    std::string bot_id{};
    std::string status{};
    std::string start_at{};
    std::string end_at{};
    std::string json{};
};

/** The reply of Client::sandbox_bookings(), by read<SandboxBookings>(). */
struct SandboxBookings {
    /** Bookings, oldest first. */
    std::vector<SandboxBooking> bookings{};
    std::string json{};
};

/** The reply to a give-up. Nothing was sent to the service. */
struct GiveUpReply {
    /** The library has forgotten these. Their keys are free. */
    std::vector<PendingBooking> given_up{};
    /** These stay: a call waits for them, or their end is known. */
    std::vector<PendingBooking> kept{};
    /** False: the journal failed, and a later process may list them again. */
    std::optional<bool> journaled{};
    std::string json{};
    std::string timing_json{};
};

/* ---- Requests ---- */

/** Options of one call. Empty ones are left to the configuration. */
struct CallOptions {
    /** Deadline of the call, 1 to 600000. */
    std::optional<std::int64_t> timeout_ms{};
    /** Time until PBK_EVENT_SLOW, 1 to 600000. */
    std::optional<std::int64_t> slow_after_ms{};
    /** Comes back in completions and errors. At most 256 bytes. */
    std::optional<std::string> tag{};
    /** A W3C trace context, sent as the header `traceparent`. */
    std::optional<std::string> traceparent{};
};

/** Asks for a bot's free appointment slots. */
struct SearchAvailabilityRequest {
    using Reply = SearchAvailabilityReply;
    static constexpr pbk_operation operation = PBK_SEARCH_AVAILABILITY;

    std::string bot_id{};
    /** RFC 3339 with an offset, or a plain date. */
    std::string start_at{};
    /** The same, after `start_at`. A plain date includes its day. */
    std::string end_at{};
    CallOptions options{};
};

/** The person for whom a slot is booked. */
struct Customer {
    /** E.164: `+15551234567`. */
    std::string phone{};
    std::string name{};
    std::optional<std::string> email{};
};

/** Asks to book a slot. */
struct CreateBookingRequest {
    using Reply = CreateBookingReply;
    static constexpr pbk_operation operation = PBK_CREATE_BOOKING;

    std::string bot_id{};
    /** Names the booking: one key, one booking. booking_key() makes it. */
    std::string idempotency_key{};
    /** RFC 3339 with an offset. */
    std::string start_at{};
    std::int64_t duration_minutes = 0;
    Customer customer{};
    std::optional<std::string> notes{};
    /** Names the phone call. It is not sent; PendingBooking gives it back. */
    std::optional<std::string> conversation{};
    /** The booking goes on when its call is cancelled: the caller may hang up. */
    bool detach = false;
    CallOptions options{};
};

/** Asks for the end of a booking, or settles it, by its key alone. */
struct ResumeBookingRequest {
    using Reply = CreateBookingReply;
    static constexpr pbk_operation operation = PBK_CREATE_BOOKING;

    std::string idempotency_key{};
    CallOptions options{};
};

/**
 * Ends a doubt that nobody can settle. Sends nothing. Fill in a key, or a bot and a
 * moment for all its doubts about earlier appointments.
 */
struct GiveUpRequest {
    using Reply = GiveUpReply;
    static constexpr pbk_operation operation = PBK_CREATE_BOOKING;

    std::optional<std::string> idempotency_key{};
    std::optional<std::string> bot_id{};
    std::optional<std::string> start_before{};
    CallOptions options{};
};

/** Asks who is calling. */
struct LookupCustomerRequest {
    using Reply = LookupCustomerReply;
    static constexpr pbk_operation operation = PBK_LOOKUP_CUSTOMER;

    std::string bot_id{};
    /** E.164: `+15551234567`. */
    std::string phone{};
    CallOptions options{};
};

/** Searches ahead, when the phone rings: Client::prefetch(). */
struct PrefetchRequest {
    std::string bot_id{};
    std::optional<std::string> service{};
    std::optional<std::int64_t> timeout_ms{};
    std::optional<std::string> tag{};
};

/* ---- Phone calls: the tools of a language model, or of an engine that has rules ---- */

/** A slot that the conversation was offered and may book. */
struct OfferedSlot {
    /** Its name: `tue15-0930u`. */
    std::string slot{};
    /** RFC 3339 with the clinic's offset. */
    std::string start_at{};
    std::int64_t duration_minutes = 0;
    /** Its start in words, for the TTS. */
    std::string say{};
    std::string json{};
};

/** The words of ToolResult::result. docs/json-contract.md describes each. */
enum class ToolOutcome {
    other,      /**< A word that this header does not know. */
    offered,
    none,
    unclear,
    invalid,
    not_offered,
    readback,
    held,
    booked,
    already,
    slot_gone,
    in_doubt,
    failed,
    known,
    not_known
};

/** The answer to a tool call. */
struct ToolResult {
    /** The name, as the model wrote it. */
    std::string tool{};
    /** The word as it came. A newer library may have others. */
    std::string result{};
    /** The same for a switch. */
    ToolOutcome kind = ToolOutcome::other;
    /** The model has to do something else than it did. */
    bool is_error = false;
    /** Text for the model: the content of the tool's result. */
    std::string text{};
    /** Words for the TTS, when the bot speaks by itself. Empty when there are none. */
    std::optional<std::string> say{};
    /** The slots that `text` lists. */
    std::vector<OfferedSlot> slots{};
    /** The booking of `booked` and, if its reply is kept, of `already`. */
    std::optional<Booking> booking{};
    std::optional<std::string> idempotency_key{};
    /** The reason why nothing was found or booked, for logs. It is not thrown. */
    std::optional<Error> error{};
    /** The answer, byte for byte. */
    std::string json{};
    std::string timing_json{};
};

/** A tool call. Conversation makes it. */
struct ToolRequest {
    using Reply = ToolResult;
    static constexpr pbk_operation operation = PBK_CALL_TOOL;

    std::string tool{};
    std::string call_id{};
    std::string bot_id{};
    /** The model's arguments as they came: a text that contains an object. */
    std::optional<std::string> arguments{};
    /** The number that the caller calls from: E.164, or as the bot's region writes it. */
    std::optional<std::string> caller_phone{};
    /** Holds a booking back: the model was asked before the caller had finished. */
    bool speculative = false;
    /** A cancel leaves the call alone once its booking is on its way. */
    bool detach = false;
    CallOptions options{};
};

/** Arguments of find_appointment_slots. */
struct FindAppointmentSlots {
    std::optional<std::string> when{};
    std::optional<std::string> time{};
    std::optional<std::string> service{};
    /** Other slots than those that were offered. */
    bool more = false;
};

/** Arguments of book_appointment. */
struct BookAppointment {
    /** A name of OfferedSlot, or the caller's words: "the second one". */
    std::optional<std::string> slot{};
    std::optional<std::string> name{};
    std::optional<std::string> phone{};
    std::optional<std::string> email{};
    std::optional<std::string> notes{};
    /** The caller has said yes to what was read back. */
    bool caller_confirmed = false;
    /** A second appointment. */
    bool another = false;
};

/**
 * A phone call. It makes requests for all ways to call, and does nothing by itself:
 *
 *     const Conversation caller{"call-7", "bot_1", "+12125550123"};
 *     client.prefetch(caller.prefetch());                        // the phone rings
 *     client.submit_to_queue(caller.find({"tomorrow"}), &session);
 *     ToolResult answer = client.call_tool(caller.call(name, arguments));    // a model's
 *     client.conversation_end(caller);                           // the caller hangs up
 */
struct Conversation {
    /** Name of the call. It is yours, and no other call of the bot may have it. */
    std::string call_id{};
    std::string bot_id{};
    /** The number that the caller calls from. */
    std::optional<std::string> caller_phone{};

    /**
     * Makes a tool call of a model. Pass its arguments as they came. Above 32,768 bytes
     * they are replaced by "[]": the answer is `invalid`, and the model may repeat.
     */
    ToolRequest call(std::string tool, std::optional<std::string> arguments = {}) const {
        if (arguments && arguments->size() > 32768)
            arguments = "[]";
        return {std::move(tool), call_id, bot_id, std::move(arguments), caller_phone};
    }

    /** Makes a search for slots. The text functions read the caller's words. */
    ToolRequest find(const FindAppointmentSlots &arguments = {}) const;

    /** Makes a booking of a slot that was offered. */
    ToolRequest book(const BookAppointment &arguments) const;

    /** Makes a look-up of the caller. */
    ToolRequest look_up_caller() const { return call("look_up_caller"); }

    /** Makes a search ahead, for a kind of appointment or for the first kind. */
    PrefetchRequest prefetch(std::optional<std::string> service = {}) const {
        return {bot_id, std::move(service)};
    }
};

/* ---- Voice: docs/voice.md ---- */

/** Reads what a caller said: when(). */
struct WhenRequest {
    std::optional<std::string> when{};
    std::optional<std::string> time{};
    std::string time_zone{};
    std::optional<std::string> locale{};
    std::optional<std::string> now{};
    std::optional<std::int64_t> max_days_ahead{};
    /** JSON: {"mon":["09:00-17:00"]}. Decides about hours without am and pm only. */
    std::string opening{};
};

/** One meaning of a caller's words. */
struct Reading {
    /** The first local day. */
    std::string from{};
    /** The last one, included. */
    std::string to{};
    /** The first instant of `from`, for a search. */
    std::string start_at{};
    /** The first instant after `to`. */
    std::string end_at{};
    std::vector<std::string> weekdays{};
    std::optional<std::string> not_before{};
    std::optional<std::string> before{};
    std::vector<std::string> parts{};
    std::optional<std::string> around{};
    bool earliest = false;
};

/** The answer of when(). */
struct Wish {
    /** There is one reading. If not, ask the caller which is meant. */
    bool clear = false;
    std::vector<Reading> readings{};
    std::vector<std::string> corrected{};
    std::vector<std::string> assumed{};
    std::string json{};
};

/** A slot that can be offered and booked. */
struct Slot {
    /** Its name: `tue15-0930u`. */
    std::string slot{};
    /** RFC 3339 with the clinic's offset, as a booking takes it. */
    std::string start_at{};
    std::string end_at{};
    std::int64_t duration_minutes = 0;
    /** The start on the clinic's clock: `2030-01-15T09:30`. */
    std::string local{};
    std::string utc_offset{};
    /** `morning`, `afternoon`, `evening` or `night`. */
    std::string part{};
    /**
     * The place of the item in the reply's JSON, from 0. `availabilities` has no items
     * without a start, so places there may differ.
     */
    std::int64_t item = 0;
};

/** Options of slots(). */
struct SlotOptions {
    std::string time_zone{};
    std::optional<std::int64_t> duration_minutes{};
    std::optional<std::int64_t> offers{};
    std::optional<Reading> reading{};
    std::optional<std::string> from{};
    std::optional<std::string> to{};
    std::optional<std::string> now{};
    std::optional<std::string> pick{};
    std::optional<std::string> locale{};
    std::optional<std::string> items{};
    std::optional<std::int64_t> step_minutes{};
    std::optional<std::int64_t> min_notice_minutes{};
    std::optional<std::int64_t> max_days_ahead{};
    std::vector<std::string> weekdays{};
    std::optional<std::string> not_before{};
    std::optional<std::string> before{};
    std::vector<std::string> parts{};
    std::optional<std::int64_t> limit{};
    bool earliest = false;
    std::optional<std::string> around{};
};

/** An item of the reply that gave no slot. */
struct SkippedItem {
    std::int64_t item = 0;
    std::string reason{};
};

/** The answer of slots(). */
struct Slots {
    /** Slots in order, at most `limit`. */
    std::vector<Slot> slots{};
    /** The choice to offer. Empty without the option `offers`. */
    std::vector<Slot> offers{};
    /** The slot that `pick` names. */
    std::optional<Slot> picked{};
    bool more = false;
    std::int64_t items = 0;
    std::int64_t skipped_count = 0;
    std::vector<SkippedItem> skipped{};
    std::optional<std::string> built_in_zones{};
    std::string json{};
};

/** Asks for words: say(). Fill in one of the first four. */
struct SayRequest {
    std::optional<std::string> start_at{};
    std::vector<std::string> slots{};
    std::optional<std::string> phone{};
    std::optional<std::int64_t> duration_minutes{};
    std::optional<std::string> time_zone{};
    std::optional<std::string> now{};
    std::optional<std::string> locale{};
    std::optional<std::string> style{};
    std::optional<std::string> joiner{};
    std::optional<std::string> region{};
};

/** The answer of say(). */
struct Words {
    std::string say{};
    std::string json{};
};

/** Asks for a phone number: phone(). */
struct PhoneRequest {
    std::string text{};
    std::optional<std::string> region{};
    std::optional<std::string> locale{};
};

/** The answer of phone(). */
struct Phone {
    /** E.164, as a booking takes it. */
    std::string phone{};
    std::optional<std::string> region{};
    /** Digits for a display. */
    std::vector<std::string> groups{};
    /** Words for the TTS. */
    std::string say{};
    std::optional<std::string> extension{};
    std::string json{};
};

/** Asks for the tools of a language model: tools(). */
struct ToolsRequest {
    std::string dialect{};
    /** JSON: the member of the configuration. */
    std::string voice{};
    std::optional<std::string> bot_id{};
    bool look_up_caller = false;
};

/** The answer of tools(). */
struct Tools {
    /** JSON: the array that the API of the model takes. */
    std::string tools{};
    std::string prompt{};
    /** Words for the caller while a tool takes long. */
    std::string filler{};
    std::string json{};
};

}  // inline namespace
}  // namespace partnerbooking

#include "members.hpp"

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

/* ---- JSON of a value, and back: non-blocking ---- */

/**
 * Writes a value as JSON, for a function that takes text. A value with a `json` returns
 * that, byte for byte.
 */
template <class Value, class = std::enable_if_t<detail::is_value<Value>>>
Result<std::string> try_write(const Value &value) noexcept {
    std::string json;
    if (detail::has_memory_for([&] { detail::write_value(value, json); }))
        return json;
    return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
}

/**
 * Reads a value from the text of a function:
 *
 *     auto listed = read<PendingBookings>(client.pending_bookings());
 *
 * Fails with PBK_INVALID_JSON for a text that is no JSON object, or nested deeper than
 * 128. A request keeps only the members of its struct: send a request with other members
 * as text.
 */
template <class Value, class = std::enable_if_t<detail::is_value<Value>>>
Result<Value> try_read(std::string json) noexcept {
    Value value;
    bool is_object = false;
    if (!detail::has_memory_for([&] { is_object = detail::read_text(json, value); }))
        return detail::error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
    if (!is_object)
        return detail::error_of(
            PBK_INVALID_JSON,
            R"({"error":{"code":"invalid_json","message":"The text is no JSON object")"
            R"(,"status":null,"source":"caller","retryable":false,"attempts":0)"
            R"(,"field":null,"request_id":null}})");
    if constexpr (detail::keeps_json<Value>)
        value.json = std::move(json);
    return value;
}

#if PARTNERBOOKING_EXCEPTIONS
/* The same, which throw Error instead. */
template <class Value, class = std::enable_if_t<detail::is_value<Value>>>
std::string write(const Value &value) {
    return try_write(value).value();
}
template <class Value, class = std::enable_if_t<detail::is_value<Value>>>
Value read(std::string json) {
    return try_read<Value>(std::move(json)).value();
}
#endif

inline ToolRequest Conversation::find(const FindAppointmentSlots &arguments) const {
    std::string json;
    detail::write_value(arguments, json);
    return call("find_appointment_slots", std::move(json));
}

inline ToolRequest Conversation::book(const BookAppointment &arguments) const {
    std::string json;
    detail::write_value(arguments, json);
    return call("book_appointment", std::move(json));
}

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_VALUES_HPP */
