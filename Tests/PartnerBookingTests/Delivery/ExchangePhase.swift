@testable import PartnerBooking

/// A phase, with what makes a difference in it, and how an exchange comes there.
enum ExchangePhase: String, CaseIterable, Sendable {
    case claiming
    case recording
    /// The store has the booking.
    case queued
    /// An earlier process may have sent it.
    case queuedInDoubt
    case attempting
    /// The first attempt has no answer, the second is with the transport.
    case attemptingInDoubt
    /// Its call has ended at its deadline.
    case attemptingSettling
    /// Its call was cancelled.
    case attemptingReading
    /// No call waits, and the platform has had its time.
    case abandoningOverdue
    /// Cancelled before it was sent.
    case abandoningCancelled
    /// The platform has asked it to come again.
    case pausing
    case pausingInDoubt
    case pausingSettling
    /// The store is to take the record back, which is on its way.
    case takingBack
    /// The store is to take down that nothing was booked.
    case voiding
    /// The same, for a call that was cancelled while the platform worked.
    case voidingReading
    case ended
    case searchAttempting
    case searchPausing
    case searchAbandoning
    /// A person gives a booking up, and the ledger has not answered.
    case givingUpClaiming
    /// The store has not recorded it yet.
    case givingUp

    /// An exchange that has come there.
    func harness(_ settings: ExchangeHarness.Settings = .init()) -> ExchangeHarness {
        let isSearch = rawValue.hasPrefix("search")
        var settings = settings
        if isSearch { settings.operation = .searchAvailability }
        if givesUp { settings.givesUp = true }
        var harness = ExchangeHarness(settings)
        harness.begin()
        if isSearch { leadSearch(&harness) } else { leadBooking(&harness) }
        return harness
    }

    var givesUp: Bool { self == .givingUpClaiming || self == .givingUp }

    private func leadBooking(_ harness: inout ExchangeHarness) {
        if self == .givingUp { harness.take(.gaveUp(isAwaited: true)) }
        if self == .claiming || givesUp { return }
        harness.take(self == .queuedInDoubt ? .grantedRecorded : .granted)
        if self == .recording || self == .queuedInDoubt { return }
        if self == .takingBack {
            harness.take(.cancelled(isSent: false))
            return
        }
        harness.take(.record(.durable))
        if self == .queued { return }
        harness.take(.placeGranted)
        leadAttempt(&harness)
    }

    private func leadAttempt(_ harness: inout ExchangeHarness) {
        if self == .abandoningCancelled {
            harness.take(.cancelled(isSent: false))
            return
        }
        harness.send()
        harness.pass(100)
        switch self {
        case .attemptingInDoubt, .pausingInDoubt:
            harness.take(.answered(.gatewayTimeout))
            if self == .pausingInDoubt { return }
            harness.take(.pauseOver)
            harness.pass(100)
        case .attemptingSettling, .abandoningOverdue, .pausingSettling:
            harness.take(.deadline(isSent: true))
            if self == .pausingSettling { harness.take(.answered(.gatewayTimeout)) }
            if self == .abandoningOverdue {
                harness.pass(15_000)
                harness.take(.attemptOverdue)
            }
        case .attemptingReading: harness.take(.cancelled(isSent: true))
        case .pausing: harness.take(.answered(.tooMany))
        case .voiding: harness.take(.answered(.taken))
        case .voidingReading:
            harness.take(.cancelled(isSent: true))
            harness.take(.answered(.taken))
        case .ended: harness.take(.answered(.made))
        default: break
        }
    }

    private func leadSearch(_ harness: inout ExchangeHarness) {
        harness.take(.placeGranted)
        harness.send()
        harness.pass(100)
        if self == .searchPausing { harness.take(.answered(.gatewayTimeout)) }
        if self == .searchAbandoning { harness.take(.cancelled(isSent: true)) }
    }
}
