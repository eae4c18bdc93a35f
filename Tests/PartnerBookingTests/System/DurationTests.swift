import Testing

@testable import PartnerBooking

@Suite struct DurationTests {
    @Test(
        arguments: [
            (.zero, 0), (.milliseconds(1), 1), (.milliseconds(1_999), 1_999), (.seconds(600), 600_000),
            (.nanoseconds(1), 1), (.microseconds(1_001), 2), (Duration(secondsComponent: 0, attosecondsComponent: 1), 1),
            (.nanoseconds(-1), -1), (.milliseconds(-5), -5), (.microseconds(-1_001), -2), (.seconds(1.5), 1_500),
        ] as [(Duration, Int)])
    func aPartOfAMillisecondCountsAsAWholeOne(_ duration: Duration, _ milliseconds: Int) {
        #expect(duration.wholeMilliseconds == milliseconds)
    }

    @Test func secondsAndMinutesAreRoundedLikewise() {
        #expect(Duration.milliseconds(1_001).wholeSeconds == 2 && Duration.milliseconds(-1).wholeSeconds == -1)
        #expect(Duration.seconds(7).wholeSeconds == 7 && Duration.zero.wholeSeconds == 0)
        #expect(Duration.seconds(60).wholeMinutes == 1 && Duration.seconds(61).wholeMinutes == 2)
        #expect(Duration.nanoseconds(1).wholeMinutes == 1 && Duration.seconds(-61).wholeMinutes == -2)
    }

    /// The second is more than `components` can tell.
    @Test(arguments: [Duration.seconds(Int64.max), .seconds(Int64.max) * 10, .seconds(1.0e20)])
    func noDurationIsTooLong(_ duration: Duration) {
        for (long, sign) in [(duration, 1), (.zero - duration, -1)] {
            #expect(long.wholeMilliseconds == sign * 9_000_000_000_000_000_000)
            #expect(long.wholeSeconds == sign * 9_000_000_000_000_000)
            #expect(long.wholeMinutes == sign * 150_000_000_000_000)
        }
    }
}
