/*
 * Part of partnerbooking.hpp: functions that need no client. Keys, JSON, voice and webhooks.
 * Include that header.
 */
#ifndef PARTNERBOOKING_FUNCTIONS_HPP
#define PARTNERBOOKING_FUNCTIONS_HPP

#include <chrono>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "error.hpp"
#include "values.hpp"

namespace partnerbooking {
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

/** The version of the running library. PBK_VERSION is that of the header. */
inline const char *version() noexcept { return pbk_version(); }

/* ---- Idempotency keys: any thread, callbacks too; never block. docs/exactly-once.md tells which to use when ---- */

/**
 * The key of a booking, derived from the phone call and what is booked, so that a repetition within
 * the call has the same one.
 */
inline Result<std::string> try_booking_key(TextRef call_id, TextRef request) noexcept {
    char *error = nullptr;
    pbk_status status = PBK_OK;
    const detail::OwnedString key(pbk_booking_key(call_id.c_str(), request.c_str(), &error, &status));
    const detail::OwnedString owned(error);
    if (key == nullptr)
        return detail::error_of(status, error);
    return detail::result_of(PBK_OK, key.get(), std::strlen(key.get()));
}

/** The same of a request that has no key yet. */
inline Result<std::string> try_booking_key(TextRef call_id,
                                           const CreateBookingRequest &request) noexcept {
    const Result<std::string> json = try_write(request);
    if (!json)
        return json.error();
    return try_booking_key(call_id, *json);
}

/**
 * A key that nobody has had before: make one for each booking that the caller wants, and keep it
 * for all repetitions.
 */
inline Result<std::string> try_random_key() noexcept {
    const detail::OwnedString key(pbk_random_key());
    return detail::result_of(PBK_OK, key.get(), key == nullptr ? 0 : std::strlen(key.get()));
}

/* ---- JSON, without a JSON library: any thread, callbacks too; never block ---- */

/**
 * Reads one value by its JSON pointer: json_get(reply, "/availabilities/0/start_at"). A
 * string comes without quotes and escapes, every other value as written. Empty when there
 * is no such value, the text is not JSON, the pointer is malformed, or memory is out.
 */
inline std::optional<std::string> json_get(TextRef json, TextRef pointer) noexcept {
    std::optional<std::string> value;
    detail::has_memory_for([&] {
        const detail::OwnedString found(pbk_json_get(json.c_str(), pointer.c_str()));
        if (found != nullptr)
            value.emplace(found.get());
    });
    return value;
}

/**
 * Writes a text as a JSON string, with its quotes and escapes, to be put into a request.
 * Invalid UTF-8 becomes U+FFFD. A NULL pointer, and a std::string with a NUL byte
 * inside, are refused as PBK_INVALID_ARGUMENT.
 */
inline Result<std::string> try_json_quote(TextRef text) noexcept {
    if (text.c_str() == nullptr)
        return detail::error_of(
            PBK_INVALID_ARGUMENT,
            R"({"error":{"code":"invalid_argument","message":"The text is NULL or has a NUL")"
            R"(,"status":null,"source":"caller","retryable":false,"attempts":0)"
            R"(,"field":null,"request_id":null}})");
    const detail::OwnedString quoted(pbk_json_quote(text.c_str()));
    const std::size_t length = quoted == nullptr ? 0 : std::strlen(quoted.get());
    return detail::result_of(PBK_OK, quoted.get(), length);
}

/* ---- Voice: any thread, callbacks too; need no client; wait once for the file of a time zone. docs/voice.md ---- */

/**
 * Makes slots that can be offered and booked of a search reply.
 *
 *     auto slots = try_slots(reply, R"({"time_zone":"America/New_York","offers":3})");
 *     if (slots)
 *         offer(json_get(*slots, "/offers/0"));            // {"slot":"tue15-0930u","start_at":"...",...}
 *
 * Reply, options and ranges are those of pbk_slots(). Fails with PBK_UNKNOWN_TIME_ZONE,
 * PBK_INVALID_JSON, PBK_INVALID_FIELD, and PBK_INVALID_ARGUMENT for a NULL pointer or a
 * std::string with a NUL byte inside. Since 0.1.
 */
inline Result<std::string> try_slots(TextRef reply, TextRef options) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString slots(pbk_slots(reply.c_str(), options.c_str(), &status));
    return detail::result_of(status, slots.get(), slots == nullptr ? 0 : std::strlen(slots.get()));
}

/**
 * Reads what a caller said about a day and a time.
 *
 *     auto wish = try_when(R"({"when":"tomorrow","time":"after three","time_zone":"America/New_York"})");
 *     if (wish)
 *         search(json_get(*wish, "/readings/0"));          // the option "reading" of try_slots(), too
 *
 * If "clear" is false, ask the caller which reading is meant. Request and ranges are
 * those of pbk_when(). Fails with PBK_TIME_UNCLEAR, PBK_UNKNOWN_TIME_ZONE,
 * PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_INVALID_ARGUMENT. Since 0.1.
 */
inline Result<std::string> try_when(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString wish(pbk_when(request.c_str(), &status));
    return detail::result_of(status, wish.get(), wish == nullptr ? 0 : std::strlen(wish.get()));
}

/**
 * Puts a slot, a list of slots, a phone number or a length of time into words.
 *
 *     auto said = try_say(R"({"start_at":"2030-01-16T14:30:00Z","time_zone":"America/New_York"})");
 *     if (said)
 *         speak(json_get(*said, "/say"));                  // Wednesday, January sixteenth at nine thirty in the morning
 *
 * Request and ranges are those of pbk_say(). Fails with PBK_UNKNOWN_TIME_ZONE,
 * PBK_PHONE_UNCLEAR, PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_INVALID_ARGUMENT. Since
 * 0.1.
 */
inline Result<std::string> try_say(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString words(pbk_say(request.c_str(), &status));
    return detail::result_of(status, words.get(), words == nullptr ? 0 : std::strlen(words.get()));
}

/**
 * Reads a phone number as it is spoken or written. Does not wait.
 *
 *     auto phone = try_phone(R"({"text":"five five five, one two three, four five six seven","region":"US"})");
 *     if (phone)
 *         book(json_get(*phone, "/phone"));                // +15551234567
 *
 * Request and ranges are those of pbk_phone(). Fails with PBK_PHONE_UNCLEAR,
 * PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_INVALID_ARGUMENT. Since 0.1.
 */
inline Result<std::string> try_phone(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString phone(pbk_phone(request.c_str(), &status));
    return detail::result_of(status, phone.get(), phone == nullptr ? 0 : std::strlen(phone.get()));
}

/** Returns tool schemas for a language model and text for its prompt, as pbk_tools() does. */
inline Result<std::string> try_tools(TextRef options) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString tools(pbk_tools(options.c_str(), &status));
    return detail::result_of(status, tools.get(), tools == nullptr ? 0 : std::strlen(tools.get()));
}

/* ---- Webhooks, for platforms: any thread; need no client; never block. docs/platform-webhook.md ---- */

/**
 * Verifies the signature of a webhook request; refuse whatever is not PBK_WEBHOOK_VALID.
 *
 * @param secret     The webhook's secret; not empty.
 * @param header     The value of X-DialStack-Signature; "" when there was none.
 * @param body       The body as it arrived, byte for byte, before anything parses it.
 * @param now        The time since 1970; 0: the system's clock.
 * @param tolerance  How far the signature's time may be off; 0: 300 seconds, as the protocol has it.
 */
inline pbk_webhook_verdict verify_webhook(TextRef secret, TextRef header, std::string_view body, std::chrono::seconds now = {},
                                          std::chrono::seconds tolerance = {}) noexcept {
    const char *const one = secret.c_str();
    return pbk_webhook_verify(&one, 1, header.c_str(), body.data(), body.size(), now.count(), tolerance.count());
}

/**
 * The same with a container of 1 to 16 secrets, any of which may have signed: two, while one
 * replaces the other.
 */
template <class Secrets, class = std::enable_if_t<!std::is_convertible_v<const Secrets &, TextRef>>>
pbk_webhook_verdict verify_webhook(const Secrets &secrets, TextRef header, std::string_view body, std::chrono::seconds now = {},
                                   std::chrono::seconds tolerance = {}) noexcept {
    const char *some[16] = {};
    std::size_t count = 0;
    static_assert(std::is_lvalue_reference_v<decltype(*std::begin(secrets))>, "the secrets have to outlive the call");
    for (const auto &secret : secrets) {
        if (count == std::size(some))
            return PBK_WEBHOOK_INVALID_ARGUMENT;
        some[count++] = TextRef(secret).c_str();
    }
    return pbk_webhook_verify(some, count, header.c_str(), body.data(), body.size(), now.count(), tolerance.count());
}

/**
 * Signs the body of a webhook request as a client with "platform_webhook" does, for the tests of
 * platforms. Gives the value of X-DialStack-Signature.
 */
inline Result<std::string> try_sign_webhook(TextRef secret, std::string_view body, std::chrono::seconds timestamp = {}) noexcept {
    const detail::OwnedString signature(pbk_webhook_sign(secret.c_str(), body.data(), body.size(), timestamp.count()));
    if (signature == nullptr)
        return detail::error_of(
            PBK_INVALID_ARGUMENT,
            R"({"error":{"code":"invalid_argument","message":"A secret, and a time from 0 on of at most 15 digits, are required",)"
            R"("status":null,"source":"caller","retryable":false,"attempts":0,"field":null,"request_id":null}})");
    return detail::result_of(PBK_OK, signature.get(), std::strlen(signature.get()));
}

/* The same with values, by one text function or another. */
namespace detail {
template <class Reply, class Request, class... Given>
Result<Reply> answer(Result<std::string> (*function)(Given..., TextRef), Given... given,
                     const Request &request) noexcept {
    const Result<std::string> json = try_write(request);
    if (!json)
        return json.error();
    Result<std::string> answer = function(given..., *json);
    if (!answer)
        return answer.error();
    return reply_of<Reply>(PBK_OK, *answer, {});
}
}  // namespace detail

inline Result<Slots> try_slots(TextRef reply, const SlotOptions &options) noexcept {
    return detail::answer<Slots, SlotOptions, TextRef>(try_slots, reply, options);
}
inline Result<Slots> try_slots(const SearchAvailabilityReply &reply,
                               const SlotOptions &options) noexcept {
    return try_slots(TextRef(reply.json), options);
}
inline Result<Wish> try_when(const WhenRequest &request) noexcept {
    return detail::answer<Wish, WhenRequest>(try_when, request);
}
inline Result<Words> try_say(const SayRequest &request) noexcept {
    return detail::answer<Words, SayRequest>(try_say, request);
}
inline Result<Phone> try_phone(const PhoneRequest &request) noexcept {
    return detail::answer<Phone, PhoneRequest>(try_phone, request);
}
inline Result<Tools> try_tools(const ToolsRequest &request) noexcept {
    return detail::answer<Tools, ToolsRequest>(try_tools, request);
}

#if PARTNERBOOKING_EXCEPTIONS
/* The same, which throw Error instead. */
inline Slots slots(const SearchAvailabilityReply &reply, const SlotOptions &options) {
    return try_slots(reply, options).value();
}
inline Slots slots(TextRef reply, const SlotOptions &options) {
    return try_slots(reply, options).value();
}
inline Wish when(const WhenRequest &request) { return try_when(request).value(); }
inline Words say(const SayRequest &request) { return try_say(request).value(); }
inline Phone phone(const PhoneRequest &request) { return try_phone(request).value(); }
inline Tools tools(const ToolsRequest &request) { return try_tools(request).value(); }
inline std::string tools(TextRef options) { return try_tools(options).value(); }
inline std::string booking_key(TextRef call_id, const CreateBookingRequest &request) {
    return try_booking_key(call_id, request).value();
}
inline std::string booking_key(TextRef call_id, TextRef request) { return try_booking_key(call_id, request).value(); }
inline std::string random_key() { return try_random_key().value(); }
inline std::string slots(TextRef reply, TextRef options) { return try_slots(reply, options).value(); }
inline std::string when(TextRef request) { return try_when(request).value(); }
inline std::string say(TextRef request) { return try_say(request).value(); }
inline std::string phone(TextRef request) { return try_phone(request).value(); }
inline std::string json_quote(TextRef text) { return try_json_quote(text).value(); }
inline std::string sign_webhook(TextRef secret, std::string_view body, std::chrono::seconds timestamp = {}) {
    return try_sign_webhook(secret, body, timestamp).value();
}
#endif

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_FUNCTIONS_HPP */
