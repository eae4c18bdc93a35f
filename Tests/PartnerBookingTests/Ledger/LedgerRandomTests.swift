import Testing

@testable import PartnerBooking

/// The ledger against a slow model, under random operations.
@Suite struct LedgerRandomTests {
    /// A thousand operations for each of a hundred seeds.
    @Test func theLedgerDoesWhatTheModelDoes() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var history = LedgerHistory(seed: seed)
            for _ in 0..<1_000 where history.violation == nil { history.step() }
            history.drain()
            guard let violation = history.violation else { continue }
            Issue.record("seed \(seed): \(violation)\n\(history.text)")
            return
        }
    }
}

/// One ledger and its model, and the operations on both.
private struct LedgerHistory {
    private var random: SplitMix64
    private var ledger: BookingLedger
    private var model: LedgerModel
    private var now = 10_000_000
    private var lastID: TransferID = 0
    private var lastClock = 0
    /// Every end that ever was: receipts may come late.
    private var receipts: [(key: String, end: TransferID)] = [("key-0", 0), ("key-1", 0)]
    private let keyCount: Int
    private var steps: [String] = []
    private(set) var violation: String?

    var text: String { steps.suffix(60).joined(separator: "\n") }

    init(seed: UInt64) {
        random = SplitMix64(state: seed)
        let capacity = [2, 3, 5, 8, 20].randomElement(using: &random) ?? 2
        keyCount = Int.random(in: 5...30, using: &random)
        let settings = BookingLedger.Settings(retentionMilliseconds: 50, capacity: capacity)
        ledger = BookingLedger(settings)
        model = LedgerModel(settings)
        steps.append("capacity \(capacity), \(keyCount) keys")
        for clock in 0..<number(6) { restore(9_960_000 + clock) }
    }

    // MARK: Random values

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
    private mutating func key() -> String { "key-\(number(keyCount))" }

    /// Each key has a service, and a bot.
    private func service(_ key: String) -> Int? { [0, 1, nil][(key.utf8.last.map(Int.init) ?? 0) % 3] }

    private mutating func wish(_ key: String) -> Wish {
        let number = UInt8(number(8) == 0 ? 2 : 1)
        return LedgerFixture.wish(
            number, "2030-01-14T1\(number):00:00Z", bot: service(key).map { "bot-\($0)" } ?? "none",
            conversation: number == 2 ? "call" : nil)
    }

    private mutating func ending() -> BookingLedger.Ending {
        switch number(8) {
        case 0..<3: .made
        case 3, 4: .notBooked(.rejected)
        case 5: .notBooked(.notSent)
        case 6: .unknown
        default: .inDoubt(Evidence(inheritedAt: MonotonicTime(nanoseconds: Int64(now))), BookingLedger.OwedReport(tag: "t"))
        }
    }

    private func name(_ ending: BookingLedger.Ending) -> String {
        switch ending {
        case .booked: "booked"
        case .notBooked(let outcome): outcome.rawValue
        case .inDoubt: "in doubt"
        }
    }

    // MARK: Steps

    private mutating func note(_ text: String) { steps.append("\(now): \(text)") }

    private mutating func expect(_ isRight: Bool, _ text: @autoclosure () -> String) {
        if !isRight, violation == nil { violation = text() }
    }

    private mutating func restore(_ clock: Int) {
        let key = "key-\(clock - 9_960_000)"
        let states: [JournalEntry.State] = [
            .booked(reply: LedgerFixture.reply), .refused(.rejected), .unsettled(body: LedgerFixture.body()),
        ]
        let state = states.randomElement(using: &random) ?? states[0]
        var entry = JournalEntry.earlier(key, state, clock: clock, wish: wish(key))
        if case .booked = state { entry.isHeard = number(2) == 0 }
        if case .unsettled = state { entry.isWithdrawn = number(2) == 0 }
        let settledCount = model.settledCount
        ledger.restore(entry, service: service(key), LedgerFixture.doubt)
        model.restore(entry, service: service(key), LedgerFixture.doubt)
        let listed = Set(ledger.pending(now).map(\.key))
        let lost = model.bookings.keys.filter { !listed.contains($0) && !ledger.mayBeMade($0, now: now) }
        let problem = model.lose(Set(lost), of: settledCount, now)
        expect(problem == nil, problem ?? "")
        note("restore \(entry.key) heard \(entry.isHeard)")
    }

    mutating func step() {
        now += number(400)
        model.forget(now)
        switch number(20) {
        case 0..<7: begin()
        case 7..<12: end()
        case 12..<16: hear()
        case 16: giveUp()
        case 17, 18: record()
        default:
            now += number(number(10) == 0 ? 60_000 : 5_000)
            note("time passes")
        }
        model.forget(now)
        compare()
    }

    private mutating func begin() {
        let key = key()
        let wish: Wish? = number(4) == 0 ? nil : wish(key)
        lastID = lastID.next
        let body = wish == nil ? [] : LedgerFixture.body()
        let wallClock = LedgerFixture.wallClock + now / 1_000
        note("begin \(key) \(wish.map { "\($0.fingerprint.digest)" } ?? "resume") id \(lastID)")
        let (known, settledCount) = (model.bookings.keys, model.settledCount)
        let expected = model.begin(key, wish, body: body, service: service(key), id: lastID, wallClock: wallClock)
        let decision = ledger.begin(
            key, wish, body: body, service: service(key), id: lastID, now: now, wallClock: wallClock)
        expect(decision == expected, "\(decision) and not \(expected)")
        let listed = Set(ledger.pending(now).map(\.key))
        let lost = known.filter { $0 != key && !listed.contains($0) && !ledger.mayBeMade($0, now: now) }
        if !lost.isEmpty { note("lost \(lost)") }
        let problem = model.lose(Set(lost), of: settledCount, now)
        expect(problem == nil, problem ?? "")
        guard decision.grant != nil, !known.contains(key) else { return }
        let most = model.settings.capacity + model.bookings.values.count { !$0.state.isSettled }
        let count = ledger.count
        expect(count <= most, "\(count) keys, and at most \(most)")
    }

    private mutating func end() {
        let inFlight = model.bookings.filter { $0.value.state.name == .inFlight }.keys.sorted()
        guard let key = inFlight.randomElement(using: &random) else { return }
        lastID = lastID.next
        let ending = ending()
        note("end \(key) \(name(ending)) end \(lastID)")
        ledger.ended(key, ending, end: lastID, now: now)
        model.ended(key, ending, end: lastID, now: now)
        receipts.append((key, lastID))
    }

    private mutating func hear() {
        // Mostly one of the last.
        let index = number(3) == 0 ? number(receipts.count) : max(0, receipts.count - 1 - number(6))
        let (key, end) = receipts[index]
        let moment = now + (number(2) == 0 ? 0 : number(LedgerModel.grace))
        note("heard \(key) end \(end) at \(moment)")
        let record = ledger.heard(key, end: end, at: moment)
        if let expected = model.heard(key, end: end, at: moment) {
            expect(record == expected, "record \(record ?? -1) and not \(expected ?? -1)")
        }
    }

    private mutating func giveUp() {
        let start = ["2030-01-14T12:00:00Z", "2030-01-14T12:00:01Z"].randomElement(using: &random) ?? ""
        let bot = ["bot-0", "bot-1", "none"].randomElement(using: &random) ?? ""
        let selection: GiveUp =
            number(3) > 0
            ? .booking(key: key()) : .bookings(botID: bot, startBefore: LedgerFixture.instant(start))
        note("give up \(selection)")
        expect(ledger.inFlight(selection).sorted() == model.inFlight(selection), "in flight")
        let (result, expected) = (
            ledger.giveUp(selection, now: now).map {
                BookingLedger.GivenUp(givenUp: $0.givenUp.sorted(), kept: $0.kept.sorted())
            },
            model.giveUp(selection)
        )
        expect(result == expected, "\(String(describing: result)) and not \(String(describing: expected))")
    }

    /// What the journal does with a booking that is not settled.
    private mutating func record() {
        let key = key()
        guard let booking = model.bookings[key], !booking.state.isSettled else { return }
        let kind = number(5)
        note("record \(kind) of \(key)")
        switch kind {
        case 0:
            let clock = random.next() % 2 == 0 ? lastClock : lastClock - 1
            ledger.recorded(key, clock: clock)
            model.change(key) { if $0.lastRecord == clock { $0.isRecorded = true } }
        case 1:
            lastClock += 1
            ledger.recording(key, clock: lastClock, isEnd: false)
            model.change(key) { [lastClock] in $0.lastRecord = lastClock }
        case 2:
            lastClock += 1
            ledger.recording(key, clock: lastClock, isEnd: true)
            model.change(key) { [lastClock] in
                $0.lastRecord = lastClock
                $0.recordedEnd = lastClock
                $0.isRecorded = false
            }
        case 3:
            let isRecorded = ledger.withdraw(key)
            expect(isRecorded, "not withdrawn")
            model.change(key) { $0.isWithdrawn = true }
        default:
            let renewed = ledger.renew(key)
            let isRight = renewed?.body == (booking.isWithdrawn ? booking.body : nil)
            expect(isRight, "renewed \(String(describing: renewed))")
            model.change(key) { $0.isWithdrawn = false }
        }
        expect(ledger.wish(of: key)?.wish == booking.wish, "another wish")
    }

    // MARK: Comparisons

    private mutating func compare() {
        let (pending, expected) = (ledger.pending(now).sorted(), model.pending(now))
        expect(pending == expected, "listed \(pending.map(\.key)) and not \(expected.map(\.key))")
        for number in 0..<keyCount {
            let key = "key-\(number)"
            let isExpected = model.bookings[key].map { $0.state.name != .refused } ?? false
            expect(ledger.mayBeMade(key, now: now) == isExpected, "\(key) may be made, or not")
        }
        if number(8) == 0 { for service in 0...1 { probe(service) } }
    }

    /// Asks a copy whether there is room.
    private mutating func probe(_ service: Int) {
        var copy = ledger
        let decision = copy.begin(
            "new", LedgerFixture.wish(), body: [], service: service, id: 0, now: now, wallClock: 0)
        let isFull = model.unsettledCount(service) >= model.settings.capacity / 2
        expect((decision.grant == nil) == isFull, "room for service \(service): \(decision)")
    }

    /// After the retention time nothing is left but what is not settled.
    mutating func drain() {
        guard violation == nil else { return }
        now += 200_000
        note("drain")
        model.forget(now)
        _ = ledger.begin("drain", nil, body: [], service: nil, id: 0, now: now, wallClock: 0)
        let (left, expected) = (ledger.count, model.bookings.count)
        expect(left == expected, "\(left) keys are left, and not \(expected)")
        expect(ledger.pending(now).sorted() == model.pending(now), "another list at the end")
    }
}
