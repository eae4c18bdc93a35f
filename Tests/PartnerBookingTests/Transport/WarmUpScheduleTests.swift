import Testing

@testable import PartnerBooking

/// When connections are made ready: stories under a clock of the test's own, in milliseconds.
@Suite struct WarmUpScheduleTests {
    enum Step: Sendable {
        case lost(Int)
        case wanted(Int)
        case used(Int)
        /// It is time to warm up.
        case begins(Int)
        /// It is not.
        case waits(Int)
        case warm(Int)
        case failed(Int)

        fileprivate var isBeginning: Bool { if case .begins = self { true } else { false } }
    }

    struct Story: Sendable, CustomTestStringConvertible {
        var name: String
        var interval: Int
        var steps: [Step]
        var testDescription: String { name }
        init(_ name: String, interval: Int = 30_000, _ steps: Step...) {
            (self.name, self.interval, self.steps) = (name, interval, steps)
        }
    }

    private static let stories = [
        Story("nothing begins by itself", .waits(0), .waits(1_000_000)),
        Story("opening begins at once, and once", .lost(0), .begins(0), .waits(0), .waits(999_999)),
        Story(
            "idle for the interval", .lost(0), .begins(0), .warm(40), .waits(22_539), .begins(30_040), .warm(30_050),
            .waits(52_549), .begins(60_050)),
        Story(
            "use postpones", .lost(0), .begins(0), .warm(10), .used(20_000), .used(29_000), .waits(30_010), .waits(51_499),
            .begins(59_000)),
        Story("use takes the place of what was wanted", .used(0), .lost(100), .used(150), .waits(22_649), .begins(30_150)),

        Story(
            "interval 0: opening, loss and use begin nothing", interval: 0, .lost(0), .waits(0), .used(10),
            .waits(1_000_000), .lost(1_000_001), .waits(2_000_000)),
        Story("interval 0: asked for, once", interval: 0, .wanted(5), .waits(4), .begins(5), .warm(20), .waits(1_000_000)),
        Story(
            "interval 0: failed, and not asked again", interval: 0, .wanted(0), .begins(0), .failed(20), .waits(1_000_000),
            .wanted(1_000_001), .begins(1_000_001)),
        Story(
            "interval 0: use does not take back what was asked for", interval: 0, .wanted(0), .begins(0), .warm(1),
            .wanted(10), .used(20), .waits(999), .begins(1_000)),

        Story(
            "at most one a second: lost", .lost(0), .begins(0), .warm(5), .lost(10), .waits(10), .waits(999), .begins(1_000),
            .warm(1_001), .lost(1_002), .waits(1_999), .begins(2_000)),
        Story(
            "at most one a second: asked for", .wanted(0), .begins(0), .warm(5), .wanted(400), .wanted(500), .waits(999),
            .begins(1_000), .warm(1_010), .waits(1_100)),
        Story("a second later it begins at once", .lost(0), .begins(0), .warm(5), .lost(7_000), .begins(7_000)),
        Story("asked for twice is one", .wanted(0), .wanted(1), .begins(1), .warm(2), .waits(22_501), .begins(30_002)),
        Story("the earlier moment stays", .lost(0), .begins(0), .warm(5), .lost(10), .lost(900), .begins(1_000)),

        Story(
            "lost while under way", .lost(0), .begins(0), .lost(50), .waits(5_000), .warm(5_001), .waits(27_500),
            .begins(35_001)),
        Story(
            "asked for while under way", .lost(0), .begins(0), .wanted(50), .waits(5_000), .warm(5_001), .waits(27_500),
            .begins(35_001)),
        Story(
            "never two at once", .wanted(0), .begins(0), .used(10), .waits(40_000), .wanted(50_000), .waits(60_000),
            .warm(60_001), .waits(82_500), .begins(90_001)),

        Story(
            "asked for during the back-off", .lost(0), .begins(0), .failed(100), .wanted(200), .waits(999), .begins(1_000)),
        Story("lost during the back-off", .lost(0), .begins(0), .failed(5_000), .lost(5_001), .begins(5_001)),
        Story("use ends the back-off", .lost(0), .begins(0), .failed(100), .used(200), .waits(22_699), .begins(30_200)),
        Story("use while a warm-up fails", .lost(0), .begins(0), .used(90), .failed(100), .waits(1_099), .begins(4_100)),
    ]

    @Test(arguments: stories)
    func goesAsTold(_ story: Story) {
        var schedule = WarmUpSchedule(intervalMilliseconds: story.interval, seed: 1)
        for (number, step) in story.steps.enumerated() {
            switch step {
            case .lost(let moment): schedule.lost(now: Self.at(moment))
            case .wanted(let moment): schedule.wanted(now: Self.at(moment))
            case .used(let moment): schedule.used(now: Self.at(moment))
            case .warm(let moment): schedule.ended(isWarm: true, now: Self.at(moment))
            case .failed(let moment): schedule.ended(isWarm: false, now: Self.at(moment))
            case .begins(let moment), .waits(let moment):
                let begins = schedule.begin(now: Self.at(moment))
                #expect(begins == step.isBeginning, "step \(number): \(step)")
            }
        }
    }

    /// What tells the transport how long it may wait.
    @Test func nextIsTheMomentToBegin() {
        var schedule = WarmUpSchedule(intervalMilliseconds: 30_000, seed: 1)
        #expect(schedule.next == nil)
        schedule.lost(now: Self.at(10))
        #expect(schedule.next == Self.at(10))
        _ = schedule.begin(now: Self.at(12))
        #expect(schedule.next == nil)
        schedule.ended(isWarm: true, now: Self.at(20))
        #expect(schedule.next.map { (Self.at(22_520)...Self.at(30_020)).contains($0) } ?? false)
        schedule.lost(now: Self.at(500))
        #expect(schedule.next == Self.at(1_012))
    }

    // MARK: Failures

    private static func at(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000).adding(milliseconds: milliseconds)
    }

    /// The pauses after so many failures in a row, each begun as soon as it may be.
    private static func pauses(_ failures: Int, seed: UInt64) -> [Int] {
        var schedule = WarmUpSchedule(intervalMilliseconds: 30_000, seed: seed)
        var now = at(0)
        schedule.lost(now: now)
        var pauses: [Int] = []
        for _ in 0..<failures {
            guard schedule.begin(now: now) else { return [] }
            now = now.adding(milliseconds: 7)
            schedule.ended(isWarm: false, now: now)
            guard let next = schedule.next else { return [] }
            pauses.append(next.milliseconds(since: now))
            now = next
        }
        return pauses
    }

    /// Full jitter: each pause is anything between a second and its bound, which doubles up to a minute.
    @Test func pausesGrowUpToAMinute() {
        let all = (0..<400).map { Self.pauses(25, seed: $0) }
        #expect(all.allSatisfy { $0.count == 25 })
        for failure in 0..<25 {
            let bound = failure < 4 ? 1_000 << (failure + 2) : 60_000
            let pauses = all.compactMap { $0.count == 25 ? $0[failure] : nil }
            #expect(pauses.allSatisfy { (1_000...bound).contains($0) }, "failure \(failure + 1)")
            // All of the range is used: of 400 draws some come near both ends.
            let width = bound - 1_000
            #expect((pauses.min() ?? .max) < 1_000 + width / 20, "failure \(failure + 1)")
            #expect((pauses.max() ?? 0) > bound - width / 20, "failure \(failure + 1)")
        }
    }

    @Test func clientsDoNotComeBackTogether() {
        #expect(Set((0..<50).map { Self.pauses(6, seed: $0) }).count == 50)
        #expect(Self.pauses(6, seed: 3) == Self.pauses(6, seed: 3))
    }

    /// Made ready at the same moment, used again at moments spread over a quarter of the interval.
    @Test func clientsDoNotStayInStep() {
        let next = (0..<400 as Range<UInt64>).map { seed in
            var schedule = WarmUpSchedule(intervalMilliseconds: 8_000, seed: seed)
            schedule.used(now: Self.at(0))
            return schedule.next?.milliseconds(since: Self.at(0)) ?? 0
        }
        #expect(next.allSatisfy { (6_000...8_000).contains($0) })
        #expect((next.min() ?? 0) < 6_100)
        #expect((next.max() ?? 0) > 7_900)
    }

    @Test(arguments: [true, false])
    func successForgetsTheFailures(byWarmUp: Bool) {
        for seed in 0..<50 as Range<UInt64> {
            var schedule = WarmUpSchedule(intervalMilliseconds: 30_000, seed: seed)
            var now = Self.at(0)
            var begun: [Bool] = []
            schedule.lost(now: now)
            for _ in 0..<10 {
                begun.append(schedule.begin(now: now))
                schedule.ended(isWarm: false, now: now)
                now = schedule.next ?? now
            }
            if byWarmUp {
                begun.append(schedule.begin(now: now))
                schedule.ended(isWarm: true, now: now)
            } else {
                schedule.used(now: now)
            }
            now = now.adding(milliseconds: 30_000)
            begun.append(schedule.begin(now: now))
            #expect(begun.allSatisfy { $0 })
            schedule.ended(isWarm: false, now: now)
            #expect((1_000...4_000).contains(schedule.next?.milliseconds(since: now) ?? 0))
        }
    }
}
