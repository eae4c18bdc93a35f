import Testing

@testable import PartnerBooking

@Suite struct RetryBudgetTests {
    private static let start = MonotonicTime(nanoseconds: 5_000_000_000)

    /// Returns the tokens that are left at a moment.
    private func drain(_ budget: inout RetryBudget, after milliseconds: Int) -> Int {
        let now = Self.start.adding(milliseconds: milliseconds)
        var count = 0
        while count < 100_000, budget.spend(now: now) { count += 1 }
        return count
    }

    @Test(arguments: [1, 2, 20, 1_000])
    func aFullBucketHasItsTokensAndComesBackEvenly(_ tokens: Int) {
        var budget = RetryBudget(tokens: tokens)
        let interval = RetryBudget.refillMilliseconds / tokens
        #expect(drain(&budget, after: 0) == tokens)
        #expect(drain(&budget, after: interval - 1) == 0)
        #expect(drain(&budget, after: interval) == 1)
        #expect(drain(&budget, after: interval + RetryBudget.refillMilliseconds / 2) == tokens / 2)
        #expect(drain(&budget, after: 1_000_000) == tokens, "no more than full")
    }

    @Test func noneMeansNoLimit() {
        var budget = RetryBudget(tokens: 0)
        #expect(drain(&budget, after: 0) == 100_000)
    }

    /// A background of doubts takes nothing from the retries of calls, nor the other way round.
    @Test func callsAndDoubtsThatNoCallWaitsForHaveBudgetsOfTheirOwn() {
        var health = ServiceHealth(DeliveryPolicy(retryTokens: 5), seed: 1)
        #expect(drain(&health.budget, after: 0) == 5)
        #expect(drain(&health.settlingBudget, after: 0) == ServiceHealth.settlingTokens)
        var calm = ServiceHealth(.calm, seed: 1)
        #expect(drain(&calm.budget, after: 0) == 100_000)
        #expect(drain(&calm.settlingBudget, after: 0) == ServiceHealth.settlingTokens)
    }
}
