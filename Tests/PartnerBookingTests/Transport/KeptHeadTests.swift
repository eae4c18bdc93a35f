import Testing

@testable import PartnerBooking

/// Headers of a reply as libcurl before 7.83 leaves them to us.
struct KeptHeadTests {
    private func head(_ lines: [String]) -> KeptHead {
        var head = KeptHead()
        for line in lines { Array((line + "\r\n").utf8).withUnsafeBytes { head.add($0) } }
        return head
    }

    @Test func aHeaderIsFoundInAnyLettersAndWithoutWhiteSpaceAround() {
        let reply = head(["HTTP/1.1 429 Slow down", "retry-after: \t7 ", "X-Request-Id:req_1", ""])
        #expect(reply.value(of: "Retry-After") == "7")
        #expect(reply.value(of: "X-REQUEST-ID") == "req_1")
        #expect(reply.value(of: "Retry-After-Ms") == nil)
    }

    @Test func theFirstOfSeveralCounts() {
        #expect(head(["HTTP/2 200", "a: 1", "a: 2", ""]).value(of: "a") == "1")
    }

    @Test func interimHeadsAndTrailersDoNotCount() {
        let reply = head(["HTTP/1.1 103 Early Hints", "a: hint", "", "HTTP/1.1 200 OK", "b: 2", "", "c: trailer", ""])
        #expect(reply.value(of: "a") == nil && reply.value(of: "c") == nil)
        #expect(reply.value(of: "b") == "2")
    }

    @Test(arguments: ["", "no colon", ":", ": empty name", "a:"])
    func oddLinesAreNoTrouble(_ line: String) {
        #expect(head(["HTTP/1.1 200 OK", line, "b: 2", ""]).value(of: "b") == (line.isEmpty ? nil : "2"))
    }

    @Test func anEmptyValueIsAValue() {
        #expect(head(["HTTP/1.1 200 OK", "a:  ", ""]).value(of: "a")?.isEmpty == true)
    }
}
