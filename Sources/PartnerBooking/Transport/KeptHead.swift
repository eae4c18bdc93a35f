/// The header lines of a reply, for a libcurl that does not keep them: before 7.83. `ReplyHead`
/// bounds how many come. They stay until the next reply's status line.
struct KeptHead {
    /// Name and value of each line, as they came.
    private var lines: [(name: String, value: String)] = []
    /// The head is whole: lines that follow are trailers, or those of another head.
    private var isWhole = false

    /// Takes the next line. Those of interim heads and trailers are dropped.
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

    /// Returns the first value of a header, whose name may be in large or small letters.
    func value(of name: String) -> String? {
        let wanted = name.lowercased()
        return lines.first { $0.name.lowercased() == wanted }?.value
    }

    /// Without white space around it.
    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        let rest = bytes.drop { $0 <= 0x20 }
        let end = rest.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? rest.startIndex
        return String(decoding: rest[..<end], as: UTF8.self)
    }
}
