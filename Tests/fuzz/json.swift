// The input is any text. What the scanner says of it is compared with a grammar, and what a document holds with Foundation.
import Foundation

@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    let grammar = Grammar(input)
    let request = refusal(input, .request)
    let reply = refusal(input, .reply)
    require((reply == nil) == grammar.accepts, "a reply is what the grammar says: \(reply?.reason ?? "")")
    require(
        (request == nil) == (grammar.accepts && !grammar.holdsHalfPair),
        "a request is that without halves of pairs: \(request?.reason ?? "")")
    for error in [request, reply].compactMap(\.self) {
        require((0...input.count).contains(error.offset), "the offset lies in the text: \(error.offset)")
        checkPrefix(input, error)
    }
    if let document = try? JSONDocument(input, profile: .reply) { checkPlaces(document) }
    checkPointers(input)
    _ = Reply(input)
    if let document = try? JSONDocument(input, profile: .request) { checkWithFoundation(document) }
    return 0
}

private func refusal(_ text: [UInt8], _ profile: JSONProfile) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
        try JSON.validate(text, profile: profile)
        return nil
    } catch {
        return error
    }
}

/// What comes before the offset could be the beginning of JSON: cut off there it only ends too early.
private func checkPrefix(_ text: [UInt8], _ error: JSONSyntaxError) {
    guard let cut = refusal(Array(text.prefix(error.offset)), .reply) else { return }
    require(cut.offset == error.offset, "the first wrong byte is named: \(error.offset), cut there: \(cut.offset)")
}

/// Every value lies in its container and behind the one before, and the hot path finds the last of several copies.
private func checkPlaces(_ document: JSONDocument) {
    func end(of value: JSONValue, within place: Range<Int>) -> Int {
        let span = value.span
        require(place.lowerBound <= span.lowerBound && span.upperBound <= place.upperBound, "a value has its place")
        var inside = span
        for (key, value) in value.members {
            inside = end(of: key, within: inside)..<span.upperBound
            inside = end(of: value, within: inside)..<span.upperBound
        }
        for element in value.elements { inside = end(of: element, within: inside)..<span.upperBound }
        return span.upperBound
    }
    _ = end(of: document.root, within: 0..<document.bytes.count)
    let found = document.root.members.filter { $0.key.equals("found") }
    require(
        JSON.kindOfTopLevelMember("found", in: document.bytes, profile: .reply) == found.last?.value.kind,
        "the hot path finds what a document holds")
}

// MARK: - Pointers

/// Every value is found by its pointer, unless an earlier member has its name. Any text may be the pointer, too.
private func checkPointers(_ input: [UInt8]) {
    _ = JSON.value(at: input, in: input)
    _ = JSON.value(at: input, in: Array(#"{"a":[1,{"":2}],"~":"\u0000"}"#.utf8))
    let quoted = JSON.quoted(input)
    let back = JSON.value(at: [], in: quoted)
    require(back == Array(String(decoding: input, as: UTF8.self).utf8).withoutNUL, "a quoted text is read back")
    // Each look-up reads all that comes before its value.
    guard input.count <= 4_096, let document = try? JSONDocument(input, profile: .reply) else { return }
    checkPointers(to: document.root, [], document)
}

private func checkPointers(to value: JSONValue, _ pointer: [UInt8], _ document: JSONDocument) {
    // The pointers of a text grow with the square of its depth.
    guard pointer.count < 64 else { return }
    let found = required(JSONPointer(pointer), "\(pointer.text) is a pointer").value(in: document.root)
    require(found?.span == value.span, "\(pointer.text) leads to its value")
    var names: Set<[UInt8]> = []
    for (key, value) in value.members {
        let name = Array((key.string ?? "").utf8)
        guard names.insert(name).inserted else { continue }
        checkPointers(to: value, pointer + [UInt8(ascii: "/")] + escaped(name), document)
    }
    for (index, element) in value.elements.enumerated().prefix(16) {
        checkPointers(to: element, pointer + Array("/\(index)".utf8), document)
    }
}

private func escaped(_ name: [UInt8]) -> [UInt8] {
    name.flatMap { byte in
        switch byte {
        case UInt8(ascii: "~"): Array("~0".utf8)
        case UInt8(ascii: "/"): Array("~1".utf8)
        default: [byte]
        }
    }
}

extension [UInt8] {
    fileprivate var withoutNUL: [UInt8] { flatMap { $0 == 0 ? Array("\u{FFFD}".utf8) : [$0] } }
}

// MARK: - The grammar

/// RFC 8259 once more, as short as it can be said: with recursion, and with its own idea of UTF-8.
private struct Grammar {
    private var rest: ArraySlice<UInt8>
    private(set) var holdsHalfPair = false
    private(set) var accepts = false

    init(_ text: [UInt8]) {
        rest = text[...]
        accepts = String(validating: text, as: UTF8.self) != nil && element(depth: 0) && rest.isEmpty
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func element(depth: Int) -> Bool {
        skipSpace()
        guard value(depth: depth) else { return false }
        skipSpace()
        return true
    }

    private mutating func skipSpace() { rest = rest.drop { [0x20, 0x0A, 0x0D, 0x09].contains($0) } }

    private mutating func value(depth: Int) -> Bool {
        if take("{") { return depth < 128 && items(depth: depth, "}") { $0.member(depth: depth + 1) } }
        if take("[") { return depth < 128 && items(depth: depth, "]") { $0.element(depth: depth + 1) } }
        for literal in ["true", "false", "null"] where rest.starts(with: literal.utf8) {
            rest = rest.dropFirst(literal.utf8.count)
            return true
        }
        return rest.first == UInt8(ascii: "\"") ? string() : number()
    }

    private mutating func items(depth: Int, _ end: Unicode.Scalar, _ item: (inout Grammar) -> Bool) -> Bool {
        skipSpace()
        if take(end) { return true }
        repeat { guard item(&self) else { return false } } while take(",")
        return take(end)
    }

    private mutating func member(depth: Int) -> Bool {
        skipSpace()
        guard string() else { return false }
        skipSpace()
        return take(":") && element(depth: depth)
    }

    private mutating func number() -> Bool {
        _ = take("-")
        guard take("0") || digits() else { return false }
        if take(".") && !digits() { return false }
        guard take("e") || take("E") else { return true }
        _ = take("+") || take("-")
        return digits()
    }

    private mutating func digits() -> Bool {
        let count = rest.prefix { (0x30...0x39).contains($0) }.count
        rest = rest.dropFirst(count)
        return count > 0
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        var isAfterHigh = false
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                if isAfterHigh { holdsHalfPair = true }
                isAfterHigh = false
                if byte == UInt8(ascii: "\"") { return true }
                if byte < 0x20 { return false }
                continue
            }
            guard let unit = escape() else { return false }
            if isAfterHigh != (0xDC00...0xDFFF).contains(unit) { holdsHalfPair = true }
            isAfterHigh = (0xD800...0xDBFF).contains(unit)
        }
        return false
    }

    /// What an escape stands for; 0 for all that stand for themselves.
    private mutating func escape() -> UInt16? {
        guard let kind = rest.popFirst() else { return nil }
        if "\"\\/bfnrt".utf8.contains(kind) { return 0 }
        let digits = rest.prefix(4)
        let areHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
        guard kind == UInt8(ascii: "u"), digits.count == 4, areHex else { return nil }
        rest = rest.dropFirst(4)
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}

// MARK: - Foundation

/// Foundation takes more than RFC 8259 has (commas at the end, other encodings), and refuses numbers that it cannot say.
private func checkWithFoundation(_ document: JSONDocument) {
    // It would take this for UTF-16.
    guard !document.bytes.prefix(4).contains(0) else { return }
    do {
        checkEqual(document.root, try JSONSerialization.jsonObject(with: Data(document.bytes), options: .fragmentsAllowed))
    } catch {
        require(holdsOddNumber(document.bytes), "Foundation takes what is JSON: \(error)")
    }
}

/// A number with so many digits, or so large an exponent, that Foundation may not be able to say it.
private func holdsOddNumber(_ text: [UInt8]) -> Bool {
    var digits = 0
    for byte in text {
        digits = byte.isDigit ? digits + 1 : 0
        if digits > 2 { return true }
    }
    return false
}

private func checkEqual(_ ours: JSONValue, _ theirs: Any) {
    switch ours.kind {
    case .object:
        guard let theirs = theirs as? [String: Any] else { return differ(ours, theirs) }
        for (key, _) in ours.members {
            // Swift takes two spellings of é for one key.
            let copies = ours.members.filter { $0.key.string == key.string }
            guard copies.count == 1 else { continue }
            guard let theirs = theirs[key.string ?? ""] else { return differ(ours, key.text) }
            checkEqual(copies[0].value, theirs)
        }
    case .array:
        guard let theirs = theirs as? [Any] else { return differ(ours, theirs) }
        let elements = Array(ours.elements)
        require(elements.count == theirs.count, "as many elements")
        for (ours, theirs) in zip(elements, theirs) { checkEqual(ours, theirs) }
    case .string:
        guard let theirs = theirs as? String else { return differ(ours, theirs) }
        require(Array(theirs.utf8) == Array((ours.string ?? "").utf8), "Foundation reads another text: \(ours.text)")
    case .number:
        guard let theirs = theirs as? NSNumber else { return differ(ours, theirs) }
        if let integer = ours.integer {
            require(theirs.intValue == integer, "Foundation reads another number: \(ours.text)")
        }
    case .bool:
        guard let theirs = theirs as? Bool else { return differ(ours, theirs) }
        require(ours.boolean == theirs, "Foundation reads the opposite: \(ours.text)")
    case .null:
        if !(theirs is NSNull) { differ(ours, theirs) }
    }
}

private func differ(_ ours: JSONValue, _ theirs: Any) {
    fatalError("NOT TRUE: Foundation reads the same: \(ours.text) and \(theirs)")
}
