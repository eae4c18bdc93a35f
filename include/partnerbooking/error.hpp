/*
 * Part of partnerbooking.hpp: Error, Result and TextRef. Include that header.
 */
#ifndef PARTNERBOOKING_ERROR_HPP
#define PARTNERBOOKING_ERROR_HPP

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "../partnerbooking.h"

/* Functions that throw are declared only with exceptions. */
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define PARTNERBOOKING_EXCEPTIONS 1
#else
#define PARTNERBOOKING_EXCEPTIONS 0
#endif

namespace partnerbooking {

/* Parts with and without exceptions may be in one program: they must not share names. */
#if PARTNERBOOKING_EXCEPTIONS
inline namespace with_exceptions {
#else
inline namespace without_exceptions {
#endif

class Error;
template <class Value>
class Result;

#if PARTNERBOOKING_EXCEPTIONS
/** Takes an exception that left a callback. */
using ExceptionHandler = void (*)(std::exception_ptr exception) noexcept;
#endif

namespace detail {

struct FreeString {
    void operator()(char *string) const noexcept { pbk_string_free(string); }
};
using OwnedString = std::unique_ptr<char, FreeString>;

struct FreeCompletion {
    void operator()(pbk_completion *completion) const noexcept {
        pbk_completion_free(completion);
    }
};

/* Runs a function that allocates. Returns false when memory is out. Without exceptions
   the program ends there, as at any allocation of its own. */
template <class Function>
bool has_memory_for(Function &&function) noexcept {
#if PARTNERBOOKING_EXCEPTIONS
    try {
        function();
        return true;
    } catch (...) {
        return false;
    }
#else
    function();
    return true;
#endif
}

#if PARTNERBOOKING_EXCEPTIONS
inline std::atomic<ExceptionHandler> callback_exception_handler{nullptr};
#endif

/* Runs a function of the program. No exception may pass the C ABI. */
template <class Function>
void call_back(Function &&function) noexcept {
#if PARTNERBOOKING_EXCEPTIONS
    try {
        function();
    } catch (...) {
        if (const ExceptionHandler handler = callback_exception_handler.load())
            handler(std::current_exception());
    }
#else
    function();
#endif
}

Error error_of(pbk_status status, const char *json) noexcept;
Result<std::string> result_of(pbk_status status, const char *reply,
                              std::size_t length) noexcept;

}  // namespace detail

/**
 * A text for the library: a literal, a `const char *` or a std::string, borrowed for the
 * call. It needs a NUL byte at its end: make a std::string of a std::string_view. A NULL
 * pointer, and a std::string with a NUL byte inside, are PBK_INVALID_ARGUMENT.
 */
class TextRef {
public:
    TextRef(const char *text) noexcept : text_(text) {}
    TextRef(const std::string &text) noexcept
        : text_(std::memchr(text.data(), '\0', text.size()) == nullptr ? text.c_str()
                                                                       : nullptr) {}

    const char *c_str() const noexcept { return text_; }

private:
    const char *text_;
};

/** The last answer to a booking in doubt, or the failure that came in its place. */
struct DoubtAnswer {
    /** HTTP status. 0 when no HTTP answer came. */
    int status = 0;

    /** The code of the answer, such as "slot_unavailable", or of the failure. */
    std::string code;
};

/** The error's member "doubt": why a booking is in doubt. Present with PBK_IN_DOUBT. */
struct Doubt {
    /** Age of the oldest request that may have made the booking, in milliseconds. */
    std::int64_t sent_ms_ago = 0;

    /** The last answer. Empty when there was none. */
    std::optional<DoubtAnswer> answer;
};

/**
 * The error's member "existing": the booking that has the key. Present with
 * PBK_IDEMPOTENCY_KEY_REUSED.
 */
struct Existing {
    /** "booked", "in_flight" or "in_doubt". */
    std::string state;

    /**
     * The start in the booking's own request. Empty if version 1 of the journal recorded
     * it and its reply has none.
     */
    std::string start_at;

    /** The platform's ID. Empty unless booked, and if the reply has none. */
    std::string booking_id;
};

/**
 * The failure of a call: the members of the reply's "error" that decide what to do, and
 * its text. docs/errors.md lists reactions. Copying never throws. References are valid as
 * long as this Error or a copy of it. Visible also with -fvisibility=hidden: one shared
 * object can catch what another throws.
 *
 * When memory is out, the strings are empty. status() is still true, and outcome() is
 * true or PBK_OUTCOME_UNKNOWN.
 */
class PBK_API Error : public std::exception {
public:
    /** Returns the status, for a switch or a metric label. */
    pbk_status status() const noexcept { return status_; }

    /**
     * Returns the outcome of a failed booking, as partnerbooking.h defines it. After
     * PBK_OUTCOME_UNKNOWN repeat with the same key, never with a new one.
     */
    pbk_outcome outcome() const noexcept { return outcome_; }

    /**
     * Returns the code, such as "slot_unavailable": the service's own word if it
     * answered.
     */
    const std::string &code() const noexcept { return members().code; }

    /**
     * Returns a sentence for a log, without API key and caller's data, unless a service
     * puts them there.
     */
    const std::string &message() const noexcept { return members().message; }

    /** Returns the HTTP status; 0 when there was none. */
    int http_status() const noexcept { return members().http_status; }

    /**
     * Returns the source: "caller", "library", "network", "partner_api" or "platform".
     */
    const std::string &source() const noexcept { return members().source; }

    /**
     * Returns true if the same call, unchanged, may succeed later; a booking with the
     * same key.
     */
    bool retryable() const noexcept { return members().retryable; }

    /**
     * Returns the milliseconds to wait that the service named, or for which it is left
     * alone ("circuit_open"); else 0.
     */
    std::int64_t retry_after_ms() const noexcept { return members().retry_after_ms; }

    /** Returns the number of HTTP attempts. */
    int attempts() const noexcept { return members().attempts; }

    /**
     * Returns the path of the wrong member: "booking.customer.phone". Empty without one.
     */
    const std::string &field() const noexcept { return members().field; }

    /** Returns the booking's key. Empty without one. */
    const std::string &idempotency_key() const noexcept {
        return members().idempotency_key;
    }

    /** Returns the doubt about a booking. Empty unless status() is PBK_IN_DOUBT. */
    const std::optional<Doubt> &doubt() const noexcept { return members().doubt; }

    /**
     * Returns the booking that has the key. Empty unless status() is
     * PBK_IDEMPOTENCY_KEY_REUSED. Resume the key to get its reply.
     */
    const std::optional<Existing> &existing() const noexcept {
        return members().existing;
    }

    /** Returns the service's X-Request-Id. Empty without one. */
    const std::string &request_id() const noexcept { return members().request_id; }

    /** Returns the reply, {"error":{...}}, with all its members. */
    const std::string &json() const noexcept { return members().json; }

    /** Returns "code: message", or the status in words without a text. */
    const char *what() const noexcept override {
        return members_ ? members_->what.c_str() : pbk_status_text(status_);
    }

private:
    friend Error detail::error_of(pbk_status, const char *) noexcept;

    struct Members {
        std::string json, code, message, source, field, idempotency_key, request_id, what;
        std::optional<Doubt> doubt;
        std::optional<Existing> existing;
        std::int64_t retry_after_ms = 0;
        int http_status = 0, attempts = 0;
        bool retryable = false;
    };

    explicit Error(pbk_status status) noexcept : status_(status) {}

    const Members &members() const noexcept {
        static const Members none;
        return members_ ? *members_ : none;
    }

    pbk_status status_;
    pbk_outcome outcome_ = PBK_OUTCOME_UNKNOWN;
    /* Shared: an exception that throws while it is copied ends the program. */
    std::shared_ptr<const Members> members_;
};

/**
 * A value, or the Error that explains why there is none; as std::expected of C++23. Ask
 * first: * and -> without a value, and error() with one, are undefined.
 */
template <class Value>
class [[nodiscard]] Result {
public:
    Result(Value value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) noexcept : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    Value &operator*() & noexcept { return *get(); }
    const Value &operator*() const & noexcept { return *get(); }
    Value &&operator*() && noexcept { return std::move(*get()); }
    Value *operator->() noexcept { return get(); }
    const Value *operator->() const noexcept { return get(); }

    const Error &error() const noexcept {
        const Error *error = std::get_if<1>(&state_);
        assert(error != nullptr);
        return *error;
    }

#if PARTNERBOOKING_EXCEPTIONS
    /** Returns the value; throws the Error when there is none. */
    const Value &value() const & {
        if (!has_value())
            throw error();
        return **this;
    }
    Value value() && {
        if (!has_value())
            throw error();
        return std::move(*get());
    }
#endif

private:
    Value *get() noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }
    const Value *get() const noexcept {
        assert(has_value());
        return std::get_if<0>(&state_);
    }

    std::variant<Value, Error> state_;
};

namespace detail {

/* Returns a copy of the reply, or its error. */
inline Result<std::string> result_of(pbk_status status, const char *reply,
                                     std::size_t length) noexcept {
    if (status != PBK_OK)
        return error_of(status, reply);
    std::string copy;
    if (reply != nullptr && has_memory_for([&] { copy.assign(reply, length); }))
        return copy;
    return error_of(PBK_RESOURCE_UNAVAILABLE, nullptr);
}

}  // namespace detail

}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_ERROR_HPP */
