@testable import PartnerBooking

/// Ends the run with the reason unless something holds that must hold for every input. libFuzzer then keeps the input.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError("NOT TRUE: \(what())") }
}

/// What must be there for every input.
func required<Value>(_ value: Value?, _ what: @autoclosure () -> String) -> Value {
    guard let value else { fatalError("NOT TRUE: \(what())") }
    return value
}

extension [UInt8] {
    /// What libFuzzer hands over, copied into memory of its own size, so that AddressSanitizer sees a step beyond its end.
    init(_ data: UnsafePointer<UInt8>?, _ size: Int) {
        self = Array(UnsafeBufferPointer(start: data, count: size))
    }

    var text: String { String(decoding: self, as: UTF8.self) }
}

/// The error as the caller gets it: JSON of one line, whatever stood in the input.
func requireUsable(_ error: PartnerBookingError, of input: [UInt8]) {
    let json = error.json
    let root = required((try? JSONDocument(json, profile: .reply))?.root["error"], "an error is JSON: \(json.text)")
    require(root["code"]?.string == error.code.rawValue, "the code arrives: \(json.text)")
    require(root["message"]?.string == error.message, "the message arrives: \(json.text)")
    if let offset = error.offset { require((0...input.count).contains(offset), "the offset lies in the text: \(offset)") }
    if !error.isFromService {
        require(
            error.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{7F}" },
            "a message is one line: \(json.text)")
    }
}

/// What becomes a header must not end it.
func requireHeaderLines(_ lines: [String]) {
    for line in lines {
        require(line.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "a header is one line: \(line.debugDescription)")
    }
}
