/*
 * The same header without exceptions and without RTTI: opens, searches, books, cancels and is refused, by the noexcept
 * twins alone.
 */
#include "partnerbooking.hpp"

#include <functional>

#include "support.hpp"

namespace pb = partnerbooking;
using std::chrono::seconds;

#if PARTNERBOOKING_EXCEPTIONS || defined(__cpp_rtti)
#error "build this with -fno-exceptions -fno-rtti"
#endif

int main()
{
    const pb::Result<pb::Client> refused = pb::Client::try_open("{}");
    check(!refused && refused.error().status() == PBK_INVALID_CONFIG && refused.error().field() == "api_key", "no key",
          refused.error().what());

    const pb::Result<pb::Client> opened = pb::Client::try_open(SANDBOX);
    check(opened.has_value(), "open");
    const pb::Client &client = *opened;
    const pb::Result<std::string> found = client.try_search_availability(SEARCH);
    check(found && contains(*found, "availabilities"), "search", *found);

    pb::Result<pb::TryCall> call = client.try_submit(PBK_CREATE_BOOKING, BOOKING);
    check(call.has_value(), "submit");
    const pb::Result<std::string> booked = call->reply.get();
    check(booked && contains(*booked, "bkg_"), "the reply by a future", *booked);
    const pb::Result<std::string> taken = client.try_create_booking(BOOKING_OF("key-2", "10:00", ""));
    check(!taken && taken.error().code() == "slot_unavailable" && taken.error().outcome() == PBK_OUTCOME_REJECTED,
          "a taken slot", taken.error().json());

    const pb::Result<std::string> reused = client.try_create_booking(BOOKING_OF("key-1", "11:00", ""));
    check(!reused && reused.error().existing() && reused.error().existing()->state == "booked", "the key of another booking",
          reused.error().json());

    std::promise<pbk_status> ended;
    const pb::Result<pb::Ticket> by_callback = client.try_submit(
        PBK_SEARCH_AVAILABILITY, SEARCH, [&](const pb::Completion &done) { ended.set_value(done.status()); });
    check(by_callback && ended.get_future().get() == PBK_OK, "the reply by a callback");
    const std::function<void(pb::Completion)> none;
    check(client.try_submit(PBK_SEARCH_AVAILABILITY, SEARCH, none).error().field() == "callback", "an empty callback");
    check(client.try_submit_to_queue(PBK_SEARCH_AVAILABILITY, SEARCH).has_value(), "submit to the queue");
    check(client.next_completion(seconds(30)).result().has_value(), "the reply by the queue");

    const pb::Result<pb::Client> silent = pb::Client::try_open(SILENT_SANDBOX);
    pb::Result<pb::TryCall> cancelled = silent->try_submit(PBK_SEARCH_AVAILABILITY, SEARCH);
    check(cancelled->ticket.cancel() == PBK_OK && cancelled->reply.get().error().status() == PBK_CANCELLED, "cancelled");

    const pb::Result<pb::Client> talking = pb::Client::try_open(VOICE_SANDBOX);
    check(talking->try_prefetch(R"({"bot_id":"bot_1"})").has_value(), "prefetch");
    const pb::Result<std::string> offered = talking->try_call_tool(FIND_TOOL);
    check(offered && contains(*offered, R"("result":"offered")"), "a tool call", *offered);
    check(talking->try_call_tool("{}").error().field() == "tool", "a tool call without a tool", "refused");
    check(talking->try_conversation_end(R"({"bot_id":"bot_1","call_id":"call-7"})").has_value(), "hung up");
    check(talking->try_conversation_end("{}").error().status() == PBK_INVALID_FIELD, "hung up on nobody", "refused");

    const pb::Result<pb::SearchAvailabilityReply> values =
        client.try_search_availability(pb::SearchAvailabilityRequest{"bot_1", "2030-01-14", "2030-01-14"});
    check(values && values->availabilities.size() > 3, "values");
    const pb::Result<pb::ToolResult> told = talking->try_call_tool(pb::Conversation{"call-8", "bot_1"}.find({"tomorrow"}));
    check(told && told->kind == pb::ToolOutcome::offered, "a tool call with values");
    check(pb::try_read<pb::Wish>("[]").error().status() == PBK_INVALID_JSON, "a text that is none");
    std::puts("twins: all as expected, without exceptions and RTTI");
}
