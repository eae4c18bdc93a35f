/// A reader of the digits of a phone number, word by word. Every word must be known, unless it
/// stands away from the digits.
struct SpokenNumberReader {
    private var number = SpokenNumber()

    private var tokens: SpokenTokens
    private let vocabulary: Vocabulary
    private let choice: SpokenNumber.Choice

    /// The next token. `tokens.gap` is the gap before it.
    private var next: SpokenTokens.Token?
    /// The gap before the current token.
    private var gap = SpokenTokens.Gap.none

    private var stage = Stage.before
    /// True when an unknown word, which may be a digit, came after the last filler and before
    /// the digits.
    private var isTainted = false
    /// True when the last word was a part of the number, and no filler.
    private var isAfterNumber = false
    /// True when the last word was the word for "and".
    private var isAfterJoiner = false
    /// Number of times that the next digit counts: 2 after `double`.
    private var repetitions = 1
    /// The number that the next word may complete, and the place where its digits begin.
    private var open: (compound: NumberCompound, start: Int)?
    /// True when the open number is one written digit. Only `hundred` or `thousand` may extend
    /// it.
    private var isWritten = false
    private var isAfterZero = false
    /// True after `five thousand`. Another number then needs a pause first.
    private var needsPause = false
    /// The digits before the extension, while the extension is read.
    private var main: DigitString?

    private enum Stage { case before, digits, after }

    init(_ text: UnsafeRawBufferPointer, _ vocabulary: Vocabulary, _ choice: SpokenNumber.Choice) {
        tokens = SpokenTokens(text)
        self.vocabulary = vocabulary
        self.choice = choice
    }

    mutating func read() throws(PhoneProblem) -> SpokenNumber {
        next = tokens.next()
        while let token = next {
            gap = tokens.gap
            if tokens.isAfterColon && stage == .before { isTainted = false }
            if gap == .pause {
                open = nil
                isAfterZero = false
                needsPause = false
            }
            next = tokens.next()
            try take(token)
        }
        guard repetitions == 1 else { throw PhoneProblem(.notUnderstood) }
        if let main {
            guard (1...8).contains(number.digits.count) else { throw PhoneProblem(.notUnderstood) }
            number.extension = number.digits
            number.digits = main
        }
        if number.digits.isEmpty { throw PhoneProblem(.noDigits) }
        return number
    }

    private mutating func take(_ token: SpokenTokens.Token) throws(PhoneProblem) {
        switch token {
        case .digit(let digit, let inRun): try takeWritten(digit, inRun: inRun)
        case .plus: try takePlus()
        case .hash: try takeExtension()
        case .sign: try takeUnknown()
        case .word(let word):
            guard let meaning = vocabulary.meaning(word) else { return try takeUnknown() }
            try take(meaning)
        }
    }

    private mutating func take(_ meaning: Vocabulary.Meaning) throws(PhoneProblem) {
        switch meaning {
        case .number(let value): try takeSpoken(Int(value))
        case .hundred: try multiply(by: 100)
        case .thousand: try multiply(by: 1_000)
        case .joiner:
            // The word may also begin the words after the number: "and my name is …".
            if open == nil || repetitions > 1 { try takeFiller() } else { isAfterJoiner = true }
            isAfterNumber = false
        case .repeats(let count):
            try beginNumber()
            guard repetitions == 1 else { throw PhoneProblem(.notUnderstood) }
            repetitions = Int(count)
        case .oh: try takeOh()
        case .soundsLike(let digit): try takeSoundsLike(Int(digit))
        case .plus: try takePlus()
        case .extension: try takeExtension()
        case .filler: try takeFiller()
        case .opening:
            guard stage == .before else { throw PhoneProblem(.notUnderstood) }
            try takeFiller()
        }
    }
}

// MARK: - Digits and numbers

extension SpokenNumberReader {
    /// Begins the digits of a number. Throws if no number may begin here.
    private mutating func beginNumber() throws(PhoneProblem) {
        guard stage != .after, !isTainted, !needsPause else { throw PhoneProblem(.notUnderstood) }
        stage = .digits
        isAfterNumber = true
    }

    private mutating func takeWritten(_ digit: UInt8, inRun: Bool) throws(PhoneProblem) {
        guard repetitions == 1 || !inRun else { throw PhoneProblem(.notUnderstood) }
        try begin(Int(digit))
        isWritten = true
        if inRun { open = nil }
    }

    private mutating func takeSpoken(_ value: Int) throws(PhoneProblem) {
        guard let (compound, start) = open, isJoined(compound, value) else { return try begin(value) }
        try beginNumber()
        var joined = compound
        joined.join(value)
        replace(from: start, by: joined)
    }

    /// Begins a number that does not belong to the number before it.
    private mutating func begin(_ value: Int) throws(PhoneProblem) {
        guard repetitions == 1 || value < 10 else { throw PhoneProblem(.notUnderstood) }
        try beginNumber()
        let isRepeated = repetitions > 1
        open = (NumberCompound(value, isAfterZero: isAfterZero), number.digits.count)
        for _ in 0..<repetitions { number.digits.append(number: value) }
        if isRepeated { open = nil }
        repetitions = 1
        isAfterZero = value == 0 && !isRepeated
        isAfterJoiner = false
        isWritten = false
    }

    /// Multiplies the open number: `five hundred`, `twenty five hundred`, `five thousand`.
    private mutating func multiply(by factor: Int) throws(PhoneProblem) {
        guard let (compound, start) = open, compound.takes(factor), !isAfterJoiner, repetitions == 1 else {
            throw PhoneProblem(.notUnderstood)
        }
        try beginNumber()
        var product = compound
        product.multiply(by: factor)
        replace(from: start, by: product)
        guard factor > 100 else { return }
        // "Five thousand five" means 5005 to some people, and 50005 to others.
        open = nil
        needsPause = true
    }

    private mutating func replace(from start: Int, by compound: NumberCompound) {
        number.digits.truncate(to: start)
        number.digits.append(number: compound.total)
        open = (compound, start)
        isAfterJoiner = false
        isAfterZero = false
        isWritten = false
    }

    private mutating func isJoined(_ compound: NumberCompound, _ value: Int) -> Bool {
        guard repetitions == 1, !isWritten else { return false }
        let joining = compound.joining(value, afterJoiner: isAfterJoiner, vocabulary.customs)
        switch joining {
        case .never: return false
        case .always: return true
        case .seldom, .usually:
            number.hasRareReading = true
            return (joining == .usually) != choice.takesRareReading
        }
    }

    // MARK: - Words that may be digits

    /// Reads an "oh". Between digits it is a zero. Alone it may be a sigh: "Oh, it's …".
    private mutating func takeOh() throws(PhoneProblem) {
        let isBetween = isAfterNumber && (gap != .pause || nextIsNumber || next == nil)
        let isFirst = nextIsNumber && tokens.gap != .pause
        if !isBetween && !isFirst && repetitions == 1 {
            guard stage != .before || nextIsNumber else { return try takeFiller() }
            number.hasDoubtfulZero = true
            if choice.dropsDoubtfulZeros { return try takeFiller() }
        }
        try begin(0)
    }

    private mutating func takeSoundsLike(_ digit: Int) throws(PhoneProblem) {
        guard isAfterNumber || repetitions > 1 else { return try takeFiller() }
        if !nextIsNumber && repetitions == 1 {
            number.hasRareReading = true
            guard choice.takesRareReading else { return try takeFiller() }
        }
        try begin(digit)
        open = nil
    }

    private var nextIsNumber: Bool {
        switch next {
        case .digit: return true
        case .word(let word):
            switch vocabulary.meaning(word) {
            case .number, .repeats, .soundsLike, .oh: return true
            default: return false
            }
        default: return false
        }
    }
}

// MARK: - Other words

extension SpokenNumberReader {
    private mutating func takeFiller() throws(PhoneProblem) {
        guard repetitions == 1 else { throw PhoneProblem(.notUnderstood) }
        isTainted = false
        isAfterNumber = false
        isAfterJoiner = false
        needsPause = false
        open = nil
    }

    /// Reads an unknown word. It is harmless only where it cannot be a misheard digit: away
    /// from the digits, after a filler.
    private mutating func takeUnknown() throws(PhoneProblem) {
        switch stage {
        case .before: isTainted = true
        case .digits:
            guard !isAfterNumber, repetitions == 1 else { throw PhoneProblem(.notUnderstood) }
            stage = .after
        case .after: break
        }
    }

    private mutating func takePlus() throws(PhoneProblem) {
        guard stage == .before, !number.isInternational, main == nil else { throw PhoneProblem(.notUnderstood) }
        number.isInternational = true
        isTainted = false
    }

    private mutating func takeExtension() throws(PhoneProblem) {
        guard stage == .digits, main == nil else { return try takeUnknown() }
        try takeFiller()
        main = number.digits
        number.digits = DigitString()
        stage = .before
    }
}
