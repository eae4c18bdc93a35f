@testable import PartnerBooking

/// The service that a simulated fleet talks to. It works off one thing after another, remembers bookings by their key, and is out
/// of order for a while.
final class SimulatedService {
    /// What is wrong during the outage.
    enum Trouble: String, CaseIterable, Sendable {
        /// Its machines are gone: connections break, and new ones are refused.
        case refusing
        /// Its front is there and answers 503.
        case unavailable
        /// It takes requests, makes the bookings, and answers nothing.
        case silent
    }

    struct Outage: Sendable {
        let trouble: Trouble
        let begin: MonotonicTime
        let end: MonotonicTime
    }

    /// There and back again.
    static let roundTripMilliseconds = 40

    /// What a request takes of the service's time, and a TLS handshake too.
    private let workNanoseconds: Int64
    private let outage: Outage
    /// When it will have done what it was asked, also by those who have given up meanwhile: it does not know.
    private var isBusyUntil: MonotonicTime
    /// When each booking was made, by its key.
    private(set) var bookings: [String: MonotonicTime] = [:]
    /// What it was asked: requests and TLS handshakes, with those that it refused.
    private(set) var load: Tally

    init(_ outage: Outage, perSecond: Double, begin: MonotonicTime) {
        workNanoseconds = Int64(1e9 / perSecond)
        self.outage = outage
        isBusyUntil = begin
        load = Tally(begin)
    }

    func trouble(_ now: MonotonicTime) -> Trouble? { outage.begin <= now && now < outage.end ? outage.trouble : nil }

    /// A client connects: when that will be done, or nil when it is refused.
    func connect(_ now: MonotonicTime) -> MonotonicTime? {
        load.count(now)
        let handshake = 2 * Self.roundTripMilliseconds
        switch trouble(now) {
        case .refusing: return nil
        case .unavailable, .silent: return now.adding(milliseconds: handshake)
        case nil: return work(now).adding(milliseconds: handshake)
        }
    }

    /// A request comes, on a connection: its result and when the client has it, or nil when there is none.
    func take(key: String?, _ now: MonotonicTime) -> (result: TransferResult, at: MonotonicTime)? {
        load.count(now)
        let back = Self.roundTripMilliseconds
        switch trouble(now) {
        case .refusing: return (.failure(.simulated(.connectionLost)), now.adding(milliseconds: back))
        case .unavailable:
            return (.reply(HTTPReply(status: 503, body: Sample.refusal("unavailable"))), now.adding(milliseconds: back))
        case .silent:
            _ = reply(key, now)
            return nil
        case nil:
            let done = work(now)
            return (.reply(HTTPReply(status: 200, body: reply(key, done))), done.adding(milliseconds: back))
        }
    }

    private func work(_ now: MonotonicTime) -> MonotonicTime {
        isBusyUntil.nanoseconds = max(isBusyUntil, now).nanoseconds + workNanoseconds
        return isBusyUntil
    }

    private func reply(_ key: String?, _ now: MonotonicTime) -> [UInt8] {
        guard let key else { return Sample.searchReply }
        if bookings[key] == nil { bookings[key] = now }
        return Sample.bookingReply
    }
}

/// How often something happened, in each tenth of a second.
struct Tally: Sendable {
    private let begin: MonotonicTime
    private(set) var counts: [Int] = []

    init(_ begin: MonotonicTime) { self.begin = begin }

    mutating func count(_ now: MonotonicTime) {
        let place = place(now)
        while counts.count <= place { counts.append(0) }
        counts[place] += 1
    }

    /// The counts between two moments.
    subscript(_ from: MonotonicTime, _ to: MonotonicTime) -> ArraySlice<Int> {
        counts[min(place(from), counts.count)..<min(place(to), counts.count)]
    }

    private func place(_ moment: MonotonicTime) -> Int { Int((moment.nanoseconds - begin.nanoseconds) / 100_000_000) }
}

extension TransferFailure {
    static func simulated(_ code: PartnerBookingError.Code) -> TransferFailure {
        TransferFailure(code: code, message: "Simulated", isRetryable: true)
    }
}
