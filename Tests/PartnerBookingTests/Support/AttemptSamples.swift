@testable import PartnerBooking

/// Replies and what to make of them, for the tests of `AttemptResult`.
enum AttemptSamples {
    static let wallClock = 1_894_611_600  // Mon, 14 Jan 2030 09:00:00 GMT

    static func reply(_ status: Int, _ body: String, _ headers: [String: String] = [:]) -> HTTPReply {
        HTTPReply(status: status, body: Array(body.utf8)) { headers[$0] }
    }

    static func judge(_ reply: HTTPReply, _ operation: CallOperation = .createBooking) -> AttemptResult {
        AttemptResult(.reply(reply), to: .init(operation: operation)) { wallClock }
    }

    static func judge(_ failure: TransferFailure, _ operation: CallOperation = .createBooking) -> AttemptResult {
        AttemptResult(.failure(failure), to: .init(operation: operation)) { wallClock }
    }

    static func failure(
        _ code: PartnerBookingError.Code = .connectionLost, isRetryable: Bool = true,
        partial: HTTPReply? = nil
    ) -> TransferFailure {
        TransferFailure(
            code: code, message: "It broke", isRetryable: isRetryable, curlCode: 56, partialReply: partial)
    }

    static func refusal(_ code: String, _ message: String = "The service's words") -> String {
        #"{"error":{"code":"\#(code)","message":"\#(message)"}}"#
    }

    static func success(_ operation: CallOperation) -> String {
        switch operation {
        case .searchAvailability: #"{"availabilities":[]}"#
        case .createBooking: #"{"booking":{"id":"bkg_1"}}"#
        case .lookupCustomer: #"{"found":false}"#
        }
    }
}

extension AttemptResult {
    var reply: [UInt8]? { try? result.get() }

    var error: PartnerBookingError? {
        guard case .failure(let error) = result else { return nil }
        return error
    }
}
