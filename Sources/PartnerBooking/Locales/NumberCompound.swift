/// A number of one or more words, and its rule for the next word: `twenty one`,
/// `soixante et onze`.
struct NumberCompound: Sendable {
    /// The whole value: 21 for `twenty one`.
    private(set) var total: Int
    /// The value of the last word: 1 for `twenty one`, 100 for `five hundred`.
    private(set) var last: Int
    /// True after a zero: `zéro quatre`.
    private let isAfterZero: Bool

    init(_ value: Int, isAfterZero: Bool = false) {
        total = value
        last = min(value, 100)
        self.isAfterZero = isAfterZero
    }

    /// The likelihood that a word belongs to the number before it.
    enum Joining {
        case never, seldom, usually, always
    }

    /// Returns how likely a number from 1 to 99 belongs to this number. `afterJoiner` is true
    /// after the word for "and".
    func joining(_ value: Int, afterJoiner: Bool, _ customs: NumberCustoms) -> Joining {
        guard (1...99).contains(value) else { return .never }
        if customs.contains(.countsByTwenties), let joining = joiningByTwenties(value, afterJoiner: afterJoiner) {
            return joining
        }
        switch last {
        case 100:
            if customs.contains(.unitsFollowHundreds) || afterJoiner { return .always }
            return value >= 10 ? .usually : .seldom
        case 10:
            // "Diez y seis" is the old spelling of dieciséis.
            let isSpelledApart = customs.contains(.joinerFollowsTens) && !customs.contains(.unitsFollowTens)
            return isSpelledApart && afterJoiner && (6...9).contains(value) ? .always : .never
        case 20...90 where last % 10 == 0 && value < 10:
            guard afterJoiner else { return customs.contains(.unitsFollowTens) ? .always : .seldom }
            return customs.contains(.joinerFollowsTens) ? .always : .never
        default:
            return .never
        }
    }

    /// Returns the result of French rules: `soixante-dix`, `quatre-vingts`,
    /// `quatre-vingt-dix`, `dix-sept`. nil when no rule applies.
    private func joiningByTwenties(_ value: Int, afterJoiner: Bool) -> Joining? {
        switch (last, value) {
        case (60, 11): .always
        case (60, 10...16), (80, 10...16), (10, 7...9): afterJoiner ? .never : .always
        // "Zéro quatre vingt-deux" is 04 22: phone numbers begin like this.
        case (4, 20) where total % 100 == 4: afterJoiner ? .never : isAfterZero ? .seldom : .always
        default: nil
        }
    }

    /// Adds a number that belongs to this number.
    mutating func join(_ value: Int) {
        let isFourTwenties = last == 4 && value == 20
        total += isFourTwenties ? 76 : value
        last = isFourTwenties ? 80 : value
    }

    /// Returns whether a word for a hundred or a thousand may follow.
    func takes(_ factor: Int) -> Bool { (1...99).contains(total) || factor > 100 && total < 1_000 && last == 100 }

    mutating func multiply(by factor: Int) {
        total *= factor
        last = factor
    }
}
