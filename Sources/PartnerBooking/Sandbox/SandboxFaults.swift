/// A fault that the sandbox injects into requests. See "Trouble on purpose" in
/// docs/json-contract.md. Each fault was observed at a platform or gateway.
struct SandboxFault: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        // Faults of any request.

        /// The connection breaks before the clinic sees the request.
        case loseRequest
        /// The clinic executes the request, and the connection breaks before the reply.
        case loseReply
        /// The clinic executes the request, and the connection breaks in the middle of the reply.
        case cuts
        /// An intermediary holds the request back for this time.
        case queues(milliseconds: Int)
        /// The clinic executes the request at once, and answers after this time.
        case late(milliseconds: Int)
        /// The clinic does nothing, and gives this answer.
        case error(ScriptedReply)
        /// The clinic does nothing, and answers 429 with a time to wait.
        case limits(milliseconds: Int)
        /// Times in the reply have another offset: the same instants, or, wrongly, the same
        /// digits.
        case respells(isWrong: Bool)

        // Faults of a booking.

        /// The booking is made, and the answer has this status.
        case errorAfter(status: Int)
        /// A gateway sends the request twice. The second reply arrives after this time.
        case slowDuplicate(milliseconds: Int)
        /// The booking is made. For this time, all requests with its key get a 409: in progress.
        case inProgress(milliseconds: Int)
        /// The clinic works for this time, and holds the slot. With `status`, a gateway answers
        /// at once with that status.
        case works(milliseconds: Int, status: Int?)
        /// The clinic works for `workMilliseconds`. A gateway answers `status` after
        /// `milliseconds`, unless the clinic has finished before.
        case givesUp(milliseconds: Int, workMilliseconds: Int, status: Int)
        /// The connection breaks at once, and the clinic works for this time.
        case drops(milliseconds: Int)
        /// The booking is made, and the answer is a conflict about its own slot.
        case ownConflict
        /// The booking is not made. The reply is a booking whose status says so.
        case declined
        /// The booking is made with this status.
        case booksAs(status: String)
        /// The booking is made, and cancelled after this time.
        case cancelsLater(milliseconds: Int)
        /// The booking is made, and the answer is another booking.
        case otherBooking
        /// The booking is made, and the answer is an empty booking.
        case emptyBooking
        /// The booking is made, and the answer is a booking with an error in it.
        case errorInBooking

        /// True when the fault can hit every request, not only a booking.
        var isGeneral: Bool {
            switch self {
            case .loseRequest, .loseReply, .cuts, .queues, .late, .error, .limits, .respells: true
            default: false
            }
        }
    }

    /// A reply from the configuration.
    struct ScriptedReply: Sendable, Equatable {
        let status: Int
        let code: String
        /// The whole body. Nil means an error object with the code.
        var body: String?
        var contentType: String?
    }

    let kind: Kind
    let operation: CallOperation
    /// The requests of the operation that get the fault, counted from 1.
    let calls: Set<Int>
    /// Percentage of the other requests that get the fault.
    let percent: Int
}

/// The faults of one operation's requests, drawn one after the other. The same seed gives the
/// same faults.
struct SandboxFaults: Sendable {
    private let faults: [SandboxFault]
    private var random: SplitMix64
    private var count = 0

    init(_ faults: [SandboxFault], seed: UInt64) {
        self.faults = faults
        random = SplitMix64(state: seed)
    }

    /// Returns the fault of the next request, or nil for none.
    mutating func next() -> SandboxFault.Kind? {
        count += 1
        // Each fault takes one draw, used or not. So a change to one fault does not change the
        // others.
        let drawn = faults.map { _ in Int.random(in: 0..<100, using: &random) }
        return zip(faults, drawn).first { $0.calls.contains(count) || $1 < $0.percent }?.0.kind
    }
}
