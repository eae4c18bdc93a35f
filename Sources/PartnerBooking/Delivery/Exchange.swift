/// One request with all its attempts, and the calls that wait for its end: one, or for a booking as many as have asked for it
/// under the same key. Used on the transfer thread alone.
final class Exchange {
    let id: TransferID
    let request: Request
    /// The request as its service gets it.
    let message: Message
    var delivery: Delivery
    /// Who waits for its end.
    var calls: Set<Ticket>
    /// How far its record in the journal has come.
    var recording = BookingLedger.Recording.none
    /// It was sent although the journal did not take it.
    var isUnprotected = false
    /// When it got its place among the exchanges in flight.
    var startedAt: MonotonicTime?
    /// When the attempt under way began.
    var attemptedAt: MonotonicTime?
    /// How the last attempt ended, while the next one is waited for.
    var lastResult: CallResult?
    var lastTiming: AttemptTiming?
    /// How it ended, while the journal takes down that nothing was booked.
    var settling: CallResult?

    /// For a call that is the first to ask. The exchange has its ticket as ID.
    init(_ call: Call, _ request: Request, _ message: Message, isInDoubt: Bool) {
        id = call.ticket
        self.request = request
        self.message = message
        delivery = Delivery(policy: call.policy, deadline: call.deadline, seed: call.seed, isInDoubt: isInDoubt)
        calls = [call.ticket]
    }
}
