/// A fault that the sandbox injects into bookings: docs/json-contract.md, "Trouble on purpose". Each was observed at a
/// platform or gateway.
struct SandboxFault: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// The connection breaks before the booking is made.
        case loseRequest
        /// The booking is made, and the connection breaks before the reply.
        case loseReply
        /// The booking is made at once, and answered so much later.
        case late(milliseconds: Int)
        /// Refused with that status and code.
        case error(status: Int, code: String)
        /// Made, and answered with that status.
        case errorAfter(status: Int)
        /// A gateway sends the request twice, and the second reply comes, so much later.
        case slowDuplicate(milliseconds: Int)
        /// Made, but for so long all requests with the key get a 409: in progress.
        case inProgress(milliseconds: Int)
        /// The platform works for so long, with the slot held. With `status`, a gateway answers that at once.
        case works(milliseconds: Int, status: Int?)
        /// Made, and answered with a conflict about its own slot.
        case ownConflict
        /// Not made; the reply is a booking whose status says so.
        case declined
        /// Made, and answered with another booking.
        case otherBooking
        /// Made, and answered with an empty booking.
        case emptyBooking
    }

    let kind: Kind
    /// The booking requests it happens to, counted from 1.
    let calls: Set<Int>
    /// And of the others how many in a hundred.
    let percent: Int
}

/// Draws the fault for one booking request after the other. The same seed gives the same faults.
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
