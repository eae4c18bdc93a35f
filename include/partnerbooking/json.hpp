/*
 * Part of partnerbooking.hpp, internal: reads and writes the JSON of values.
 *
 * pbk_json_get() reads the whole text for each value. This reader goes over a text once,
 * and tells a text from a null. It is as strict as the library, but does not check UTF-8:
 * texts of the library are UTF-8.
 */
#ifndef PARTNERBOOKING_JSON_HPP
#define PARTNERBOOKING_JSON_HPP

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
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
namespace detail {

/* The names of a value's members, in its `of`. */
template <class Value>
struct Members;

template <class Value, class = void>
constexpr bool is_value = false;
template <class Value>
constexpr bool is_value<Value, std::void_t<decltype(sizeof(Members<Value>))>> = true;

/* True for values with a member `json`: the JSON as it came. */
template <class Value, class = void>
constexpr bool keeps_json = false;
template <class Value>
constexpr bool
    keeps_json<Value, std::void_t<decltype(std::declval<Value &>().json)>> = true;

/* Members without which an item of a list is skipped: one bit each, in order. */
template <class Value>
constexpr std::uint32_t required_members = 0;

/* A member that is JSON as it is written. */
template <class Text>
struct Raw {
    Text &text;
};
template <class Text>
Raw(Text &) -> Raw<Text>;

/* ---- Reading ---- */

/* A position in a JSON text that only goes forward. After a mistake it is at the end. */
class JsonReader {
public:
    explicit JsonReader(std::string_view text) noexcept
        : at_(text.data()), end_(text.data() + text.size()) {}

    bool has_failed() const noexcept { return has_failed_; }
    const char *place() const noexcept { return at_; }

    /* Returns the first byte of the next value; NUL at the end. */
    char next() noexcept {
        while (at_ != end_
               && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
            ++at_;
        return at_ == end_ ? '\0' : *at_;
    }

    /* Returns true if only white space follows. */
    bool is_at_end() noexcept {
        next();
        return at_ == end_ && !has_failed_;
    }

    /* Calls back with each name of an object. The callback reads or skips the value. */
    template <class Visit>
    void object(Visit &&visit) {
        if (!open('{', '}'))
            return;
        std::string unescaped;
        do {
            std::string_view name;
            if (next() != '"' || !scan_string(name))
                return fail();
            if (name.find('\\') != std::string_view::npos) {
                unescape(name, unescaped);
                name = unescaped;
            }
            if (!take(':'))
                return fail();
            visit(name);
        } while (goes_on('}'));
    }

    /* Calls back for each element of an array. The callback reads or skips it. */
    template <class Visit>
    void array(Visit &&visit) {
        if (!open('[', ']'))
            return;
        do
            visit();
        while (goes_on(']'));
    }

    /* Reads a text. Skips another value and returns false. */
    bool string(std::string &text) {
        if (next() != '"') {
            skip();
            return false;
        }
        std::string_view raw;
        if (!scan_string(raw)) {
            fail();
            return false;
        }
        unescape(raw, text);
        return true;
    }

    /* Skips a value. Returns it as written; nothing after a mistake. */
    std::string_view skip() noexcept {
        char closers[depth_limit];
        std::size_t depth = 0;
        next();
        const char *const begin = at_;
        for (;;) {
            const char first = next();
            if (first == '{' || first == '[') {
                if (outer_ + depth == depth_limit)
                    return stop();
                ++at_;
                if (next() != (closers[depth++] = first == '{' ? '}' : ']')) {
                    if (first == '{' && !skip_name())
                        return stop();
                    continue;
                }
                ++at_;
                --depth;
            } else if (!skip_scalar(first)) {
                return stop();
            }
            for (;; ++at_, --depth) {
                if (depth == 0)
                    return {begin, static_cast<std::size_t>(at_ - begin)};
                const char after = next();
                if (after == closers[depth - 1])
                    continue;
                if (after != ',')
                    return stop();
                ++at_;
                if (closers[depth - 1] == '}' && !skip_name())
                    return stop();
                break;
            }
        }
    }

    void fail() noexcept {
        has_failed_ = true;
        at_ = end_;
    }

private:
    static constexpr std::size_t depth_limit = 128;     /* as the library has it */

    std::string_view stop() noexcept {
        fail();
        return {};
    }

    bool take(char wanted) noexcept {
        if (next() != wanted || at_ == end_)
            return false;
        ++at_;
        return true;
    }

    /* Enters an object or array. Returns false if it is empty, or another value, which is
       skipped. */
    bool open(char opener, char closer) noexcept {
        if (next() != opener) {
            skip();
            return false;
        }
        ++at_;
        if (take(closer))
            return false;
        ++outer_;
        return true;
    }

    /* Returns true if another member or element follows. */
    bool goes_on(char closer) noexcept {
        if (take(','))
            return true;
        if (!take(closer))
            fail();
        --outer_;
        return false;
    }

    bool skip_name() noexcept {
        std::string_view name;
        return next() == '"' && scan_string(name) && take(':');
    }

    bool skip_scalar(char first) noexcept {
        std::string_view text;
        switch (first) {
        case '"': return scan_string(text);
        case 't': return skip_word("true");
        case 'f': return skip_word("false");
        case 'n': return skip_word("null");
        default: return skip_number();
        }
    }

    bool skip_word(std::string_view word) noexcept {
        if (static_cast<std::size_t>(end_ - at_) < word.size()
            || std::memcmp(at_, word.data(), word.size()) != 0)
            return false;
        at_ += word.size();
        return true;
    }

    bool skip_digits() noexcept {
        const char *const begin = at_;
        while (at_ != end_ && *at_ >= '0' && *at_ <= '9')
            ++at_;
        return at_ != begin;
    }

    bool skip_number() noexcept {
        const auto is = [this](char one, char other) {
            return at_ != end_ && (*at_ == one || *at_ == other);
        };
        if (is('-', '-'))
            ++at_;
        const char *const begin = at_;
        if (!skip_digits() || (*begin == '0' && at_ - begin > 1))
            return false;
        if (is('.', '.') && (++at_, !skip_digits()))
            return false;
        if (!is('e', 'E'))
            return true;
        ++at_;
        if (is('+', '-'))
            ++at_;
        return skip_digits();
    }

    static int hex_digit(char digit) noexcept {
        if (digit >= '0' && digit <= '9')
            return digit - '0';
        const char lower = static_cast<char>(digit | 0x20);
        return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    }

    /* Skips a string. Returns the text between its quotes, all of it valid. */
    bool scan_string(std::string_view &raw) noexcept {
        const char *const begin = at_ + 1;
        for (const char *at = begin; at != end_; ++at) {
            if (*at == '"') {
                raw = {begin, static_cast<std::size_t>(at - begin)};
                at_ = at + 1;
                return true;
            }
            if (static_cast<unsigned char>(*at) < 0x20)
                return false;
            if (*at != '\\')
                continue;
            if (++at == end_)
                return false;
            if (*at == 'u') {
                if (end_ - at < 5)
                    return false;
                for (int digit = 1; digit <= 4; ++digit)
                    if (hex_digit(at[digit]) < 0)
                        return false;
                at += 4;
            } else if (std::string_view("\"\\/bfnrt").find(*at)
                       == std::string_view::npos) {
                return false;
            }
        }
        return false;
    }

    /* Undoes the escapes of a string that was scanned. Half a pair becomes U+FFFD. */
    static void unescape(std::string_view raw, std::string &text) {
        std::size_t escape = raw.find('\\');
        text.assign(raw.data(), escape == std::string_view::npos ? raw.size() : escape);
        while (escape < raw.size()) {
            const char kind = raw[escape + 1];
            std::size_t rest = escape + 2;
            if (kind == 'u') {
                std::uint32_t code = code_unit(raw, escape);
                rest = escape + 6;
                if (code >= 0xd800 && code < 0xdc00 && raw.substr(rest, 2) == "\\u"
                    && (code_unit(raw, rest) & 0xfc00U) == 0xdc00) {
                    code = 0x10000 + ((code & 0x3ffU) << 10)
                        + (code_unit(raw, rest) & 0x3ffU);
                    rest += 6;
                }
                append_character((code & 0xfffff800U) == 0xd800 ? 0xfffdU : code, text);
            } else {
                static constexpr std::string_view kinds = "bfnrt";
                static constexpr std::string_view controls = "\b\f\n\r\t";
                const std::size_t found = kinds.find(kind);
                text += found == std::string_view::npos ? kind : controls[found];
            }
            escape = raw.find('\\', rest);
            text.append(raw.substr(rest, escape - rest));   /* also where there is none */
        }
    }

    static std::uint32_t code_unit(std::string_view raw, std::size_t escape) noexcept {
        std::uint32_t unit = 0;
        for (std::size_t digit = escape + 2; digit < escape + 6; ++digit)
            unit = unit << 4 | static_cast<std::uint32_t>(hex_digit(raw[digit]));
        return unit;
    }

    static void append_character(std::uint32_t code, std::string &text) {
        const auto more = [&](int shift) {
            text += static_cast<char>(0x80 | (code >> shift & 0x3f));
        };
        if (code < 0x80) {
            text += static_cast<char>(code);
        } else if (code < 0x800) {
            text += static_cast<char>(0xc0 | code >> 6);
            more(0);
        } else if (code < 0x10000) {
            text += static_cast<char>(0xe0 | code >> 12);
            more(6), more(0);
        } else {
            text += static_cast<char>(0xf0 | code >> 18);
            more(12), more(6), more(0);
        }
    }

    const char *at_, *end_;
    std::size_t outer_ = 0;     /* the objects and arrays around the place */
    bool has_failed_ = false;
};

template <class Value>
bool read_object(JsonReader &reader, Value &value);
inline bool read_error(JsonReader &reader, std::optional<Error> &error);

/* Each reads a value. Another kind is skipped: false, and nothing is set. */
inline bool read_value(JsonReader &reader, std::string &text) {
    return reader.string(text);
}

/* A number as written without a fraction, if it fits. */
template <class Integer>
bool read_integer(JsonReader &reader, Integer &number) {
    const std::string_view text = reader.skip();
    const char *const end = text.data() + text.size();
    Integer read = 0;
    const std::from_chars_result result = std::from_chars(text.data(), end, read);
    if (text.empty() || result.ec != std::errc() || result.ptr != end)
        return false;
    number = read;
    return true;
}
inline bool read_value(JsonReader &reader, std::int64_t &number) {
    return read_integer(reader, number);
}
inline bool read_value(JsonReader &reader, int &number) {
    return read_integer(reader, number);
}

inline bool read_value(JsonReader &reader, bool &flag) {
    const std::string_view text = reader.skip();
    if (text != "true" && text != "false")
        return false;
    flag = text == "true";
    return true;
}

template <class Text>
bool read_value(JsonReader &reader, Raw<Text> raw) {
    const std::string_view text = reader.skip();
    if (text.empty() || text == "null")
        return false;
    raw.text.assign(text);
    return true;
}

inline bool read_value(JsonReader &reader, std::optional<Error> &error) {
    return read_error(reader, error);
}

template <class Value, class = std::enable_if_t<is_value<Value>>>
bool read_value(JsonReader &reader, Value &value) {
    if (reader.next() == '{')
        return read_object(reader, value);
    reader.skip();
    return false;
}

template <class Value>
bool read_value(JsonReader &reader, std::optional<Value> &value) {
    if (!read_value(reader, value.emplace()))
        value.reset();
    return value.has_value();
}

template <class Value>
bool read_value(JsonReader &reader, std::vector<Value> &values) {
    const bool is_array = reader.next() == '[';
    reader.array([&] {
        if (!read_value(reader, values.emplace_back()))
            values.pop_back();
    });
    return is_array;
}

/* Finds the name at the reader's position among the members of a value. */
class MemberReader {
public:
    explicit MemberReader(JsonReader &reader) noexcept : reader_(reader) {}

    template <class Visit>
    void read(Visit &&visit) {
        reader_.object([&](std::string_view name) {
            name_ = name;
            bit_ = 1;
            is_read_ = false;
            visit(*this);
            if (!is_read_)
                reader_.skip();
        });
    }

    template <class Member>
    void operator()(std::string_view name, Member &&member) {
        if (is_new(name) && read_value(reader_, member))
            right_ |= last_;
    }

    /* Reads the members of an inner object. */
    template <class Visit>
    void group(std::string_view name, Visit &&visit) {
        if (is_new(name))
            MemberReader(reader_).read(visit);
    }

    /* Returns a bit for each member that had the right kind. */
    std::uint32_t right() const noexcept { return right_; }

private:
    /* Of several members with one name the first counts. */
    bool is_new(std::string_view name) noexcept {
        last_ = bit_;
        bit_ <<= 1;
        if (is_read_ || name != name_ || (seen_ & last_) != 0)
            return false;
        seen_ |= last_;
        return is_read_ = true;
    }

    JsonReader &reader_;
    std::string_view name_;
    std::uint32_t bit_ = 1, last_ = 0, seen_ = 0, right_ = 0;
    bool is_read_ = false;
};

/* Adjusts a value after it was read; specialised where needed. */
template <class Value>
void finish(Value &) noexcept {}

template <class Value>
bool read_object(JsonReader &reader, Value &value) {
    const char *const begin = reader.place();
    MemberReader members(reader);
    members.read([&](auto &visit) { Members<Value>::of(value, visit); });
    finish(value);
    if (reader.has_failed())
        return false;
    if constexpr (keeps_json<Value>)
        value.json.assign(begin, reader.place());
    return (members.right() & required_members<Value>) == required_members<Value>;
}

/* ---- Writing ---- */

/* Writes a text with its quotes. The library replaces invalid UTF-8 by U+FFFD. */
inline void write_string(std::string_view text, std::string &json) {
    static constexpr char digits[] = "0123456789abcdef";
    json += '"';
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && text[plain] >= 0x20 && text[plain] < 0x7f
               && text[plain] != '"' && text[plain] != '\\')
            ++plain;
        json.append(text, 0, plain);
        text.remove_prefix(plain);
        if (text.empty())
            break;
        const auto byte = static_cast<unsigned char>(text.front());
        if (byte < 0x80) {
            if (byte == '"' || byte == '\\')
                (json += '\\') += text.front();
            else
                ((json += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
            text.remove_prefix(1);
            continue;
        }
        std::size_t other = 1;
        while (other < text.size() && static_cast<unsigned char>(text[other]) >= 0x80)
            ++other;
        const OwnedString quoted(pbk_json_quote(std::string(text, 0, other).c_str()));
        if (quoted == nullptr) {
#if PARTNERBOOKING_EXCEPTIONS
            throw std::bad_alloc();
#else
            std::abort();
#endif
        }
        json.append(quoted.get() + 1, std::strlen(quoted.get()) - 2);
        text.remove_prefix(other);
    }
    json += '"';
}

template <class Value>
void write_object(const Value &value, std::string &json);

inline void write_value(const std::string &text, std::string &json) {
    write_string(text, json);
}

inline void write_value(std::int64_t number, std::string &json) {
    char digits[24];
    json.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

inline void write_value(int number, std::string &json) {
    write_value(static_cast<std::int64_t>(number), json);
}

inline void write_value(bool flag, std::string &json) { json += flag ? "true" : "false"; }

template <class Text>
void write_value(Raw<Text> raw, std::string &json) {
    json += raw.text;
}

inline void write_value(const Error &error, std::string &json) {
    const OwnedString text(pbk_json_get(error.json().c_str(), "/error"));
    json += text == nullptr ? "null" : text.get();
}

template <class Value, class = std::enable_if_t<is_value<Value>>>
void write_value(const Value &value, std::string &json) {
    write_object(value, json);
}

template <class Value>
void write_value(const std::vector<Value> &values, std::string &json) {
    json += '[';
    for (const Value &value : values) {
        if (&value != values.data())
            json += ',';
        write_value(value, json);
    }
    json += ']';
}

/* Leaves out empty members and false flags. */
template <class Value>
bool is_absent(const Value &) noexcept {
    return false;
}
inline bool is_absent(bool flag) noexcept { return !flag; }
template <class Value>
bool is_absent(const std::optional<Value> &value) noexcept {
    return !value;
}
template <class Value>
bool is_absent(const std::vector<Value> &values) noexcept {
    return values.empty();
}
template <class Text>
bool is_absent(Raw<Text> raw) noexcept {
    return raw.text.empty();
}

class MemberWriter {
public:
    explicit MemberWriter(std::string &json) : json_(json) { json_ += '{'; }
    void end() { json_ += '}'; }

    template <class Member>
    void operator()(std::string_view name, const Member &member) {
        if (!is_absent(member)) {
            begin(name);
            write_value(member, json_);
        }
    }
    template <class Member>
    void operator()(std::string_view name, const std::optional<Member> &member) {
        if (!member)
            return;
        begin(name);
        write_value(*member, json_);
    }

    template <class Visit>
    void group(std::string_view name, Visit &&visit) {
        begin(name);
        MemberWriter within(json_);
        visit(within);
        within.end();
    }

private:
    void begin(std::string_view name) {
        if (!std::exchange(is_first_, false))
            json_ += ',';
        ((json_ += '"') += name) += "\":";
    }

    std::string &json_;
    bool is_first_ = true;
};

template <class Value>
void write_object(const Value &value, std::string &json) {
    if constexpr (keeps_json<Value>)
        if (!value.json.empty()) {
            json += value.json;
            return;
        }
    MemberWriter members(json);
    Members<Value>::of(value, members);
    members.end();
}

}  // namespace detail
}  // inline namespace
}  // namespace partnerbooking

#endif /* PARTNERBOOKING_JSON_HPP */
