@testable import PartnerBooking

/// What became of a fleet, its service and its callers.
struct FleetReport {
    /// How long after its begin an outage is known to all.
    private static let settledAfter = 40.0

    let trouble: SimulatedService.Trouble
    /// Requests and handshakes in a second.
    let loadBefore: Double
    /// Once the outage is known.
    let loadInOutage: Double
    /// The most in a tenth of a second, after its end.
    let peakAfter: Int
    /// How many milliseconds a caller waits during the outage, once it is known, to hear that it does not work: the median.
    let wait: Int
    /// So many seconds after the end of the outage 19 of 20 of those who call are served, from then on in every second.
    let servedAfter: Int
    let bookings: Int
    /// Bookings of which callers were told what is not true.
    let untrue: Int

    init(_ fleet: Fleet) {
        let (plan, load) = (fleet.plan, fleet.service.load)
        let (begin, end) = (fleet.at(plan.outage.lowerBound), fleet.at(plan.outage.upperBound))
        let known = fleet.at(plan.outage.lowerBound + Self.settledAfter)
        let (before, outage, after) = (load[fleet.at(15), begin], load[known, end], load[end, fleet.at(plan.end)])
        trouble = plan.trouble
        loadBefore = Self.perSecond(before)
        loadInOutage = Self.perSecond(outage)
        peakAfter = after.max() ?? 0
        let waits = fleet.failures.filter { known <= $0.begunAt && $0.begunAt < end }.map(\.milliseconds).sorted()
        wait = waits.isEmpty ? 0 : waits[waits.count / 2]
        // Those who call in the last seconds may still wait when the simulation ends.
        let seconds = Int(plan.end - plan.outage.upperBound) - 10
        let shares = (0..<seconds).map { Self.servedShare(fleet, second: plan.outage.upperBound + Double($0)) }
        servedAfter = (shares.lastIndex { $0 < 0.95 } ?? -1) + 1
        bookings = fleet.service.bookings.count
        untrue = fleet.endings.count { ending in
            guard let key = ending.key else { return false }
            let isBooked = fleet.service.bookings[key] != nil
            switch ending.result {
            case .success: return !isBooked
            case .failure(let error): return isBooked && error.outcome != .unknown
            }
        }
    }

    private static func perSecond(_ tenths: ArraySlice<Int>) -> Double {
        tenths.isEmpty ? 0 : Double(tenths.reduce(0, +)) / Double(tenths.count) * 10
    }

    /// Of those who call in one second.
    private static func servedShare(_ fleet: Fleet, second: Double) -> Double {
        let (from, to) = (fleet.at(second), fleet.at(second + 1))
        let served = fleet.endings.count { ending in
            if case .success = ending.result { from <= ending.begunAt && ending.begunAt < to } else { false }
        }
        return Double(served) / Double(max(fleet.callers[from, to].reduce(0, +), 1))
    }

    /// A row of the table in docs/fleet.md.
    func print(_ name: String) {
        func ratio(_ value: Double) -> String { "\(Double(Int(value / loadBefore * 100)) / 100)" }
        Swift.print(
            "| \(trouble), \(name) | \(ratio(loadInOutage)) | \(ratio(Double(peakAfter) * 10)) | \(wait) ms | \(servedAfter) s "
                + "| \(bookings), \(untrue) |")
    }
}
