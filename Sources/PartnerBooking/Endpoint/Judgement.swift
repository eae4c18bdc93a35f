import Glibc

/// What the result of one attempt means: the reply or error for the caller, and the verdict for the delivery.
struct Judgement {
    var result: CallResult
    var verdict: Delivery.Verdict

    /// `source`: who answers.
    init(
        _ result: TransferResult, of operation: Operation, from source: PartnerBookingError.Source = .partnerAPI,
        wallClock: () -> Int = WallClock.seconds
    ) {
        switch result {
        case .reply(let reply):
            self.init(reply, of: operation, from: source, wallClock: wallClock)
        case .failure(let failure):
            let isCut = failure.code == .replyTooLarge
            self =
                Judgement(partial: isCut ? nil : failure.partialReply, of: operation, from: source, wallClock)
                ?? Judgement(failure, from: source)
        }
    }

    /// What came of a reply before its transfer broke or was given up, when that is a whole answer: a service that answers
    /// before it has read the whole request may break the transfer then. JSON tells: no part of an object's text is itself an
    /// object's text.
    init?(
        partial reply: HTTPReply?, of operation: Operation, from source: PartnerBookingError.Source = .partnerAPI,
        _ wallClock: () -> Int = WallClock.seconds
    ) {
        guard let reply else { return nil }
        self.init(reply, of: operation, from: source, wallClock: wallClock)
        if !isDefinite { return nil }
    }

    private init(_ result: CallResult, _ effect: Delivery.Effect) {
        self.result = result
        switch result {
        case .success:
            verdict = Delivery.Verdict(effect: effect, isRetryable: false)
        case .failure(let error):
            verdict = Delivery.Verdict(
                effect: effect, isRetryable: error.isRetryable, retryAfterMilliseconds: error.retryAfterMilliseconds)
        }
    }

    /// A success of the promised shape, or an error in the API's own words.
    private var isDefinite: Bool {
        switch result {
        case .success: true
        case .failure(let error): error.isFromService
        }
    }
}

// MARK: - Transfers that failed

extension Judgement {
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
            error.invalidReply = .init(contentType: partial?.header("Content-Type"), byteCount: partial?.body.count ?? 0)
        }
        self.init(.failure(error), failure.mayHaveBeenSent ? .unknown : .notSent)
        // A refused address is the configuration's matter or DNS's, and tells nothing of the service.
        if error.source == .network { verdict.isOutage = failure.code == .addressRefused ? nil : true }
    }
}

// MARK: - Replies

extension Judgement {
    private init(
        _ reply: HTTPReply, of operation: Operation, from source: PartnerBookingError.Source, wallClock: () -> Int
    ) {
        if (200...299).contains(reply.status) {
            self.init(success: reply, of: operation, from: source)
        } else {
            self.init(refusal: reply, from: source, wallClock: wallClock)
        }
        verdict.isOutage = reply.status >= 500
        if operation != .createBooking { verdict.isInProgress = false }  // only bookings have a key
    }

    private init(success reply: HTTPReply, of operation: Operation, from source: PartnerBookingError.Source) {
        let (member, kind, promised): (StaticString, JSONKind, String) =
            switch operation {
            case .searchAvailability: ("availabilities", .array, "an array availabilities")
            case .createBooking: ("booking", .object, "an object booking")
            case .lookupCustomer: ("found", .bool, "a boolean found")
            }
        if JSON.kindOfTopLevelMember(member, in: reply.body, profile: .reply) == kind {
            self.init(.success(reply.body), .done)
            return
        }
        var error = PartnerBookingError(
            .invalidReply, "HTTP \(reply.status) came with a body that is not a JSON object holding \(promised)",
            source: source)
        error.status = reply.status
        error.requestID = reply.header("X-Request-Id")
        error.invalidReply = .init(contentType: reply.header("Content-Type"), byteCount: reply.body.count)
        self.init(.failure(error), .unknown)
    }

    private init(refusal reply: HTTPReply, from source: PartnerBookingError.Source, wallClock: () -> Int) {
        var error: PartnerBookingError
        if let (code, message) = Self.serviceError(in: reply.body) {
            let source = Self.isPlatformCode(code) ? .platform : source
            error = PartnerBookingError(.init(rawValue: code), message, source: source)
            error.isFromService = true
        } else {
            let message = "HTTP \(reply.status) came without the API's error object"
            error = PartnerBookingError(.httpError, message, source: source)
        }
        // It becomes part of a JSON text of ours, which every reader must be able to read.
        if source == .platform, reply.body.count <= Self.passedOnBytes,
            (try? JSON.validate(reply.body, profile: .request)) != nil
        {
            error.reply = reply.body
        }
        error.status = reply.status
        error.requestID = reply.header("X-Request-Id")
        error.retryAfterMilliseconds = RetryAfter.milliseconds(reply, wallClock: wallClock)

        // The service's codes are open, and one of them means that the first try with this key is still running. So of all 409
        // only the one that is known for certain counts as a refusal.
        let mayBeInProgress = reply.status == 409 && error.code.rawValue != "slot_unavailable"
        let isWorthAnotherAttempt = mayBeInProgress || [408, 425, 429, 502, 503, 504].contains(reply.status)
        // A plain 500 may well be the platform choking on this very request: worth a later call, not an instant retry.
        let isWorthAnotherCall = (500...599).contains(reply.status) && reply.status != 501 && reply.status != 505
        error.isRetryable = isWorthAnotherAttempt || isWorthAnotherCall
        self.init(.failure(error), Self.effect(ofStatus: reply.status, mayBeInProgress: mayBeInProgress))
        verdict.isRetryable = isWorthAnotherAttempt
        verdict.isInProgress =
            mayBeInProgress && (error.retryAfterMilliseconds != nil || Self.tellsOfProgress(error.code.rawValue))
        verdict.isAboutBooking =
            error.isFromService && [400, 404, 409, 410, 422].contains(reply.status) && !mayBeInProgress
    }

    /// The words that services have for a key whose first request is still running: `idempotency_key_in_use`,
    /// `request_in_progress` and the like.
    private static func tellsOfProgress(_ code: String) -> Bool {
        (["in_progress", "in_use", "processing"] as [String]).contains { strstr(code, $0) != nil }
    }

    /// What a status that is no success says of a booking. Only 4xx are refusals. A redirect may follow a booking that was
    /// made (303), a 408 may come after the platform was asked, and any 5xx may hide a booking.
    private static func effect(ofStatus status: Int, mayBeInProgress: Bool) -> Delivery.Effect {
        switch status {
        case 408: .unknown
        case 409: mayBeInProgress ? .unknown : .refused
        case 400...499: .refused
        default: .unknown
        }
    }

    /// `{"error":{"code":…,"message":…}}`; a missing message is empty.
    private static func serviceError(in body: [UInt8]) -> (code: String, message: String)? {
        guard let document = try? JSONDocument(body, profile: .reply), let error = document.root["error"],
            let code = error["code"]?.string, !code.isEmpty
        else { return nil }
        return (code, error["message"]?.string ?? "")
    }

    /// The Partner API hands a platform's refusals through; only their words tell them apart. These three are known from
    /// platforms.
    private static func isPlatformCode(_ code: String) -> Bool {
        ["slot_unavailable", "invalid_signature", "invalid_payload"].contains(code)
    }

    /// The longest error body of a platform that is passed on.
    private static let passedOnBytes = 65_536
}
