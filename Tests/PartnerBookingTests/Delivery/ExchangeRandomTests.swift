import Glibc
import Testing

@testable import PartnerBooking

/// What holds for an exchange whatever happens to it, in any order.
@Suite struct ExchangeRandomTests {
    /// How many steps: PBK_TEST_STEPS, else 100,000, and fewer under a sanitizer, which makes them slow.
    private static let steps =
        getenv("PBK_TEST_STEPS").flatMap { Int(String(cString: $0)) } ?? (isSanitized ? 20_000 : 100_000)

    @Test func whateverHappensEachCallHasOneTrueEndAndNothingIsSentThatMustNotBe() {
        var (seed, steps) = (UInt64(0), 0)
        var failures: [String] = []
        while steps < Self.steps, failures.count < 5 {
            seed += 1
            var exchange = RandomExchange(seed: seed)
            let limit = 20 + Int(seed % 5) * 20
            while !exchange.isOver, exchange.steps < limit, exchange.report == nil { exchange.step() }
            if exchange.report == nil { exchange.drain() }
            steps += max(exchange.steps, 1)
            if let report = exchange.report { failures.append("seed \(seed): \(report)") }
        }
        #expect(failures.isEmpty, "\(failures.joined(separator: "\n\n"))")
    }
}
