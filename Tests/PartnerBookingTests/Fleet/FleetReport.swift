@testable import PartnerBooking

/// What became of a fleet, its service and its callers.
struct FleetReport {
    /// The beginning of an outage, in which clients find out, and its end, in seconds.
    private static let part = 20.0

    let trouble: SimulatedService.Trouble
    /// What the service was asked in each second: requests and handshakes.
    let load: [Int]
    /// In a second, on average.
    let loadBefore: Double
    let loadAtFirst: Double
    let loadAtLast: Double
    /// The most in a tenth of a second, after the outage.
    let peakAfter: Int
    /// How many milliseconds a caller waits to hear that it does not work: the median.
    let waitAtFirst: Int
    let waitAtLast: Int
    /// So many seconds after the end of the outage 19 of 20 of those who call are served, from then on in every second.
    let servedAfter: Int
    /// The same at the first try.
    let servedAtOnceAfter: Int
    let bookings: Int
    let untrue: Int

    init(_ fleet: Fleet) {
        let (plan, load) = (fleet.plan, fleet.service.load)
        let (begin, end) = (plan.outage.lowerBound, plan.outage.upperBound)
        func perSecond(_ from: Double, _ to: Double) -> Double {
            Double(load[fleet.at(from), fleet.at(to)].reduce(0, +)) / (to - from)
        }
        func wait(_ from: Double, _ to: Double) -> Int {
            let failures = fleet.failures.filter { fleet.at(from) <= $0.begunAt && $0.begunAt < fleet.at(to) }
            return failures.isEmpty ? 0 : failures.map(\.milliseconds).sorted()[failures.count / 2]
        }
        /// Those who call in the last seconds may still wait when the simulation ends.
        func servedAfter(tries: Int) -> Int {
            let shares = (0..<Int(plan.end - end) - 10).map { second in
                let (from, to) = (fleet.at(end + Double(second)), fleet.at(end + Double(second) + 1))
                let served = fleet.endings.count {
                    $0.isServed && $0.calls <= tries && from <= $0.begunAt && $0.begunAt < to
                }
                return Double(served) / Double(max(fleet.callers[from, to].reduce(0, +), 1))
            }
            return (shares.lastIndex { $0 < 0.95 } ?? -1) + 1
        }
        trouble = plan.trouble
        self.load = (0..<Int(plan.end)).map { load[fleet.at(Double($0)), fleet.at(Double($0) + 1)].reduce(0, +) }
        loadBefore = perSecond(begin - 20, begin)
        loadAtFirst = perSecond(begin, begin + Self.part)
        loadAtLast = perSecond(end - Self.part, end)
        peakAfter = load[fleet.at(end), fleet.at(plan.end)].max() ?? 0
        waitAtFirst = wait(begin, begin + Self.part)
        waitAtLast = wait(end - Self.part, end)
        self.servedAfter = servedAfter(tries: plan.triesOfBot)
        servedAtOnceAfter = servedAfter(tries: 1)
        bookings = fleet.service.bookings.count
        untrue = fleet.untrue
    }

    /// For Benchmarks/fleet.py.
    func print(_ name: String) {
        let ratios = [loadAtFirst, loadAtLast, Double(peakAfter) * 10].map { "\($0 / loadBefore)" }
        let counts = [waitAtFirst, waitAtLast, servedAtOnceAfter, servedAfter, bookings, untrue].map { "\($0)" }
        Swift.print("fleet \(trouble), \(name): \((ratios + counts).joined(separator: ",")): \(load)")
    }
}
