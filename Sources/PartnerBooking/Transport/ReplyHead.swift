/// A check of one reply's head lines as they arrive: status lines, headers, interim heads and
/// trailers together.
struct ReplyHead {
    /// The most bytes of all lines together.
    static let maxBytes = 262_144
    /// Bytes added for each line, because libcurl keeps each line in its own block.
    static let lineOverhead = 64

    private var byteCount = 0
    private var encodingCount = 0
    /// True when the last head has ended.
    private(set) var isWhole = false
    private(set) var fault: ReplyFault?

    /// Takes the next line if only its length needs a check, as with most lines. Otherwise
    /// returns false, and `add` must take it.
    @inline(__always)
    mutating func addPlain(_ line: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let sum = byteCount &+ count &+ Self.lineOverhead
        if count == 2, line[0] == UInt8(ascii: "\r"), sum <= Self.maxBytes {
            (byteCount, isWhole) = (sum, true)
            return true
        }
        // Only two header names matter, and these are their lengths. A `/` at index 4 marks a
        // status line.
        guard count > Self.transferEncodingCount, sum <= Self.maxBytes, line[Self.contentEncodingCount] != UInt8(ascii: ":"),
            line[Self.transferEncodingCount] != UInt8(ascii: ":"), line[4] != UInt8(ascii: "/"), line[0] > UInt8(ascii: " ")
        else { return false }
        byteCount = sum
        return true
    }

    private static let contentEncodingCount = 16
    private static let transferEncodingCount = 17

    /// Takes the next line. Returns true to continue. Otherwise `fault` is the reason.
    mutating func add(_ line: UnsafeRawBufferPointer) -> Bool {
        byteCount &+= line.count &+ Self.lineOverhead
        guard let first = line.first else { return true }
        if byteCount > Self.maxBytes {
            fault = .headTooLong
        } else if first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
            fault = .foldedLine
        } else if first == UInt8(ascii: "\r") || first == UInt8(ascii: "\n") {
            isWhole = true
        } else if Self.isStatusLine(line) {
            // An interim head is followed by another head.
            (isWhole, encodingCount) = (false, 0)
        } else {
            fault = encodingFault(line)
        }
        return fault == nil
    }

    static func isStatusLine(_ line: UnsafeRawBufferPointer) -> Bool {
        line.count > 4 && line[0] == UInt8(ascii: "H") && line[4] == UInt8(ascii: "/")
    }

    private static var contentEncoding: StaticString { "content-encoding" }
    private static var transferEncoding: StaticString { "transfer-encoding" }

    /// Returns the fault of an encoding header. libcurl decodes every encoding that it knows,
    /// and also several in sequence.
    private mutating func encodingFault(_ line: UnsafeRawBufferPointer) -> ReplyFault? {
        if let value = Self.value(of: Self.contentEncoding, in: line) {
            guard !["", "identity", "none"].contains(value) else { return nil }
            encodingCount += 1
            return encodingCount == 1 && ["gzip", "x-gzip"].contains(value) ? nil : .encoding
        }
        guard let value = Self.value(of: Self.transferEncoding, in: line) else { return nil }
        return ["chunked", "identity"].contains(value) ? nil : .encoding
    }

    /// Returns the value in lower case, or nil when the line has another name.
    private static func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> String? {
        let count = name.utf8CodeUnitCount
        guard line.count > count, line[count] == UInt8(ascii: ":") else { return nil }
        let isName = zip(line, UnsafeBufferPointer(start: name.utf8Start, count: count)).allSatisfy { $0 | 0x20 == $1 }
        guard isName else { return nil }
        let value = line.dropFirst(count + 1).drop { $0 <= 0x20 }
        let end = value.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? value.startIndex
        // The limit is longer than any accepted value.
        return String(decoding: value[..<end].prefix(32), as: UTF8.self).lowercased()
    }
}
