import Glibc
import Testing

@testable import PartnerBooking

/// The herd after an outage. `make fleet` runs it with a thousand clients and prints the table of docs/fleet.md. One thread, so that
/// a sanitizer has nothing to find, and much to compute.
@Suite(.enabled(if: !isSanitized)) struct FleetTests {
    private static let clients = getenv("FLEET_CLIENTS").flatMap { Int(String(cString: $0)) }

    private static func plan(_ trouble: SimulatedService.Trouble, breaker: Bool = true) -> Fleet.Plan {
        var plan = Fleet.Plan()
        plan.trouble = trouble
        if !breaker { plan.policy = .calm }
        plan.clients = clients ?? 100
        plan.callsPerSecond = Double(plan.clients) / 2
        plan.servicePerSecond = Double(plan.clients)
        return plan
    }

    private static func run(_ plan: Fleet.Plan, _ name: String = "") throws -> FleetReport {
        let fleet = try Fleet(plan)
        try fleet.run()
        let report = FleetReport(fleet)
        if clients != nil { report.print(name) }
        return report
    }

    @Test(arguments: SimulatedService.Trouble.allCases)
    func aServiceThatFailsIsSparedAndSoonFoundWell(_ trouble: SimulatedService.Trouble) throws {
        let report = try Self.run(Self.plan(trouble), "as shipped")
        #expect(report.loadAtFirst < 3 * report.loadBefore)
        #expect(report.loadAtLast < 1.5 * report.loadBefore)
        #expect(Double(report.peakAfter) * 10 < 4 * report.loadBefore)
        #expect(report.servedAtOnceAfter <= 10)
        #expect(report.waitAtLast < 50, "callers hear at once that it does not work")
        #expect(report.bookings > 0)
        #expect(report.untrue == 0)
    }

    /// As voice bots are advised to have them.
    @Test func searchesThatAreGivenUpEarlyTellOfAnOutageToo() throws {
        var plan = Self.plan(.silent)
        plan.searchTimeoutMilliseconds = 4_000
        let report = try Self.run(plan, "searches of 4 s")
        #expect(report.loadAtLast < 1.5 * report.loadBefore)
        #expect(report.servedAtOnceAfter <= 10)
        #expect(report.waitAtLast < 50)
    }

    /// The simulated service can be kept down by those who ask it too often: else the test above proved nothing.
    @Test func withoutABreakerAServiceThatWasSilentStaysDown() throws {
        let report = try Self.run(Self.plan(.silent, breaker: false), "without breaker and budget")
        #expect(report.loadAtLast > 2 * report.loadBefore)
        #expect(report.servedAfter > 20)
        #expect(report.untrue == 0)
    }

    /// All connections broke and were made again at the same moment; nobody calls.
    @Test func clientsThatIdleDoNotStayInStep() throws {
        var plan = Self.plan(.refusing)
        plan.callsPerSecond = 0.001
        plan.outage = 40..<41
        plan.end = 300
        let fleet = try Fleet(plan)
        try fleet.run()
        let load = fleet.service.load
        let reconnecting = load[fleet.at(40), fleet.at(41)].max() ?? 0
        let again = load[fleet.at(41), fleet.at(60)].max() ?? 0
        let later = load[fleet.at(60), fleet.at(300)].max() ?? 0
        if Self.clients != nil { print("fleet idle: \(reconnecting),\(again),\(later)") }
        #expect(reconnecting > plan.clients / 2)
        #expect(again < plan.clients / 5)
        #expect(later < plan.clients * 7 / 100, "a tenth would be all that the service can do")
    }
}
