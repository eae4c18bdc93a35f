/// The result of one attempt: the reply or error, and the next step.
struct AttemptResult {
    var result: CallResult
    var answer: Answer
    /// True when the same request may succeed if it is sent again at once.
    var isRetryable = false
    /// The pause that the service asked for.
    var retryAfterMilliseconds: Int?
    /// True when the service or the network path is out of order, probably also for other
    /// requests. nil: not known.
    var isOutage: Bool?
    /// True when the platform does not accept the signature or the key.
    var isUnauthorized = false

    /// The question that the attempt asked.
    struct Question: Sendable {
        var operation: CallOperation
        /// The side that answers.
        var source = PartnerBookingError.Source.partnerAPI
        /// The requested start, in seconds since 1970; nil: any start is accepted.
        var startSeconds: Int?
    }

    @inline(__always)
    init(_ result: TransferResult, to question: Question, wallClock: () -> Int = WallClock.seconds) {
        switch result {
        case .reply(let reply):
            self.init(reply, question, wallClock)
        case .failure(let failure):
            let isCut = failure.code == .replyTooLarge
            self =
                AttemptResult(partial: isCut ? nil : failure.partialReply, to: question, wallClock: wallClock)
                ?? AttemptResult(failure, from: question.source)
        }
    }

    /// Reads a reply whose transfer did not complete. A service may answer and close before it
    /// has read the request. Returns nil unless the body is a complete answer, such as a
    /// refusal with a code.
    init?(partial reply: HTTPReply?, to question: Question, wallClock: () -> Int = WallClock.seconds) {
        guard let reply else { return nil }
        self.init(reply, question, wallClock)
        if !isDefinite { return nil }
    }

    private init(_ error: PartnerBookingError, _ answer: Answer) {
        result = .failure(error)
        self.answer = answer
        isRetryable = error.isRetryable
        retryAfterMilliseconds = error.retryAfterMilliseconds
    }

    var isSuccess: Bool { if case .success = result { true } else { false } }

    /// True for a success of the promised shape, a refusal with the service's own code, or a
    /// declined or different booking.
    private var isDefinite: Bool {
        switch result {
        case .success: true
        case .failure(let error): error.isFromService || answer == .notConfirmed || answer == .otherBooking
        }
    }
}

// MARK: - Transfers that failed

extension AttemptResult {
    private init(_ failure: TransferFailure, from source: PartnerBookingError.Source) {
        let isReply = failure.code == .invalidReply || failure.code == .replyTooLarge
        let isLocal = failure.code == .resourceUnavailable
        var error = PartnerBookingError(
            failure.code, failure.message, source: isReply ? source : isLocal ? .library : .network,
            isRetryable: failure.isRetryable)
        error.curlCode = failure.curlCode
        let partial = failure.partialReply
        if isReply {
            error.status = partial?.status
            error.requestID = partial?.header("X-Request-Id")
        }
        if failure.code == .invalidReply {
            error.received = .init(contentType: partial?.header("Content-Type"), byteCount: partial?.body.count ?? 0)
        }
        self.init(error, .none)
        // A refused address comes from the configuration or DNS. It proves nothing about the
        // service.
        if error.source == .network { isOutage = failure.code == .addressRefused ? nil : true }
    }
}

// MARK: - Replies

extension AttemptResult {
    private init(_ reply: HTTPReply, _ question: Question, _ wallClock: () -> Int) {
        let reply = reply.withoutByteOrderMark
        if (200...299).contains(reply.status) {
            self.init(success: reply, question)
        } else {
            self.init(refusal: reply, question, wallClock)
        }
        isOutage = reply.status >= 500
    }

    private init(success reply: HTTPReply, _ question: Question) {
        let (member, kind, promised): (StaticString, JSONKind, String)
        switch question.operation {
        case .searchAvailability: (member, kind, promised) = ("availabilities", .array, TransferMessage.availabilities)
        case .lookupCustomer: (member, kind, promised) = ("found", .bool, TransferMessage.found)
        case .createBooking:
            self.init(booking: reply, question)
            return
        }
        guard JSON.kindOfTopLevelMember(member, in: reply.body, profile: .reply) == kind else {
            self.init(Self.invalidReply(reply, promised, question.source), .none)
            return
        }
        self.init(made: reply.body)
    }

    private init(made body: [UInt8]) {
        result = .success(body)
        answer = .made
    }

    /// Reads the reply to a booking. A success has the requested start, and is not declined.
    private init(booking reply: HTTPReply, _ question: Question) {
        guard let booking = BookingReply(reply.body) else {
            self.init(Self.invalidReply(reply, TransferMessage.booking, question.source), .none)
            return
        }
        if booking.startsElsewhere(than: question.startSeconds) {
            let (found, wanted) = (Self.time(booking.startSeconds), Self.time(question.startSeconds))
            let message = TransferMessage.otherStart(found, wanted)
            self.init(Self.doubtful(.otherBooking, message, reply, question.source), .otherBooking)
        } else if let status = booking.refusingStatus {
            let message = TransferMessage.notConfirmed(status)
            self.init(Self.doubtful(.notConfirmed, message, reply, question.source), .notConfirmed)
        } else {
            self.init(made: reply.body)
        }
    }

    private static func time(_ seconds: Int?) -> String {
        seconds.map { Timestamp.format(seconds: $0, offsetMinutes: 0) } ?? "none"
    }

    /// Returns the error for a 2xx that is no success. It contains the reply.
    private static func doubtful(
        _ code: PartnerBookingError.Code, _ message: String, _ reply: HTTPReply, _ source: PartnerBookingError.Source
    ) -> PartnerBookingError {
        var error = PartnerBookingError(code, message, source: source)
        error.status = reply.status
        error.requestID = reply.header("X-Request-Id")
        error.reply = passedOn(reply.body)
        return error
    }

    private static func invalidReply(
        _ reply: HTTPReply, _ promised: String, _ source: PartnerBookingError.Source
    ) -> PartnerBookingError {
        let message = TransferMessage.unusable(reply.status, promised)
        var error = PartnerBookingError(.invalidReply, message, source: source)
        error.status = reply.status
        error.requestID = reply.header("X-Request-Id")
        error.received = .init(contentType: reply.header("Content-Type"), byteCount: reply.byteCount)
        return error
    }

    /// Returns the body if it is valid JSON and short enough. Our JSON contains it two levels
    /// deeper, and every reader, ours included, must be able to read that.
    private static func passedOn(_ body: [UInt8]) -> [UInt8]? {
        func isValid(_ json: [UInt8]) -> Bool { (try? JSON.validate(json, profile: .request)) != nil }
        let inPlace = Array(#"{"error":{"reply":"#.utf8) + body + Array("}}".utf8)
        return body.count <= passedOnBytes && isValid(body) && isValid(inPlace) ? body : nil
    }

    /// Longest body of a platform that an error passes on.
    private static let passedOnBytes = 65_536
}

// MARK: - Refusals

extension AttemptResult {
    private init(refusal reply: HTTPReply, _ question: Question, _ wallClock: () -> Int) {
        let refusal = Refusal(reply, wallClock: wallClock)
        var error: PartnerBookingError
        if let code = refusal.reason?.code {
            let source = Refusal.isPlatformCode(code) ? .platform : question.source
            let message = refusal.reason?.message ?? TransferMessage.noText(reply.status)
            error = PartnerBookingError(.init(rawValue: code), message, source: source)
            error.isFromService = true
        } else {
            let message = refusal.reason?.message.map { TransferMessage.reason(reply.status, $0) }
            error = PartnerBookingError(
                .httpError, message ?? TransferMessage.noReason(reply.status), source: question.source)
        }
        error.reply = Self.passedOn(reply.body)
        error.received = .init(contentType: reply.header("Content-Type"), byteCount: reply.byteCount)
        error.status = reply.status
        error.requestID = reply.header("X-Request-Id")
        error.retryAfterMilliseconds = refusal.retryAfterMilliseconds
        let isBooking = question.operation == .createBooking
        error.isRetryable = refusal.isTransient || isBooking && refusal.answer == .inProgress
        self.init(error, refusal.answer)
        isUnauthorized = reply.status == 401
    }
}
