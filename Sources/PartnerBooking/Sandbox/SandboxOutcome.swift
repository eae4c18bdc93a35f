/// The result of one request to the sandbox, and its delay.
struct SandboxOutcome {
    let result: TransferResult
    let delayMilliseconds: Int

    private init(_ result: TransferResult, after delay: Int = 0) {
        self.result = result
        delayMilliseconds = delay
    }

    private init(_ reply: HTTPReply, after delay: Int = 0) { self.init(.reply(reply), after: delay) }

    /// Makes the outcome of a request. The fault decides whether and how the clinic answers.
    init(
        of request: HTTPRequest, in sandbox: inout Sandbox, now: Int, at moment: MonotonicTime, _ fault: SandboxFault.Kind?
    ) {
        func answer(_ manner: Sandbox.Manner = .init()) -> HTTPReply {
            sandbox.answer(request, now: now, at: moment, manner)
        }
        switch fault {
        case nil, .queues: self.init(answer())
        case .loseRequest: self.init(Self.connectionLost())
        case .loseReply:
            _ = answer()
            self.init(Self.connectionLost())
        case .cuts: self.init(Self.connectionLost(inside: answer()))
        case .late(let milliseconds): self.init(answer(), after: milliseconds)
        case .error(let reply): self.init(Self.scripted(reply))
        case .limits(let milliseconds): self.init(Self.limited(milliseconds))
        case .respells(let isWrong): self.init(answer(.init(spelling: isWrong ? .wrongOffset : .otherOffset)))
        case .errorAfter(let status):
            _ = answer()
            self.init(Self.failed(status))
        case .slowDuplicate(let milliseconds):
            _ = answer()
            self.init(answer(), after: milliseconds)
        case .inProgress(let milliseconds):
            _ = answer()
            sandbox.hold(request, until: moment.adding(milliseconds: milliseconds))
            self.init(answer())
        case .works(let milliseconds, nil): self.init(answer(.init(workMilliseconds: milliseconds)), after: milliseconds)
        case .works(let milliseconds, let status?):
            _ = answer(.init(workMilliseconds: milliseconds))
            self.init(Self.failed(status))
        case .givesUp(let milliseconds, let work, let status):
            let reply = answer(.init(workMilliseconds: work))
            self.init(work <= milliseconds ? reply : Self.failed(status), after: min(work, milliseconds))
        case .drops(let milliseconds):
            _ = answer(.init(workMilliseconds: milliseconds))
            self.init(Self.connectionLost())
        case .ownConflict:
            _ = answer()
            self.init(Self.failed(409, "slot_unavailable"))
        case .declined: self.init(Self.booking("declined", startAt: nil))
        case .booksAs(let status): self.init(answer(.init(status: status)))
        case .cancelsLater(let milliseconds): self.init(answer(.init(cancelledAfterMilliseconds: milliseconds)))
        case .otherBooking:
            _ = answer()
            self.init(Self.booking("confirmed", startAt: "2001-01-01T00:00:00Z"))
        case .emptyBooking:
            _ = answer()
            self.init(Self.reply(#"{"booking":{}}"#))
        case .errorInBooking:
            _ = answer()
            self.init(Self.reply(#"{"booking":{"error":{"code":"slot_unavailable","message":"The slot is gone"}}}"#))
        }
    }

    /// Returns a broken connection. With `reply`, the first half of its body has arrived.
    private static func connectionLost(inside reply: HTTPReply? = nil) -> TransferResult {
        let message = "The sandbox broke the connection" + (reply == nil ? "" : " in the middle of the reply")
        var failure = TransferFailure(code: .connectionLost, message: message, isRetryable: true)
        failure.partialReply = reply.map { HTTPReply(status: $0.status, body: Array($0.body.prefix($0.body.count / 2))) }
        return .failure(failure)
    }

    private static func booking(_ status: String, startAt: String?) -> HTTPReply {
        let body = JSONWriter.object {
            $0.object("booking") { booking in
                booking.member("id", "bkg_scripted")
                booking.member("status", status)
                if let startAt { booking.member("start_at", startAt) }
            }
        }
        return HTTPReply(status: 201, body: body)
    }

    private static func reply(_ body: String) -> HTTPReply { HTTPReply(status: 201, body: Array(body.utf8)) }

    private static func failed(_ status: Int, _ code: String = "scripted_error") -> HTTPReply {
        Sandbox.Refusal(status, code, "The sandbox was told to answer this").reply
    }

    private static func scripted(_ scripted: SandboxFault.ScriptedReply) -> HTTPReply {
        guard let body = scripted.body else { return failed(scripted.status, scripted.code) }
        return HTTPReply(status: scripted.status, body: Array(body.utf8)) {
            $0.lowercased() == "content-type" ? scripted.contentType : nil
        }
    }

    private static func limited(_ milliseconds: Int) -> HTTPReply {
        HTTPReply(status: 429, body: failed(429, "rate_limited").body) {
            $0.lowercased() == "retry-after-ms" ? String(milliseconds) : nil
        }
    }
}
