/// A search for the number that digits mean in a region. It decides which digits are prefixes.
struct PhoneResolver {
    /// A number that is possible in its country.
    struct Found: Equatable {
        let plan: PhonePlan
        /// The number without prefixes.
        let number: DigitString
        let grouping: PhonePlan.Grouping
        /// True when people write the number with the national prefix.
        let hasTrunk: Bool

        static func == (left: Found, right: Found) -> Bool {
            left.plan.code == right.plan.code && left.number == right.number
        }
    }

    private let digits: DigitString
    private var found: Found?
    private var isAmbiguous = false
    /// The problem of the first reading that begins like a number.
    private var problem: PhoneProblem?
    /// The problem of the first reading whose first digits begin no number.
    private var vagueProblem: PhoneProblem?

    /// Returns the number. `region` is the plan of the place where it was said; nil: not known.
    static func resolve(_ spoken: SpokenNumber, region: PhonePlan?) throws(PhoneProblem) -> Found {
        var resolver = PhoneResolver(spoken.digits)
        if spoken.isInternational {
            resolver.readInternational(from: 0)
        } else {
            guard let region else { throw PhoneProblem(.noRegion) }
            resolver.read(in: region)
        }
        if resolver.isAmbiguous { throw PhoneProblem(.ambiguous) }
        if let found = resolver.found { return found }
        throw resolver.problem ?? resolver.vagueProblem ?? PhoneProblem(.noSuchNumber)
    }

    private init(_ digits: DigitString) { self.digits = digits }

    /// Reads a number as people dial it in a country.
    private mutating func read(in region: PhonePlan) {
        for exit in region.exitItems where digits.starts(with: exit) && digits[exit.count] != 0 {
            readInternational(from: exit.count)
        }
        // A caller who dials that prefix means it, even if a national number could begin so.
        if found != nil { return }
        readNational(region, from: 0)
        // A number may begin with the calling code without its plus sign.
        let code = region.code < 10 ? 1 : region.code < 100 ? 2 : 3
        if let named = PhonePlan.international(digits), named.plan.code == region.code, digits.count > code {
            readNational(region, from: code)
        }
    }

    private mutating func readInternational(from place: Int) {
        guard let (plan, count) = PhonePlan.international(digits.dropFirst(place)) else { return }
        // No national prefix belongs here, but some people write it: "+44 (0)20 …".
        let before = found
        compare(plan, from: place + count)
        if found == before { readPrefixed(plan, from: place + count) }
    }

    /// Reads a number with or without its national prefix, after `place` digits of other
    /// prefixes.
    private mutating func readNational(_ plan: PhonePlan, from place: Int) {
        readPrefixed(plan, from: place)
        compare(plan, from: place)
    }

    private mutating func readPrefixed(_ plan: PhonePlan, from place: Int) {
        let rest = digits.dropFirst(place)
        for trunk in plan.trunkItems where rest.starts(with: trunk) {
            compare(plan, from: place + trunk.count)
        }
    }

    private mutating func compare(_ plan: PhonePlan, from place: Int) {
        let number = digits.dropFirst(place)
        switch plan.fit(number) {
        case .fits(let grouping, let hasTrunk):
            let new = Found(plan: plan, number: number, grouping: grouping, hasTrunk: hasTrunk)
            if let found, found != new { isAmbiguous = true }
            found = new
        case .tooShort(let wanted):
            problem = problem ?? PhoneProblem(.tooShort, heard: digits.count, wanted: place + wanted)
        case .tooLong(let wanted):
            problem = problem ?? PhoneProblem(.tooLong, heard: digits.count, wanted: place + wanted)
        case .none:
            guard case .tooShort(let wanted) = plan.fit(DigitString()), number.count < wanted else { return }
            vagueProblem = vagueProblem ?? PhoneProblem(.tooShort, heard: digits.count, wanted: place + wanted)
        }
    }
}
