import Testing

@testable import PartnerBooking

/// The lengths of the pauses of an exchange. The clock is the test's own.
@Suite struct RetryScheduleTests {
    private static let start = MonotonicTime(nanoseconds: 7_000_000_123)

    private static func schedule(base: Int = 100, max: Int = 2_000, seed: UInt64 = 1) -> RetrySchedule {
        RetrySchedule(RetryPolicy(maxAttempts: 10, baseDelayMilliseconds: base, maxDelayMilliseconds: max), seed: seed)
    }

    // MARK: Retries

    /// The pauses of a call in milliseconds; each attempt fails at once.
    private func retries(base: Int, max: Int, seed: UInt64) -> [Int] {
        var schedule = Self.schedule(base: base, max: max, seed: seed)
        return (1...9).map {
            schedule.retry(after: Self.start, attempts: $0, atLeast: nil).milliseconds(since: Self.start)
        }
    }

    @Test(arguments: [(100, 2_000), (1, 1), (1, 60_000), (60_000, 60_000), (60_000, 1), (7, 100), (0, 100)])
    func everyPauseIsWithinItsBoundAndTheyFillIt(_ base: Int, _ max: Int) throws {
        let seeds: Range<UInt64> = 0..<400
        let calls = seeds.map { retries(base: base, max: max, seed: $0) }
        var bound = base
        for attempt in 1...9 {
            let limit = min(max, bound)
            let drawn = try calls.map { try #require($0.dropFirst(attempt - 1).first) }
            #expect(drawn.allSatisfy { (0...limit).contains($0) }, "attempt \(attempt)")
            // Full jitter: all of the range, and evenly. With 400 draws each fifth holds 80 of them, give or take 8.
            #expect(try #require(drawn.min()) <= limit / 20, "attempt \(attempt)")
            #expect(try #require(drawn.max()) >= limit - limit / 20, "attempt \(attempt)")
            let fifths = Dictionary(grouping: drawn) { $0 * 5 / (limit + 1) }.mapValues(\.count)
            if limit >= 100 { #expect(fifths.count == 5 && fifths.values.allSatisfy { $0 > 40 }, "\(fifths)") }
            if limit <= 16 { #expect(Set(drawn).count == limit + 1) }
            bound *= 2
        }
    }

    @Test func theSameSeedGivesTheSamePausesAndAnotherSeedOthers() {
        let seeds: Range<UInt64> = 0..<100
        let first = seeds.map { retries(base: 60_000, max: 60_000, seed: $0) }
        let second = seeds.map { retries(base: 60_000, max: 60_000, seed: $0) }
        #expect(first == second)
        #expect(Set(first).count == 100)
    }

    @Test(arguments: [0, 1, 1_999, 2_000, 2_001, 86_400_000])
    func aPauseIsNeverShorterThanTheServiceAsksFor(_ least: Int) {
        for seed in 0..<100 as Range<UInt64> {
            var schedule = Self.schedule(base: 2_000, seed: seed)
            var plain = schedule
            let moment = schedule.retry(after: Self.start, attempts: 1, atLeast: least)
            let unasked = plain.retry(after: Self.start, attempts: 1, atLeast: nil)
            #expect(moment == max(unasked, Self.start.adding(milliseconds: least)))
        }
    }

    /// Far beyond what a policy allows: nothing overflows.
    @Test(arguments: [0, 1, 17, 18, 63, 64, 1_000_000])
    func anyNumberOfAttemptsHasAPause(_ attempts: Int) {
        var schedule = Self.schedule(base: 60_000, max: 60_000)
        let pause = schedule.retry(after: Self.start, attempts: attempts, atLeast: nil).milliseconds(since: Self.start)
        #expect((0...60_000).contains(pause))
    }

    // MARK: Asking for a booking in doubt

    private func asks(_ count: Int, seed: UInt64 = 1, least: Int? = nil, sendings: Int = 1) -> [Int] {
        var schedule = Self.schedule(seed: seed)
        return (0..<count).map { _ in
            schedule.ask(after: Self.start, atLeast: least, sendings: sendings, settlesAt: nil).milliseconds(
                since: Self.start)
        }
    }

    @Test func aBookingInDoubtIsAskedForAfter1And2And4And8And16And30SecondsAndThenEvery30() {
        let bounds = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
        let drawn = (0..<300).map { asks(bounds.count, seed: UInt64($0)) }
        for (index, bound) in bounds.enumerated() {
            let pauses = drawn.map { $0[index] }
            #expect(pauses.allSatisfy { (bound...bound + bound / 8).contains($0) }, "ask \(index + 1)")
            #expect(Set(pauses).count > 60, "ask \(index + 1): clients do not ask in step")
        }
    }

    /// The platform has just been asked often.
    @Test(arguments: [(1, 1_000), (2, 1_000), (3, 2_000), (4, 4_000), (9, 4_000)])
    func aBookingThatWasSentOftenWaitsLongerFromTheStart(_ sendings: Int, _ pause: Int) {
        let drawn = asks(3, sendings: sendings)
        for (index, factor) in [1, 2, 4].enumerated() {
            let bound = pause * factor
            #expect((bound...bound + bound / 8).contains(drawn[index]), "ask \(index + 1)")
        }
    }

    @Test func aCallThatComesLaterIsAskedForAsFromTheStart() {
        var schedule = Self.schedule()
        for _ in 0..<6 { _ = schedule.ask(after: Self.start, atLeast: nil, sendings: 1, settlesAt: nil) }
        schedule.resetAsks()
        let pause = schedule.ask(after: Self.start, atLeast: nil, sendings: 1, settlesAt: nil)
        #expect((1_000...1_125).contains(pause.milliseconds(since: Self.start)))
    }

    /// Retries in between do not make the first question wait longer.
    @Test func retriesDoNotCountAsQuestions() {
        var schedule = Self.schedule()
        for attempt in 1...3 { _ = schedule.retry(after: Self.start, attempts: attempt, atLeast: nil) }
        let pause = schedule.ask(after: Self.start, atLeast: nil, sendings: 2, settlesAt: nil).milliseconds(
            since: Self.start)
        #expect((1_000...1_125).contains(pause))
    }

    @Test(arguments: [0, 900, 1_126, 5_000, 600_000])
    func itIsNotAskedForBeforeTheServiceWantsToBeAsked(_ least: Int) {
        for (asked, plain) in zip(asks(6, least: least), asks(6)) { #expect(asked == max(plain, least)) }
    }

    /// When the doubt ends, in milliseconds, and what the first pause of 1,000 to 1,125 then is. An answer shortly before
    /// that moment would prove nothing, and one long after it would leave the caller in doubt for nothing.
    @Test(arguments: [
        (1, 1), (400, 400), (1_000, 1_000), (1_125, 1_125), (2_000, 2_000), (2_999, 2_999),
        (3_125, nil), (31_000, nil), (0, nil), (-500, nil),
    ])
    func aQuestionNearTheEndOfTheDoubtIsAskedThen(_ settles: Int, _ expected: Int?) {
        let now = Self.start.adding(milliseconds: 10_000)
        let settlesAt = Self.start.adding(milliseconds: 10_000 + settles)
        for seed in 0..<50 as Range<UInt64> {
            var schedule = Self.schedule(seed: seed)
            let moment = schedule.ask(after: now, atLeast: nil, sendings: 1, settlesAt: settlesAt)
            if let expected {
                #expect(moment == now.adding(milliseconds: expected))
            } else {
                #expect((1_000...1_125).contains(moment.milliseconds(since: now)))
            }
        }
    }

    @Test func theServiceIsLeftAloneThenToo() {
        let settlesAt = Self.start.adding(milliseconds: 2_000)
        var schedule = Self.schedule()
        let moment = schedule.ask(after: Self.start, atLeast: 2_500, sendings: 1, settlesAt: settlesAt)
        #expect(moment == Self.start.adding(milliseconds: 2_500))
    }

    /// At least 99 % within 35 s, at most 8 requests. Each answer takes a tenth of a second.
    @Test func aDoubtThatCanEndIsAskedForAtItsEndAndNotOften() {
        for seed in 0..<300 as Range<UInt64> {
            var schedule = Self.schedule(seed: seed)
            var (now, requests) = (Self.start.adding(milliseconds: 200), 1)
            let settlesAt = now.adding(milliseconds: 31_000)
            var sentAt = Self.start
            while sentAt < settlesAt, requests < 20 {
                sentAt = schedule.ask(after: now, atLeast: nil, sendings: requests, settlesAt: settlesAt)
                now = sentAt.adding(milliseconds: 100)
                requests += 1
            }
            #expect(requests <= 8 && now.milliseconds(since: Self.start) <= 35_000, "seed \(seed): \(requests) requests")
        }
    }
}
