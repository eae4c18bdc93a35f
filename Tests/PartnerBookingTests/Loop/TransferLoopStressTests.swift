import Glibc
import Testing

@testable import PartnerBooking

/// Whatever happens at once: each accepted call ends exactly once, and no refused call ends at all. Afterwards those
/// bookings are listed whose calls ended `unknown`, and no others.
@Suite(.serialized) struct TransferLoopStressTests {
    static let threads = 16
    static let callsPerThread = isThreadSanitized ? 100 : 500

    /// What became of each call, by its number.
    private struct Tally: Sendable {
        var isAccepted = [Bool](repeating: false, count: threads * callsPerThread)
        var endings = [Int](repeating: 0, count: threads * callsPerThread)
        var codes: [String: Int] = [:]
        var nonsense: [PartnerBookingError] = []
        var receipts: [Receipt] = []
        /// The keys of bookings whose end no call has.
        var unknown: Set<String> = []

        mutating func end(_ number: Int, _ result: CallResult, _ receipt: Receipt?) {
            endings[number] += 1
            if let receipt { receipts.append(receipt) } else { unknown.insert("\(number)") }
            if (receipt == nil) != (result.failure?.outcome == .unknown) { nonsense.append(result.failure ?? .timeout) }
            guard let error = result.failure else {
                codes["success", default: 0] += 1
                return
            }
            codes[error.code.rawValue, default: 0] += 1
            if error.outcome == nil || error.idempotencyKey != "\(number)" || !(0...4).contains(error.attempts) {
                nonsense.append(error)
            }
        }
    }

    /// The seed is also the number of attempts.
    @Test(arguments: [UInt64](1...4), [false, true])
    func eachCallEndsOnce(seed: UInt64, closesInTheMiddle: Bool) throws {
        let ledger = try ScriptedLoop.ledger(capacity: 4 * Self.threads * Self.callsPerThread)
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, attempt in
                var random = SplitMix64(state: seed &* 1_000_003 &+ id.rawValue &* 31 &+ UInt64(attempt))
                return .random(using: &random)
            }, maxInFlight: 200, policy: .calm, attempts: Int(seed), ledger: ledger)
        // Read beforehand, and not again whenever the queue is full.
        let requests = try (0..<Self.threads * Self.callsPerThread).map {
            try Request(.createBooking, json: Sample.booking(key: "\($0)"))
        }
        let tally = Monitor(Tally())
        let accepted = Counter()
        // Something to end in the test that closes, however fast the others are.
        let closer = background {
            guard closesInTheMiddle else { return }
            _ = accepted.reaches(Self.threads * Self.callsPerThread / 3)
            _ = scripted.close(within: 5)
        }
        onThreads(Self.threads) { thread in
            var random = SplitMix64(state: seed &+ UInt64(thread))
            for call in 0..<Self.callsPerThread {
                let number = thread * Self.callsPerThread + call
                // Accepted is noted first: the completion may come before `submit` returns.
                tally.withLock { $0.isAccepted[number] = true }
                while true {
                    do throws(PartnerBookingError) {
                        try scripted.submit(
                            requests[number], deadline: Int.random(in: 0...30, using: &random)
                        ) { completion in
                            guard case .done(let result) = completion.event else { return }
                            tally.withLock { $0.end(number, result, completion.receipt) }
                        }
                        accepted.increment()
                        break
                    } catch {
                        if error.code == .queueFull {
                            sleep(milliseconds: 1)
                            continue
                        }
                        #expect(error.code == .clientClosed && closesInTheMiddle)
                        tally.withLock { $0.isAccepted[number] = false }
                        break
                    }
                }
            }
        }
        closer.join()
        if !closesInTheMiddle {
            // Those that may have been sent are still read then; nobody waits for them.
            #expect(eventually { tally.withLock { $0.endings.reduce(0, +) } >= accepted.value })
            #expect(scripted.close() == 0)
        }

        let result = tally.withLock { $0 }
        #expect(result.nonsense.isEmpty)
        #expect(result.endings == result.isAccepted.map { $0 ? 1 : 0 })
        #expect(result.isAccepted.filter { $0 }.count == accepted.value)
        #expect(accepted.value == Self.threads * Self.callsPerThread || closesInTheMiddle)
        // A booking that was sent, and then met a 503 or a broken connection, is in doubt, whatever comes next.
        let known: Set = ["success", "timeout", "connection_lost", "in_doubt", "resource_unavailable", "client_closed"]
        #expect(Set(result.codes.keys).isSubset(of: known))
        #expect(result.codes["timeout", default: 0] > 0)
        #expect(result.codes["in_doubt", default: 0] > 0)
        // Whoever has a receipt has not acknowledged it.
        #expect(ledger.pending.count == accepted.value)
        #expect(ledger.pending.allSatisfy { $0.state != .inFlight })
        for receipt in result.receipts { receipt.acknowledge() }
        #expect(Set(ledger.pending.map(\.key)) == result.unknown)
        // As many go on without a call as may be in flight.
        #expect(scripted.transport.record.mostAtOnce <= 400)
    }
}

extension ScriptedTransport.Step {
    /// Anything, most of it quick, some near the deadlines of this test.
    fileprivate static func random(using random: inout SplitMix64) -> Self {
        let delay = [0, 0, 1, 5, 15, 28, 29, 30, 31].randomElement(using: &random) ?? 0
        let mayHaveBeenSent = Bool.random(using: &random)
        return switch Int.random(in: 0..<8, using: &random) {
        case 0...3: .reply(201, Sample.bookingReply, after: delay)
        case 4: .reply(503, [], after: delay)
        case 5: .failure(mayHaveBeenSent: mayHaveBeenSent, after: delay)
        case 6: .never(mayHaveBeenSent: mayHaveBeenSent)
        default: .cannotStart
        }
    }
}
