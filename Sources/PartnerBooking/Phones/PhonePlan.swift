/// The numbering plan of one calling code: its regions, the prefixes that people dial, the
/// lengths of its numbers, and their groups. A plan stores only places in its line of
/// `PhonePlan.table`.
struct PhonePlan: Sendable {
    typealias Field = Range<Int>

    /// The calling code: 1 to 999.
    let code: Int
    private let regions, trunks, exits, rules: Field

    init(code: Int, regions: Field, trunks: Field, exits: Field, rules: Field) {
        self.code = code
        self.regions = regions
        self.trunks = trunks
        self.exits = exits
        self.rules = rules
    }

    /// Finds the plan of a calling code; nil if no country or service has it.
    init?(code: Int) {
        guard let plan = Index.shared.plan(code) else { return nil }
        self = plan
    }

    /// Finds the plan of a region: ISO 3166, two capital letters.
    init?(region: UnsafeRawBufferPointer) {
        guard let code = Index.shared.code(ofRegion: region) else { return nil }
        self.init(code: code)
    }

    /// Returns the plan whose calling code begins an international number, and the number of
    /// digits of the code.
    static func international(_ digits: DigitString) -> (plan: PhonePlan, codeCount: Int)? {
        var code = 0
        for place in 0..<min(3, digits.count) where digits[0] != 0 {
            code = code * 10 + Int(digits[place])
            if let plan = PhonePlan(code: code) { return (plan, place + 1) }
        }
        return nil
    }
}

// MARK: - Prefixes and regions

extension PhonePlan {
    /// The national prefix that people write. Empty if there is none.
    var trunk: DigitString {
        var trunk = DigitString()
        for item in TableItems(trunks) where trunk.isEmpty {
            for byte in item where byte.isDigit { trunk.append(byte & 15) }
        }
        return trunk
    }

    /// The national prefixes. Each of them may stand before a number.
    var trunkItems: TableItems { TableItems(trunks) }

    /// The prefixes of international calls.
    var exitItems: TableItems {
        let items = TableItems(exits)
        return items.isNone ? TableItems("00", separator: ",") : items
    }

    /// Returns the region of a number of the plan: ISO 3166. nil for services that belong to no
    /// country.
    func region(of number: DigitString) -> String? {
        var region: UnsafeRawBufferPointer?
        for item in TableItems(regions) where item.count >= 2 {
            if region == nil || TableItems(item.dropFirst(2), separator: "/").contains(where: number.starts) {
                region = UnsafeRawBufferPointer(rebasing: item.prefix(2))
            }
        }
        return region.map { String(decoding: $0, as: UTF8.self) }
    }
}

// MARK: - Lengths and groups

extension PhonePlan {
    /// The sizes of the groups of a number.
    struct Grouping: Sendable, Equatable {
        /// The sizes, four bits each, the first group in the lowest bits.
        private(set) var sizes: UInt32 = 0
        /// The length of the number.
        private(set) var length = 0

        mutating func append(_ size: UInt8, at place: Int) {
            sizes |= UInt32(size & 15) << UInt32(4 * place)
            length += Int(size)
        }
    }

    /// The verdict of the plan on a number without prefixes.
    enum Fit {
        case fits(Grouping, hasTrunk: Bool)
        /// Numbers with this beginning have more digits.
        case tooShort(wanted: Int)
        /// Numbers with this beginning have fewer digits.
        case tooLong(wanted: Int)
        /// No number has this beginning.
        case none
    }

    /// Compares a number with the rules for its first digits, or an empty number with all
    /// rules.
    func fit(_ number: DigitString) -> Fit {
        var (longer, shorter) = (Int.max, 0)
        for rule in TableItems(rules, separator: " ") {
            guard let colon = rule.firstIndex(of: UInt8(ascii: ":")) else { continue }
            guard number.isEmpty || number.begins(with: rule[..<colon]) else { continue }
            var (hasTrunk, names) = (true, rule[(colon + 1)...])
            while let name = names.popFirst() {
                guard name != UInt8(ascii: "!") else {
                    hasTrunk = false
                    continue
                }
                let grouping = Index.shared.grouping(named: name, &names)
                if grouping.length == number.count { return .fits(grouping, hasTrunk: hasTrunk) }
                if grouping.length > number.count { longer = min(longer, grouping.length) }
                if grouping.length < number.count { shorter = max(shorter, grouping.length) }
            }
        }
        if longer < .max { return .tooShort(wanted: longer) }
        return shorter > 0 ? .tooLong(wanted: shorter) : .none
    }
}

extension DigitString {
    /// Returns whether the digits begin as a rule requires: `2-57`, or `0/2-57` for a 0 and
    /// then one of these.
    func begins(with text: Slice<UnsafeRawBufferPointer>) -> Bool {
        var text = text
        var place = 0
        if text.count > 2, text[text.startIndex + 1] == UInt8(ascii: "/") {
            guard starts(with: text.prefix(1)), count > 1 else { return false }
            text = text.dropFirst(2)
            place = 1
        }
        let digit = UInt8(ascii: "0") + self[place]
        var last: UInt8 = 0
        var isRange = false
        for byte in text {
            if byte == digit || isRange && (last...max(last, byte)).contains(digit) { return true }
            isRange = byte == UInt8(ascii: "-")
            if !isRange { last = byte }
        }
        return false
    }
}
