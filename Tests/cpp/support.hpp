/*
 * What several of these programs need: requests, a check that ends the program, and what the process holds.
 */
#ifndef SUPPORT_HPP
#define SUPPORT_HPP

#include <cstdio>
#include <cstdlib>
#include <string>

#define SANDBOX_AND(more) R"({"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z")" more "}}"
#define SANDBOX SANDBOX_AND("")
/* A reply that comes after any deadline: whatever ends a call there, it is not the reply. */
#define SILENT_SANDBOX SANDBOX_AND(R"(,"latency_ms":600000)")

/* The reply to the first booking is lost, and its call ends before the library asks again, one second later. */
#define DOUBTFUL_SANDBOX                                                                                            \
    R"({"endpoint":"sandbox","timeout_ms":500,"retry":{"max_attempts":1},"report_settled":true,)"                   \
    R"("sandbox":{"now":"2030-01-14T08:00:00Z","faults":[{"fault":"lose_reply","calls":[1]}]}})"

/* The replies to the first two bookings are lost, and the library asks no more by itself. */
#define LEFT_IN_DOUBT                                                                                               \
    R"({"endpoint":"sandbox","timeout_ms":500,"retry":{"max_attempts":1},"settle_for_ms":0,)"                       \
    R"("sandbox":{"now":"2030-01-14T08:00:00Z","faults":[{"fault":"lose_reply","calls":[1,2]}]}})"

#define SEARCH_AND(more)                                                                                            \
    R"({"bot_id":"bot_1","query":{"filter":{"start_at_range":{"start_at":"2030-01-14","end_at":"2030-01-14"}}})" more "}"
#define SEARCH SEARCH_AND("")
#define BOOKING_OF(key, start, more)                                                                              \
    R"({"bot_id":"bot_1","idempotency_key":")" key R"(","booking":{"start_at":"2030-01-14T)" start                \
    R"(:00Z","duration_minutes":30,"customer":{"phone":"+15551234567","name":"John Doe"}})" more "}"
#define BOOKING BOOKING_OF("key-1", "10:00", "")
#define RESUME(key) R"({"idempotency_key":")" key R"(","resume":true})"
#define GIVE_UP(key) R"({"idempotency_key":")" key R"(","give_up":true})"
#define LOOKUP R"({"bot_id":"bot_1","customer":{"phone":"+15551234567"}})"

/* A clinic with a time zone, for tools. Its first day is Monday, January 14 of 2030. */
#define VOICE_SANDBOX                                                                                              \
    R"({"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z","time_zone":"America/New_York"},)"            \
    R"("voice":{"time_zone":"America/New_York","region":"US"}})"
#define TOOL(name, arguments)                                                                                      \
    R"({"tool":")" name R"(","call_id":"call-7","bot_id":"bot_1","caller_phone":"+12125550123","arguments":)" arguments "}"
#define FIND_TOOL TOOL("find_appointment_slots", R"({"when":"tomorrow","time":"after three"})")
#define BOOK_TOOL(slot) \
    TOOL("book_appointment", R"({"slot":")" slot R"(","name":"Ann Smith","caller_confirmed":true})")

/* Prints the check; ends the program when it failed. */
inline void check(bool right, const char *what, const std::string &got = "")
{
    std::printf("%s  %s  %.200s\n", right ? "ok   " : "WRONG", what, got.c_str());
    std::fflush(stdout);
    if (!right)
        std::exit(1);
}

inline bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

#endif
