/// The header lines of a reply, for a libcurl that does not keep them (before 7.83).
/// `ReplyHead` limits their number. They stay until the next reply's status line.
struct KeptHead {
    /// The name and value of each line, as received.
    private var lines: [(name: String, value: String)] = []
    /// True when the head is whole. Later lines are trailers, or belong to another head.
    private var isWhole = false

    /// Adds the next line. Drops the lines of interim heads and trailers.
    mutating func add(_ line: UnsafeRawBufferPointer) {
        guard let first = line.first else { return }
        if ReplyHead.isStatusLine(line) {
            (lines, isWhole) = ([], false)
        } else if first == UInt8(ascii: "\r") || first == UInt8(ascii: "\n") {
            isWhole = true
        } else if !isWhole, let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            lines.append((Self.text(line[..<colon]), Self.text(line[(colon + 1)...])))
        }
    }

    /// Returns the first value of a header. The name may be in upper or lower case.
    func value(of name: String) -> String? {
        let wanted = name.lowercased()
        return lines.first { $0.name.lowercased() == wanted }?.value
    }

    /// Returns the text without white space around it.
    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        let rest = bytes.drop { $0 <= 0x20 }
        let end = rest.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? rest.startIndex
        return String(decoding: rest[..<end], as: UTF8.self)
    }
}
