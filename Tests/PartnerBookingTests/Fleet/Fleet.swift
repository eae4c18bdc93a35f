import Glibc

@testable import PartnerBooking

/// Many clients of one service, each with the library's own policy, under a virtual clock: what a fleet does to a service that fails
/// and comes back, and what the callers have of it. Everything but callers, network and service is what is shipped. The same plan
/// has the same course.
final class Fleet {
    struct Plan: Sendable {
        var clients = 1_000
        /// Calls that begin in a second, all clients together.
        var callsPerSecond = 500.0
        /// One of so many calls is a booking.
        var callsForBooking = 10
        /// What the service can do in a second: requests, and TLS handshakes, which take as long.
        var servicePerSecond = 1_000.0
        var trouble = SimulatedService.Trouble.unavailable
        /// In seconds from the start.
        var outage = 40.0..<100.0
        var end = 160.0
        var searchTimeoutMilliseconds = 5_000
        /// A bot tries again what has failed and may succeed.
        var triesOfBot = 2
        var pauseOfBotMilliseconds = 3_000
        var policy = DeliveryPolicy()
        var seed: UInt64 = 1
    }

    /// How something ended that a bot was asked for, after all its calls.
    struct Ending {
        let begunAt: MonotonicTime
        let calls: Int
        let isServed: Bool
    }

    private enum Event {
        case caller(client: Int)
        case again(Wish, client: Int)
        case step(client: Int)
        case outageBegins
    }

    /// What a bot was asked for, and how often it has called.
    private struct Wish {
        let operation: PartnerBooking.CallOperation
        let key: String
        let begunAt: MonotonicTime
        var calls = 1
    }

    private struct Client {
        let transport: SimulatedTransport
        let coordinator: CallCoordinator
        /// The next step that is among the events.
        var stepAt: MonotonicTime?
    }

    let plan: Plan
    let service: SimulatedService
    private(set) var callers: Tally
    private(set) var endings: [Ending] = []
    /// When each call that failed began, and how many milliseconds later it was told.
    private(set) var failures: [(begunAt: MonotonicTime, milliseconds: Int)] = []
    /// How many bookings callers were told what is not true of.
    private(set) var untrue = 0
    private let begin = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private var random: SplitMix64
    private var now: MonotonicTime
    private var events = TimerQueue<Event>()
    private var clients: [Client] = []
    private var lastTicket: CallTicket = 0
    private var lastCaller = 0
    private var calls: [CallTicket: (wish: Wish, begunAt: MonotonicTime, client: Int)] = [:]
    private let completions = Monitor<[CallCompletion]>([])

    init(_ plan: Plan) throws {
        self.plan = plan
        now = begin
        callers = Tally(begin)
        random = SplitMix64(state: plan.seed)
        let outage = SimulatedService.Outage(
            trouble: plan.trouble, begin: begin.adding(seconds: plan.outage.lowerBound),
            end: begin.adding(seconds: plan.outage.upperBound))
        service = SimulatedService(outage, perSecond: plan.servicePerSecond, begin: begin)
        let endpoint = try Configuration(json: Array(#"{"api_key":"sk_ptnr_simulated"}"#.utf8)).service.endpoint
        for number in 0..<plan.clients {
            let transport = SimulatedTransport(service, seed: random.next(), now)
            let coordinator = CallCoordinator(
                transport: transport, endpoint: endpoint, limits: .init(maxInFlight: 512, maxQueued: 512),
                policy: plan.policy,
                ledger: ScriptedLoop.ledger(), seed: random.next())
            // They are started one after another, as a careful operator does.
            let start = now.adding(seconds: Double.random(in: 0..<10, using: &random))
            clients.append(Client(transport: transport, coordinator: coordinator, stepAt: start))
            events.add(.step(client: number), at: start)
            events.add(.caller(client: number), at: start.adding(seconds: pauseBetweenCallers()))
        }
        events.add(.outageBegins, at: outage.begin)
    }

    /// Everything that happens, in its order.
    func run() throws {
        let end = begin.adding(seconds: plan.end)
        while let moment = events.next, moment < end {
            now = moment
            guard let event = events.popDue(now: now) else { break }
            switch event {
            case .caller(let client):
                callers.count(now)
                lastCaller += 1
                let isBooking = lastCaller.isMultiple(of: plan.callsForBooking)
                let operation = isBooking ? PartnerBooking.CallOperation.createBooking : .searchAvailability
                try call(Wish(operation: operation, key: "call-\(lastCaller)", begunAt: now), client)
                events.add(.caller(client: client), at: now.adding(seconds: pauseBetweenCallers()))
            case .again(let wish, let client): try call(wish, client)
            case .step(let client):
                guard clients[client].stepAt == now else { continue }  // an earlier one was made meanwhile
                clients[client].stepAt = nil
                step(client)
            case .outageBegins:
                guard plan.trouble == .refusing else { continue }
                for client in clients.indices {
                    clients[client].transport.now = now
                    clients[client].transport.connectionLost()
                    step(client)
                }
            }
        }
    }

    /// Exponential: callers know nothing of each other.
    private func pauseBetweenCallers() -> Double {
        -log(Double.random(in: Double.leastNormalMagnitude..<1, using: &random)) * Double(plan.clients) / plan.callsPerSecond
    }

    private func call(_ wish: Wish, _ client: Int) throws {
        lastTicket = lastTicket.next
        calls[lastTicket] = (wish, now, client)
        let request = try Request(wish.operation, json: Sample.request(wish.operation, key: wish.key))
        // As configured by default.
        let timeout = wish.operation == .createBooking ? 35_000 : plan.searchTimeoutMilliseconds
        // The transfer thread takes it up a little later than it was submitted.
        let call = Call(
            ticket: lastTicket, request: request, deadline: now.adding(milliseconds: timeout - 10),
            seed: random.next(), submittedAt: now
        ) { [completions] completion in completions.update { $0.append(completion) } }
        clients[client].transport.now = now
        clients[client].coordinator.accept(call, now)
        step(client)
    }

    private func step(_ number: Int) {
        let client = clients[number]
        client.transport.now = now
        client.coordinator.step(now)
        for completion in completions.withLock({ completions in
            defer { completions.removeAll(keepingCapacity: true) }
            return completions
        }) { ended(completion) }
        guard let next = [client.coordinator.next, client.transport.next].compactMap({ $0 }).min() else { return }
        let moment = max(next, now)
        if clients[number].stepAt.map({ moment < $0 }) ?? true {
            clients[number].stepAt = moment
            events.add(.step(client: number), at: moment)
        }
    }

    private func ended(_ completion: CallCompletion) {
        guard case .done(let result) = completion.event, let ticket = completion.ticket,
            let call = calls.removeValue(forKey: ticket)
        else { return }
        var wish = call.wish
        if wish.operation == .createBooking { check(result, of: wish.key) }
        if case .failure(let error) = result {
            failures.append((call.begunAt, now.milliseconds(since: call.begunAt)))
            if (error.isRetryable || error.outcome == .unknown) && wish.calls < plan.triesOfBot {
                wish.calls += 1
                let moment = now.adding(milliseconds: plan.pauseOfBotMilliseconds)
                return events.add(.again(wish, client: call.client), at: moment)
            }
        }
        let isServed = if case .success = result { true } else { false }
        endings.append(Ending(begunAt: wish.begunAt, calls: wish.calls, isServed: isServed))
    }

    private func check(_ result: CallResult, of key: String) {
        let isBooked = service.bookings[key] != nil
        switch result {
        case .success: if !isBooked { untrue += 1 }
        case .failure(let error): if isBooked && error.outcome != .unknown { untrue += 1 }
        }
    }
}

extension Fleet {
    func at(_ seconds: Double) -> MonotonicTime { begin.adding(seconds: seconds) }
}

extension MonotonicTime {
    fileprivate func adding(seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds + Int64(seconds * 1e9))
    }
}
