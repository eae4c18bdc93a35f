import Testing

@testable import PartnerBooking

/// The log by itself: this thread is the one that hands lines over.
@Suite struct LogTests {
    private final class Lines: Sendable {
        let texts = Monitor<[String]>([])
        var receiver: Log.Receiver {
            { [texts] _, line in texts.update { $0.append(String(decoding: line, as: UTF8.self)) } }
        }
        func take() -> [String] {
            texts.withLock { texts in
                defer { texts = [] }; return texts
            }
        }
    }

    private let lines = Lines()

    @Test func linesUpToTheLevelAreHandedOver() {
        let log = Log(nil)
        var built = 0
        func write(_ level: LogLevel) { log.write(level, "event") { _ in built += 1 } }
        log.begin {}
        for level in LogLevel.allCases { write(level) }
        #expect(built == 0 && !log.isOn)
        log.set(.warning, lines.receiver)
        for level in LogLevel.allCases { write(level) }
        #expect(built == 2 && log.isOn && lines.take().isEmpty)
        log.deliver()
        let texts = lines.take()
        #expect(texts.count == 2)
        #expect(texts.first?.contains(#""level":"error","event":"event"}"#) == true)
        log.set(nil, nil)
        write(.error)
        log.deliver()
        #expect(built == 2 && lines.take().isEmpty)
    }

    /// More lines than may wait: the number of the lost ones is in the next line, and nothing else
    /// is lost.
    @Test func lostLinesAreCounted() throws {
        let statistics = try #require(CallStatistics())
        defer { statistics.free() }
        let log = Log(statistics)
        log.begin {}
        log.set(.info, lines.receiver)
        for number in 0..<Log.maxWaiting + 7 { log.write(.info, "event") { $0.member("number", number) } }
        log.deliver()
        let texts = lines.take()
        #expect(texts.count == Log.maxWaiting && texts.first?.hasSuffix(#""number":0,"lost":7}"#) == true)
        #expect(texts.last?.hasSuffix("\"number\":\(Log.maxWaiting - 1)}") == true)
        #expect(statistics.value(.logLinesDropped) == 7)
        log.write(.info, "event") { _ in }
        log.deliver()
        #expect(lines.take().first?.contains("lost") == false)
    }

    /// Another thread asks for the delivery once, and never waits for the receiver.
    @Test func otherThreadsOnlyAsk() throws {
        let log = Log(nil)
        let wakes = Monitor(0)
        log.begin { wakes.update { $0 += 1 } }
        log.set(.info, lines.receiver)
        let thread = try Thread(name: "writer") { for _ in 0..<10 { log.write(.info, "event") { _ in } } }
        thread.join()
        #expect(wakes.withLock { $0 } == 1 && lines.take().isEmpty)
        log.deliver()
        #expect(lines.take().count == 10)
        log.write(.info, "event") { _ in }
        #expect(wakes.withLock { $0 } == 1)
    }

    /// A line that was begun before the level went down does not come.
    @Test func levelCountsWhenTheLineIsKept() {
        let log = Log(nil)
        log.begin {}
        log.set(.debug, lines.receiver)
        log.write(.debug, "late") { _ in log.set(.error, lines.receiver) }
        log.write(.error, "due") { _ in }
        log.deliver()
        let texts = lines.take()
        #expect(texts.count == 1 && texts.first?.contains("due") == true)
    }

    /// Each delivery allows one more call of `wake`, though lines are left.
    @Test func deliveryAllowsTheNextWake() throws {
        let log = Log(nil)
        let wakes = Monitor(0)
        log.begin { wakes.update { $0 += 1 } }
        log.set(.info) { _, _ in log.write(.info, "own") { _ in } }
        log.write(.info, "first") { _ in }
        for expected in 1...3 {
            try Thread(name: "writer") { for _ in 0..<3 { log.write(.info, "event") { _ in } } }.join()
            #expect(wakes.withLock { $0 } == expected)
            log.deliver()
        }
    }

    /// A receiver that writes a line itself, and one that switches the log off.
    @Test func receiverMayUseTheLog() {
        let log = Log(nil)
        log.begin {}
        let calls = Monitor(0)
        log.set(.debug) { _, _ in
            calls.update { $0 += 1 }
            log.write(.info, "again") { _ in }
        }
        log.write(.info, "first") { _ in }
        log.deliver()
        #expect(calls.withLock { $0 } == Log.maxWaiting)
        log.set(.debug) { _, _ in
            calls.update { $0 = -1 }
            log.set(nil, nil)
        }
        log.write(.info, "first") { _ in }
        log.write(.info, "second") { _ in }
        log.deliver()
        #expect(calls.withLock { $0 } == -1 && !log.isOn)
    }

    /// When `set` returns, the receiver from before is over.
    @Test func setWaitsForTheReceiver() throws {
        let log = Log(nil)
        let isInside = Monitor(false)
        let mayLeave = Monitor(false)
        let hasLeft = Monitor(false)
        let home = try Thread(name: "home") {
            log.begin {}
            log.set(.info) { _, _ in
                isInside.update { $0 = true }
                mayLeave.wait(until: nil) { $0 ? () : nil }
                hasLeft.update { $0 = true }
            }
            log.write(.info, "event") { _ in }
            log.deliver()
        }
        isInside.wait(until: nil) { $0 ? () : nil }
        #expect(!hasLeft.withLock { $0 })
        let releaser = try Thread(name: "releaser") { mayLeave.update { $0 = true } }
        log.set(nil, nil)
        #expect(hasLeft.withLock { $0 })
        releaser.join()
        home.join()
    }
}
