/*
 * For programs with nlohmann/json (Debian: nlohmann-json3-dev): converts the values of
 * partnerbooking.hpp. That header does not include this one.
 *
 *     const auto found = client.search_availability(request);
 *     const nlohmann::json reply = found;                 // all that the platform said
 *     const nlohmann::json first = found.availabilities.at(0);
 *
 *     const auto request = body.get<partnerbooking::CreateBookingRequest>();
 *
 * A value with a `json` becomes that JSON, with members that the value does not have.
 * Other values become their members, as by write(). The other way is read(). An Error
 * becomes its whole reply: `const nlohmann::json all = error;`.
 *
 * Throws partnerbooking::Error and nlohmann::json::exception, also for a number that is
 * too large for nlohmann/json. Programs without exceptions use try_read() and
 * try_write().
 */
#ifndef PARTNERBOOKING_NLOHMANN_HPP
#define PARTNERBOOKING_NLOHMANN_HPP

#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>

#include "../partnerbooking.hpp"

#if !PARTNERBOOKING_EXCEPTIONS
#error "partnerbooking/nlohmann.hpp needs exceptions"
#endif

namespace partnerbooking {
inline namespace with_exceptions {

template <class Value, class = std::enable_if_t<detail::is_value<Value>>>
void to_json(nlohmann::json &json, const Value &value) {
    json = nlohmann::json::parse(write(value));
}

template <class Value, class = std::enable_if_t<detail::is_value<Value>>>
void from_json(const nlohmann::json &json, Value &value) {
    /* Repairs invalid UTF-8, as write() does. */
    using Handler = nlohmann::json::error_handler_t;
    value = read<Value>(json.dump(-1, ' ', false, Handler::replace));
}

/** Converts the reply of a failed call: {"error":{...}}. null when memory was out. */
inline void to_json(nlohmann::json &json, const Error &error) {
    json = error.json().empty() ? nlohmann::json() : nlohmann::json::parse(error.json());
}

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_NLOHMANN_HPP */
