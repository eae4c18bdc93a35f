import Testing

@testable import PartnerBooking

/// Random zones against models that are slow and plain.
@Suite struct ZoneRandomTests {
    /// A date of a rule: its text, and its day in a year, found by counting.
    private struct Date {
        let text: String
        let seconds: Int
        let day: (_ year: Int) -> Int

        init(using random: inout SplitMix64) {
            let hours = Int.random(in: -167...167, using: &random)
            seconds = hours * 3_600
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let number = Int.random(in: 1...365, using: &random)
                text = "J\(number)/\(hours)"
                day = { year in Self.days(of: year).filter { ($0.month, $0.day) != (2, 29) }[number - 1].daysSinceEpoch }
            case 1:
                let index = Int.random(in: 0...364, using: &random)
                text = "\(index)/\(hours)"
                day = { year in Self.days(of: year)[index].daysSinceEpoch }
            default:
                let (month, week) = (Int.random(in: 1...12, using: &random), Int.random(in: 1...5, using: &random))
                let weekday = Int.random(in: 0...6, using: &random)
                text = "M\(month).\(week).\(weekday)/\(hours)"
                day = { year in
                    let days = Self.days(of: year).filter { $0.month == month }.map(\.daysSinceEpoch)
                    // Day 3 was a Sunday.
                    let right = days.filter { ($0 - 3 - weekday).isMultiple(of: 7) }
                    return week == 5 ? right[right.count - 1] : right[week - 1]
                }
            }
        }

        private static func days(of year: Int) -> [CalendarDate] {
            (1...12).flatMap { month in
                (1...CalendarDate.daysIn(month: month, year: year)).map { CalendarDate(year: year, month: month, day: $0) }
            }
        }

        func instants(in years: ClosedRange<Int>, offset: Int) -> [Int] {
            years.map { day($0) * 86_400 + seconds - offset }
        }
    }

    private static func timeText(_ offset: Int) -> String {
        "\(offset > 0 ? "-" : "")\(abs(offset) / 3_600):\(abs(offset) / 60 % 60 < 10 ? "0" : "")\(abs(offset) / 60 % 60)"
    }

    /// Daylight saving time lasts from a start to the next end. Rules whose starts and ends come close are left out.
    @Test(arguments: 1...120) func aRuleIsFromStartToEnd(_ seed: Int) throws {
        var random = SplitMix64(state: UInt64(seed))
        let standard = Int.random(in: -48...56, using: &random) * 900
        let daylight = standard + [-3_600, 1_800, 3_600, 7_200][Int.random(in: 0..<4, using: &random)]
        let (start, end) = (Date(using: &random), Date(using: &random))
        let starts = start.instants(in: 2_022...2_034, offset: standard)
        let ends = end.instants(in: 2_022...2_034, offset: daylight)
        let all = (starts + ends).sorted()
        guard zip(all, all.dropFirst()).allSatisfy({ $1 - $0 > 10 * 86_400 }) else { return }
        let text = "ABC\(Self.timeText(standard))DEF\(Self.timeText(daylight)),\(start.text),\(end.text)"
        let zone = try TZifSample(footer: text).zone()

        var instants = all.dropFirst(4).dropLast(4).flatMap { [$0 - 1, $0, $0 + 1] }
        instants += (0..<200).map { _ in Int.random(in: all[4]...all[all.count - 5], using: &random) }
        for instant in instants {
            let isDaylight = starts.contains { start in start <= instant && !ends.contains { start < $0 && $0 <= instant } }
            let period = zone.period(at: instant)
            #expect(period.offset == (isDaylight ? daylight : standard), "\(text) at \(instant)")
            #expect(all.last { $0 <= instant } == period.start && all.first { $0 > instant } == period.end, "\(text)")
        }
    }

    /// Lists of changes that come as close as seconds, and offsets far apart: an instant has its wall time, and a wall time
    /// all its instants.
    @Test(arguments: 1...60) func wallTimesAndInstantsAgree(_ seed: Int) throws {
        var random = SplitMix64(state: UInt64(1_000 + seed))
        let spread = [60, 3_600, 86_400, 864_000][seed % 4]
        let offsets = (0..<6).map { _ in Int.random(in: -89_999...93_599, using: &random) / (seed % 3 == 0 ? 20 : 1) }
        var instant = 1_900_000_000
        let changes = (0..<12).map { _ in
            instant += Int.random(in: 1...spread, using: &random)
            return (instant, UInt8.random(in: 0..<6, using: &random))
        }
        let zone = try TZifSample(offsets: offsets, changes: changes).zone()
        for _ in 0..<400 {
            let near = changes[Int.random(in: 0..<12, using: &random)].0
            let wall = near + Int.random(in: -100_000...100_000, using: &random)
            let expected = Set(offsets).map { wall - $0 }.filter { $0 + zone.offset(at: $0) == wall }.sorted()
            switch zone.instants(atWall: wall) {
            case .one(let only): #expect(expected == [only])
            case .two(let first, let second): #expect(expected.count >= 2 && expected.prefix(2) == [first, second])
            case .gap(let change):
                #expect(expected.isEmpty)
                #expect(change + zone.offset(at: change - 1) <= wall && wall < change + zone.offset(at: change))
            }
            for (index, instant) in expected.enumerated() {
                #expect(zone.local(at: instant).isRepeated == (index > 0), "\(instant) of \(expected)")
            }
        }
    }
}
