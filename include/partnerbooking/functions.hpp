/*
 * Part of partnerbooking.hpp: functions without a client. Keys, JSON, voice and webhooks.
 * All are non-blocking. Include that header.
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

/** Returns the version of the running library. PBK_VERSION is that of the header. */
inline const char *version() noexcept { return pbk_version(); }

/* ---- Idempotency keys: docs/exactly-once.md ---- */

/**
 * Derives the key of a booking from the phone call and the booking: a repeat within the
 * call has the same one.
 */
inline Result<std::string> try_booking_key(TextRef call_id, TextRef request) noexcept {
    char *error = nullptr;
    pbk_status status = PBK_OK;
    const detail::OwnedString key(
        pbk_booking_key(call_id.c_str(), request.c_str(), &error, &status));
    const detail::OwnedString owned(error);
    if (key == nullptr)
        return detail::error_of(status, error);
    return detail::result_of(PBK_OK, key.get(), std::strlen(key.get()));
}

/** The same for a request without a key. */
inline Result<std::string> try_booking_key(TextRef call_id,
                                           const CreateBookingRequest &request) noexcept {
    const Result<std::string> json = try_write(request);
    if (!json)
        return json.error();
    return try_booking_key(call_id, *json);
}

/**
 * Makes a new key. Make one for each booking that the caller wants, and keep it for all
 * repeats.
 */
inline Result<std::string> try_random_key() noexcept {
    const detail::OwnedString key(pbk_random_key());
    return detail::result_of(PBK_OK, key.get(),
                             key == nullptr ? 0 : std::strlen(key.get()));
}

/* ---- JSON without a JSON library ---- */

/**
 * Reads one value by its JSON pointer: json_get(reply, "/availabilities/0/start_at"). A
 * string comes without quotes and escapes, every other value as written. Empty if there
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
 * Writes a text as a JSON string for a request, with quotes and escapes. Invalid UTF-8
 * becomes U+FFFD. A NULL pointer, and a std::string with a NUL byte inside, are
 * PBK_INVALID_ARGUMENT.
 */
inline Result<std::string> try_json_quote(TextRef text) noexcept {
    if (text.c_str() == nullptr)
        return detail::error_of(
            PBK_INVALID_ARGUMENT,
            R"({"error":{"code":"invalid_argument",)"
            R"("message":"The text is NULL or has a NUL","status":null,)"
            R"("source":"caller","retryable":false,"attempts":0,"field":null,)"
            R"("request_id":null}})");
    const detail::OwnedString quoted(pbk_json_quote(text.c_str()));
    const std::size_t length = quoted == nullptr ? 0 : std::strlen(quoted.get());
    return detail::result_of(PBK_OK, quoted.get(), length);
}

/* ---- Voice: docs/voice.md. The file of a time zone is read once ---- */

/**
 * Makes slots that can be offered and booked from a search reply, as pbk_slots().
 *
 *     auto slots = try_slots(reply, R"({"time_zone":"America/New_York","offers":3})");
 *     if (slots)
 *         offer(json_get(*slots, "/offers/0"));    // {"slot":"tue15-0930u",...}
 *
 * Fails with PBK_UNKNOWN_TIME_ZONE, PBK_INVALID_JSON, PBK_INVALID_FIELD, and
 * PBK_INVALID_ARGUMENT for a NULL pointer or a std::string with a NUL byte inside.
 *
 * @since 0.1
 */
inline Result<std::string> try_slots(TextRef reply, TextRef options) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString slots(pbk_slots(reply.c_str(), options.c_str(), &status));
    return detail::result_of(status, slots.get(),
                             slots == nullptr ? 0 : std::strlen(slots.get()));
}

/**
 * Reads a caller's words about a day and a time, as pbk_when().
 *
 *     auto wish = try_when(R"({"when":"tomorrow","time":"after three",)"
 *                          R"("time_zone":"America/New_York"})");
 *     if (wish)
 *         search(json_get(*wish, "/readings/0"));  // also "reading" of try_slots()
 *
 * If "clear" is false, ask the caller which reading is meant. Fails as try_slots(), or
 * with PBK_TIME_UNCLEAR.
 *
 * @since 0.1
 */
inline Result<std::string> try_when(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString wish(pbk_when(request.c_str(), &status));
    return detail::result_of(status, wish.get(),
                             wish == nullptr ? 0 : std::strlen(wish.get()));
}

/**
 * Puts a slot, a list of slots, a phone number or a length of time into words, as
 * pbk_say().
 *
 *     auto said = try_say(R"({"start_at":"2030-01-16T14:30:00Z",)"
 *                         R"("time_zone":"America/New_York"})");
 *     if (said)
 *         speak(json_get(*said, "/say"));
 *     // Wednesday, January sixteenth at nine thirty in the morning
 *
 * Fails as try_slots(), or with PBK_PHONE_UNCLEAR.
 *
 * @since 0.1
 */
inline Result<std::string> try_say(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString words(pbk_say(request.c_str(), &status));
    return detail::result_of(status, words.get(),
                             words == nullptr ? 0 : std::strlen(words.get()));
}

/**
 * Reads a spoken or written phone number, as pbk_phone().
 *
 *     auto phone = try_phone(R"({"text":"five five five, one two three, four five six )"
 *                            R"(seven","region":"US"})");
 *     if (phone)
 *         book(json_get(*phone, "/phone"));        // +15551234567
 *
 * Fails with PBK_PHONE_UNCLEAR, PBK_INVALID_JSON, PBK_INVALID_FIELD or
 * PBK_INVALID_ARGUMENT.
 *
 * @since 0.1
 */
inline Result<std::string> try_phone(TextRef request) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString phone(pbk_phone(request.c_str(), &status));
    return detail::result_of(status, phone.get(),
                             phone == nullptr ? 0 : std::strlen(phone.get()));
}

/**
 * Returns tool schemas for a language model and a text for its prompt, as pbk_tools().
 */
inline Result<std::string> try_tools(TextRef options) noexcept {
    pbk_status status = PBK_OK;
    const detail::OwnedString tools(pbk_tools(options.c_str(), &status));
    return detail::result_of(status, tools.get(),
                             tools == nullptr ? 0 : std::strlen(tools.get()));
}

/* ---- Webhooks, for platforms: docs/platform-webhook.md ---- */

/**
 * Verifies the signature of a webhook request. Refuse all but PBK_WEBHOOK_VALID.
 *
 * @param secret     The webhook's secret; not empty.
 * @param header     The value of X-DialStack-Signature; "" if there was none.
 * @param body       The body as it arrived, byte for byte, before anything parses it.
 * @param now        The time since 1970; 0: the system's clock.
 * @param tolerance  Most that the signature's time may be off; 0: 300 seconds, the
 *                   protocol's value.
 */
inline pbk_webhook_verdict verify_webhook(TextRef secret, TextRef header,
                                          std::string_view body,
                                          std::chrono::seconds now = {},
                                          std::chrono::seconds tolerance = {}) noexcept {
    const char *const one = secret.c_str();
    return pbk_webhook_verify(&one, 1, header.c_str(), body.data(), body.size(),
                              now.count(), tolerance.count());
}

/**
 * The same with a container of 1 to 16 secrets, any of which may have signed: two while
 * one replaces the other.
 */
template <class Secrets,
          class = std::enable_if_t<!std::is_convertible_v<const Secrets &, TextRef>>>
pbk_webhook_verdict verify_webhook(const Secrets &secrets, TextRef header,
                                   std::string_view body, std::chrono::seconds now = {},
                                   std::chrono::seconds tolerance = {}) noexcept {
    const char *some[16] = {};
    std::size_t count = 0;
    static_assert(std::is_lvalue_reference_v<decltype(*std::begin(secrets))>,
                  "the secrets have to outlive the call");
    for (const auto &secret : secrets) {
        if (count == std::size(some))
            return PBK_WEBHOOK_INVALID_ARGUMENT;
        some[count++] = TextRef(secret).c_str();
    }
    return pbk_webhook_verify(some, count, header.c_str(), body.data(), body.size(),
                              now.count(), tolerance.count());
}

/**
 * Signs the body of a webhook request as a client with "platform_webhook" does, for the
 * tests of platforms. Returns the value of X-DialStack-Signature.
 */
inline Result<std::string>
try_sign_webhook(TextRef secret, std::string_view body,
                 std::chrono::seconds timestamp = {}) noexcept {
    const detail::OwnedString signature(
        pbk_webhook_sign(secret.c_str(), body.data(), body.size(), timestamp.count()));
    if (signature == nullptr)
        return detail::error_of(
            PBK_INVALID_ARGUMENT,
            R"({"error":{"code":"invalid_argument","message":"A secret, and a time)"
            R"( from 0 on of at most 15 digits, are required","status":null,)"
            R"("source":"caller","retryable":false,"attempts":0,"field":null,)"
            R"("request_id":null}})");
    return detail::result_of(PBK_OK, signature.get(), std::strlen(signature.get()));
}

/* The same with values, by a text function. */
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
inline std::string booking_key(TextRef call_id, TextRef request) {
    return try_booking_key(call_id, request).value();
}
inline std::string random_key() { return try_random_key().value(); }
inline std::string slots(TextRef reply, TextRef options) {
    return try_slots(reply, options).value();
}
inline std::string when(TextRef request) { return try_when(request).value(); }
inline std::string say(TextRef request) { return try_say(request).value(); }
inline std::string phone(TextRef request) { return try_phone(request).value(); }
inline std::string json_quote(TextRef text) { return try_json_quote(text).value(); }
inline std::string sign_webhook(TextRef secret, std::string_view body,
                                std::chrono::seconds timestamp = {}) {
    return try_sign_webhook(secret, body, timestamp).value();
}
#endif

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_FUNCTIONS_HPP */
