import Testing

@testable import PartnerBooking

/// The table of numbering plans, and the digits that are compared with it.
@Suite struct PhonePlanTests {
    static func plan(_ region: String) -> PhonePlan? {
        var region = region
        return region.withUTF8 { PhonePlan(region: UnsafeRawBufferPointer($0)) }
    }

    static func digits(_ text: String) -> DigitString {
        var digits = DigitString()
        for byte in text.utf8 { digits.append(byte & 15) }
        return digits
    }

    /// The tables of the whole voice layer may have 25 KB.
    @Test func theTableIsSmall() {
        #expect(PhonePlan.table.utf8CodeUnitCount + PhonePlan.groupings.utf8CodeUnitCount < 8_500)
    }

    @Test func everyLineIsUnderstood() {
        var (codes, regions) = (0, 0)
        for line in TableItems(PhonePlan.table, separator: "\n") {
            codes += 1
            let fields = Array(TableItems(line, separator: " ")).map { String(decoding: $0, as: UTF8.self) }
            #expect(fields.count > 4)
            guard let code = Int(fields[0]), let plan = PhonePlan(code: code) else {
                Issue.record("no plan: \(fields[0])")
                continue
            }
            #expect(plan.code == code)
            for region in fields[1].split(separator: ",") where region != "-" {
                regions += 1
                #expect(Self.plan(String(region.prefix(2)))?.code == code)
            }
            for rule in fields[4...] {
                let name = rule.prefix { $0 != ":" }
                let first = Self.digits(String(name.filter { $0 != "/" }.prefix(name.contains("/") ? 2 : 1)))
                // Each rule is reached by its own first digits, and has at least one length.
                guard case .tooShort(let wanted) = plan.fit(first) else {
                    Issue.record("\(code): \(rule)")
                    continue
                }
                #expect((3...15).contains(wanted))
            }
        }
        #expect(codes == 215)
        #expect(regions == 245)
    }

    @Test func codesAreFoundAtTheBeginningOfNumbers() {
        #expect(PhonePlan.international(Self.digits("15551234567")).map { $0.plan.code } == 1)
        #expect(PhonePlan.international(Self.digits("447400123456")).map { $0.codeCount } == 2)
        #expect(PhonePlan.international(Self.digits("3581234")).map { $0.plan.code } == 358)
        for text in ["", "0", "01", "001", "999", "21", "210"] {
            #expect(PhonePlan.international(Self.digits(text)) == nil, "\(text)")
        }
        for code in [-1, 0, 21, 210, 999, 1_000, Int.max] { #expect(PhonePlan(code: code) == nil) }
    }

    @Test(arguments: [
        ("US", "5551234567", [3, 3, 4]), ("GB", "7400123456", [4, 3, 3]), ("FR", "612345678", [1, 2, 2, 2, 2]),
        ("DE", "30123456789", [2, 3, 3, 3]), ("GB", "1134960123", [3, 3, 4]), ("GB", "1204960123", [4, 3, 3]),
        ("IN", "1123456789", [2, 4, 4]), ("MX", "5512345678", [2, 4, 4]), ("IT", "0612345678", [2, 4, 4]),
        ("DK", "12345678", []), ("DK", "32123456", [2, 2, 2, 2]),
    ])
    func numbersHaveGroups(_ region: String, _ number: String, _ groups: [Int]) throws {
        let plan = try #require(Self.plan(region))
        if case .fits(let grouping, _) = plan.fit(Self.digits(number)) {
            #expect(Array(grouping) == groups)
            #expect(groups.reduce(0, +) == number.count)
        } else {
            #expect(groups.isEmpty)
        }
    }

    /// No number of the table is longer than E.164 allows, and no group is hard to hear.
    @Test func groupsAreShort() {
        for code in 1...999 {
            guard let plan = PhonePlan(code: code) else { continue }
            for length in 1...17 {
                for first in 0...99 {
                    var number = Self.digits(first < 10 ? "0\(first)" : "\(first)")
                    while number.count < length { number.append(5) }
                    guard number.count == length, case .fits(let grouping, _) = plan.fit(number) else { continue }
                    #expect(plan.trunkItems.contains { !$0.isEmpty })
                    #expect(length + String(code).count <= 15)
                    #expect(grouping.allSatisfy { (1...5).contains($0) }, "\(code) \(first) \(length)")
                    #expect(grouping.reduce(0, +) == length)
                }
            }
        }
    }

    @Test func digitsAreKeptInOrder() {
        var digits = DigitString()
        var text = ""
        for place in 0..<40 {
            digits.append(UInt8(place % 10))
            text += "\(place % 10)"
            #expect(digits.count == place + 1)
            #expect(digits.text == String(text.prefix(32)))
        }
        #expect(digits.dropFirst(3).text.hasPrefix(String(text.prefix(32).dropFirst(3))))
        #expect(digits.dropFirst(40).isEmpty && digits.dropFirst(99).isEmpty && digits.dropFirst(35).count == 5)
        #expect(digits[-1] == 0 && digits[39] == 0)
        digits.truncate(to: 5)
        #expect(digits == Self.digits("01234"))
        digits.append(number: 999_000)
        #expect(digits.text == "01234999000")
        digits.truncate(to: 99)
        #expect(digits.count == 11)
        digits.truncate(to: 0)
        #expect(digits == DigitString())
    }
}
