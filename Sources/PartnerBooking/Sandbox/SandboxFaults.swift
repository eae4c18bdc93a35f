/// A fault that the sandbox injects into requests: docs/json-contract.md, "Trouble on purpose". Each was observed at a
/// platform or gateway.
struct SandboxFault: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        // What happens to any request.

        /// The connection breaks before the clinic sees the request.
        case loseRequest
        /// The clinic does what it is asked, and the connection breaks before the reply.
        case loseReply
        /// The same, in the middle of the reply.
        case cuts
        /// Something on the way keeps the request for so long.
        case queues(milliseconds: Int)
        /// Done at once, and answered so much later.
        case late(milliseconds: Int)
        /// Not done. This is the answer.
        case error(ScriptedReply)
        /// Not done: 429, and a time to wait.
        case limits(milliseconds: Int)
        /// Times in the reply have another offset: the same instants, or wrongly the same digits.
        case respells(isWrong: Bool)

        // What happens to a booking.

        /// Made, and answered with that status.
        case errorAfter(status: Int)
        /// A gateway sends the request twice, and the second reply comes, so much later.
        case slowDuplicate(milliseconds: Int)
        /// Made, but for so long all requests with the key get a 409: in progress.
        case inProgress(milliseconds: Int)
        /// The clinic works for so long, with the slot held. With `status`, a gateway answers that at once.
        case works(milliseconds: Int, status: Int?)
        /// The clinic works for so long. A gateway answers after its own time.
        case givesUp(milliseconds: Int, workMilliseconds: Int, status: Int)
        /// The connection breaks at once, and the clinic works for so long.
        case drops(milliseconds: Int)
        /// Made, and answered with a conflict about its own slot.
        case ownConflict
        /// Not made; the reply is a booking whose status says so.
        case declined
        /// Made with that status.
        case booksAs(status: String)
        /// Made, and cancelled so much later.
        case cancelsLater(milliseconds: Int)
        /// Made, and answered with another booking.
        case otherBooking
        /// Made, and answered with an empty booking.
        case emptyBooking
        /// Made, and answered with a booking that has an error in it.
        case errorInBooking

        /// Every request can meet it, not bookings alone.
        var isGeneral: Bool {
            switch self {
            case .loseRequest, .loseReply, .cuts, .queues, .late, .error, .limits, .respells: true
            default: false
            }
        }
    }

    /// A reply as the configuration writes it.
    struct ScriptedReply: Sendable, Equatable {
        let status: Int
        let code: String
        /// nil: an error object with the code.
        var body: String?
        var contentType: String?
    }

    let kind: Kind
    let operation: CallOperation
    /// The requests of the operation that it happens to, counted from 1.
    let calls: Set<Int>
    /// And of the others how many in a hundred.
    let percent: Int
}

/// Draws the faults of one operation's requests, one after the other. The same seed gives the same faults.
struct SandboxFaults: Sendable {
    private let faults: [SandboxFault]
    private var random: SplitMix64
    private var count = 0

    init(_ faults: [SandboxFault], seed: UInt64) {
        self.faults = faults
        random = SplitMix64(state: seed)
    }

    /// Returns the fault of the next request, nil for none.
    mutating func next() -> SandboxFault.Kind? {
        count += 1
        // One draw for each fault, whether it is used or not: so a script can be changed in one place without changing all.
        let drawn = faults.map { _ in Int.random(in: 0..<100, using: &random) }
        return zip(faults, drawn).first { $0.calls.contains(count) || $1 < $0.percent }?.0.kind
    }
}
