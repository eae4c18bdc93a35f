@testable import PartnerBooking

/// Two clients with one store, and anything that may happen to them in any order: answers and
/// requests that are lost, late or doubled, leases that run out, clients that die. No two of them
/// may ever send one booking at the same time.
struct TrafficRace {
    /// A booking of a client, as its exchange has it.
    private struct Party {
        enum State { case claiming, holding, waiting }

        let id: TransferID
        var state = State.claiming
    }

    private struct Client {
        let owner: String
        /// Of its clocks, in milliseconds.
        let offset: Int
        var traffic: LedgerTraffic
        var parties: [String: Party] = [:]

        func now(_ moment: Int) -> LedgerTraffic.Now {
            let mine = moment + offset
            return LedgerTraffic.Now(
                time: MonotonicTime(nanoseconds: Int64(mine) * 1_000_000), boot: mine * 1_000, wall: JournalSample.at)
        }

        /// Its exchange would begin to send.
        func maySend(_ key: String, _ moment: Int) -> Bool {
            guard parties[key]?.state == .holding, let end = traffic.lease.end else { return false }
            return now(moment).boot < end
        }
    }

    /// A batch between a client and the store.
    private struct Flight {
        let owner: String
        let number: UInt64
        let json: [UInt8]
        var answer: [UInt8]?
    }

    private var random: SplitMix64
    private var store = HostStore()
    private var clients: [Client] = []
    private var flights: [Flight] = []
    private var count = 0
    private var keys: [String] = []
    private var steps: [String] = []
    private(set) var violation: String?
    /// How often a client came to hold a key.
    private(set) var holds = 0

    var text: String { steps.suffix(80).joined(separator: "\n") }

    init(seed: UInt64) {
        random = SplitMix64(state: seed)
        for _ in 0..<2 { clients.append(newClient()) }
    }

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

    private mutating func next() -> Int {
        count += 1
        return count
    }

    private mutating func newClient() -> Client {
        let owner = "c\(next())"
        let offset = 10_000 + number(1_000_000)
        let settings = LedgerTraffic.Settings(scope: "s", owner: owner, leaseMilliseconds: 5_000, takesOver: false)
        let now = LedgerTraffic.Now(time: MonotonicTime(nanoseconds: 0), boot: 0, wall: 0)
        return Client(owner: owner, offset: offset, traffic: LedgerTraffic(settings, now))
    }

    // MARK: Steps

    mutating func step() throws {
        if keys.isEmpty || number(100) == 0 { keys = (0..<3).map { _ in "k\(next())" } }
        let client = number(clients.count)
        switch number(24) {
        case 0..<4: pass()
        case 4..<7: begin(client)
        case 7: revoke(client)
        case 8: end(client)
        case 9: ask(client)
        case 10 where number(12) == 0:
            note("\(clients[client].owner) dies")
            clients[client] = newClient()
        case 11..<16: take(client)
        default: try travel()
        }
        check()
    }

    private mutating func note(_ text: String) { steps.append("\(store.now): \(text)") }

    private mutating func pass() {
        store.now += [1, 20, 200, 900, 2_000, 4_100][number(6)]
        for index in clients.indices {
            let outputs = clients[index].traffic.tick(clients[index].now(store.now))
            take(outputs, index)
        }
    }

    private mutating func begin(_ index: Int) {
        let key = keys[number(keys.count)]
        guard clients[index].parties[key] == nil else { return }
        claim(key, TransferID(next()), index)
    }

    private mutating func claim(_ key: String, _ id: TransferID, isOrphan: Bool = false, _ index: Int) {
        let clock = next()
        note("\(clients[index].owner) claims \(key) by \(clock) for \(id)\(isOrphan ? ", an orphan" : "")")
        clients[index].parties[key] = Party(id: id)
        clients[index].traffic.add(JournalSample.intent(key, clock: clock), id: id, isOrphan: isOrphan)
    }

    /// The store was too slow: the call ends, or the exchange waits for another client.
    private mutating func revoke(_ index: Int) {
        guard let (key, party) = party(of: index, .claiming) else { return }
        let isGone = clients[index].traffic.revoke(party.id)
        note("\(clients[index].owner) revokes \(key) for \(party.id): \(isGone)")
        if number(2) == 0 {
            clients[index].parties[key]?.state = .waiting
            return
        }
        if !isGone, number(2) == 0 {
            clients[index].traffic.add(JournalSample.void(key, clock: next()), id: party.id)
        } else {
            clients[index].traffic.release(key)
        }
        clients[index].parties[key] = nil
    }

    private mutating func end(_ index: Int) {
        guard let (key, party) = party(of: index, .holding) else { return }
        let way = number(5)
        note("\(clients[index].owner) ends \(key): \(["booked", "void", "withdrawn", "in doubt", "in doubt"][way])")
        switch way {
        case 0: clients[index].traffic.add(JournalSample.booked(key, clock: next()), id: nil)
        case 1: clients[index].traffic.add(JournalSample.void(key, clock: next()), id: party.id)
        default:
            if way == 2 { clients[index].traffic.add(JournalSample.withdrawn(key), id: nil) }
            clients[index].traffic.release(key)
        }
        clients[index].parties[key] = nil
    }

    private mutating func ask(_ index: Int) {
        let key = keys[number(keys.count)]
        switch number(6) {
        case 0: clients[index].traffic.add(.orphans(limit: 9, notBefore: 0), key: nil)
        case 1: clients[index].traffic.giveUp(.booking(key: key), id: TransferID(next()))
        case 2: clients[index].traffic.add(JournalSample.heard(key, end: 1), id: nil)
        default: if let (key, party) = party(of: index, .waiting) { clients[index].traffic.look(key, id: party.id) }
        }
    }

    private mutating func party(of index: Int, _ state: Party.State) -> (key: String, party: Party)? {
        let found = clients[index].parties.filter { $0.value.state == state }.sorted { $0.key < $1.key }
        guard !found.isEmpty else { return nil }
        let (key, party) = found[number(found.count)]
        return (key, party)
    }

    // MARK: The way to the store and back

    private mutating func take(_ index: Int) {
        guard let (number, json) = clients[index].traffic.takeBatch(clients[index].now(store.now)) else { return }
        flights.append(Flight(owner: clients[index].owner, number: number, json: json))
        if flights.count > 40 { flights.removeFirst() }
    }

    private mutating func travel() throws {
        guard !flights.isEmpty else { return }
        let index = number(flights.count)
        let flight = flights[index]
        guard let answer = flight.answer else {
            if number(8) == 0 {
                flights.remove(at: index)
                return
            }
            note("\(flight.owner) \(flight.number): \(String(decoding: flight.json, as: UTF8.self).suffix(400))")
            flights[index].answer = try store.execute(flight.json)
            // Some way has a second copy of it.
            if number(6) == 0 { flights.append(flight) }
            return
        }
        flights.remove(at: index)
        guard number(6) > 0, let client = clients.firstIndex(where: { $0.owner == flight.owner }) else { return }
        let now = clients[client].now(store.now)
        let failure = Array(#"{"error":{"message":"lost"}}"#.utf8)
        // A copy whose batch was answered is refused.
        let json = number(8) == 0 ? failure : answer
        guard let outputs = try? clients[client].traffic.answer(flight.number, json, now) else { return }
        note("\(flight.owner) \(flight.number) is answered")
        take(outputs, client)
    }

    private mutating func take(_ outputs: [LedgerTraffic.Output], _ index: Int) {
        for output in outputs {
            switch output {
            case .report(let report):
                if case .event(.intent, let key, _) = report.record { holds(key, report.id, index) }
            case .finding(let finding): find(finding, index)
            case .orphans(let entries):
                for entry in entries where clients[index].parties[entry.key] == nil {
                    claim(entry.key, TransferID(next()), isOrphan: true, index)
                }
            }
        }
    }

    private mutating func holds(_ key: String, _ id: TransferID, _ index: Int) {
        guard let party = clients[index].parties[key], party.id == id, party.state == .claiming else { return }
        holds += 1
        note("\(clients[index].owner) has \(key)")
        clients[index].parties[key]?.state = .holding
    }

    private mutating func find(_ finding: LedgerFinding, _ index: Int) {
        let key = finding.key
        guard let party = clients[index].parties[key], finding.id == party.id || finding.id == .none else { return }
        switch finding.state {
        case .tookOver: holds(key, party.id, index)
        case .held, .lost: clients[index].parties[key]?.state = .waiting
        case .other: clients[index].parties[key] = nil
        case .looked(let row, _):
            if row?.state == .givenUp || row?.pendingState == .booked {
                clients[index].parties[key] = nil
            } else if party.state == .waiting, row?.isLive != true {
                claim(key, party.id, index)
            }
        case .gaveUp, .failed: break
        }
    }

    private mutating func check() {
        for key in Set(clients.flatMap(\.parties.keys)) {
            let senders = clients.filter { $0.maySend(key, store.now) }
            if senders.count > 1 { violation = "\(senders.map(\.owner)) may both send \(key)" }
        }
    }
}
