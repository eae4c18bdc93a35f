// The input is a service's reply: a line with its status, one with its Retry-After, and its body.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzReply(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    let parts = input.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let status = Int(Array(parts[0]).text), (200...599).contains(status) else { return -1 }
    let retryAfter = String(decoding: parts[1], as: UTF8.self)
    let reply = HTTPReply(status: status, body: Array(parts[2])) { name in
        name == "Retry-After" ? retryAfter : nil
    }
    checkReason(reply.withoutByteOrderMark)
    for operation in CallOperation.allCases {
        for source in [PartnerBookingError.Source.partnerAPI, .platform] {
            check(reply, of: operation, from: source)
        }
    }
    return 0
}

/// The reason, whatever the status: bounded, and one line unless it is the Partner API's own.
private func checkReason(_ reply: HTTPReply) {
    guard let reason = ServiceReason(reply.body, status: reply.status) else { return }
    require(reason.code != nil || reason.message != nil, "a reason says something")
    require(reply.body.count <= ServiceReason.maxBodyBytes, "a long body is not read")
    if let code = reason.code {
        require((1...ServiceReason.maxCodeBytes).contains(code.utf8.count), "a code is short: \(code)")
        require(code.unicodeScalars.allSatisfy { $0 == " " || !$0.isBlank }, "a code is one line: \(code)")
    }
    guard let message = reason.message else { return }
    require(!message.isEmpty, "a message says something")
    let error = (try? JSONDocument(reply.body, profile: .reply))?.root["error"]
    if reason.code != nil, error?["code"]?.string == reason.code, error?["message"]?.string == message { return }
    let limit = ServiceReason.maxMessageBytes + "…".utf8.count
    require(message.utf8.count <= limit, "a message is bounded: \(message.utf8.count)")
    require(message.unicodeScalars.allSatisfy { $0 == " " || !$0.isBlank }, "a message is one line: \(message)")
}

private func check(_ reply: HTTPReply, of operation: CallOperation, from source: PartnerBookingError.Source) {
    // The start that a request for a booking asked for, so that replies about another one are found.
    let question = AttemptResult.Question(operation: operation, source: source, startSeconds: 1_894_615_200)
    let attempt = AttemptResult(.reply(reply), to: question, wallClock: { 1_705_312_800 })
    let answer = attempt.answer
    let body = reply.withoutByteOrderMark.body
    switch attempt.result {
    case .success(let given):
        require(given == body && answer == .made, "a success passes through")
        require((200...299).contains(reply.status), "only 2xx is a success: \(reply.status)")
        require((try? JSONDocument(body, profile: .reply))?.root.kind == .object, "a success is a JSON object: \(body.text)")
    case .failure(let error):
        requireUsable(error, of: reply.body)
        let isRefusal = [.bookingRefused, .callerRefused, .conflict, .inProgress].contains(answer)
        require(isRefusal == ((400...499).contains(reply.status) && reply.status != 408), "only 4xx is a refusal")
        require(answer != .made, "what was made is a success")
        let isOfABooking = answer == .notConfirmed || answer == .otherBooking
        require(!isOfABooking || operation == .createBooking && (200...299).contains(reply.status), "a booking is a 2xx")
        require(error.status == reply.status, "the status is told")
        require(error.received?.byteCount ?? reply.body.count == reply.body.count, "the length is told")
        require(Reply(error.json)?.isSame(error) ?? false, "the JSON says the same: \(error.json.text)")
        require((0...86_400_000).contains(error.retryAfterMilliseconds ?? 0), "a day at most")
        if source == .platform { require(error.source == .platform, "a platform's error is the platform's") }
        if let passedOn = error.reply { require(passedOn == body, "the error's body passes through") }
    }
}

extension Reply {
    fileprivate func isSame(_ error: PartnerBookingError) -> Bool {
        guard case .failure(let read) = self else { return false }
        return read.code == error.code && read.status == error.status && read.isFromService == error.isFromService
    }
}
