import Testing

@testable import PartnerBooking

@Suite struct CalendarDateTests {
    /// Two Gregorian cycles, counted day by day with the rule every schoolbook gives.
    @Test(arguments: [(1_600, 2_400, -135_140), (-400, 400, -865_625)])
    func everyDayOf800YearsIsTheNextOne(_ firstYear: Int, _ lastYear: Int, _ firstDay: Int) {
        var days = firstDay
        var wrong: [String] = []
        for year in firstYear..<lastYear {
            let isLeap = year.isMultiple(of: 400) || year.isMultiple(of: 4) && !year.isMultiple(of: 100)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for (index, length) in lengths.enumerated() {
                if CalendarDate.daysIn(month: index + 1, year: year) != length {
                    wrong.append("length of \(year)-\(index + 1)")
                }
                for day in 1...length {
                    let date = CalendarDate(year: year, month: index + 1, day: day)
                    if date.daysSinceEpoch != days || CalendarDate(daysSinceEpoch: days) != date { wrong.append("\(date)") }
                    days += 1
                }
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count) are wrong, the first: \(wrong.prefix(3))")
        #expect(days - firstDay == 2 * 146_097)
    }

    @Test(arguments: [
        (0, 1970, 1, 1), (-1, 1969, 12, 31), (59, 1970, 3, 1), (-719_468, 0, 3, 1), (-719_469, 0, 2, 29),
        (-719_529, -1, 12, 31),
        (21_928, 2030, 1, 14), (2_932_896, 9999, 12, 31),
    ])
    func knownDaysAreRight(_ days: Int, _ year: Int, _ month: Int, _ day: Int) {
        #expect(CalendarDate(daysSinceEpoch: days) == CalendarDate(year: year, month: month, day: day))
        #expect(CalendarDate(year: year, month: month, day: day).daysSinceEpoch == days)
    }

    @Test func flooringDivisionRoundsDown() {
        for divisor in 1...9 {
            for number in -60...60 {
                let quotient = number.flooringDivision(by: divisor)
                let rest = number - quotient * divisor
                #expect(rest >= 0 && rest < divisor, "\(number) / \(divisor)")
            }
        }
    }
}
