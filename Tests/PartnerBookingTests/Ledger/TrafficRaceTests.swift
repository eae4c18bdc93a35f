import Glibc
import Testing

@testable import PartnerBooking

/// What holds for clients that share a store, whatever happens.
@Suite struct TrafficRaceTests {
    /// Twice as many steps as it makes: PBK_TEST_STEPS, else 100,000, and fewer under a sanitizer,
    /// which makes them slow.
    private static let steps =
        getenv("PBK_TEST_STEPS").flatMap { Int(String(cString: $0)) } ?? (isSanitized ? 20_000 : 100_000)

    @Test func noTwoClientsMaySendOneBooking() throws {
        var holds = 0
        for seed in 1...UInt64(Self.steps / 2_000) {
            var race = TrafficRace(seed: seed)
            for _ in 0..<1_000 where race.violation == nil { try race.step() }
            holds += race.holds
            guard let violation = race.violation else { continue }
            Issue.record("seed \(seed): \(violation)\n\(race.text)")
            return
        }
        #expect(holds > Self.steps / 400, "they hardly ever had a key")
    }
}
