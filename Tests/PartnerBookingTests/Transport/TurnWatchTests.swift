import Testing

@testable import PartnerBooking

/// When a server counts as one that keeps the transfer thread busy. Odd turns are inside libcurl.
@Suite struct TurnWatchTests {
    private var watch = TurnWatch()

    private mutating func observe(_ turn: UInt64, used: Int = 0, at milliseconds: Int = 0) -> TurnWatch.Step {
        watch.observe(turn, used: used, now: MonotonicTime(nanoseconds: Int64(milliseconds) * 1_000_000))
    }

    @Test mutating func turnsThatEndAreNoTrouble() {
        for turn in 1..<1_000 as Range<UInt64> {
            let step = observe(turn, used: Int(turn) * 100_000, at: Int(turn))
            #expect(step == .poll)
        }
    }

    @Test mutating func aThreadThatSleepsInATurnIsNotMeasured() {
        let step1 = observe(1, used: 500)
        #expect(step1 == .poll)
        for moment in stride(from: 30, through: 60_000, by: 30) {
            let step = observe(1, used: 500, at: moment)
            #expect(step == .poll)
        }
    }

    @Test mutating func processorTimeInOneTurnIsMeasured() {
        let step2 = observe(1, used: 1_000)
        #expect(step2 == .poll && watch.isLate)
        let step3 = observe(1, used: 1_000 + TurnWatch.suspiciousMicroseconds - 1, at: 9)
        #expect(step3 == .poll)
        let step4 = observe(1, used: 1_000 + TurnWatch.suspiciousMicroseconds, at: 10)
        #expect(step4 == .measure)
        let step5 = observe(2, at: 11)
        #expect(step5 == .poll && !watch.isLate)
    }

    @Test mutating func restsWhenNothingHappens() {
        let step6 = observe(2, at: 0)
        #expect(step6 == .poll)
        let step7 = observe(2, at: 999)
        #expect(step7 == .poll)
        let step8 = observe(2, at: 1_000)
        #expect(step8 == .rest)
        let step9 = observe(3, at: 1_001)
        #expect(step9 == .poll)
    }

    /// Microseconds of one turn, bytes of server 4 in it, and whether that is a flood.
    private static let cases: [(Int, UInt64, Bool)] = [
        (39_999, 100_000_000, false), (40_000, 2_097_151, false), (40_000, 2_097_152, true), (249_999, 262_144, false),
        (250_000, 262_144, true), (999_999, 1, false), (1_000_000, 1, true), (60_000_000, 0, false),
    ]

    @Test(arguments: cases)
    func mostBytesMakeTheCulprit(_ used: Int, _ bytes: UInt64, _ isFlood: Bool) {
        var watch = TurnWatch()
        _ = watch.observe(1, used: 5_000, now: MonotonicTime(nanoseconds: 0))
        let step10 = watch.culprit([3: 9_000_000_000, 4: 100], used: 5_000)
        #expect(step10 == nil, "the first look is for comparison")
        let most = [3: 9_000_000_000 + bytes / 2, 4: 100 + bytes, 5: 0]
        let step11 = watch.culprit(most, used: 5_000 + used)
        #expect(step11 == (isFlood ? 4 : nil))
    }

    @Test mutating func aSecondCutTakesAsLong() {
        _ = observe(1)
        let step12 = watch.culprit([1: 0], used: 0)
        #expect(step12 == nil)
        let step13 = watch.culprit([1: 3_000_000], used: 50_000)
        #expect(step13 == 1)
        let step14 = watch.culprit([1: 9_000_000], used: 50_001)
        #expect(step14 == nil)
        let step15 = watch.culprit([1: 90_000_000], used: 50_002)
        #expect(step15 == nil)
        let step16 = watch.culprit([1: 90_000_000], used: 90_000)
        #expect(step16 == 1)
    }

    @Test func aServerThatFloodsAgainIsBannedForLonger() {
        var ban = FloodBan()
        var now = MonotonicTime(nanoseconds: 0)
        #expect(!ban.isActive(now))
        for seconds in [5, 10, 20, 40, 60, 60] {
            ban.flooded(now: now)
            #expect(ban.isActive(now.adding(milliseconds: seconds * 1_000 - 1)))
            now = now.adding(milliseconds: seconds * 1_000)
            #expect(!ban.isActive(now))
        }
        now = now.adding(milliseconds: FloodBan.longestMilliseconds + 1)
        ban.flooded(now: now)
        #expect(!ban.isActive(now.adding(milliseconds: FloodBan.firstMilliseconds)), "it begins again")
    }
}
