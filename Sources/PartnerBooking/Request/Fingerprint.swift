/// A hash of the meaning of a booking request. Two requests with the same fingerprint ask for
/// the same booking.
///
/// The order of members, white space, escapes and the spelling of numbers make no difference.
/// `booking.start_at` counts as an instant. A member that is `null` or `""` counts as absent.
/// (Required members were checked before.)
struct Fingerprint: Sendable, Hashable {
    let digest: SHA256.Digest

    init(digest: SHA256.Digest) { self.digest = digest }

    /// The digest as the journal writes it.
    var hex: String { digest.hex }

    /// Reads the 64 digits of a SHA-256. Returns nil for any other text.
    init?(hex: UnsafeRawBufferPointer) {
        guard Self.isHex(hex) else { return nil }
        digest = [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            while count < 32 {
                digest[count] = (hex[2 * count].hexDigitValue ?? 0) << 4 | (hex[2 * count + 1].hexDigitValue ?? 0)
                count += 1
            }
        }
    }

    /// Returns whether the text is the 64 digits of a SHA-256.
    static func isHex(_ text: UnsafeRawBufferPointer) -> Bool {
        text.count == 64 && text.allSatisfy { $0.hexDigitValue != nil }
    }

    /// Computes the fingerprint of a request without some of its members.
    init(_ root: JSONValue, without names: [StaticString] = []) {
        self.init(root, isOfVersion1: false, without: names)
    }

    /// Computes the fingerprint of a body. Returns nil when the body is not JSON.
    init?(body: [UInt8]) {
        guard let document = try? JSONDocument(body, profile: .request) else { return nil }
        self.init(document.root)
    }

    /// Computes the fingerprint by the rules of journal version 1: all members count, and
    /// `start_at` is a text. Returns nil when the body is not JSON.
    static func ofVersion1(body: [UInt8]) -> Fingerprint? {
        guard let document = try? JSONDocument(body, profile: .request) else { return nil }
        return Fingerprint(document.root, isOfVersion1: true)
    }

    private init(_ root: JSONValue, isOfVersion1: Bool, without names: [StaticString] = []) {
        var feeder = Feeder(document: root.document, isOfVersion1: isOfVersion1, leftOut: names)
        feeder.feed(root.place, in: .root)
        digest = feeder.hash.finalize()
    }
}

/// A feeder of JSON values to a hash. Every value starts with its kind and every text with its
/// length, so no two values give the same input. The JSON reader limits nesting, and thereby
/// recursion.
private struct Feeder {
    /// The place of an object in the request.
    enum Place {
        case root
        case booking
        case elsewhere
    }

    let document: JSONDocument
    let isOfVersion1: Bool
    /// The names of members of the outermost object that do not count.
    let leftOut: [StaticString]
    var hash = SHA256()

    mutating func feed(_ value: Int, in place: Place) {
        switch document.kind(at: value) {
        case .object: feed(membersOf: value, in: place)
        case .array: feed(elementsOf: value)
        case .string: feed(textOf: value)
        case .number:
            hash.update(UInt8(ascii: "n"))
            hash.update(document.withBytes(at: value) { DecimalNumber($0).bytes })
            hash.update(UInt8(ascii: ":"))
        case .bool: hash.update(document.isTrue(at: value) ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .null: hash.update(UInt8(ascii: "z"))
        }
    }

    private mutating func feed(membersOf object: Int, in place: Place) {
        let keys = document.keysByName(of: object) { [document, isOfVersion1, leftOut] key in
            (isOfVersion1 || !document.isNothing(at: key + 1))
                && !(place == .root && leftOut.contains { document.isString(at: key, $0) })
        }
        feed("o", keys.count)
        for key in keys {
            let value = key + 1
            feed(textOf: key)
            if place == .booking, !isOfVersion1, document.isString(at: key, "start_at"), feed(start: value) { continue }
            let isBooking =
                place == .root && document.kind(at: value) == .object && document.isString(at: key, "booking")
            feed(value, in: isBooking ? .booking : .elsewhere)
        }
    }

    private mutating func feed(elementsOf array: Int) {
        let end = document.next(after: array)
        var (count, element) = (0, array + 1)
        while element < end {
            count += 1
            element = document.next(after: element)
        }
        feed("a", count)
        element = array + 1
        while element < end {
            feed(element, in: .elsewhere)
            element = document.next(after: element)
        }
    }

    private mutating func feed(textOf value: Int) {
        document.withText(at: value) { text in
            feed("s", text.count)
            hash.update(text)
        }
    }

    /// Feeds an instant. Returns false for any other value.
    private mutating func feed(start: Int) -> Bool {
        let timestamp = document.withText(at: start) { Timestamp($0) } ?? nil
        guard case .instant(let seconds, let nanoseconds)? = timestamp else { return false }
        hash.update(UInt8(ascii: "i"))
        seconds.forEachDigit { hash.update($0) }
        feed(".", nanoseconds)
        return true
    }

    /// Feeds a letter, a number and a colon.
    private mutating func feed(_ letter: Unicode.Scalar, _ number: Int) {
        hash.update(UInt8(ascii: letter))
        number.forEachDigit { hash.update($0) }
        hash.update(UInt8(ascii: ":"))
    }
}

extension JSONDocument {
    /// Returns whether the value is `null` or `""`.
    fileprivate func isNothing(at place: Int) -> Bool {
        kind(at: place) == .null || kind(at: place) == .string && span(at: place).count == 2
    }
}

/// A JSON number in one spelling: 30, 30.0 and 3e1 are equal.
struct DecimalNumber {
    let bytes: [UInt8]

    /// Reads `text`, a number as JSON writes it.
    init(_ text: UnsafeRawBufferPointer) {
        var digits: [UInt8] = []
        var (isFraction, fractionCount) = (false, 0)
        var exponent: Int? = 0
        for (place, byte) in text.enumerated() {
            if byte.isDigit {
                if isFraction { fractionCount += 1 }
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
            } else if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text[(place + 1)...], as: UTF8.self))
                break
            }
        }
        let count = digits.count
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        guard !digits.isEmpty else {
            bytes = [UInt8(ascii: "0")]
            return
        }
        // A number with an absurdly large exponent stays unchanged.
        guard let exponent, exponent.magnitude < 1_000_000_000 else {
            bytes = Array(text)
            return
        }
        let shift = exponent - fractionCount + (count - digits.count)
        if text.first == UInt8(ascii: "-") { digits.insert(UInt8(ascii: "-"), at: 0) }
        digits.append(UInt8(ascii: "e"))
        shift.forEachDigit { digits.append($0) }
        bytes = digits
    }
}
