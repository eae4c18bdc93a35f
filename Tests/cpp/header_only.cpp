/*
 * Every function of the header once, so that a compiler looks at all of it: with each compiler and
 * standard, and without exceptions. It is also the second source file of one program: a header that
 * is not inline through and through would not link.
 */
#include "partnerbooking.hpp"

#include <array>
#include <functional>
#include <vector>

namespace pb = partnerbooking;

void use_every_function(const char *config);

#if PARTNERBOOKING_EXCEPTIONS
static void use_what_throws(const char *config)
{
    pb::Client client(config);
    client.search_availability("");
    client.create_booking(std::string());
    client.lookup_customer("");
    client.call_tool("");
    client.prefetch("");
    client.conversation_end("");
    client.pending_bookings();
    client.sandbox_bookings();
    pb::Call call = client.submit(PBK_CREATE_BOOKING, "");
    call.reply.get();
    pb::Ticket ticket = client.submit(PBK_CREATE_BOOKING, "", [](const pb::Completion &) {});
    ticket = client.submit_to_queue(PBK_CREATE_BOOKING, "", &client);
    pb::booking_key("", "");
    pb::random_key();
    pb::json_quote("");
    pb::sign_webhook("", "");
    pb::set_callback_exception_handler(nullptr);
    client.search_availability(pb::SearchAvailabilityRequest());
    client.create_booking(pb::CreateBookingRequest());
    client.resume({""});
    client.give_up({""});
    client.lookup_customer(pb::LookupCustomerRequest());
    client.call_tool(pb::ToolRequest());
    client.prefetch(pb::PrefetchRequest());
    client.conversation_end(pb::Conversation());
#if __cplusplus >= 202002L
    client.search_availability({.bot_id = "", .start_at = "", .end_at = "", .options = {.tag = ""}});
#endif
    pb::CallOf<pb::ToolResult> typed = client.submit(pb::ToolRequest());
    ticket = client.submit(pb::ToolRequest(), [](const pb::CompletionOf<pb::ToolResult> &) {});
    ticket = client.submit_to_queue(pb::ToolRequest(), &typed);
    pb::slots("", pb::SlotOptions());
    pb::slots(pb::SearchAvailabilityReply(), pb::SlotOptions());
    pb::when(pb::WhenRequest());
    pb::say(pb::SayRequest());
    pb::phone(pb::PhoneRequest());
    pb::tools(pb::ToolsRequest());
    pb::booking_key("", pb::CreateBookingRequest());
    pb::read<pb::PendingBookings>(pb::write(pb::PendingBookings()));
    const pb::Client fleet(config, [](pb::LedgerBatch batch) { batch.answer(""); });
    pb::Result<std::string> result = client.try_search_availability("");
    static_cast<void>(result.value().size() + std::move(result).value().size());
}
#endif

void use_every_function(const char *config)
{
#if PARTNERBOOKING_EXCEPTIONS
    use_what_throws(config);
#endif
    pb::Result<pb::Client> opened = pb::Client::try_open(config, [](pb::LedgerBatch batch) {
        pb::LedgerBatch moved = std::move(batch);
        moved = std::move(batch);
        if (moved && moved.operations().empty() && !moved.try_answer(""))
            moved.fail("");
    });
    opened = pb::Client::try_open(config);
    if (!opened) {
        const pb::Error error = opened.error();
        static_cast<void>(error.status() == PBK_OK && error.outcome() == PBK_OUTCOME_NONE && error.retryable());
        static_cast<void>(error.http_status() + error.attempts() + error.retry_after_ms());
        for (const std::string *text : {&error.code(), &error.message(), &error.source(), &error.field(), &error.json(),
                                        &error.idempotency_key(), &error.request_id()})
            static_cast<void>(text->size());
        static_cast<void>(error.what());
        static_cast<void>(error.doubt() && error.doubt()->answer && error.doubt()->answer->code.empty());
        static_cast<void>(error.existing() && error.existing()->state.size() + error.existing()->start_at.size() == 0
                          && error.existing()->booking_id.empty());
        return;
    }
    pb::Client client = std::move(*opened);
    client = std::move(client.get() == nullptr ? *opened : client);
    for (const pb::Result<std::string> &result :
         {client.try_search_availability(""), client.try_create_booking(""), client.try_lookup_customer(""),
          client.try_call_tool(""), client.try_pending_bookings(), client.try_sandbox_bookings(), pb::try_booking_key("", ""), pb::try_random_key(),
          pb::try_sign_webhook("", ""), pb::try_json_quote("")})
        static_cast<void>(result && result->size() == (*result).size());

    for (const pb::Result<pbk_status> &result : {client.try_prefetch(""), client.try_conversation_end("")})
        static_cast<void>(result && *result == PBK_OK);

    pb::Result<pb::TryCall> call = client.try_submit(PBK_CREATE_BOOKING, "");
    if (call)
        static_cast<void>(call->reply.get().has_value());
    pb::Result<pb::Ticket> ticket = client.try_submit(PBK_CREATE_BOOKING, "", [](pb::Completion) {});
    ticket = client.try_submit(PBK_CREATE_BOOKING, "", std::function<void(pb::Completion)>());
    ticket = client.try_submit_to_queue(PBK_CREATE_BOOKING, "");
    if (ticket && *ticket && *ticket != pb::Ticket() && ticket->number() != 0)
        ticket->cancel();
    pb::Result<pb::TryCallOf<pb::GiveUpReply>> typed = client.try_submit(pb::GiveUpRequest());
    ticket = client.try_submit(pb::GiveUpRequest(), [](const pb::Result<pb::GiveUpReply> &) {});
    ticket = client.try_submit_to_queue(pb::GiveUpRequest());
    static_cast<void>(typed && client.try_search_availability(pb::SearchAvailabilityRequest())
                      && client.try_create_booking(pb::CreateBookingRequest()) && client.try_resume({""})
                      && client.try_lookup_customer(pb::LookupCustomerRequest()) && client.try_give_up({""})
                      && client.try_call_tool(pb::Conversation().find()) && client.try_prefetch(pb::PrefetchRequest())
                      && client.try_conversation_end(pb::Conversation()) && pb::try_slots("", pb::SlotOptions())
                      && pb::try_when(pb::WhenRequest()) && pb::try_say(pb::SayRequest()) && pb::try_phone(pb::PhoneRequest())
                      && pb::try_tools(pb::ToolsRequest()) && pb::try_booking_key("", pb::CreateBookingRequest())
                      && pb::try_write(pb::ToolResult()) && pb::try_read<pb::ToolResult>(""));
    pb::Completion completion = client.next_completion(std::chrono::milliseconds(1));
    while ((completion = client.next_completion())) {
        static_cast<void>(completion.event() == PBK_EVENT_DONE && completion.status() == PBK_OK);
        static_cast<void>(completion.outcome() == PBK_OUTCOME_NONE && completion.context() == nullptr);
        static_cast<void>(completion.reply().size() + completion.tag().size() + completion.timing().size());
        static_cast<void>(completion.event() == PBK_EVENT_SETTLED && completion.key().empty());
        static_cast<void>(completion.result() && completion.ticket() == 0 && completion.get() == nullptr);
    }
    static_cast<void>(client.fd() + client.prewarm());
    client.close(std::chrono::seconds(0));

    static_cast<void>(pb::version());
    static_cast<void>(pb::json_get("{}", std::string("/a")).has_value());
    pb::verify_webhook("", "", "");
    pb::verify_webhook(std::vector<std::string>(), "", "", std::chrono::seconds(1));
    pb::verify_webhook(std::array<const char *, 1>{{""}}, "", "");
}
