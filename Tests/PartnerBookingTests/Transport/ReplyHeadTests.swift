import Testing

@testable import PartnerBooking

/// Which lines of a reply's head are accepted.
@Suite struct ReplyHeadTests {
    private func fault(_ lines: [String]) -> ReplyFault? {
        var head = ReplyHead()
        for line in lines where !head.take(line) { return head.fault }
        return nil
    }

    private static let accepted: [[String]] = [
        ["HTTP/1.1 200 OK\r\n", "Content-Type: application/json\r\n", "Content-Length: 2\r\n", "\r\n"],
        ["HTTP/2 200 \r\n", "content-encoding: gzip\r\n", "\r\n"],
        ["Content-Encoding: x-gzip\r\n"], ["Content-Encoding: \r\n"], ["CONTENT-ENCODING:Identity\r\n"],
        ["Content-Encoding: none\r\n", "Content-Encoding: gzip\r\n"],
        ["Transfer-Encoding: chunked\r\n"], ["transfer-encoding:\tChunked \r\n"],
        [
            "HTTP/1.1 103 Early Hints\r\n", "Content-Encoding: gzip\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
            "Content-Encoding: gzip\r\n",
        ],
        ["X-Other-Encoding: br\r\n"], ["A:\r\n"], ["no colon in this line at all\r\n"], [""],
    ]

    @Test(arguments: accepted)
    func isAccepted(_ lines: [String]) { #expect(fault(lines) == nil) }

    private static let refused: [(ReplyFault, [String])] = [
        (.encoding, ["Content-Encoding: br\r\n"]), (.encoding, ["content-encoding:deflate\r\n"]),
        (.encoding, ["Content-Encoding: zstd\r\n"]), (.encoding, ["Content-Encoding: gzip, gzip\r\n"]),
        (.encoding, ["Content-Encoding: gzip\r\n", "Content-Encoding: gzip\r\n"]),
        (.encoding, ["Transfer-Encoding: gzip, chunked\r\n"]), (.encoding, ["Transfer-Encoding: br\r\n"]),
        (.foldedLine, ["A: b\r\n", " c\r\n"]), (.foldedLine, ["A: b\r\n", "\tand a longer line than that\r\n"]),
    ]

    @Test(arguments: refused)
    func isRefused(_ fault: ReplyFault, _ lines: [String]) { #expect(self.fault(lines) == fault) }

    /// Each line counts with an overhead, and heads, interim heads and trailers together.
    @Test(arguments: ["a:\r\n", "HTTP/1.1 103 Early Hints\r\n", "\r\n", "X-Header: 0123456789abcdef\r\n"])
    func allLinesCountTogether(_ line: String) {
        var head = ReplyHead()
        let limit = ReplyHead.maxBytes / (line.utf8.count + ReplyHead.lineOverhead)
        for _ in 0..<limit where !head.take(line) { Issue.record("too early") }
        let isTaken = head.take(line)
        #expect(!isTaken && head.fault == .headTooLong)
    }

    @Test func anInterimHeadIsNoWholeHead() {
        var head = ReplyHead()
        var seen: [Bool] = []
        for line in ["HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "Hello: a\r\n", "\r\n", "Trailer: a\r\n"] {
            _ = head.take(line)
            seen.append(head.isWhole)
        }
        #expect(seen == [false, true, false, false, true, true])
    }
}

extension ReplyHead {
    fileprivate mutating func take(_ line: String) -> Bool {
        Array(line.utf8).withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return add(bytes) }
            return addPlain(start, bytes.count) || add(bytes)
        }
    }
}
