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
    for operation in CallOperation.allCases {
        for source in [PartnerBookingError.Source.partnerAPI, .platform] {
            check(reply, of: operation, from: source)
        }
    }
    return 0
}

private func check(_ reply: HTTPReply, of operation: CallOperation, from source: PartnerBookingError.Source) {
    // The start that a request for a booking asked for, so that replies about another one are found.
    let question = AttemptResult.Question(operation: operation, source: source, startSeconds: 1_894_615_200)
    let attempt = AttemptResult(.reply(reply), to: question, wallClock: { 1_705_312_800 })
    let answer = attempt.answer
    switch attempt.result {
    case .success(let body):
        require(body == reply.body && answer == .made, "a success passes through")
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
        require((0...86_400_000).contains(error.retryAfterMilliseconds ?? 0), "a day at most")
        if source == .platform { require(error.source == .platform, "a platform's error is the platform's") }
        if let passedOn = error.reply { require(passedOn == reply.body, "the error's body passes through") }
    }
}
