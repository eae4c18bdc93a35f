// The pieces of Swift in docs/swift.md, in a program that runs them: Tests/python/test_docs.py sees to it that they are here, line by
// line. What is around them is not on the page.
import PartnerBooking

func check(_ isRight: Bool, _ what: String) {
    print(isRight ? "ok   " : "WRONG", what)
    precondition(isRight, what)
}

@Sendable func say(_ words: String) { print("bot: \(words)") }

let bot = "bot_01h2xcejqtf2nbrexx3vqjhp41"

/// The sandbox, where nothing is tried again.
func sandbox(
    _ faults: [ClientConfiguration.Fault] = [], _ change: (inout ClientConfiguration.SandboxClinic) -> Void = { _ in }
) -> ClientConfiguration {
    var clinic = ClientConfiguration.SandboxClinic(now: "2030-01-14T08:00:00Z", faults: faults)
    change(&clinic)
    var configuration = ClientConfiguration(endpoint: .sandbox(clinic))
    configuration.retries.maxAttempts = 1
    return configuration
}

func booking(_ key: String) -> CreateBookingRequest {
    CreateBookingRequest(
        botID: bot, idempotencyKey: key, startAt: "2030-01-14T10:00:00Z", durationMinutes: 30,
        customer: .init(phone: "+15551234567", name: "John Doe"))
}

/// One whose call ends before the library asks again.
func hurried(_ key: String) -> CreateBookingRequest {
    var request = booking(key)
    request.options.timeout = .milliseconds(900)
    return request
}

func configurations(_ key: String, _ path: String) throws {
    var configuration = ClientConfiguration(endpoint: .partnerAPI(apiKey: key))
    configuration.timeout = .seconds(8)
    configuration.retries.maxAttempts = 4
    configuration.journal = .init(path: path)

    check(!"\(configuration)".contains(key), "a secret does not show")
    configuration.endpoint = .sandbox()
    _ = try PartnerBookingClient(configuration: configuration)
    do throws(PartnerBookingError) {
        configuration.retries.maxAttempts = 0
        _ = try PartnerBookingClient(configuration: configuration)
        check(false, "a wrong member")
    } catch {
        check(error.code == .invalidConfig && error.field == "retry.max_attempts", "a wrong member")
    }

    let secret = "whsec_0123456789abcdef"
    let platform = ClientConfiguration.BotPlatform(
        accountID: "acct_7", webhookURL: "https://clinic.example/dialstack", webhookSecrets: [secret])
    let webhooks = ClientConfiguration(endpoint: .platformWebhook(.init(platforms: [bot: platform])))
    _ = try PartnerBookingClient(configuration: webhooks)
    check(!"\(webhooks)".contains(secret), "a secret does not show")
}

func book(_ request: CreateBookingRequest, with client: PartnerBookingClient) async -> String {
    do throws(PartnerBookingError) {
        let booked = try await client.createBooking(request)
        return "You are booked for \(booked.startAt ?? request.startAt)."
    } catch {
        print(error, error.idempotencyKey ?? "", error.requestID ?? "")  // for the log
        if error.existing != nil, let key = error.idempotencyKey,
            let booked = try? await client.resumeBooking(idempotencyKey: key)
        {
            return "You have an appointment already: \(booked.startAt ?? request.startAt)."
        } else if error.outcome == .unknown {
            return "I am confirming that for you."  // resume its key
        } else if error.isSlotConflict {
            return "Somebody was faster. Shall I look for another time?"
        } else if error.field == "booking.customer.phone" {
            return "I did not get your number. Could you say it again, please?"
        } else if error.isRetryable {
            return "I cannot reach the calendar at the moment. May we call you back?"
        }
        return "Let me put you through to a colleague."
    }
}

func answer(to error: PartnerBookingError) -> String {
    switch error.code {
    case .rangeTooLong: "For which day, please?"
    case .clinicClosed: "We are closed then. Which other day suits you?"
    case .timeout, .circuitOpen: "The calendar does not answer. May we call you back?"
    default: "Let me put you through to a colleague."  // .unauthorized, .botNotFound
    }
}

extension PartnerBookingError.Code {
    static let clinicClosed = Self(rawValue: "clinic_closed")  // one of your platform's
}

func ask(_ wish: TimeWish, in zone: String, now: Int?) throws -> String {
    let times = wish.readings.map { $0.around ?? $0.notBefore }
    let starts = zip(wish.readings, times).map { "\($0.from)T\($1 ?? "23:59")" }
    let style: Speech.Style = times.contains { $0 != nil } ? .full : .day
    return "Do you mean \(try Speech(timeZone: zone).words(for: starts, style: style, now: now))?"
}

func wish(_ words: String, in zone: String, now: Int?) throws -> TimeWish? {
    do throws(PartnerBookingError) {
        return try TimeWish(when: words, timeZone: zone, now: now)
    } catch {
        guard error.timeProblem != nil else { throw error }
        say("For which day and time, please?")
        return nil
    }
}

func words() throws {
    let zone = "America/New_York"
    let now = 1_894_626_000
    check(try wish("when the moon is blue", in: zone, now: now) == nil, "words that are not understood")
    let both = try wish("next Tuesday at ten thirty", in: zone, now: now)
    let one = "at ten thirty in the morning"
    check(
        try both.map { try ask($0, in: zone, now: now) }
            == "Do you mean tomorrow, Tuesday \(one), or Tuesday, January twenty-second \(one)?", "two readings")
    let days = try wish("next Tuesday", in: zone, now: now)
    check(
        try days.map { try ask($0, in: zone, now: now) }
            == "Do you mean tomorrow, Tuesday, or Tuesday, January twenty-second?", "two days")
}

func failures() async throws {
    let client = try PartnerBookingClient(configuration: sandbox([.init(.loseReply, calls: [1])]))
    check(await book(hurried("one"), with: client) == "I am confirming that for you.", "an outcome that is unknown")
    check(await book(booking("one"), with: client).hasPrefix("You are booked"), "the same key")
    check(await book(booking("two"), with: client).hasPrefix("Somebody was faster"), "a slot that is taken")
    var other = booking("one")
    other.notes = "The left knee"
    check(await book(other, with: client) == "You have an appointment already: 2030-01-14T10:00:00Z.", "a key in use")
    var wrong = booking("three")
    wrong.customer.phone = "five"
    check(await book(wrong, with: client).hasPrefix("I did not get your number"), "a number that is none")
    try await client.close(timeout: .seconds(1))
    check(await book(booking("four"), with: client).hasPrefix("Let me put you through"), "a client that is closed")
}

func codes() async throws {
    let refusing = sandbox([.init(.error(status: 422, code: "clinic_closed"))]) { $0.slotMinutes = 1 }
    let client = try PartnerBookingClient(configuration: refusing)
    do throws(PartnerBookingError) {
        _ = try await client.createBooking(booking("one"))
    } catch {
        check(error.code == .clinicClosed && answer(to: error).hasPrefix("We are closed"), "a platform's code")
    }
    do throws(PartnerBookingError) {
        _ = try await client.searchAvailability(
            SearchAvailabilityRequest(botID: bot, startAt: "2030-01-14", endAt: "2030-03-14"))
    } catch {
        check(error.code == .rangeTooLong && answer(to: error).hasPrefix("For which day"), "a service's code")
    }
    try await client.close(timeout: .seconds(1))
    let strange = try PartnerBookingClient(configuration: sandbox { $0.bots = [] })
    do throws(PartnerBookingError) {
        _ = try await strange.createBooking(booking("one"))
    } catch {
        check(error.code == .botNotFound && answer(to: error).hasPrefix("Let me put you"), "another code")
    }
    try await strange.close(timeout: .seconds(1))
}

func cancelling() async throws {
    let client = try PartnerBookingClient(configuration: sandbox { $0.latency = .milliseconds(300) })

    var request = SearchAvailabilityRequest(
        botID: bot, startAt: "2030-01-14T09:00:00Z", endAt: "2030-01-14T17:00:00Z")
    request.options.slowAfter = .milliseconds(20)
    let search = Task { [request] in
        try await client.searchAvailability(request, onSlow: { say("One moment, please.") })
    }
    try await Task.sleep(for: .milliseconds(60))
    search.cancel()  // the caller speaks
    do {
        _ = try await search.value
        check(false, "a search that is cancelled")
    } catch let error as PartnerBookingError {
        check(error.code == .cancelled, "a search that is cancelled")
    }

    try await detaching(client)
    try await client.close(timeout: .seconds(1))
}

func detaching(_ client: PartnerBookingClient) async throws {
    var request = booking("call-7-booking-1")
    request.isDetached = true
    let appointment = Task { [request] in try await client.createBooking(request) }
    try await Task.sleep(for: .milliseconds(60))
    appointment.cancel()  // the caller hangs up, and the booking goes on
    check(try await appointment.value.id != nil, "a booking that runs on")
}

func textForTheModel(_ tool: String, _ arguments: String, in conversation: Conversation) async -> String {
    do throws(PartnerBookingError) {
        let answer = try await conversation.call(
            tool, arguments: arguments, onSlow: { say("One moment, please.") })
        if let words = answer.say { say(words) }
        return answer.text
    } catch {
        print(error)  // for the log
        return "The calendar cannot be reached. Say so, and offer a call back."
    }
}

func phoneCall() async throws {
    var clinic = ClientConfiguration.SandboxClinic(latency: .milliseconds(100))
    clinic.timeZone = "America/New_York"

    var configuration = ClientConfiguration(endpoint: .sandbox(clinic))
    configuration.voice = .init(.init(timeZone: "America/New_York", region: "US"))
    let client = try PartnerBookingClient(configuration: configuration)

    let tools = BookingTools()
    send(tools.json(for: .openAIRealtime), tools.prompt)

    let conversation = Conversation(
        client, callID: "call-7", botID: bot, callerPhone: "+12125550123")
    try conversation.prefetch()  // the phone rings

    let (tool, arguments) = ("find_appointment_slots", #"{"when":"next week"}"#)
    let toolCall = Task { await textForTheModel(tool, arguments, in: conversation) }
    toolCall.cancel()  // the caller speaks: do not send its text to the model
    check(await toolCall.value.contains("call back"), "a tool call that is cancelled")

    check(await textForTheModel(tool, arguments, in: conversation).contains("Offer these times"), "a tool call")
    try conversation.end()  // the caller has hung up

    try await client.close(timeout: .seconds(1))
    check(await textForTheModel(tool, arguments, in: conversation).contains("call back"), "a closed client")
}

func send(_ tools: [UInt8], _ prompt: String) {
    check(tools.starts(with: "[{".utf8) && prompt.hasPrefix("You book appointments"), "tools")
}

func journal(_ path: String) async throws {
    func journaled(_ faults: [ClientConfiguration.Fault] = []) throws -> PartnerBookingClient {
        var configuration = sandbox(faults)
        configuration.bookings.settlingTime = .zero
        configuration.journal = .init(path: path)
        return try PartnerBookingClient(configuration: configuration)
    }
    let before = try journaled([.init(.loseReply)])
    for call in ["call-7", "call-8"] {
        var request = hurried("\(call)-booking-1")
        request.conversation = call
        request.startAt = call == "call-7" ? request.startAt : "2030-01-14T11:00:00Z"
        check(await book(request, with: before) == "I am confirming that for you.", "a booking in doubt")
    }
    try await before.close(timeout: .seconds(1))

    let client = try journaled()
    // A person has looked into the calendar: there is no such appointment, and nobody wants it any more.
    let reply = try await client.giveUpBooking(idempotencyKey: "call-8-booking-1")
    print(reply.givenUp.map(\.idempotencyKey), reply.kept.map(\.state))
    check(reply.givenUp.map(\.conversation) == ["call-8"] && reply.kept.isEmpty, "one that is given up")

    for pending in try client.pendingBookings() {
        let call = "\(pending.conversation ?? "a call") was \(pending.state)"
        do throws(PartnerBookingError) {
            let key = pending.idempotencyKey
            let booked = try await client.resumeBooking(idempotencyKey: key)
            print("\(call): booked for \(booked.startAt ?? pending.startAt)")
        } catch {
            let isOpen = error.outcome == .unknown
            print("\(call): \(isOpen ? "still open, try later" : "not booked, call the customer")")
        }
    }
    check(try client.pendingBookings().map(\.state) == [.booked], "one that was made, heard in a second")
    try await client.close(timeout: .seconds(1))

    let last = try journaled()
    check(try last.pendingBookings().isEmpty, "all are heard")
    try await last.close(timeout: .seconds(1))
}

func keys() throws {
    var request = booking("")
    request.idempotencyKey = try BookingKey.derived(callID: "call-7", request: request)
    check(request.idempotencyKey.hasPrefix("booking-"), "a key")
}

func json() async throws {
    let client = try PartnerBookingClient(json: #"{"endpoint":"sandbox"}"#)
    let request = #"""
        {"bot_id":"bot_01h2xcejqtf2nbrexx3vqjhp41","room":"2","query":{"filter":{"start_at_range":
         {"start_at":"2030-01-14T09:00:00-05:00","end_at":"2030-01-14T17:00:00-05:00"}}}}
        """#
    let reply = try await client.call(.searchAvailability, request: Array(request.utf8))
    check(String(decoding: reply, as: UTF8.self).hasPrefix(#"{"availabilities":["#), "JSON")

    let (completions, teller) = AsyncStream.makeStream(of: CallCompletion.self)
    let ticket = try client.submit(.searchAvailability, request: Array(request.utf8)) { completion in
        teller.yield(completion)  // on the transfer thread: hand it on, and return
    }
    for await completion in completions {
        check(completion.ticket == ticket, "a completion")
        break
    }
    try await client.close(timeout: .seconds(1))
}

@main
struct Documented {
    static func main() async throws {
        let path = CommandLine.arguments[1]
        try configurations("sk_ptnr_0123456789abcdef", path)
        try words()
        try await failures()
        try await codes()
        try await cancelling()
        try await phoneCall()
        try await journal(path + "-2")
        try keys()
        try await json()
    }
}
