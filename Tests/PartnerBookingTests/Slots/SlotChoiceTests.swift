import Testing

@testable import PartnerBooking

/// The slots that are offered.
@Suite struct SlotChoiceTests {
    private func offers(_ around: String? = nil, count: Int = 3, _ days: ClosedRange<Int> = 15...18) throws -> [String] {
        let windows = days.map { (start: "2030-01-\($0)T14:00:00Z", minutes: 480) }
        let list = try slots(windows, "America/New_York") { ($0.offers, $0.around) = (count, around) }
        return list.offers.map { String($0.local.dropFirst(8)) }
    }

    @Test func spreadsOverDaysAndParts() throws {
        #expect(try offers() == ["15T09:00", "16T12:00", "17T09:00"])
        #expect(try offers(15...15) == ["15T09:00", "15T13:00", "15T16:00"])
    }

    @Test func offersTheTimeThatWasAskedFor() throws {
        #expect(try offers("2030-01-16T15:00:00Z") == ["16T10:00"])
        #expect(try offers("10:30") == ["15T10:30"])
    }

    @Test func offersNeighboursOfATimeThatIsGone() throws {
        #expect(try offers("2030-01-16T10:10:00-05:00") == ["16T10:00", "16T10:30", "17T10:00"])
    }

    private func offers(_ days: ClosedRange<Int>) throws -> [String] { try offers(nil, count: 3, days) }
}
