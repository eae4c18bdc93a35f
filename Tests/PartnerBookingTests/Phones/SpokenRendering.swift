@testable import PartnerBooking

/// Digits as people say them: in groups, pairs and repetitions, with fillers. Written from the grammar of each language, and
/// not from the locales' texts.
struct SpokenRendering {
    enum Language: CaseIterable { case english, spanish, french }

    let language: Language
    private var generator: SplitMix64

    init(_ language: Language, seed: UInt64) {
        self.language = language
        generator = SplitMix64(state: seed)
    }

    /// The words for the digits.
    mutating func words(_ digits: [Int]) -> String {
        var (words, rest, needsPause, mayBeSigh) = ("", digits[...], false, false)
        while !rest.isEmpty {
            let part = part(&rest)
            let isOh = part.words == "oh" || part.words == "o"
            if !words.isEmpty { words += gap(needsPause: needsPause, isPlain: mayBeSigh || isOh) }
            words += part.words
            (needsPause, mayBeSigh) = (part.needsPause, isOh)
        }
        if chance(40) { words = pick(openings) + " " + words }
        if chance(20), !mayBeSigh { words += pick([", ", " "]) + pick(closings) }
        return chance(30) ? words.prefix(1).uppercased() + words.dropFirst() : words
    }

    /// The gap between two parts. Beside a pause or a filler an "oh" may be a sigh.
    private mutating func gap(needsPause: Bool, isPlain: Bool) -> String {
        if needsPause { return pick([", ", ". ", " - ", "; "]) }
        if isPlain { return pick([" ", "-"]) }
        if chance(6) { return " \(pick(fillers)) " }
        return chance(30) ? pick([", ", ". ", " - ", "; "]) : pick([" ", " ", " ", "-"])
    }

    /// The words of the first digits, and whether only a pause may follow.
    private mutating func part(_ rest: inout ArraySlice<Int>) -> (words: String, needsPause: Bool) {
        let digits = Array(rest)
        let run = digits.prefix { $0 == digits[0] }.count
        let name = digits[0] == 0 && language == .english ? pick(["zero", "oh", "o"]) : number(digits[0])
        if run >= 2, chance(30) {
            let count = run >= 3 && chance(60) ? 3 : 2
            rest = rest.dropFirst(count)
            return ((count == 3 ? "triple " : language == .spanish ? "doble " : "double ") + name, false)
        }
        if digits.count >= 2, digits[0] != 0, chance(30) {
            rest = rest.dropFirst(2)
            return (number(10 * digits[0] + digits[1]), true)
        }
        if digits.count >= 3, digits[0] != 0, language == .spanish, chance(30) {
            rest = rest.dropFirst(3)
            return (number(100 * digits[0] + 10 * digits[1] + digits[2]), true)
        }
        if digits.count >= 3, digits[0] != 0, digits[1] == 0, digits[2] == 0, language == .english, chance(60) {
            rest = rest.dropFirst(3)
            return ("\(name) hundred", true)
        }
        rest = rest.dropFirst()
        // "Dix sept" would be 17, and "quatre vingt" 80.
        return (chance(10) ? "\(digits[0])" : name, language == .french)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    private mutating func pick(_ words: [String]) -> String { words.randomElement(using: &generator) ?? "" }
}

// MARK: - Words

extension SpokenRendering {
    private var openings: [String] {
        switch language {
        case .english: ["it's", "um", "my number is", "sure, the number is", "you can reach me at"]
        case .spanish: ["es el", "eh", "mi número es el", "claro, mi teléfono es"]
        case .french: ["c'est le", "euh", "mon numéro c'est le", "oui, mon portable c'est le"]
        }
    }

    private var fillers: [String] {
        switch language {
        case .english: ["um", "uh", "then", "dash", "and"]
        case .spanish: ["eh", "luego", "guión"]
        case .french: ["euh", "puis", "tiret"]
        }
    }

    private var closings: [String] {
        switch language {
        case .english: ["please", "thank you", "and my name is John"]
        case .spanish: ["gracias", "por favor"]
        case .french: ["merci", "s'il vous plaît"]
        }
    }

    private func number(_ value: Int) -> String {
        switch language {
        case .english: english(value)
        case .spanish: spanish(value)
        case .french: french(value)
        }
    }

    private func english(_ value: Int) -> String {
        let units = [
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
            "thirteen",
            "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
        ]
        if value < 20 { return units[value] }
        let tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"][value / 10 - 2]
        return value % 10 == 0 ? tens : tens + " " + units[value % 10]
    }

    private func spanish(_ value: Int) -> String {
        let units = [
            "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce",
            "trece",
            "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno", "veintidós",
            "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve",
        ]
        let hundreds = [
            "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos",
            "ochocientos",
            "novecientos",
        ]
        if value == 100 { return "cien" }
        if value > 100 { return hundreds[value / 100 - 1] + (value % 100 == 0 ? "" : " " + spanish(value % 100)) }
        if value < 30 { return units[value] }
        let tens = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"][value / 10 - 3]
        return value % 10 == 0 ? tens : tens + " y " + units[value % 10]
    }

    private func french(_ value: Int) -> String {
        let units = [
            "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
            "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
        ]
        if value < 20 { return units[value] }
        if value >= 80 { return value == 80 ? "quatre-vingts" : "quatre-vingt-" + french(value - 80) }
        let tens = ["vingt", "trente", "quarante", "cinquante", "soixante"][min(value / 10, 6) - 2]
        let rest = value - 10 * min(value / 10, 6)
        return rest == 0 ? tens : tens + (rest == 1 || rest == 11 ? " et " : "-") + french(rest)
    }
}
