/*
 * Requests and replies as values: what is written, what is read of odd replies, and a whole
 * phone call with the library on the sandbox. Tests/python/test_cpp_values.py compares what is
 * read with the values of Python.
 */
#include "partnerbooking.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "support.hpp"

namespace pb = partnerbooking;
using std::chrono::seconds;

static void equal(const std::string &got, const std::string &wanted, const char *what)
{
    check(got == wanted, what, got == wanted ? "" : got + "  instead of  " + wanted);
}

static pb::SearchAvailabilityRequest search_request()
{
    return {"bot_1", "2030-01-14", "2030-01-14"};
}

static pb::CreateBookingRequest booking_request(const char *key, const char *start_at)
{
    pb::CreateBookingRequest request;
    request.bot_id = "bot_1";
    request.idempotency_key = key;
    request.start_at = start_at;
    request.duration_minutes = 30;
    request.customer = {"+15551234567", "John Doe"};
    return request;
}

/* Calls back with one of every request, and with all of its members. */
template <class Visit>
static void each_request(Visit &&visit)
{
    const pb::CallOptions all{250, 100, "tag-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    pb::CreateBookingRequest booking = booking_request("key-1", "2030-01-14T10:00:00Z");
    visit(booking);
    booking.customer.email = "john@example.com";
    booking.notes = "a \"note\"";
    booking.conversation = "call-7";
    booking.detach = true;
    booking.options = all;
    visit(booking);
    visit(search_request());
    visit(pb::SearchAvailabilityRequest{"bot_1", "a", "b", all});
    visit(pb::ResumeBookingRequest{"key-1", all});
    visit(pb::GiveUpRequest{"key-1"});
    visit(pb::GiveUpRequest{{}, "bot_1", "2030-01-01T00:00:00Z", all});
    visit(pb::LookupCustomerRequest{"bot_1", "+15551234567", all});
    visit(pb::PrefetchRequest{"bot_1", "cleaning", 5, "tag"});
    visit(pb::Conversation{"call-7", "bot_1", "+12125550123"}.book({"tue15-0930u", "Ann", "1", "e", "n", true, true}));
    visit(pb::WhenRequest{"tomorrow", "three", "Europe/Paris", "fr", "now", 9, R"({"mon":[]})"});
    pb::Reading reading{"2030-01-15", "2030-01-16", "s", "e", {"mon", "tue"}, "09:00", "10:00", {"morning"}, "9", true};
    visit(reading);
    visit(pb::SlotOptions{"Europe/Paris", 30, 3, reading, "f", "t", "n", "p", "l", "auto", 5, 1, 2, {"mon"}, "a", "b", {"x"}, 7,
                          true, "15:00"});
    visit(pb::SayRequest{"s", {"a", "b"}, "p", 30, "z", "n", "l", "day", "or", "US"});
    visit(pb::PhoneRequest{"five", "US", "en-US"});
    visit(pb::ToolsRequest{"openai", R"({"locale":"es"})", "bot_1", true});
}

static void requests()
{
    equal(pb::write(search_request()), SEARCH, "a search as written by hand");
    equal(pb::write(booking_request("key-1", "2030-01-14T10:00:00Z")), BOOKING, "a booking");
    equal(pb::write(pb::ResumeBookingRequest{"key-1"}), RESUME("key-1"), "a resume");
    equal(pb::write(pb::LookupCustomerRequest{"bot_1", "+15551234567"}), LOOKUP, "a look-up");
    equal(pb::write(pb::GiveUpRequest{"key-1"}), R"({"give_up":true,"idempotency_key":"key-1"})", "a give-up");
    equal(pb::write(pb::Conversation{"call-7", "bot_1", "+12125550123"}.find({"tomorrow", "after three"})),
          R"({"tool":"find_appointment_slots","call_id":"call-7","bot_id":"bot_1",)"
          R"("arguments":"{\"when\":\"tomorrow\",\"time\":\"after three\"}","caller_phone":"+12125550123"})", "a tool call");
    equal(pb::write(pb::PhoneRequest{std::string("q\" b\\ \x01\x1f\x7f\n\0z", 12)}),
          R"({"text":"q\" b\\ \u0001\u001f\u007f\u000a\u0000z"})", "escapes");
    equal(pb::write(pb::PhoneRequest{"Zo\xc3\xab \xff\xc3 \xf0\x9f\x98\x80\xed\xa0\x80."}),
          "{\"text\":\"Zo\xc3\xab \xef\xbf\xbd\xef\xbf\xbd \xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.\"}",
          "UTF-8 stays, and what is none is repaired");
    int count = 0;
    each_request([&](const auto &request) {
        const std::string json = pb::write(request);
        check(pb::json_get(json, "").has_value(), "JSON", json);
        equal(pb::write(pb::read<std::decay_t<decltype(request)>>(json)), json, "a request that is read and written");
        ++count;
    });
    check(count == 16, "all requests");
}

static void replies()
{
    const auto found = pb::read<pb::SearchAvailabilityReply>(
        R"( {"x":{"availabilities":[{"start_at":"no"}]},"availabilities":[)"
        R"({"start_at":"2030","duration_minutes":30,"doctor":{"name":"A"}},{"duration_minutes":30},7,null,[],{"start_at":5},)"
        R"({"start_at":null},{ "duration_minutes" : 30.0 , "start_at" : "b" } ,{"start_at":"c","duration_minutes":9223372036854775807},)"
        R"({"start_at":"d","duration_minutes":9223372036854775808},{"start_at":"e","duration_minutes":"30"},)"
        R"({"start_at":"f","start_at":"g","duration_minutes":null,"duration_minutes":5},{"st\u0061rt_at":"h"}],)"
        R"("availabilities":[]} )");
    std::string read;
    for (const pb::Availability &item : found.availabilities)
        read += item.start_at + "=" + (item.duration_minutes ? std::to_string(*item.duration_minutes) : "none") + " ";
    equal(read, "2030=30 b=none c=9223372036854775807 d=none e=none f=none h=none ", "items");
    equal(found.availabilities[0].json, R"({"start_at":"2030","duration_minutes":30,"doctor":{"name":"A"}})", "an item's JSON");
    equal(found.availabilities[3].json, R"({"start_at":"d","duration_minutes":9223372036854775808})", "a number too large stays");
    check(found.json.front() == ' ' && found.json.back() == ' ', "the reply's JSON");
    for (const char *json : {"{}", R"({"availabilities":null})", R"({"availabilities":{"start_at":"a"}})"})
        check(pb::read<pb::SearchAvailabilityReply>(json).availabilities.empty(), "no items", json);

    const auto booked = pb::read<pb::CreateBookingReply>(R"({"booking":{"id":7,"status":"half-way","start_at":null,"end_at":""}})");
    check(!booked.booking.id && booked.booking.status == "half-way" && !booked.booking.start_at && booked.booking.end_at == "",
          "a booking of other kinds", booked.booking.json);
    const auto known = pb::read<pb::LookupCustomerReply>(R"({"customer":{"existing_appointment":null,"name":"A"},"found":true})");
    check(known.found && known.customer && known.customer->name == "A" && !known.customer->existing_appointment, "a customer");
    check(pb::read<pb::LookupCustomerReply>(R"({"found":true,"customer":null})").customer.has_value(), "found, and nothing else");
    check(!pb::read<pb::LookupCustomerReply>(R"({"found":false,"customer":{"name":"A"}})").customer, "not found");

    const auto answer = pb::read<pb::ToolResult>(
        R"({"tool":"t","result":"dances","is_error":true,"text":"T","slots":[{"slot":"a"},{"slot":"b","start_at":"c"}],)"
        R"("error":{"code":"slot_unavailable","message":"m","status":409,"source":"platform","retryable":false,)"
        R"("attempts":1,"field":null,"request_id":null,"from_service":true},"new":[1]})");
    check(answer.result == "dances" && answer.kind == pb::ToolOutcome::other && answer.is_error && !answer.say,
          "a word of a newer library", answer.json);
    check(answer.slots.size() == 1 && answer.slots[0].slot == "b" && answer.slots[0].duration_minutes == 0, "slots of an answer");
    check(answer.error && answer.error->status() == PBK_SLOT_UNAVAILABLE && answer.error->http_status() == 409, "its error");
    check(pb::read<pb::ToolResult>(R"({"result":"slot_gone","error":null})").kind == pb::ToolOutcome::slot_gone, "a word");
    check(pb::read<pb::ToolResult>(R"({"result":"not_known"})").kind == pb::ToolOutcome::not_known, "the last word");
    const auto given_up = pb::read<pb::GiveUpReply>(R"({"given_up":[{"idempotency_key":"k","state":"odd"}],"kept":[{}]})");
    check(given_up.given_up[0].state == "odd" && given_up.kept.size() == 1 && !given_up.journaled, "a give-up");
}

/* Whatever the library takes for JSON is read, and nothing else. */
static void hostile_replies()
{
    const std::string reply =
        R"({"a":[1,-0.5e+10,true,false,null,"\u00e9\ud83d\ude00\n",{"b":[[],{}]}],)"
        R"("availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,"x":"\"\\"}, {"start_at":"\/"}]})";
    int accepted = 0, refused = 0;
    const auto compare = [&](const std::string &text) {
        const bool is_object = pb::json_get(text, "") && text.find_first_not_of(" \t\r\n") == text.find('{');
        const auto read = pb::try_read<pb::SearchAvailabilityReply>(text);
        if (read.has_value() != is_object)
            check(false, is_object ? "refused, and it is JSON" : "taken, and it is no JSON", text);
        if (!read && read.error().status() != PBK_INVALID_JSON)
            check(false, "another status", read.error().what());
        for (std::size_t index = 0; read && index < read->availabilities.size(); ++index) {
            const pb::Availability &item = read->availabilities[index];
            if (pb::json_get(item.json, "/start_at") != item.start_at)
                check(false, "another start", text);
        }
        ++(is_object ? accepted : refused);
    };
    const std::string bytes = "\"\\{}[]:,0159-+.eE tfnu/\n\x01\x1f\x7f";
    for (std::size_t place = 0; place < reply.size(); ++place) {
        compare(reply.substr(0, place));
        compare(reply.substr(place));
        compare(std::string(reply).erase(place, 1));
        for (const char byte : bytes) {
            compare(std::string(reply).replace(place, 1, 1, byte));
            compare(std::string(reply).insert(place, 1, byte));
        }
    }
    std::uint32_t random = 1;
    for (int round = 0; round < 20000; ++round) {
        std::string text = reply;
        for (int change = 0; change < 3; ++change) {
            random = random * 1664525 + 1013904223;
            const std::size_t from = (random >> 8) % text.size();
            random = random * 1664525 + 1013904223;
            text.insert((random >> 8) % text.size(), text, from, random >> 4 & 7);
            text.erase(from, random >> 12 & 7);
        }
        compare(text);
    }
    for (const char *lone : {R"(\ud800)", R"(\udc00\ud800)", R"(\ud800\u0041)", R"(\ud800\ud800\udc00)", R"(\uDBFF\uDFFF)", R"(\u07ff\u0800)"})
        compare(R"({"availabilities":[{"start_at":")" + std::string(lone) + R"("}]})");
    for (const std::size_t depth : {126U, 127U, 128U, 200000U})
        compare(R"({"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}");
    check(accepted > 1000 && refused > 10000, "as strict as the library", std::to_string(accepted) + " of " + std::to_string(accepted + refused));
    equal(pb::read<pb::PhoneRequest>(R"({"text":"a\u0000b"})").text, std::string("a\0b", 3), "a NUL inside");
}

static void waiting()
{
    const pb::Client client(SANDBOX);
    const pb::SearchAvailabilityReply found = client.search_availability(search_request());
    check(found.availabilities.size() > 5 && found.availabilities[0].duration_minutes == 30, "a search", found.availabilities[0].start_at);
    equal(found.json, client.search_availability(SEARCH), "the reply, byte for byte");
    const pb::CreateBookingRequest request = booking_request("key-1", found.availabilities[1].start_at.c_str());
    const pb::CreateBookingReply booked = client.create_booking(request);
    check(booked.booking.status == "confirmed" && booked.booking.start_at == request.start_at, "a booking", booked.booking.json);
    check(client.create_booking(request).booking.id == booked.booking.id, "the same key");
    check(client.resume({"key-1"}).json == booked.json, "a resume");
    const pb::LookupCustomerReply known = client.lookup_customer(pb::LookupCustomerRequest{"bot_1", "+15551234567"});
    check(known.customer && known.customer->existing_appointment->start_at == booked.booking.start_at, "who is calling");
    const auto pending = pb::read<pb::PendingBookings>(client.pending_bookings()).pending_bookings;
    check(pending.size() == 1 && pending[0].idempotency_key == "key-1" && pending[0].state == "booked", "pending", pending[0].json);

    const auto taken = client.try_create_booking(booking_request("key-2", request.start_at.c_str()));
    check(!taken && taken.error().outcome() == PBK_OUTCOME_REJECTED, "a taken slot");
    pb::CreateBookingRequest wrong = request;
    wrong.customer.phone = "12";
    check(client.try_create_booking(wrong).error().field() == "booking.customer.phone", "a wrong member has its name");
    const auto reused = client.try_create_booking(booking_request("key-1", found.availabilities[2].start_at.c_str()));
    check(reused.error().existing()->state == "booked", "the key of another booking");
    try {
        client.give_up({"key-9"});
        check(false, "a give-up of nothing");
    } catch (const pb::Error &error) {
        check(error.status() == PBK_NOT_RECORDED, "a give-up of nothing", error.what());
    }
    const pb::Client doubtful(LEFT_IN_DOUBT);
    check(doubtful.try_create_booking(booking_request("key-1", "2030-01-14T10:00:00Z")).error().outcome() == PBK_OUTCOME_UNKNOWN, "doubt");
    check(doubtful.give_up({"key-1"}).given_up[0].state == "in_doubt", "a give-up");
}

static void submitting()
{
    const pb::Client client(SANDBOX_AND(R"(,"latency_ms":40)"));
    pb::CallOf<pb::SearchAvailabilityReply> call = client.submit(search_request());
    const pb::SearchAvailabilityReply found = call.reply.get();
    check(!found.availabilities.empty() && contains(found.timing_json, "total_us"), "a future", found.timing_json);

    std::promise<pb::Result<pb::CreateBookingReply>> end;
    const std::function<void(pb::Result<pb::CreateBookingReply>)> callback = [&](pb::Result<pb::CreateBookingReply> reply) {
        end.set_value(std::move(reply));
    };
    pb::Ticket ticket = client.submit(booking_request("key-1", found.availabilities[0].start_at.c_str()), callback);
    check(ticket && end.get_future().get()->booking.id.has_value(), "a std::function with the result");

    std::atomic<int> slow{0};
    std::promise<pb::Result<pb::SearchAvailabilityReply>> typed;
    pb::SearchAvailabilityRequest request = search_request();
    request.options.slow_after_ms = 1;
    request.options.tag = "T";
    client.submit(request, [&](pb::CompletionOf<pb::SearchAvailabilityReply> done) {
        if (done.event() == PBK_EVENT_SLOW)
            ++slow;
        else if (done.tag() == "T")
            typed.set_value(done.result());
    });
    check(typed.get_future().get()->availabilities.size() == found.availabilities.size() - 1 && slow == 1, "a typed completion");

    std::promise<pbk_status> plain;
    ticket = client.submit(search_request(), [&](const pb::Completion &done) { plain.set_value(done.status()); });
    ticket.cancel();
    check(plain.get_future().get() == PBK_CANCELLED, "a callback for every kind, cancelled");
    std::promise<pbk_status> failed;
    client.submit(booking_request("key-2", found.availabilities[0].start_at.c_str()),
                  [&](const pb::Result<pb::CreateBookingReply> &reply) { failed.set_value(reply.error().status()); });
    check(failed.get_future().get() == PBK_SLOT_UNAVAILABLE, "an error by callback");

    const std::function<void(pb::Result<pb::SearchAvailabilityReply>)> none;
    check(client.try_submit(search_request(), none).error().field() == "callback", "an empty std::function");
    check(client.try_submit(pb::SearchAvailabilityRequest()).error().field() == "bot_id", "a wrong request");
    int context = 0;
    client.submit_to_queue(search_request(), &context);
    const pb::Completion done = client.next_completion(seconds(30));
    check(done.context() == &context && !done.result_as<pb::SearchAvailabilityReply>()->availabilities.empty(), "the queue");
    client.close(seconds(5));
    check(client.try_submit(search_request()).error().status() == PBK_CLIENT_CLOSED, "a closed client");
}

static void phone_call()
{
    const pb::Client client(VOICE_SANDBOX);
    const pb::Conversation caller{"call-7", "bot_1", "+12125550123"};
    client.prefetch(caller.prefetch());
    const pb::ToolResult offered = client.call_tool(caller.find({"tomorrow", "after three"}));
    check(offered.kind == pb::ToolOutcome::offered && offered.slots.size() > 1 && offered.say, "offered", offered.text);
    const pb::ToolResult more = client.call_tool(caller.call("find_appointment_slots", R"({"more":"true","when":"tomorrow"})"));
    check(more.kind == pb::ToolOutcome::offered && more.slots[0].slot != offered.slots[0].slot, "a model's own arguments");
    pb::BookAppointment wish;
    wish.slot = offered.slots[0].slot;
    wish.name = "Zo\xc3\xab \"Zo\" O\\Neil";
    const pb::ToolResult readback = client.call_tool(caller.book(wish));
    check(readback.kind == pb::ToolOutcome::readback, "readback", *readback.say);
    wish.caller_confirmed = true;
    pb::ToolRequest early = caller.book(wish);
    early.speculative = true;
    check(client.call_tool(early).kind == pb::ToolOutcome::held, "held");
    const pb::ToolResult booked = client.submit(caller.book(wish)).reply.get();
    check(booked.kind == pb::ToolOutcome::booked && booked.booking->id && booked.idempotency_key, "booked", *booked.say);
    equal(pb::json_get(booked.booking->json, "/customer/name").value_or(""), *wish.name, "the name as it was said");
    check(client.call_tool(caller.look_up_caller()).kind == pb::ToolOutcome::known, "known");
    const pb::ToolResult wrong = client.call_tool(caller.call("book_appointment", "{\"slot\":\xff"));
    check(wrong.kind == pb::ToolOutcome::invalid && wrong.is_error, "arguments that are none", wrong.json);
    check(client.call_tool(caller.call("find_appointment_slots", std::string(1000000, '{'))).result == "invalid", "arguments without an end");
    client.conversation_end(caller);
}

/* Values that only replies hold can be written, too. */
static void replies_written()
{
    pb::DoubtAnswer answer;
    answer.status = 503;
    const auto doubt = pb::try_write(answer);
    check(doubt && doubt->find("\"status\":503") != std::string::npos, "an answer in doubt", *doubt);
    pb::GiveUpReply given_up;
    given_up.journaled = false;
    equal(*pb::try_write(given_up), "{\"journaled\":false}", "a flag that is there and false");
}

static void voice()
{
    const std::string zone = "America/New_York", now = "2030-01-14T08:00:00-05:00";
    const pb::Client client(VOICE_SANDBOX);
    const pb::Wish wish = pb::when(pb::WhenRequest{"tomorrow morning", {}, zone, {}, now});
    check(wish.clear && wish.readings.size() == 1, "a wish", wish.json);
    const pb::Reading &reading = wish.readings[0];
    const auto found = client.search_availability({"bot_1", reading.start_at, reading.end_at});
    pb::SlotOptions options{zone, 30, 3, reading};
    options.now = now;
    const pb::Slots slots = pb::slots(found, options);
    check(slots.offers.size() == 3 && slots.items == static_cast<std::int64_t>(found.availabilities.size()), "slots", slots.offers[0].slot);
    options.pick = slots.slots[1].slot;
    check(pb::slots(found.json, options).picked->start_at == slots.slots[1].start_at, "a pick");
    pb::SayRequest say;
    say.slots = {slots.offers[0].start_at, slots.offers[1].start_at};
    say.time_zone = zone;
    say.now = now;
    check(contains(pb::say(say).say, "tomorrow"), "words", pb::say(say).say);
    const pb::Phone phone = pb::phone(pb::PhoneRequest{"five five five, one two three, four five six seven", "US"});
    check(phone.phone == "+15551234567" && phone.groups.size() == 3, "a phone number", phone.say);
    check(pb::try_phone(pb::PhoneRequest{"five", "US"}).error().status() == PBK_PHONE_UNCLEAR, "half a number");
    check(pb::tools(pb::ToolsRequest{"openai", R"({"locale":"es"})"}).tools.front() == '[', "tools");
    pb::CreateBookingRequest request = booking_request("", "2030-01-14T10:00:00Z");
    check(pb::booking_key("call-7", request) == pb::booking_key("call-7", BOOKING), "a key");
}

int main()
{
    requests();
    replies();
    hostile_replies();
    waiting();
    submitting();
    phone_call();
    replies_written();
    voice();
    std::puts("values: all as expected");
}
