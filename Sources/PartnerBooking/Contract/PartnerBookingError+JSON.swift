extension PartnerBookingError {
    /// The error as JSON: `{"error":{…}}`, as in docs/json-contract.md.
    public var json: [UInt8] { JSONWriter.object { $0.object("error", write) } }

    func write(_ error: inout JSONWriter) {
        error.member("code", code.rawValue)
        error.member("message", message)
        error.member("status", status)
        error.member("source", source.rawValue)
        error.member("retryable", isRetryable)
        error.member("attempts", attempts)
        error.member("field", field)
        error.member("request_id", requestID)
        if let kind { error.member("kind", kind.rawValue) }
        if let outcome {
            error.member("outcome", outcome.rawValue)
            error.member("idempotency_key", idempotencyKey)
        }
        if let tag { error.member("tag", tag) }
        if let offset { error.member("offset", offset) }
        if let retryAfterMilliseconds { error.member("retry_after_ms", retryAfterMilliseconds) }
        if let curlCode { error.member("curl_code", curlCode) }
        if isFromService { error.member("from_service", true) }
        if let received {
            error.member("content_type", received.contentType)
            error.member("reply_bytes", received.byteCount)
        }
        if let doubt {
            error.object("doubt") { object in
                object.member("sent_ms_ago", doubt.sentMillisecondsAgo)
                guard let code = doubt.code else { return object.member("answer", nil as String?) }
                object.object("answer") { answer in
                    answer.member("status", doubt.status)
                    answer.member("code", code.rawValue)
                }
            }
        }
        if let existing {
            error.object("existing") { object in
                object.member("state", existing.state.rawValue)
                object.member("start_at", existing.startAt)
                if let bookingID = existing.bookingID { object.member("booking_id", bookingID) }
            }
        }
        if let timeProblem { error.member("reason", timeProblem.reason.rawValue) }
        if let phoneProblem {
            error.member("reason", phoneProblem.reason.rawValue)
            error.member("digits_heard", ifAny: phoneProblem.digitsHeard)
            error.member("digits_wanted", ifAny: phoneProblem.digitsWanted)
        }
        if let reply = self.reply { error.member("reply", json: reply) }
        if let timing { error.object("timing", timing.write) }
    }
}
