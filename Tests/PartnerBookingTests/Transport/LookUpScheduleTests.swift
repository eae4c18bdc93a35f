import Testing

@testable import PartnerBooking

/// Which names are looked up when, on a clock of the test's own, in milliseconds.
@Suite struct LookUpScheduleTests {
    private var schedule = LookUpSchedule()

    private mutating func begin(_ names: [Int], at milliseconds: Int) -> [Int] {
        schedule.begin(names, now: .at(milliseconds)).map(\.name)
    }

    @Test mutating func allRequestsToOneServerShareALookUp() {
        let step1 = begin([1], at: 0)
        #expect(step1 == [1])
        for moment in [0, 50, 1_999] { #expect(begin([1], at: moment).isEmpty) }
        let step2 = begin([1, 2], at: 100)
        #expect(step2 == [2], "another name has its own")
    }

    @Test mutating func aSlowOneGetsASecondBesideIt() {
        let step3 = begin([1], at: 0)
        #expect(step3 == [1])
        let step4 = begin([1], at: 2_000)
        #expect(step4 == [1])
        let step5 = begin([1], at: 100_000)
        #expect(step5.isEmpty, "and no third")
    }

    @Test mutating func theNumberIsBounded() {
        let names = Array(0..<1_000)
        let step6 = begin(names, at: 0)
        #expect(step6 == Array(0..<LookUpSchedule.limit))
        for moment in stride(from: 0, through: 60_000, by: 500) { #expect(begin(names, at: moment).isEmpty) }
        #expect(schedule.underWay.count == LookUpSchedule.limit)
    }

    @Test mutating func theEndOfOneMakesRoom() throws {
        _ = begin(Array(0..<LookUpSchedule.limit), at: 0)
        let first = try #require(schedule.underWay.first)
        schedule.ended(first)
        #expect(!schedule.isUnderWay(first.name))
        let step7 = begin([100, 101], at: 10)
        #expect(step7 == [100])
        schedule.ended(first)
        #expect(schedule.underWay.count == LookUpSchedule.limit, "it ends once")
    }
}

extension MonotonicTime {
    fileprivate static func at(_ milliseconds: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: Int64(milliseconds) * 1_000_000)
    }
}
