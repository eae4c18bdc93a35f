/// A number of one or more words, and whether the next word belongs to it: `twenty one`, `soixante et onze`.
struct NumberCompound: Sendable {
    /// 21 for `twenty one`.
    private(set) var total: Int
    /// The value of the last word: 1 for `twenty one`, 100 for `five hundred`.
    private(set) var last: Int
    /// A zero stands before it: `zéro quatre`.
    private let isAfterZero: Bool

    init(_ value: Int, isAfterZero: Bool = false) {
        total = value
        last = min(value, 100)
        self.isAfterZero = isAfterZero
    }

    /// The ways in which a word belongs to the number before it.
    enum Joining {
        case never, seldom, usually, always
    }

    /// Returns whether a number from 1 to 99 belongs to this one. `afterJoiner`: the word for "and" stands between them.
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

    /// As the French count: `soixante-dix`, `quatre-vingts`, `quatre-vingt-dix`, `dix-sept`.
    private func joiningByTwenties(_ value: Int, afterJoiner: Bool) -> Joining? {
        switch (last, value) {
        case (60, 11): .always
        case (60, 10...16), (80, 10...16), (10, 7...9): afterJoiner ? .never : .always
        // "Zéro quatre vingt-deux" is 04 22: numbers begin so.
        case (4, 20) where total % 100 == 4: afterJoiner ? .never : isAfterZero ? .seldom : .always
        default: nil
        }
    }

    /// Takes a number that belongs to it.
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
