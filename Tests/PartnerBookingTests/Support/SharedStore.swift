import Testing

@testable import PartnerBooking

/// A store of the host's that several clients share, on the clock of the system.
final class SharedStore: Sendable {
    enum Manner: Sendable {
        case answers
        /// It takes what it gets, and tells nobody.
        case isSilent
        case fails
    }

    private struct State {
        var store = HostStore()
        var manner = Manner.answers
    }

    private struct Reference {
        weak var client: PartnerBookingClient?
        var isSet = false
    }

    private let state = Monitor(State())

    /// What it answers to a batch; nil: nothing.
    func answer(_ batch: [UInt8]) -> [UInt8]? {
        var answer: [UInt8]?
        state.update { state in
            state.store.now = Int(MonotonicTime.now().nanoseconds / 1_000_000)
            switch state.manner {
            case .answers: answer = try? state.store.execute(batch)
            case .isSilent: break
            case .fails: answer = Array(#"{"error":{"message":"connection refused"}}"#.utf8)
            }
        }
        return answer
    }

    func become(_ manner: Manner) { state.update { $0.manner = manner } }

    func row(_ key: String = "key-1") -> HostStore.Row? { state.withLock { $0.store.rows[key] } }

    func isSoon(_ key: String = "key-1", _ condition: (HostStore.Row) -> Bool) -> Bool {
        state.becomes { $0.store.rows[key].map(condition) ?? false }
    }

    // MARK: Clients

    static func configuration(_ members: String, latency: Int, faults: String) -> [UInt8] {
        let clinic = #"{"now":"2030-01-14T08:00:00Z","latency_ms":\#(latency),"faults":[\#(faults)]}"#
        let calm = #""retry":{"max_attempts":1},"circuit_breaker":{"failures":0}"#
        return Array(#"{"endpoint":"sandbox",\#(calm),"sandbox":\#(clinic)\#(members)}"#.utf8)
    }

    /// A client of the embedded sandbox whose batches come here by a handler. `inside` runs in it.
    func client(
        _ members: String = "", latency: Int = 0, faults: String = "",
        inside: @escaping @Sendable (PartnerBookingClient) -> Void = { _ in }
    ) throws -> PartnerBookingClient {
        let reference = Monitor(Reference())
        let ledger = LedgerOptions { [self] number, json in
            guard reference.becomes({ $0.isSet }), let client = reference.withLock({ $0.client }) else { return }
            inside(client)
            if let answer = answer(json) { try? client.answerLedger(batch: number, json: answer) }
        }
        let client = try PartnerBookingClient(
            json: Self.configuration(members, latency: latency, faults: faults), ledger: ledger)
        reference.update { $0 = Reference(client: client, isSet: true) }
        return client
    }

    /// One whose batches somebody has to take.
    static func pulledClient(_ members: String = "", latency: Int = 0, faults: String = "") throws -> PartnerBookingClient {
        try PartnerBookingClient(json: configuration(members, latency: latency, faults: faults), ledger: .pulled)
    }

    /// Takes batches until the client is closed.
    func serve(_ client: PartnerBookingClient) -> PartnerBooking.Thread {
        background { [self] in
            while case .batch(let number, let json) = try? client.nextLedgerBatch(timeout: nil) {
                if let answer = answer(json) { try? client.answerLedger(batch: number, json: answer) }
            }
        }
    }
}
