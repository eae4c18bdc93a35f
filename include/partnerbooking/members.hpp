/*
 * Part of partnerbooking.hpp, internal: names the members of each value once, for reading
 * and writing.
 */
#ifndef PARTNERBOOKING_MEMBERS_HPP
#define PARTNERBOOKING_MEMBERS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "error.hpp"
#include "json.hpp"

/* `self` is a value, const for writing. */
#define PARTNERBOOKING_MEMBERS(Value, ...)                                      \
    template <>                                                                 \
    struct Members<Value> {                                                     \
        template <class Self, class Visit>                                      \
        static void of(Self &self, Visit &visit) {                              \
            __VA_ARGS__                                                         \
        }                                                                       \
    };
#define PARTNERBOOKING_MEMBER(name) visit(#name, self.name);

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif
namespace detail {

PARTNERBOOKING_MEMBERS(
    Availability,
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(duration_minutes))
PARTNERBOOKING_MEMBERS(
    SearchAvailabilityReply,
    PARTNERBOOKING_MEMBER(availabilities))
PARTNERBOOKING_MEMBERS(
    Booking,
    PARTNERBOOKING_MEMBER(id) PARTNERBOOKING_MEMBER(status)
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(end_at))
PARTNERBOOKING_MEMBERS(
    CreateBookingReply,
    PARTNERBOOKING_MEMBER(booking))
PARTNERBOOKING_MEMBERS(
    Appointment,
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(end_at)
    PARTNERBOOKING_MEMBER(status))
PARTNERBOOKING_MEMBERS(
    KnownCustomer,
    PARTNERBOOKING_MEMBER(phone) PARTNERBOOKING_MEMBER(name)
    PARTNERBOOKING_MEMBER(existing_appointment))
PARTNERBOOKING_MEMBERS(
    LookupCustomerReply,
    PARTNERBOOKING_MEMBER(found) PARTNERBOOKING_MEMBER(customer))
PARTNERBOOKING_MEMBERS(
    PendingBooking,
    PARTNERBOOKING_MEMBER(idempotency_key) PARTNERBOOKING_MEMBER(bot_id)
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(duration_minutes)
    PARTNERBOOKING_MEMBER(recorded_at) PARTNERBOOKING_MEMBER(state)
    PARTNERBOOKING_MEMBER(in_flight) PARTNERBOOKING_MEMBER(expired)
    PARTNERBOOKING_MEMBER(conversation))
PARTNERBOOKING_MEMBERS(
    PendingBookings,
    PARTNERBOOKING_MEMBER(pending_bookings))
PARTNERBOOKING_MEMBERS(
    SandboxBooking,
    PARTNERBOOKING_MEMBER(idempotency_key) PARTNERBOOKING_MEMBER(id)
    PARTNERBOOKING_MEMBER(bot_id) PARTNERBOOKING_MEMBER(status)
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(end_at))
PARTNERBOOKING_MEMBERS(
    SandboxBookings,
    PARTNERBOOKING_MEMBER(bookings))
PARTNERBOOKING_MEMBERS(
    GiveUpReply,
    PARTNERBOOKING_MEMBER(given_up) PARTNERBOOKING_MEMBER(kept)
    PARTNERBOOKING_MEMBER(journaled))
PARTNERBOOKING_MEMBERS(
    DoubtAnswer,
    PARTNERBOOKING_MEMBER(status) PARTNERBOOKING_MEMBER(code))
PARTNERBOOKING_MEMBERS(
    Doubt,
    PARTNERBOOKING_MEMBER(sent_ms_ago) PARTNERBOOKING_MEMBER(answer))
PARTNERBOOKING_MEMBERS(
    Existing,
    PARTNERBOOKING_MEMBER(state) PARTNERBOOKING_MEMBER(start_at)
    PARTNERBOOKING_MEMBER(booking_id))
PARTNERBOOKING_MEMBERS(
    CallOptions,
    PARTNERBOOKING_MEMBER(timeout_ms) PARTNERBOOKING_MEMBER(slow_after_ms)
    PARTNERBOOKING_MEMBER(tag) PARTNERBOOKING_MEMBER(traceparent))
PARTNERBOOKING_MEMBERS(
    SearchAvailabilityRequest,
    visit("bot_id", self.bot_id);
    visit.group("query", [&](auto &visit_query) {
        visit_query.group("filter", [&](auto &visit_filter) {
            visit_filter.group("start_at_range", [&](auto &visit_range) {
                visit_range("start_at", self.start_at);
                visit_range("end_at", self.end_at);
            });
        });
    });
    Members<CallOptions>::of(self.options, visit);)
PARTNERBOOKING_MEMBERS(
    Customer,
    PARTNERBOOKING_MEMBER(phone) PARTNERBOOKING_MEMBER(name)
    PARTNERBOOKING_MEMBER(email))
PARTNERBOOKING_MEMBERS(
    CreateBookingRequest,
    visit("bot_id", self.bot_id);
    visit("idempotency_key", self.idempotency_key);
    visit.group("booking", [&](auto &visit_booking) {
        visit_booking("start_at", self.start_at);
        visit_booking("duration_minutes", self.duration_minutes);
        visit_booking("customer", self.customer);
        visit_booking("notes", self.notes);
    });
    visit("conversation", self.conversation);
    visit("detach", self.detach);
    Members<CallOptions>::of(self.options, visit);)
PARTNERBOOKING_MEMBERS(
    ResumeBookingRequest,
    bool resume = true;
    visit("idempotency_key", self.idempotency_key);
    visit("resume", resume);
    Members<CallOptions>::of(self.options, visit);)
PARTNERBOOKING_MEMBERS(
    GiveUpRequest,
    bool give_up = true;
    visit("give_up", give_up);
    visit("idempotency_key", self.idempotency_key);
    visit("bot_id", self.bot_id);
    visit("start_before", self.start_before);
    Members<CallOptions>::of(self.options, visit);)
PARTNERBOOKING_MEMBERS(
    LookupCustomerRequest,
    visit("bot_id", self.bot_id);
    visit.group("customer", [&](auto &visit_customer) {
        visit_customer("phone", self.phone);
    });
    Members<CallOptions>::of(self.options, visit);)
PARTNERBOOKING_MEMBERS(
    PrefetchRequest,
    PARTNERBOOKING_MEMBER(bot_id) PARTNERBOOKING_MEMBER(service)
    PARTNERBOOKING_MEMBER(timeout_ms) PARTNERBOOKING_MEMBER(tag))
PARTNERBOOKING_MEMBERS(
    OfferedSlot,
    PARTNERBOOKING_MEMBER(slot) PARTNERBOOKING_MEMBER(start_at)
    PARTNERBOOKING_MEMBER(duration_minutes) PARTNERBOOKING_MEMBER(say))
PARTNERBOOKING_MEMBERS(
    ToolResult,
    PARTNERBOOKING_MEMBER(tool) PARTNERBOOKING_MEMBER(result)
    PARTNERBOOKING_MEMBER(is_error) PARTNERBOOKING_MEMBER(text)
    PARTNERBOOKING_MEMBER(say) PARTNERBOOKING_MEMBER(slots)
    PARTNERBOOKING_MEMBER(booking) PARTNERBOOKING_MEMBER(idempotency_key)
    PARTNERBOOKING_MEMBER(error))
PARTNERBOOKING_MEMBERS(
    ToolRequest,
    PARTNERBOOKING_MEMBER(tool) PARTNERBOOKING_MEMBER(call_id)
    PARTNERBOOKING_MEMBER(bot_id) PARTNERBOOKING_MEMBER(arguments)
    PARTNERBOOKING_MEMBER(caller_phone) PARTNERBOOKING_MEMBER(speculative)
    PARTNERBOOKING_MEMBER(detach)
    Members<CallOptions>::of(self.options, visit);)
PARTNERBOOKING_MEMBERS(
    FindAppointmentSlots,
    PARTNERBOOKING_MEMBER(when) PARTNERBOOKING_MEMBER(time)
    PARTNERBOOKING_MEMBER(service) PARTNERBOOKING_MEMBER(more))
PARTNERBOOKING_MEMBERS(
    BookAppointment,
    PARTNERBOOKING_MEMBER(slot) PARTNERBOOKING_MEMBER(name) PARTNERBOOKING_MEMBER(phone)
    PARTNERBOOKING_MEMBER(email) PARTNERBOOKING_MEMBER(notes)
    PARTNERBOOKING_MEMBER(caller_confirmed) PARTNERBOOKING_MEMBER(another))
PARTNERBOOKING_MEMBERS(
    Conversation,
    PARTNERBOOKING_MEMBER(call_id) PARTNERBOOKING_MEMBER(bot_id))
PARTNERBOOKING_MEMBERS(
    WhenRequest,
    PARTNERBOOKING_MEMBER(when) PARTNERBOOKING_MEMBER(time)
    PARTNERBOOKING_MEMBER(time_zone) PARTNERBOOKING_MEMBER(locale)
    PARTNERBOOKING_MEMBER(now) PARTNERBOOKING_MEMBER(max_days_ahead)
    visit("opening", Raw{self.opening});)
PARTNERBOOKING_MEMBERS(
    Reading,
    PARTNERBOOKING_MEMBER(from) PARTNERBOOKING_MEMBER(to)
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(end_at)
    PARTNERBOOKING_MEMBER(weekdays) PARTNERBOOKING_MEMBER(not_before)
    PARTNERBOOKING_MEMBER(before) PARTNERBOOKING_MEMBER(parts)
    PARTNERBOOKING_MEMBER(around) PARTNERBOOKING_MEMBER(earliest))
PARTNERBOOKING_MEMBERS(
    Wish,
    PARTNERBOOKING_MEMBER(clear) PARTNERBOOKING_MEMBER(readings)
    PARTNERBOOKING_MEMBER(corrected) PARTNERBOOKING_MEMBER(assumed))
PARTNERBOOKING_MEMBERS(
    Slot,
    PARTNERBOOKING_MEMBER(slot) PARTNERBOOKING_MEMBER(start_at)
    PARTNERBOOKING_MEMBER(end_at) PARTNERBOOKING_MEMBER(duration_minutes)
    PARTNERBOOKING_MEMBER(local) PARTNERBOOKING_MEMBER(utc_offset)
    PARTNERBOOKING_MEMBER(part) PARTNERBOOKING_MEMBER(item))
PARTNERBOOKING_MEMBERS(
    SlotOptions,
    PARTNERBOOKING_MEMBER(time_zone) PARTNERBOOKING_MEMBER(duration_minutes)
    PARTNERBOOKING_MEMBER(offers) PARTNERBOOKING_MEMBER(reading)
    PARTNERBOOKING_MEMBER(from) PARTNERBOOKING_MEMBER(to) PARTNERBOOKING_MEMBER(now)
    PARTNERBOOKING_MEMBER(pick) PARTNERBOOKING_MEMBER(locale)
    PARTNERBOOKING_MEMBER(items) PARTNERBOOKING_MEMBER(step_minutes)
    PARTNERBOOKING_MEMBER(min_notice_minutes) PARTNERBOOKING_MEMBER(max_days_ahead)
    PARTNERBOOKING_MEMBER(weekdays) PARTNERBOOKING_MEMBER(not_before)
    PARTNERBOOKING_MEMBER(before) PARTNERBOOKING_MEMBER(parts)
    PARTNERBOOKING_MEMBER(limit) PARTNERBOOKING_MEMBER(earliest)
    PARTNERBOOKING_MEMBER(around))
PARTNERBOOKING_MEMBERS(
    SkippedItem,
    PARTNERBOOKING_MEMBER(item) PARTNERBOOKING_MEMBER(reason))
PARTNERBOOKING_MEMBERS(
    Slots,
    PARTNERBOOKING_MEMBER(slots) PARTNERBOOKING_MEMBER(offers)
    PARTNERBOOKING_MEMBER(picked) PARTNERBOOKING_MEMBER(more)
    PARTNERBOOKING_MEMBER(items) PARTNERBOOKING_MEMBER(skipped_count)
    PARTNERBOOKING_MEMBER(skipped) PARTNERBOOKING_MEMBER(built_in_zones))
PARTNERBOOKING_MEMBERS(
    SayRequest,
    PARTNERBOOKING_MEMBER(start_at) PARTNERBOOKING_MEMBER(slots)
    PARTNERBOOKING_MEMBER(phone) PARTNERBOOKING_MEMBER(duration_minutes)
    PARTNERBOOKING_MEMBER(time_zone) PARTNERBOOKING_MEMBER(now)
    PARTNERBOOKING_MEMBER(locale) PARTNERBOOKING_MEMBER(style)
    PARTNERBOOKING_MEMBER(joiner) PARTNERBOOKING_MEMBER(region))
PARTNERBOOKING_MEMBERS(
    Words,
    PARTNERBOOKING_MEMBER(say))
PARTNERBOOKING_MEMBERS(
    PhoneRequest,
    PARTNERBOOKING_MEMBER(text) PARTNERBOOKING_MEMBER(region)
    PARTNERBOOKING_MEMBER(locale))
PARTNERBOOKING_MEMBERS(
    Phone,
    PARTNERBOOKING_MEMBER(phone) PARTNERBOOKING_MEMBER(region)
    PARTNERBOOKING_MEMBER(groups) PARTNERBOOKING_MEMBER(say)
    PARTNERBOOKING_MEMBER(extension))
PARTNERBOOKING_MEMBERS(
    ToolsRequest,
    PARTNERBOOKING_MEMBER(dialect)
    visit("voice", Raw{self.voice});
    PARTNERBOOKING_MEMBER(bot_id) PARTNERBOOKING_MEMBER(look_up_caller))
PARTNERBOOKING_MEMBERS(
    Tools,
    visit("tools", Raw{self.tools});
    PARTNERBOOKING_MEMBER(prompt) PARTNERBOOKING_MEMBER(filler))

#undef PARTNERBOOKING_MEMBER
#undef PARTNERBOOKING_MEMBERS

/* Replies of calls keep their timing. */
template <class Reply, class = void>
constexpr bool keeps_timing = false;
template <class Reply>
constexpr bool
    keeps_timing<Reply, std::void_t<decltype(std::declval<Reply &>().timing_json)>> =
        true;

/* Skips items without a start or a name: nobody can book them. */
template <>
inline constexpr std::uint32_t required_members<Availability> = 1;
template <>
inline constexpr std::uint32_t required_members<OfferedSlot> = 3;

template <>
inline void finish(LookupCustomerReply &reply) noexcept {
    if (!reply.found)
        reply.customer.reset();
    else if (!reply.customer)
        reply.customer.emplace();
}

template <>
inline void finish(ToolResult &answer) noexcept {
    static constexpr std::string_view words[] = {
        "offered", "none",   "unclear", "invalid", "not_offered", "readback", "held",
        "booked",  "already", "slot_gone", "in_doubt", "failed", "known",    "not_known"};
    answer.kind = ToolOutcome::other;
    for (std::size_t index = 0; index < sizeof words / sizeof *words; ++index)
        if (answer.result == words[index])
            answer.kind = static_cast<ToolOutcome>(index + 1);
}

inline Error error_of(pbk_status status, const char *json) noexcept {
    Error error(status);
    if (json == nullptr)
        return error;

    error.outcome_ = pbk_reply_outcome(json);
    has_memory_for([&] {
        const auto members = std::make_shared<Error::Members>();
        members->json = json;
        JsonReader reader(members->json);
        MemberReader(reader).read([&](auto &visit) {
            visit.group("error", [&](auto &visit_error) {
                visit_error("code", members->code);
                visit_error("message", members->message);
                visit_error("status", members->http_status);
                visit_error("source", members->source);
                visit_error("retryable", members->retryable);
                visit_error("retry_after_ms", members->retry_after_ms);
                visit_error("attempts", members->attempts);
                visit_error("field", members->field);
                visit_error("idempotency_key", members->idempotency_key);
                visit_error("request_id", members->request_id);
                visit_error("doubt", members->doubt);
                visit_error("existing", members->existing);
            });
        });
        members->what = members->code + ": " + members->message;
        error.members_ = members;
    });
    return error;
}

/* Reads the error in the answer of a tool call. */
inline bool read_error(JsonReader &reader, std::optional<Error> &error) {
    const char first = reader.next();
    const std::string_view members = reader.skip();
    if (first != '{' || members.empty())
        return false;
    const std::string json = R"({"error":)" + std::string(members) + "}";
    error = error_of(pbk_reply_status(json.c_str()), json.c_str());
    return true;
}

/* Reads a whole text. Returns false, and an empty value, if it is no JSON object. */
template <class Value>
bool read_text(std::string_view json, Value &value) {
    JsonReader reader(json);
    if (reader.next() == '{') {
        read_object(reader, value);
        if (reader.is_at_end())
            return true;
    }
    value = Value();
    return false;
}

/* Reads the reply of a call. A reply that cannot be read is still one: the booking is not
   lost. */
template <class Reply>
Result<Reply> reply_of(pbk_status status, std::string_view json,
                       std::string_view timing) noexcept {
    if (status != PBK_OK)
        return error_of(status, json.data());
    Reply reply;
    const bool has_memory = json.data() != nullptr && has_memory_for([&] {
        static_cast<void>(read_text(json, reply));
        reply.json.assign(json);
        if constexpr (keeps_timing<Reply>)
            reply.timing_json.assign(timing);
    });
    if (has_memory)
        return reply;
    return error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
}

}  // namespace detail
}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_MEMBERS_HPP */
