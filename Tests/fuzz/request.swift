// The input is a request. Whatever it is, it is read as each of the operations, and what is accepted is sent on.
@testable import PartnerBooking

/// The members that must not travel.
private func ownMembers(_ operation: CallOperation) -> [StaticString] {
    let all: [StaticString] = ["timeout_ms", "slow_after_ms", "tag", "traceparent"]
    return operation == .createBooking
        ? all + ["idempotency_key", "detach", "resume", "give_up", "start_before", "conversation"] : all
}

/// The bots of the seeds.
private let relay: PlatformWebhookEndpoint = {
    let platform = #"{"account_id":"acct_7","webhook_url":"https://clinic.example/hook","webhook_secret":"whsec_7"}"#
    let json = #"{"endpoint":"platform_webhook","platforms":{"bot_7":\#(platform),"b":\#(platform)}}"#
    guard case .platformWebhook(let directory)? = try? Configuration(json: Array(json.utf8)).service else {
        fatalError("The configuration is wrong")
    }
    return PlatformWebhookEndpoint(directory)
}()

private let direct: PartnerAPIEndpoint = {
    let json = #"{"endpoint":"sandbox"}"#
    guard case .sandbox(_, let settings)? = try? Configuration(json: Array(json.utf8)).service else {
        fatalError("The configuration is wrong")
    }
    return PartnerAPIEndpoint(settings)
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequest(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    for operation in CallOperation.allCases {
        do throws(PartnerBookingError) {
            check(try Request(operation, json: input), of: input)
        } catch {
            requireUsable(error, of: input)
            require(error.attempts == 0 && error.status == nil, "nothing was sent")
            require(error.outcome == (operation == .createBooking ? .notSent : nil), "a refused booking was not sent")
        }
    }
    return 0
}

private func check(_ request: Request, of input: [UInt8]) {
    let document = required(try? JSONDocument(input, profile: .request), "what is accepted is JSON")
    // As it is written, or else in its canonical form.
    let isWritten = members(of: request.body) == members(document.root, without: ownMembers(request.operation))
    let given = isWritten ? document.root : CanonicalRequest.of(document, request.operation)?.root ?? document.root
    if request.isResuming || request.givesUp != nil {
        require(request.body.isEmpty && request.botID == nil, "a resumed booking is the recorded one")
        return
    }
    let own = ownMembers(request.operation)
    let body = request.body
    require(members(of: body) == members(given, without: own), "all but our own members travel as written: \(body.text)")

    checkAgain(request)
    checkMeaning(body)
    checkTime(request)
    checkMessages(request, rest: members(given, without: own + ["bot_id", "account_id"]))
    if request.operation == .createBooking {
        require(BookingSummary(body: body)?.botID == request.botID, "a booking can be listed: \(body.text)")
    }
}

/// The members of an object as they are written.
private func members(_ object: JSONValue, without names: [StaticString] = []) -> [[String]] {
    object.members.filter { member in !names.contains(where: member.key.equals) }.map { [$0.key.text, $0.value.text] }
}

private func members(of body: [UInt8]) -> [[String]]? {
    guard let root = (try? JSONDocument(body, profile: .request))?.root, root.kind == .object else { return nil }
    return members(root)
}

/// A body, given its key again, is a request for the same.
private func checkAgain(_ request: Request) {
    var text = request.body
    if let key = request.idempotencyKey {
        let object = JSONWriter.object { $0.member("idempotency_key", key) }.dropLast() + [UInt8(ascii: ",")]
        text.replaceSubrange(...required(text.firstIndex(of: UInt8(ascii: "{")), "a body is an object"), with: object)
    }
    do throws(PartnerBookingError) {
        let again = try Request(request.operation, json: text)
        require(members(of: again.body) == members(of: request.body), "read again it is the same: \(text.text)")
        require(again.idempotencyKey == request.idempotencyKey && again.botID == request.botID, "for the same")
        require(Fingerprint(body: again.body) == Fingerprint(body: request.body), "with the same fingerprint")
    } catch {
        // The key may be what makes it too long.
        require(text.count > Request.maxBytes, "a body can be read again: \(error.message): \(text.text)")
    }
}

/// Requests for the past are refused.
private func checkTime(_ request: Request) {
    var refused: [Bool] = []
    for now in [-62_200_000_000, 1_894_608_000, 253_500_000_000] {
        do throws(PartnerBookingError) {
            try request.checkNotPast(now: now)
            refused.append(false)
        } catch {
            requireUsable(error, of: request.body)
            refused.append(true)
        }
    }
    let isTimed = request.operation != .lookupCustomer && request.givesUp == nil
    require(!refused[0] && refused[2] == isTimed, "all times are past at the end, and none at the beginning: \(refused)")
}

/// A request means the same with its members the other way round, and without white space.
private func checkMeaning(_ body: [UInt8]) {
    let root = required((try? JSONDocument(body, profile: .request))?.root, "a body is JSON: \(body.text)")
    let fingerprint = required(Fingerprint(body: body), "a body has a fingerprint: \(body.text)")
    guard let turned = turned(root) else { return }
    require(Fingerprint(body: Array(turned.utf8)) == fingerprint, "it means the same turned round: \(turned)")
}

/// The same value with the members of all objects in reverse; nil when one stands twice, since copies must keep their order.
private func turned(_ value: JSONValue) -> String? {
    switch value.kind {
    case .object:
        var (names, parts) = (Set<[UInt8]>(), [String]())
        for (key, value) in value.members {
            guard names.insert(Array((key.string ?? "").utf8)).inserted, let part = turned(value) else { return nil }
            parts.append("\(key.text):\(part)")
        }
        return "{\(parts.reversed().joined(separator: ","))}"
    case .array:
        var parts: [String] = []
        for element in value.elements {
            guard let part = turned(element) else { return nil }
            parts.append(part)
        }
        return "[\(parts.joined(separator: ","))]"
    default: return value.text
    }
}

/// What is sent to the Partner API and to a platform's webhook.
private func checkMessages(_ request: Request, rest: [[String]]) {
    let message = required(try? direct.message(for: request), "the sandbox takes everything")
    requireHeaderLines(message.httpRequest().headers)
    require(message.body == request.body, "the Partner API gets the body as it is")

    do throws(PartnerBookingError) {
        try relay.check(request)
    } catch {
        require(error.code == .unknownBot, "only the bot can be wrong")
        return
    }
    let relayed = required(try? relay.message(for: request), "what was checked is relayed")
    requireHeaderLines(relayed.httpRequest().headers)
    var expected = [[#""account_id""#, #""acct_7""#]]
    if let key = request.idempotencyKey {
        expected += required(members(of: JSONWriter.object { $0.member("idempotency_key", key) }), "a key can be written")
    }
    require(members(of: relayed.body) == expected + rest, "a platform gets the account and the rest: \(relayed.body.text)")
}
